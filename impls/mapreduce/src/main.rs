//! MapReduce with the applications that come with the crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    mapreduce::main_with(&[])
}

//! One node of the shard controller. `--consensus paxos|raft|viewstamped` says which protocol replicates it.

use std::process::{self, ExitCode};

use kv::ExactlyOnce;
use shard_controller::{
    Controller,
    consensus::{Carrier, Program, main_of},
};

fn main() -> ExitCode {
    main_of::<ControllerNode>()
}

struct ControllerNode;

impl Program for ControllerNode {
    fn run<C: Carrier>(flags: &[String]) -> ExitCode {
        node::main_from(flags, |launch, records| {
            let controller = ExactlyOnce::new(Controller::new(launch.shards));
            C::node(launch, controller, records).unwrap_or_else(|reason| {
                let data = launch.data.display();
                tracing::error!("{data}: {reason}; restore or replace the folder");
                process::exit(1)
            })
        })
    }
}

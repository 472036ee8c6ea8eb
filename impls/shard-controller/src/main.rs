//! One node of the shard controller. `--consensus paxos|raft|viewstamped` says which protocol replicates it.

use std::process::{self, ExitCode};

use kv::ExactlyOnce;
use shard_controller::{
    Controller,
    consensus::{Carrier, Consensus, OnPaxos, OnRaft, OnViewstamped},
};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    match Consensus::take_from(&mut arguments) {
        Ok(Consensus::Paxos) => run::<OnPaxos>(&arguments),
        Ok(Consensus::Raft) => run::<OnRaft>(&arguments),
        Ok(Consensus::Viewstamped) => run::<OnViewstamped>(&arguments),
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn run<C: Carrier>(arguments: &[String]) -> ExitCode {
    node::main_from(arguments, |launch, records| {
        let controller = ExactlyOnce::new(Controller::new(launch.shards));
        C::node(launch, controller, records).unwrap_or_else(|reason| {
            tracing::error!("{}: {reason}; restore or replace the folder", launch.data.display());
            process::exit(1)
        })
    })
}

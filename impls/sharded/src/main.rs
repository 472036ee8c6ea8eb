//! One node of the sharded store: a shard controller where `DS_ROLE` is `controller`, else a server of the group `DS_GROUP`.
//! With `--rebalance`, which all nodes must have, the controllers move shards away from groups of which much more is asked than of
//! others. `--consensus paxos|raft|viewstamped` says which protocol replicates each group, and the controllers.

use std::process::{self, ExitCode};

use contract::Launch;
use kv::ExactlyOnce;
use shard_controller::{
    Controller,
    consensus::{Carrier, Program, main_of},
};
use sharded::{Carried, Group, Identity, Node};

fn main() -> ExitCode {
    main_of::<ShardedNode>()
}

/// Switches rebalancing on.
const REBALANCE: &str = "--rebalance";

struct ShardedNode;

impl Program for ShardedNode {
    fn run<C: Carrier>(flags: &[String]) -> ExitCode {
        let (own, flags): (Vec<String>, Vec<String>) =
            flags.iter().cloned().partition(|flag| flag == REBALANCE);
        ::node::main_from(&flags, |launch, records| {
            let inner = carried(launch).and_then(|carried| C::node(launch, carried, records));
            let inner = inner.unwrap_or_else(|reason| {
                tracing::error!("{}: {reason}", launch.data.display());
                process::exit(1)
            });
            let identity = Identity {
                node: launch.node.clone(),
                controllers: launch.controllers.clone(),
                rebalances: !own.is_empty(),
            };
            Node::new(identity, inner)
        })
    }
}

fn carried(launch: &Launch) -> Result<Carried, String> {
    if launch.controllers.contains(&launch.node) {
        return Ok(Carried::Controller(ExactlyOnce::new(Controller::new(launch.shards))));
    }
    let group = launch.group.clone().ok_or("DS_GROUP is not set, and this is no controller")?;
    Ok(Carried::Group(Box::new(Group::new(group, launch.shards))))
}

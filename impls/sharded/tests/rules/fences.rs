//! Old configurations are fenced: what belongs to one changes nothing in a later one.

use contract::{Answer, Configuration, ErrorCode, NodeId, Refusal};
use kv::ExactlyOnce;
use node::Application;
use shard_controller::Controller;
use sharded::{
    Carried, Group,
    command::Command,
    group::Part,
    message::Origin,
    transaction::{Prepare, TransactionId},
};

use crate::{
    cluster::{Cluster, get, join, put, value},
    world::{SHARDS, group_of, ids},
};

/// The configuration of this number, in which all shards are owned by this group.
fn configuration(num: u64, owner: &str) -> Configuration {
    let groups = [group_of("n1"), group_of("n4")].into_iter().flatten().collect();
    Configuration { num, shards: vec![Some(owner.to_owned()); SHARDS], groups }
}

fn configure(num: u64, owner: &str, origin: Option<Origin>) -> Command {
    let configuration = configuration(num, owner);
    Command::Configure { configuration, origins: vec![origin; SHARDS] }
}

fn done(group: &mut Group, command: Command) -> bool {
    match group.apply(&command.into_request(&"n1".to_owned())) {
        Answer::Ok(_) => true,
        Answer::Error(Refusal { code, .. }) => {
            assert_eq!(code, ErrorCode::Aborted);
            false
        }
    }
}

/// The first group, which owns all in configuration 1, nothing in 2, and is to get all back in 3 from the second one.
fn in_configuration_3() -> Group {
    let mut group = Group::new("g1".to_owned(), SHARDS);
    assert!(done(&mut group, configure(1, "g1", None)));
    assert!(done(&mut group, configure(2, "g2", None)));
    let (id, servers) = group_of("n4").expect("the second group");
    let origin = Origin { group: id, servers, lost_in: 3 };
    assert!(done(&mut group, configure(3, "g1", Some(origin))));
    group
}

#[test]
fn a_group_takes_the_next_configuration_and_no_other() {
    let mut group = Group::new("g1".to_owned(), SHARDS);
    assert!(!done(&mut group, configure(2, "g1", None)));
    assert!(done(&mut group, configure(1, "g1", None)));
    assert!(done(&mut group, configure(2, "g2", None)));
    let before = group.clone();
    for num in [0, 1, 2, 4] {
        assert!(!done(&mut group, configure(num, "g1", None)), "{num}");
    }
    assert_eq!(group, before);
}

#[test]
fn parts_and_transactions_of_old_configurations_are_refused() {
    let mut group = in_configuration_3();
    let before = group.clone();
    let part = |lost_in| Command::Part { shard: 0, lost_in, number: 0, part: Part::default() };
    assert!(!done(&mut group, part(2)) && !done(&mut group, part(1)));
    let prepare = |configuration| {
        let id = TransactionId { group: "g2".to_owned(), number: 7 };
        Command::Prepare(Prepare {
            id,
            coordinators: Vec::<NodeId>::new(),
            configuration,
            keys: Vec::new(),
            oldest: 0,
        })
    };
    assert!(!done(&mut group, prepare(1)) && !done(&mut group, prepare(2)));
    assert_eq!((group.arriving(), group.prepared()), (before.arriving(), before.prepared()));
    // What belongs to this one is taken.
    assert!(done(&mut group, part(3)) && done(&mut group, prepare(3)));
}

#[test]
fn a_move_of_the_rebalancer_counts_in_its_configuration_alone() {
    let mut carried = Carried::Controller(ExactlyOnce::new(Controller::new(SHARDS)));
    let apply = |carried: &mut Carried, request: &contract::Request| {
        matches!(carried.apply(request), Answer::Ok(_))
    };
    for (seq, number) in [(1, 1), (2, 2)] {
        let request = contract::Request { client: "c".to_owned(), seq, op: join(number) };
        assert!(apply(&mut carried, &request));
    }
    let move_in = |configuration| {
        let command = Command::Move { shard: 0, group: "g2".to_owned(), configuration };
        command.into_request(&"c1".to_owned())
    };
    assert!(!apply(&mut carried, &move_in(1)) && !apply(&mut carried, &move_in(3)));
    assert!(apply(&mut carried, &move_in(2)));
    // It has been made, and a copy of it comes late.
    assert!(!apply(&mut carried, &move_in(2)));
    let Carried::Controller(controller) = &carried else { panic!("it is a controller") };
    let latest = controller.application().latest();
    assert_eq!((latest.num, latest.shards[0].as_deref()), (3, Some("g2")));
}

/// A controller that is cut off and knows only an old configuration leads nobody back to it.
#[test]
fn a_stale_controller_takes_no_group_back() {
    for seed in 0..6 {
        let mut cluster = Cluster::empty(seed, false);
        cluster.must(join(1));
        let stale = "c1".to_owned();
        let others = ids('c', 2..=3);
        let links = others
            .iter()
            .flat_map(|other| [(stale.clone(), other.clone()), (other.clone(), stale.clone())]);
        // The groups still hear it.
        cluster.simulator.cut(&links.collect::<Vec<_>>());
        cluster.run_ms(2_000);
        cluster.must(put("k2", "here"));
        cluster.must(join(2));
        cluster.run_ms(2_000);
        assert_eq!(cluster.group(2).configuration().num, 2, "seed {seed}");
        assert_eq!(Some(cluster.must(get("k2"))), value("here"), "seed {seed}");
        cluster.simulator.heal();
        cluster.run_ms(2_000);
        assert_eq!((cluster.served(1), cluster.served(2)), (vec![0, 1], vec![2, 3]), "seed {seed}");
    }
}

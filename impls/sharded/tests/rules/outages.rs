//! Whoever is not touched by an outage goes on.

use contract::{NodeId, Operation, Outcome};
use node::sim::Fault;

use crate::{
    cluster::{Cluster, get, join, put, put_both, value},
    world::{group_of, ids, names},
};

/// The links between the second group and all others.
fn around_the_second_group() -> Vec<(NodeId, NodeId)> {
    let inside = ids('n', 4..=6);
    let is_outside = |name: &NodeId| !inside.contains(name);
    let names = names();
    let pairs = names.iter().filter(|name| is_outside(name)).flat_map(|outside| {
        let both = |inside: &NodeId| {
            [(outside.clone(), inside.clone()), (inside.clone(), outside.clone())]
        };
        inside.iter().flat_map(both)
    });
    pairs.collect()
}

#[test]
fn while_a_group_is_cut_off_transactions_within_each_go_on_and_those_over_both_block_nobody() {
    for seed in 0..10 {
        let mut cluster = Cluster::of_both(seed, false);
        cluster.simulator.apply_fault(&Fault::Cut(around_the_second_group()));
        let first = cluster.leader(&ids('n', 1..=3));
        for number in 0..10 {
            // One over both groups is always under way, on a key that the others want as well.
            let over_both = put_both(["k0", "k2"], "over both");
            cluster.submit(&format!("over both {number}"), &first, over_both);
            let text = number.to_string();
            cluster.must(put_both(["k0", "k1"], &text));
            cluster.must(put_both(["k2", "k3"], &text));
        }
        let over_both = put_both(["k0", "k2"], "over both");
        assert_eq!(cluster.ask("another", over_both.clone(), 4_000), None, "seed {seed}");
        for key in ["k0", "k1", "k2", "k3"] {
            assert_eq!(Some(cluster.must(get(key))), value("9"), "seed {seed}");
        }
        cluster.simulator.heal();
        cluster.must(over_both);
        assert_eq!(Some(cluster.must(get("k0"))), value("over both"), "seed {seed}");
        assert_eq!(Some(cluster.must(get("k2"))), value("over both"), "seed {seed}");
        cluster.run_ms(3_000);
        assert!(!cluster.group(1).has_locks() && !cluster.group(2).has_locks(), "seed {seed}");
    }
}

#[test]
fn with_a_minority_of_each_group_dead_everything_goes_on() {
    for seed in 0..12 {
        let mut cluster = Cluster::of_both(seed, false);
        let groups = [ids('c', 1..=3), ids('n', 1..=3), ids('n', 4..=6)];
        for nodes in groups {
            let leader = cluster.leader(&nodes);
            // The leader, or somebody else.
            let dies = |name: &&NodeId| (**name == leader) == (seed % 2 == 0);
            let victim = nodes.iter().find(dies).expect("one of three").clone();
            cluster.simulator.crash(&victim);
        }
        cluster.must(put("k0", "a"));
        cluster.must(put_both(["k0", "k1"], "b"));
        cluster.must(put_both(["k1", "k2"], "c"));
        cluster.must(Operation::Move { shard: 1, group: "g2".to_owned() });
        assert_eq!(Some(cluster.must(get("k1"))), value("c"), "seed {seed}");
        cluster.must(Operation::Leave { groups: vec!["g1".to_owned()] });
        assert_eq!(Some(cluster.must(get("k0"))), value("b"), "seed {seed}");
        cluster.run_ms(1_000);
        assert_eq!(cluster.served(2), [0, 1, 2, 3], "seed {seed}");
    }
}

#[test]
fn a_join_waits_for_a_group_that_is_down_and_completes_when_it_is_back() {
    for seed in 0..9 {
        let mut cluster = Cluster::empty(seed, false);
        cluster.must(join(1));
        for key in ["k0", "k1", "k2", "k3"] {
            cluster.must(put(key, key));
        }
        let (_, servers) = group_of("n1").expect("the first group");
        servers.iter().for_each(|server| cluster.simulator.crash(server));
        cluster.must(join(2));
        cluster.run_ms(3_000);
        assert_eq!(cluster.served(2), [0; 0], "seed {seed}");
        assert_eq!(cluster.ask("early", get("k2"), 1_000), None, "seed {seed}");
        servers.iter().for_each(|server| cluster.simulator.restart(server));
        for key in ["k0", "k1", "k2", "k3"] {
            let read: Option<Outcome> = cluster.ask("late", get(key), 5_000);
            assert_eq!(read, value(key), "seed {seed}");
        }
        assert_eq!((cluster.served(1), cluster.served(2)), (vec![0, 1], vec![2, 3]), "seed {seed}");
    }
}

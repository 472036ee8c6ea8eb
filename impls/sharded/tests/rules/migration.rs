//! Shards on their way: nothing stays behind, and nobody waits who need not.

use contract::Operation;
use node::Application;

use crate::{
    cluster::{Cluster, get, join, put, value},
    world::ids,
};

/// How many keys shard 2 has, so that it takes many parts.
const LARGE: usize = 40;
/// The seed of a store that never writes snapshots of its own.
const WITHOUT_SNAPSHOTS: u64 = 2;

#[test]
fn an_old_owner_keeps_no_bytes_of_what_it_gave_away() {
    const BYTES: usize = 50_000;
    for seed in 0..9 {
        let mut cluster = Cluster::of_both(seed, false);
        cluster.must(put("k1", &"x".repeat(BYTES)));
        cluster.run_ms(500);
        let bytes_of = |cluster: &Cluster, name: &str| {
            cluster.member(name).inner().application().snapshot().len()
        };
        for name in ids('n', 1..=3) {
            assert!(bytes_of(&cluster, &name) > BYTES, "seed {seed}: {name} has the shard");
        }
        cluster.must(Operation::Move { shard: 1, group: "g2".to_owned() });
        cluster.run_ms(3_000);
        for name in ids('n', 1..=3) {
            let bytes = bytes_of(&cluster, &name);
            assert!(bytes < BYTES / 10, "seed {seed}: {name} still has {bytes} bytes");
        }
        for name in ids('n', 4..=6) {
            assert!(bytes_of(&cluster, &name) > BYTES, "seed {seed}: {name} has the shard");
        }
        assert!(cluster.group(2).unsettled().is_empty(), "seed {seed}");
    }
}

#[test]
fn during_a_join_keys_that_stay_are_served_and_each_shard_that_came_before_the_others_have() {
    let mut cluster = Cluster::empty(WITHOUT_SNAPSHOTS, false);
    cluster.must(join(1));
    cluster.must(put("k0", "stays"));
    for number in 0..LARGE {
        cluster.must(put(&format!("k{}", 4 * number + 2), &"x".repeat(60_000)));
    }
    cluster.must(put("k3", "came"));
    // The groups do not hear each other: the join takes as long, and nothing is copied ahead.
    let links = ids('n', 1..=3).into_iter().flat_map(|one| {
        ids('n', 4..=6)
            .into_iter()
            .flat_map(move |other| [(one.clone(), other.clone()), (other, one.clone())])
    });
    cluster.simulator.cut(&links.collect::<Vec<_>>());
    cluster.must(join(2));
    cluster.run_ms(2_000);
    let (end_ms, mut gets) = (cluster.now_ms() + 4_000, 0);
    while cluster.now_ms() < end_ms {
        assert_eq!(cluster.group(2).arriving().len(), 2);
        assert_eq!(cluster.ask("one", get("k0"), 1_000), value("stays"));
        gets += 1;
    }
    assert!(gets >= 100, "only {gets} gets in four seconds");
    cluster.simulator.heal();
    let (end_ms, mut before_its_sibling) = (cluster.now_ms() + 4_000, 0);
    while cluster.now_ms() < end_ms && cluster.served(2).len() < 2 {
        cluster.run_ms(1);
        if cluster.served(2) == [3] {
            assert_eq!(cluster.ask("two", get("k3"), 1_000), value("came"));
            before_its_sibling += u32::from(cluster.group(2).arriving().contains_key(&2));
        }
    }
    assert!(before_its_sibling > 0, "shard 3 waited for shard 2");
    assert_eq!(cluster.served(2), [2, 3]);
}

//! How soon another node leads once the leader is gone, and how seldom one that lives is deposed. All times are virtual, so the
//! figures are the same each time: `cargo test -p multi-paxos --test failover -- --nocapture` prints them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
};

use contract::{Answer, NodeId, Operation, Request};
use kv::{ExactlyOnce, Store};
use multi_paxos::{Config, Paxos, message::Record};
use node::sim::{Dice, NetworkOptions, Simulator, Ticket};
use single_decree::Ballot;

type Node = Paxos<ExactlyOnce<Store>>;

const SEEDS: u64 = 60;
const HEARTBEAT_MS: u64 = 50;
const ELECTION_MS: u64 = 300;
/// Far longer than any fail-over takes.
const GIVE_UP_MS: u64 = 20_000;

/// A simulated cluster, and every ballot that somebody has led in.
struct Cluster {
    simulator: Simulator<Node>,
    led: Arc<Mutex<BTreeSet<Ballot>>>,
    requests: u64,
}

fn locked(ballots: &Mutex<BTreeSet<Ballot>>) -> MutexGuard<'_, BTreeSet<Ballot>> {
    ballots.lock().expect("a cluster runs in one thread")
}

/// What becomes of the leader.
#[derive(Clone, Copy, Debug)]
enum Gone {
    Killed,
    Cut,
}

/// What one fail-over came to.
struct FailOver {
    /// When another node led, and when a write had succeeded there, in milliseconds after the leader was gone.
    led_ms: u64,
    served_ms: u64,
    /// By how much the round of the ballots rose: 1, unless candidates were in each other's way.
    rounds: u64,
}

impl Cluster {
    fn new(seed: u64, nodes: usize, network: NetworkOptions) -> Self {
        let members: Vec<NodeId> = (1..=nodes).map(|number| format!("n{number}")).collect();
        let names = members.clone();
        let make = move |node: &NodeId, records: Vec<Record>| {
            let config = Config {
                node: node.clone(),
                members: names.clone(),
                heartbeat_ms: HEARTBEAT_MS,
                election_ms: ELECTION_MS,
                patience_ms: ELECTION_MS,
                snapshot_bytes: Some(65_536),
                naive: false,
            };
            Paxos::new(config, ExactlyOnce::default(), records).expect("a log of its own")
        };
        let mut simulator = Simulator::new(seed, &members, make);
        simulator.set_network(network);
        let led: Arc<Mutex<BTreeSet<Ballot>>> = Arc::default();
        let ballots = Arc::clone(&led);
        simulator.check_each_step(move |view| {
            let mut ballots = locked(&ballots);
            if let Some(ballot) = view.stepped().1.leading()
                && !ballots.contains(ballot)
            {
                ballots.insert(ballot.clone());
            }
            Ok(())
        });
        Self { simulator, led, requests: 0 }
    }

    /// Who leads in the highest ballot.
    fn leader(&self) -> Option<NodeId> {
        let up = self.simulator.names().iter().filter_map(|node| self.simulator.protocol(node));
        up.filter_map(Paxos::leading).max().map(|ballot| ballot.node.clone())
    }

    /// The highest round that somebody has led in.
    fn round(&self) -> u64 {
        locked(&self.led).last().map_or(0, |ballot| ballot.round)
    }

    fn write(&mut self, to: &NodeId) {
        self.requests += 1;
        let op = Operation::Put { key: "x".to_owned(), value: self.requests.to_string() };
        let request = Request { client: "c1".to_owned(), seq: self.requests, op };
        self.simulator.submit(to, &request);
    }

    /// Lets time pass: the answers that came in. After a panic in a node none would pass any more, and nothing would be tested.
    fn run(&mut self, duration_us: u64) -> Vec<(Ticket, Answer)> {
        let answers = self.simulator.run_for(duration_us);
        assert_eq!(self.simulator.violation(), None);
        answers
    }

    /// Lets time pass in which the leader gets a write every ten milliseconds, if any.
    fn work(&mut self, duration_ms: u64, with_writes: bool) {
        for _ in 0..duration_ms / 10 {
            if let Some(leader) = self.leader().filter(|_| with_writes) {
                self.write(&leader);
            }
            self.run(10_000);
        }
    }

    /// All nodes stand still, and go on one shortly after the other, the leader last.
    fn stall(&mut self, stall_ms: u64) {
        let leader = self.leader();
        let mut names = self.simulator.names().to_vec();
        names.sort_by_key(|node| Some(node) == leader.as_ref());
        names.iter().for_each(|node| self.simulator.pause(node));
        self.run(stall_ms * 1_000);
        for node in &names {
            self.simulator.resume(node);
            self.run(2_000);
        }
    }

    fn lose(&mut self, node: &NodeId, gone: Gone) {
        match gone {
            Gone::Killed => self.simulator.crash(node),
            Gone::Cut => {
                let names = self.simulator.names().to_vec();
                let links = names
                    .into_iter()
                    .flat_map(|other| [(other.clone(), node.clone()), (node.clone(), other)]);
                self.simulator.cut(&links.collect::<Vec<_>>());
            }
        }
    }

    fn fail_over(&mut self, gone: Gone) -> FailOver {
        let old = self.leader().expect("a leader");
        let (gone_us, round) = (self.simulator.now_us(), self.round());
        self.lose(&old, gone);
        let mut led_ms = None;
        loop {
            let since_ms = (self.simulator.now_us() - gone_us) / 1000;
            assert!(since_ms < GIVE_UP_MS, "nobody took over");
            let Some(leader) = self.leader().filter(|leader| *leader != old) else {
                self.run(1_000);
                continue;
            };
            led_ms.get_or_insert(since_ms);
            self.write(&leader);
            for waited_ms in 1..=HEARTBEAT_MS {
                let answers = self.run(1_000);
                if answers.iter().any(|(_, answer)| matches!(answer, Answer::Ok(_))) {
                    let served_ms = since_ms + waited_ms;
                    let rounds = self.round() - round;
                    return FailOver { led_ms: led_ms.unwrap_or(served_ms), served_ms, rounds };
                }
            }
        }
    }
}

/// The median and the 90th percentile.
fn percentiles(mut figures: Vec<u64>) -> (u64, u64) {
    figures.sort_unstable();
    let at = |percent| figures[(figures.len() - 1) * percent / 100];
    (at(50), at(90))
}

/// What many fail-overs came to.
struct Figures {
    led_ms: (u64, u64),
    served_ms: (u64, u64),
    rounds_percent: u64,
}

/// Loses the leader once in each seed, at any moment. If `one_is_dead`, the node that would be the first to succeed it died a
/// little earlier.
fn fail_overs(nodes: usize, network: NetworkOptions, gone: Gone, one_is_dead: bool) -> Figures {
    let fail_overs: Vec<FailOver> = (0..SEEDS)
        .map(|seed| {
            let mut dice = Dice::new(seed, 7);
            let mut cluster = Cluster::new(seed, nodes, network);
            cluster.work(dice.between(4_000, 5_000), true);
            if one_is_dead {
                let leader = cluster.leader();
                let names = cluster.simulator.names().to_vec();
                let first = names.into_iter().find(|node| Some(node) != leader.as_ref());
                cluster.simulator.crash(&first.expect("several nodes"));
                cluster.work(500, true);
            }
            cluster.run(dice.between(0, HEARTBEAT_MS * 1000));
            cluster.fail_over(gone)
        })
        .collect();
    Figures {
        led_ms: percentiles(fail_overs.iter().map(|it| it.led_ms).collect()),
        served_ms: percentiles(fail_overs.iter().map(|it| it.served_ms).collect()),
        rounds_percent: fail_overs.iter().map(|it| it.rounds).sum::<u64>() * 100 / SEEDS,
    }
}

/// Fails unless another node leads and serves so soon, in milliseconds: median and 90th percentile.
#[track_caller]
fn check(name: &str, figures: &Figures, served_ms_max: (u64, u64)) {
    let Figures { led_ms, served_ms, rounds_percent } = figures;
    println!(
        "{name}: led after {led_ms:?} ms, served after {served_ms:?} ms, {rounds_percent} rounds in a hundred"
    );
    assert!(served_ms.0 <= served_ms_max.0 && served_ms.1 <= served_ms_max.1, "{name}");
}

#[test]
fn another_node_serves_long_before_the_election_timeout() {
    for gone in [Gone::Killed, Gone::Cut] {
        for nodes in [3, 5] {
            let figures = fail_overs(nodes, NetworkOptions::RELIABLE, gone, false);
            check(&format!("{gone:?}, {nodes} nodes"), &figures, (200, 225));
        }
    }
}

#[test]
fn successors_come_one_after_the_other_and_the_dead_come_last() {
    let alive = fail_overs(5, NetworkOptions::RELIABLE, Gone::Killed, false);
    check("5 nodes", &alive, (200, 225));
    let one_dead = fail_overs(5, NetworkOptions::RELIABLE, Gone::Killed, true);
    check("5 nodes, the first of them dead", &one_dead, (200, 225));
    for figures in [alive, one_dead] {
        assert!(figures.rounds_percent <= 120, "candidates were in each other's way");
    }
}

#[test]
fn a_bad_network_delays_a_fail_over_but_little() {
    for nodes in [3, 5] {
        let unreliable = fail_overs(nodes, NetworkOptions::UNRELIABLE, Gone::Killed, false);
        check(&format!("unreliable, {nodes} nodes"), &unreliable, (300, 400));
        let lossy = fail_overs(nodes, NetworkOptions::LOSSY, Gone::Killed, false);
        check(&format!("lossy, {nodes} nodes"), &lossy, (650, 1_200));
    }
}

/// How many leaders are deposed although no node is gone. Each second all of them stand still at once, for so long.
fn deposed(
    seed: u64,
    nodes: usize,
    network: NetworkOptions,
    with_writes: bool,
    stalls_ms: &[u64],
) -> usize {
    let mut cluster = Cluster::new(seed, nodes, network);
    cluster.work(4_000, with_writes);
    assert!(cluster.leader().is_some(), "seed {seed}: nobody leads to begin with");
    let before = locked(&cluster.led).len();
    for stall_ms in stalls_ms {
        cluster.stall(*stall_ms);
        cluster.work(1_000, with_writes);
    }
    assert!(cluster.leader().is_some(), "seed {seed}: nobody leads in the end");
    locked(&cluster.led).len() - before
}

/// Fails if more leaders are deposed than so many, in clusters of one size and load.
#[track_caller]
fn check_deposed(name: &str, network: NetworkOptions, stalls_ms: &[u64], deposed_max: usize) {
    for (nodes, with_writes) in [(3, true), (3, false), (5, true), (5, false)] {
        let seeds = 0..SEEDS / 2;
        let deposed: usize =
            seeds.map(|seed| deposed(seed, nodes, network, with_writes, stalls_ms)).sum();
        println!("{name}, {nodes} nodes, writes: {with_writes}: {deposed} deposed");
        assert!(deposed <= deposed_max, "{name}, {nodes} nodes: {deposed} leaders deposed");
    }
}

#[test]
fn a_leader_that_lives_is_hardly_ever_deposed() {
    check_deposed("reliable", NetworkOptions::RELIABLE, &[0; 60], 0);
    check_deposed("unreliable", NetworkOptions::UNRELIABLE, &[0; 60], 0);
    check_deposed("lossy", NetworkOptions::LOSSY, &[0; 60], 1);
}

/// A machine under load, or a virtual one that was suspended.
#[test]
fn none_is_deposed_because_all_nodes_stood_still_together() {
    for stall_ms in [200, 350, 1_500] {
        let name = format!("still for {stall_ms} ms");
        check_deposed(&name, NetworkOptions::RELIABLE, &[stall_ms; 12], 0);
    }
    check_deposed("still, unreliable", NetworkOptions::UNRELIABLE, &[200, 350, 1_500], 0);
}

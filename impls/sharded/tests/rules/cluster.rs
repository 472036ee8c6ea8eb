//! One simulated store, asked step by step.

use std::collections::BTreeMap;

use contract::{Answer, NodeId, Operation, Outcome, Request};
use node::{
    Protocol, Replicates,
    sim::{Simulator, Ticket},
};
use shard_controller::consensus::{Carrier, OnRaft};
use sharded::{Carried, Group, Node};

use crate::world::{group_of, names, node};

type Member = Node<<OnRaft as Carrier>::Node<Carried>>;

/// How long one attempt may take, and the pause before the next one.
const ATTEMPT_MS: u64 = 500;
const PAUSE_MS: u64 = 10;

/// Two groups and three controllers on a good network, without any group in the configuration.
pub struct Cluster {
    pub simulator: Simulator<Member>,
    seqs: BTreeMap<String, u64>,
    answers: BTreeMap<Ticket, Answer>,
}

pub fn join(number: u32) -> Operation {
    let group = group_of(&format!("n{}", 3 * number)).expect("a server of the group");
    Operation::Join { groups: [group].into() }
}

pub fn get(key: &str) -> Operation {
    Operation::Get { key: key.to_owned() }
}

pub fn put(key: &str, value: &str) -> Operation {
    Operation::Put { key: key.to_owned(), value: value.to_owned() }
}

pub fn put_both(keys: [&str; 2], value: &str) -> Operation {
    Operation::MultiPut { values: keys.map(|key| (key.to_owned(), value.to_owned())).into() }
}

pub fn value(value: &str) -> Option<Outcome> {
    Some(Outcome::Value { value: Some(value.to_owned()) })
}

impl Cluster {
    pub fn empty(seed: u64, rebalances: bool) -> Self {
        let make =
            move |id: &NodeId, records: Vec<_>| node::<OnRaft>(id, records, seed, rebalances);
        let mut simulator = Simulator::new(seed, &names(), make);
        simulator.check_each_step(never_back());
        Self { simulator, seqs: BTreeMap::new(), answers: BTreeMap::new() }
    }

    /// Both groups are in the configuration, the first one with the shards 0 and 1. Each key k0 to k7 holds its own name.
    pub fn of_both(seed: u64, rebalances: bool) -> Self {
        let mut cluster = Self::empty(seed, rebalances);
        cluster.must(join(1));
        cluster.must(join(2));
        for key in (0..8).map(|number| format!("k{number}")) {
            cluster.must(put(&key, &key));
        }
        cluster.run_ms(1_000);
        assert_eq!(cluster.served(1), [0, 1]);
        assert_eq!(cluster.served(2), [2, 3]);
        cluster
    }

    pub fn run_ms(&mut self, duration_ms: u64) {
        let answers = self.simulator.run_for(duration_ms * 1000);
        self.answers.extend(answers);
        assert_eq!(self.simulator.violation(), None);
    }

    pub fn now_ms(&self) -> u64 {
        self.simulator.now_us() / 1000
    }

    /// The outcome of what must succeed within three seconds.
    pub fn must(&mut self, operation: Operation) -> Outcome {
        let text = format!("{operation:?}");
        self.ask("client", operation, 3_000).unwrap_or_else(|| panic!("no answer: {text:.200}"))
    }

    /// A client asks one node after the other, and goes where it is led, until it has the outcome or has no time left.
    pub fn ask(&mut self, client: &str, op: Operation, within_ms: u64) -> Option<Outcome> {
        let request = self.request(client, op);
        let end_ms = self.now_ms() + within_ms;
        let names = names();
        let mut at = 0;
        while self.now_ms() < end_ms {
            let ticket = self.simulator.submit(&names[at], &request);
            let hint = match self.answer(ticket, ATTEMPT_MS.min(end_ms - self.now_ms())) {
                Some(Answer::Ok(outcome)) => return Some(outcome),
                Some(Answer::Error(refusal)) => refusal.hint,
                None => None,
            };
            let hinted = hint.and_then(|hint| names.iter().position(|name| *name == hint));
            at = hinted.filter(|hinted| *hinted != at).unwrap_or((at + 1) % names.len());
            self.run_ms(PAUSE_MS);
        }
        None
    }

    /// Hands one attempt to a node and does not wait for its answer.
    pub fn submit(&mut self, client: &str, node: &str, op: Operation) -> Ticket {
        let request = self.request(client, op);
        self.simulator.submit(node, &request)
    }

    fn request(&mut self, client: &str, op: Operation) -> Request {
        let seq = self.seqs.entry(client.to_owned()).or_default();
        *seq += 1;
        Request { client: client.to_owned(), seq: *seq, op }
    }

    fn answer(&mut self, ticket: Ticket, within_ms: u64) -> Option<Answer> {
        for _ in 0..within_ms {
            if let Some(answer) = self.answers.remove(&ticket) {
                return Some(answer);
            }
            self.run_ms(1);
        }
        None
    }

    pub fn member(&self, name: &str) -> &Member {
        self.simulator.protocol(name).expect("a node that is up")
    }

    /// Who leads these nodes.
    pub fn leader(&self, nodes: &[NodeId]) -> NodeId {
        let leads =
            |name: &&NodeId| self.simulator.protocol(name).is_some_and(|node| node.inner().leads());
        nodes.iter().find(leads).expect("a leader").clone()
    }

    pub fn group(&self, number: u32) -> &Group {
        let (_, servers) = group_of(&format!("n{}", 3 * number)).expect("a group");
        self.member(&self.leader(&servers)).group().expect("a server of a group")
    }

    pub fn served(&self, number: u32) -> Vec<usize> {
        self.group(number).served().collect()
    }
}

/// A group never goes back to an earlier configuration: none of its servers does, but by a restart from what it had written down.
fn never_back() -> impl FnMut(&node::sim::View<'_, Member>) -> Result<(), String> {
    let mut seen: BTreeMap<NodeId, (u64, u64)> = BTreeMap::new();
    move |view| {
        let (name, member) = view.stepped();
        let Some(group) = member.group() else { return Ok(()) };
        let num = group.configuration().num;
        let applied = member.status()["applied"].as_u64().unwrap_or_default();
        let before = seen.insert(name.clone(), (applied, num));
        match before {
            Some((then, earlier)) if applied >= then && num < earlier => {
                Err(format!("{name} went back from configuration {earlier} to {num}"))
            }
            _ => Ok(()),
        }
    }
}

//! What a simulated cluster is made of, and what must hold of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::{Answer, NodeId, Outcome, Request};
use history::Verdict;
use kv::{ExactlyOnce, Store};
use linearizability::{
    Call, Limits, check_by_key,
    models::kv::{Kv, KvInput, KvOutput},
};
use multi_paxos::{
    Config, Paxos,
    ballot::Ballot,
    message::{Batch, Record, Slot},
};
use node::{
    Application,
    sim::{Completion, Dice, History, Scenario, Simulator, View},
};

/// How often the interesting things happened, over all seeds: a test in which they do not proves nothing.
#[derive(Debug, Default)]
pub struct Seen {
    starts: AtomicU64,
    recovered_snapshots: AtomicU64,
    restores: AtomicU64,
    compactions: AtomicU64,
    leaders: AtomicU64,
    no_ops: AtomicU64,
    batches: AtomicU64,
    chosen: AtomicU64,
    slots_behind_gap: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Seen {
    /// How many leaders were elected.
    pub fn leaders(&self) -> u64 {
        self.leaders.load(Ordering::Relaxed)
    }

    /// Fails unless every mechanism was at work. The bounds are far below what the seeds give.
    pub fn assert_nothing_was_missed(&self) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let installs = get(&self.restores) - get(&self.recovered_snapshots);
        for (what, times, at_least) in [
            ("nodes started or restarted", get(&self.starts), 10_000),
            ("leaders elected", get(&self.leaders), 4_000),
            ("logs compacted", get(&self.compactions), 50_000),
            ("nodes recovered from a snapshot", get(&self.recovered_snapshots), 1_000),
            ("laggards that got a snapshot", installs, 1_000),
            ("holes filled with a no-op", get(&self.no_ops), 10),
            ("slots with several requests", get(&self.batches), 100),
            ("slots chosen before an earlier one", get(&self.slots_behind_gap), 1_000),
            ("slots chosen", get(&self.chosen), 100_000),
        ] {
            println!("{times:>7} {what}");
            assert!(times >= at_least, "only {times} {what}");
        }
    }
}

/// The store, and the sequence of requests that led to its state.
pub struct Recorder {
    store: ExactlyOnce<Store>,
    applied: Vec<(String, u64)>,
    seen: Arc<Seen>,
}

impl Application for Recorder {
    type Command = Request;
    type Output = Answer;

    fn apply(&mut self, request: &Request) -> Answer {
        self.applied.push((request.client.clone(), request.seq));
        self.store.apply(request)
    }

    fn query(&self, request: &Request) -> Option<Answer> {
        self.store.query(request)
    }

    fn snapshot(&self) -> Vec<u8> {
        count(&self.seen.compactions);
        serde_json::to_vec(&(&self.applied, self.store.snapshot()))
            .expect("strings and numbers have a JSON form")
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        count(&self.seen.restores);
        let (applied, store): (_, Vec<u8>) =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        self.applied = applied;
        self.store.restore(&store)
    }
}

type Node = Paxos<Recorder>;

/// Most clusters compact often, so that laggards meet missing logs; some never.
fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(1_500), Some(6_000), None][(seed % 4) as usize]
}

/// Whether the leaders of this seed's cluster cling to their office, while the others are hasty to elect
/// another. Safety must not depend on timing, and good timing hides that it does.
pub fn cling(seed: u64) -> bool {
    seed / 3 % 2 == 1
}

/// A node's `election_ms` and `patience_ms`.
fn timing(seed: u64, node: usize) -> (u64, u64) {
    match cling(seed) {
        false => (300, 300),
        true => ([120, 200, 300][Dice::new(seed, 100 + node as u64).index(3)], 5_000),
    }
}

/// Makes the nodes of a seed's cluster.
pub fn make(
    scenario: &Scenario,
    seen: &Arc<Seen>,
) -> impl Fn(&NodeId, Vec<Record>) -> Node + 'static {
    let (members, seed, seen) = (scenario.nodes.clone(), scenario.seed, seen.clone());
    move |node, records| {
        count(&seen.starts);
        if records.iter().any(|record| matches!(record, Record::Snapshot { .. })) {
            count(&seen.recovered_snapshots);
        }
        let number = members.iter().position(|id| id == node).expect("a member");
        let (election_ms, patience_ms) = timing(seed, number);
        let config = Config {
            node: node.clone(),
            members: members.clone(),
            heartbeat_ms: 50,
            election_ms,
            patience_ms,
            snapshot_bytes: snapshot_bytes(seed),
        };
        let store = ExactlyOnce::default();
        let recorder = Recorder { store, applied: Vec::new(), seen: seen.clone() };
        Paxos::new(config, recorder, records).expect("a log that this protocol wrote")
    }
}

/// What must hold after every step.
pub fn invariants(seen: &Arc<Seen>) -> impl FnMut(&View<'_, Node>) -> Result<(), String> + 'static {
    let mut checks = Checks { seen: seen.clone(), ..Checks::default() };
    move |view| {
        let (name, node) = view.stepped();
        checks.one_value_per_slot(name, node)?;
        checks.one_sequence_applied(name, node)?;
        checks.only_its_owner_leads(name, node)
    }
}

#[derive(Default)]
struct Checks {
    seen: Arc<Seen>,
    /// What was first known to be chosen in each slot.
    chosen: BTreeMap<Slot, Batch>,
    /// The longest sequence that any node ever applied.
    applied: Vec<(String, u64)>,
    /// Up to where each node was checked: slots chosen, requests applied.
    checked: BTreeMap<NodeId, (Slot, usize)>,
    /// The ballots that were seen to lead.
    leaders: BTreeSet<Ballot>,
}

impl Checks {
    /// "Paxos Made Simple" §1: only a single value is chosen.
    fn one_value_per_slot(&mut self, name: &NodeId, node: &Node) -> Result<(), String> {
        let learner = node.learner();
        let (checked, _) = self.checked.entry(name.clone()).or_default();
        if learner.commit() < *checked {
            *checked = 0; // another life
        }
        for (slot, batch) in learner.chosen_from(*checked + 1) {
            match self.chosen.get(&slot) {
                Some(known) if known != batch => {
                    return Err(format!("{name} has {batch:?} in slot {slot}, not {known:?}"));
                }
                Some(_) => {}
                None => {
                    self.chosen.insert(slot, batch.clone());
                    count(&self.seen.chosen);
                    match batch.len() {
                        0 => count(&self.seen.no_ops),
                        1 => {}
                        _ => count(&self.seen.batches),
                    }
                    if slot > learner.commit() {
                        count(&self.seen.slots_behind_gap);
                    }
                }
            }
        }
        *checked = learner.commit();
        Ok(())
    }

    /// What the nodes have applied are prefixes of one sequence.
    fn one_sequence_applied(&mut self, name: &NodeId, node: &Node) -> Result<(), String> {
        let applied = &node.learner().application().applied;
        let (_, checked) = self.checked.entry(name.clone()).or_default();
        if applied.len() < *checked {
            *checked = 0;
        }
        for (position, request) in applied.iter().enumerate().skip(*checked) {
            match self.applied.get(position) {
                Some(known) if known != request => {
                    return Err(format!(
                        "request {position} that {name} applied is {request:?}, not {known:?}"
                    ));
                }
                Some(_) => {}
                None => self.applied.push(request.clone()),
            }
        }
        *checked = applied.len();
        Ok(())
    }

    /// No two nodes lead in the same ballot.
    fn only_its_owner_leads(&mut self, name: &NodeId, node: &Node) -> Result<(), String> {
        let Some(ballot) = node.leading() else { return Ok(()) };
        if !self.leaders.contains(ballot) {
            self.leaders.insert(ballot.clone());
            count(&self.seen.leaders);
        }
        if ballot.node == *name { Ok(()) } else { Err(format!("{name} leads in {ballot:?}")) }
    }
}

/// After some quiet time every node has applied the same.
pub fn settled(simulator: &mut Simulator<Node>) -> Result<(), String> {
    let names = simulator.names().to_vec();
    for name in &names {
        simulator.restart(name); // a crash planned for the next write may strike right after the heal
    }
    simulator.run_for(2_000_000);
    let applied = |name: &NodeId| {
        let node = simulator.protocol(name).ok_or_else(|| format!("{name} is down"))?;
        Ok::<_, String>(node.learner().application().applied.len())
    };
    let lengths = names.iter().map(applied).collect::<Result<Vec<usize>, String>>()?;
    if lengths.iter().any(|length| *length != lengths[0]) {
        return Err(format!("a node never caught up: {lengths:?} requests applied"));
    }
    Ok(())
}

/// Whether the clients' history is linearizable, key by key.
pub fn linearizable(history: &History) -> Result<(), String> {
    let mut groups: BTreeMap<String, Vec<Call<KvInput, KvOutput>>> = BTreeMap::new();
    for operation in history.operations() {
        let (key, input) = key_and_input(operation.operation);
        let (ret, output, failed) = match operation.completion {
            Completion::Ok(at, outcome) => (Some(at), Some(output(outcome)), false),
            Completion::Fail(at, _) => (Some(at), None, true),
            Completion::Info(_) => (None, None, false),
        };
        groups.entry(key).or_default().push(Call {
            id: operation.call,
            process: operation.process,
            input,
            output,
            call: operation.call,
            ret,
            call_ns: operation.call,
            return_ns: ret,
            failed,
        });
    }
    let report = check_by_key(&Kv, groups.into_iter().collect(), &Limits::default());
    match report.verdict {
        Verdict::Valid => Ok(()),
        _ => Err(format!("{:?}: {:?} {:?}", report.verdict, report.reason, report.witness)),
    }
}

fn key_and_input(operation: contract::Operation) -> (String, KvInput) {
    use contract::Operation::{Append, Cas, Get, Put, PutHash};
    match operation {
        Get { key } => (key, KvInput::Get),
        Put { key, value } => (key, KvInput::Put(value)),
        Append { key, value } => (key, KvInput::Append(value)),
        PutHash { key, value } => (key, KvInput::PutHash(value)),
        Cas { key, expect, value } => (key, KvInput::Cas { expect, value }),
        other => panic!("the simulated clients do not ask for {other:?}"),
    }
}

fn output(outcome: Outcome) -> KvOutput {
    match outcome {
        Outcome::Value { value } => KvOutput::Value(value),
        Outcome::Previous { previous } => KvOutput::Previous(previous),
        Outcome::Swapped { swapped, value } => KvOutput::Cas { swapped, current: value },
        Outcome::Done {} => KvOutput::Done,
        other => panic!("no operation of the simulated clients has the outcome {other:?}"),
    }
}

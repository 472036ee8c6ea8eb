//! Clients of an object that carries each operation out at one moment between its invocation and its completion.
//!
//! What ends as `info` takes effect at any later moment, even after its client went on as a new process, or never. What
//! fails never does.

use history::{Completion, Operation};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;

/// Chance, the same for the same seed.
pub type Rng = ChaCha8Rng;

/// A function and its arguments.
pub type Request = (&'static str, Value);

/// What clients work on.
pub trait Object {
    /// What is asked first, with nothing beside it.
    fn setup(&self) -> Vec<Request> {
        Vec::new()
    }

    /// What this client asks next.
    fn ask(&mut self, client: usize, rng: &mut Rng) -> Request;

    /// Carries out a client's operation at this moment: its result, `None` where it is refused.
    fn apply(&mut self, client: usize, operation: &Operation, rng: &mut Rng) -> Option<Value>;

    /// The same where no planted fault may strike: outside the main phase, and where nobody hears the result.
    fn apply_without_fault(
        &mut self,
        client: usize,
        operation: &Operation,
        rng: &mut Rng,
    ) -> Option<Value> {
        self.apply(client, operation, rng)
    }

    /// A client's operation has just ended, as its completion says.
    fn ended(&mut self, _client: usize, _operation: &Operation, _rng: &mut Rng) {}

    /// What is asked last, with nothing beside it.
    fn last(&self) -> Vec<Request> {
        Vec::new()
    }
}

/// How much happens, and how much of it goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many clients, each with one operation at a time.
    pub clients: usize,
    /// How many operations before the last ones.
    pub operations: usize,
    /// Of a hundred operations in the main phase, how many are never answered.
    pub info_percent: u32,
    /// Of a hundred operations in the main phase, how many fail although the object does not refuse them.
    pub fail_percent: u32,
}

/// Runs clients against the object: the history, in the order of invocation. An event takes a millisecond, and a client
/// that hears nothing goes on as the process whose number is higher by the number of clients.
pub fn run(object: &mut dyn Object, seed: u64, plan: Plan) -> Vec<Operation> {
    let mut simulation = Simulation {
        object,
        plan,
        rng: Rng::seed_from_u64(seed),
        history: Vec::new(),
        events: 0,
        flights: Vec::new(),
        idle: (0..plan.clients).collect(),
        processes: (0..plan.clients as u64).collect(),
    };
    for request in simulation.object.setup() {
        simulation.alone(request, "setup");
    }
    while simulation.history.len() < plan.operations || simulation.idle.len() < plan.clients {
        simulation.step();
    }
    for request in simulation.object.last() {
        simulation.alone(request, "final");
    }
    simulation.history
}

/// How an operation is going to end, unless the object refuses it.
#[derive(Clone, Copy)]
enum Fate {
    Ok,
    Fail,
    Info,
}

/// An operation under way.
struct Flight {
    /// Its place in the history.
    at: usize,
    client: usize,
    fate: Fate,
    /// What came of it, once it has taken effect.
    result: Option<Option<Value>>,
    /// Nobody waits for it any more.
    abandoned: bool,
}

struct Simulation<'o> {
    object: &'o mut dyn Object,
    plan: Plan,
    rng: Rng,
    history: Vec<Operation>,
    /// How many invocations and completions there were.
    events: u64,
    flights: Vec<Flight>,
    idle: Vec<usize>,
    /// The process that each client is.
    processes: Vec<u64>,
}

/// Who asks outside the main phase.
const CLERK: u64 = 1_000_000;

impl Simulation<'_> {
    /// An operation with nothing beside it but what nobody waits for.
    fn alone(&mut self, request: Request, phase: &str) {
        let at = self.invoke(CLERK, request, phase);
        let result = self.object.apply_without_fault(0, &self.history[at], &mut self.rng);
        self.complete(at, result);
    }

    fn step(&mut self) {
        let idle = if self.history.len() < self.plan.operations { self.idle.len() } else { 0 };
        let under_way = self.flights.len();
        let chosen = self.rng.random_range(0..under_way + idle);
        if chosen < under_way { self.advance(chosen) } else { self.begin(chosen - under_way) }
    }

    fn begin(&mut self, chosen: usize) {
        let client = self.idle.swap_remove(chosen);
        let Plan { info_percent, fail_percent, .. } = self.plan;
        let fate = match self.rng.random_range(0..100) {
            roll if roll < info_percent => Fate::Info,
            roll if roll < info_percent + fail_percent => Fate::Fail,
            _ => Fate::Ok,
        };
        let request = self.object.ask(client, &mut self.rng);
        let at = self.invoke(self.processes[client], request, "main");
        self.flights.push(Flight { at, client, fate, result: None, abandoned: false });
    }

    /// One more thing happens to an operation under way.
    fn advance(&mut self, chosen: usize) {
        let roll = self.rng.random_range(0..100);
        let Flight { at, client, fate, abandoned, .. } = self.flights[chosen];
        let is_done = self.flights[chosen].result.is_some();
        match fate {
            Fate::Ok if !is_done => self.take_effect(chosen),
            Fate::Ok | Fate::Fail => {
                let flight = self.flights.swap_remove(chosen);
                self.complete(at, flight.result.flatten());
                self.release(client, at);
            }
            Fate::Info if !abandoned && roll < 50 => {
                self.flights[chosen].abandoned = true;
                self.events += 1;
                self.processes[client] += self.plan.clients as u64;
                self.release(client, at);
            }
            Fate::Info if !is_done && roll % 10 < 3 => self.take_effect(chosen),
            Fate::Info if abandoned && (is_done || roll > 90) => {
                self.flights.swap_remove(chosen);
            }
            Fate::Info => {}
        }
    }

    fn take_effect(&mut self, chosen: usize) {
        let Flight { at, client, fate, .. } = self.flights[chosen];
        let operation = &self.history[at];
        let result = match fate {
            Fate::Info => self.object.apply_without_fault(client, operation, &mut self.rng),
            Fate::Ok | Fate::Fail => self.object.apply(client, operation, &mut self.rng),
        };
        self.flights[chosen].result = Some(result);
    }

    fn invoke(&mut self, process: u64, (f, arguments): Request, phase: &str) -> usize {
        self.history.push(Operation {
            call: self.events,
            process,
            f: f.into(),
            arguments,
            completion: Completion::Info(None),
            call_ns: self.events * 1_000_000,
            return_ns: None,
            node: None,
            phase: phase.to_owned(),
        });
        self.events += 1;
        self.history.len() - 1
    }

    fn complete(&mut self, at: usize, result: Option<Value>) {
        let operation = &mut self.history[at];
        operation.return_ns = Some(self.events * 1_000_000);
        operation.completion = match result {
            Some(result) => Completion::Ok(self.events, result),
            None => Completion::Fail(self.events, None),
        };
        self.events += 1;
    }

    /// The client may go on.
    fn release(&mut self, client: usize, at: usize) {
        self.object.ended(client, &self.history[at], &mut self.rng);
        self.idle.push(client);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::json;

    use super::*;

    /// Counts how often each operation takes effect, refuses some, and watches the order of things.
    #[derive(Default)]
    struct Witness {
        applied: BTreeMap<u64, usize>,
        ended: BTreeSet<u64>,
        late: usize,
    }

    impl Object for Witness {
        fn setup(&self) -> Vec<Request> {
            vec![("open", Value::Null)]
        }

        fn ask(&mut self, client: usize, rng: &mut Rng) -> Request {
            let f = if rng.random_range(0..9) == 0 { "refused" } else { "granted" };
            (f, json!(client))
        }

        fn apply(&mut self, _: usize, operation: &Operation, _: &mut Rng) -> Option<Value> {
            *self.applied.entry(operation.call).or_default() += 1;
            self.late += usize::from(self.ended.contains(&operation.call));
            (operation.f != "refused").then(|| json!(operation.call))
        }

        fn ended(&mut self, client: usize, operation: &Operation, _: &mut Rng) {
            assert_eq!(operation.arguments, json!(client));
            let is_refused = operation.f == "refused";
            match operation.completion {
                // Before it returns, and with the result of that moment.
                Completion::Ok(..) => {
                    assert!(!is_refused && self.applied[&operation.call] == 1);
                    assert_eq!(operation.result(), Some(&json!(operation.call)));
                }
                Completion::Fail(..) => {
                    assert!(is_refused || !self.applied.contains_key(&operation.call));
                }
                Completion::Info(_) => {}
            }
            assert!(self.ended.insert(operation.call));
        }

        fn last(&self) -> Vec<Request> {
            vec![("close", Value::Null)]
        }
    }

    const PLAN: Plan = Plan { clients: 4, operations: 400, info_percent: 20, fail_percent: 10 };

    #[test]
    fn an_operation_takes_effect_once_and_in_its_time() {
        let (mut failed, mut in_time, mut late, mut never) = (0, 0, 0, 0);
        for seed in 0..20 {
            let mut witness = Witness::default();
            let history = run(&mut witness, seed, PLAN);
            assert!(witness.applied.values().all(|times| *times == 1));
            late += witness.late;
            for operation in &history {
                let is_applied = witness.applied.contains_key(&operation.call);
                match operation.completion {
                    Completion::Ok(..) => assert!(is_applied),
                    Completion::Fail(..) => failed += usize::from(!is_applied),
                    Completion::Info(_) if is_applied => in_time += 1,
                    Completion::Info(_) => never += 1,
                }
            }
        }
        in_time -= late;
        let told =
            format!("{failed} failed; unknown: {in_time} in time, {late} late, {never} never");
        assert!((600..1000).contains(&failed), "{told}");
        assert!((1300..1900).contains(&(in_time + late + never)), "{told}");
        assert!(in_time > 100 && late > 100 && never > 100, "{told}");
        println!("{told}");
    }

    #[test]
    fn a_process_has_one_operation_at_a_time_and_none_after_an_unknown_one() {
        let history = run(&mut Witness::default(), 1, PLAN);
        let mut free_at = BTreeMap::new();
        for operation in &history {
            let free_at = free_at.entry(operation.process).or_insert(Some(0));
            assert!(free_at.is_some_and(|at| at <= operation.call), "{operation:?}");
            *free_at = operation.return_index();
        }
        let overlap = |pair: &&[Operation]| pair[0].return_index() > Some(pair[1].call);
        assert!(history.windows(2).filter(overlap).count() > history.len() / 3);
    }

    #[test]
    fn events_are_in_order_and_phases_stand_alone() {
        let history = run(&mut Witness::default(), 2, PLAN);
        let ends = history.iter().filter_map(Operation::return_index);
        let events: Vec<u64> = history.iter().map(|operation| operation.call).chain(ends).collect();
        assert_eq!(events.iter().collect::<BTreeSet<_>>().len(), events.len());
        assert!(history.is_sorted_by_key(|operation| operation.call));
        for operation in &history {
            assert_eq!(operation.call_ns, operation.call * 1_000_000);
            assert_eq!(operation.return_ns, operation.return_index().map(|at| at * 1_000_000));
        }
        let [first, main @ .., last] = &history[..] else { panic!("{history:?}") };
        assert!(first.phase == "setup" && last.phase == "final");
        assert!(main.iter().all(|operation| operation.phase == "main"));
        assert!(first.return_index() < Some(main[0].call));
        assert!(main.iter().all(|operation| operation.return_index() < Some(last.call)));
        assert_eq!(history.len(), PLAN.operations + 1);
    }
}

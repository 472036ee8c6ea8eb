//! A whole run: clients at work, faults by plan, then everything heals and settles.

use contract::NodeId;

use super::{
    ClientOptions, Fault, FaultOptions, FaultPlan, Happening, History, Simulator, View,
    clients::{Clients, Generator, single_key_operation},
    history::{Completion, EventKind},
};
use crate::Protocol;

/// What to run. Everything else follows from the seed.
pub struct Scenario {
    /// Decides everything random.
    pub seed: u64,
    /// The nodes' ids.
    pub nodes: Vec<NodeId>,
    /// How the clients behave.
    pub clients: ClientOptions,
    /// What goes wrong, until [`FaultOptions::duration_ms`].
    pub faults: FaultOptions,
    /// How long the clients go on after everything has healed.
    pub settle_ms: u64,
    /// Whether to keep a line of text for each event.
    pub keep_trace: bool,
    /// Whether messages go through their serialised form; slower.
    pub serialize_messages: bool,
}

/// What came of a run.
pub struct Report<P: Protocol> {
    /// What the clients saw.
    pub history: History,
    /// The first broken invariant, where one was broken; the run ended there.
    pub violation: Option<String>,
    /// The faults that were planned.
    pub plan: FaultPlan,
    /// Operations that were invoked after everything had healed and succeeded: progress.
    pub ok_after_heal: usize,
    /// How many events the run took.
    pub steps: u64,
    /// The cluster as it was at the end.
    pub simulator: Simulator<P>,
}

/// Alarms of the scenario itself; the clients' come after them.
const HEAL: u64 = 0;
const CLOSE: u64 = 1;
const END: u64 = 2;
const FAULTS: u64 = 3;

impl Scenario {
    /// A run of `nodes` nodes named n1, n2… with every default.
    #[must_use]
    pub fn new(seed: u64, nodes: usize) -> Self {
        Self {
            seed,
            nodes: (1..=nodes).map(|number| format!("n{number}")).collect(),
            clients: ClientOptions::default(),
            faults: FaultOptions::default(),
            settle_ms: 3_000,
            keep_trace: false,
            serialize_messages: false,
        }
    }

    /// Runs single-key operations on nodes that `make` makes from their durable records; `invariant` is called after
    /// each step, and its first error ends the run.
    pub fn run<P: Protocol>(
        &self,
        make: impl Fn(&NodeId, Vec<P::Record>) -> P + 'static,
        invariant: impl FnMut(&View<'_, P>) -> Result<(), String> + 'static,
    ) -> Report<P> {
        self.run_with(make, invariant, Box::new(single_key_operation))
    }

    /// Like [`Scenario::run`] with operations of one's own.
    pub fn run_with<P: Protocol>(
        &self,
        make: impl Fn(&NodeId, Vec<P::Record>) -> P + 'static,
        invariant: impl FnMut(&View<'_, P>) -> Result<(), String> + 'static,
        generator: Generator,
    ) -> Report<P> {
        let mut simulator = Simulator::new(self.seed, &self.nodes, make);
        simulator.check_each_step(invariant);
        if self.keep_trace {
            simulator.keep_trace();
        }
        if self.serialize_messages {
            simulator.serialize_messages();
        }
        let plan = FaultPlan::random(self.seed, &self.nodes, &self.faults);
        self.run_plan(simulator, plan, generator)
    }

    /// Runs a given plan on a given cluster.
    pub fn run_plan<P: Protocol>(
        &self,
        simulator: Simulator<P>,
        plan: FaultPlan,
        generator: Generator,
    ) -> Report<P> {
        self.run_plan_within(simulator, plan, generator, |_, _| true)
    }

    /// Like [`Scenario::run_plan`], but leaves out each fault that `is_within` says no to when it is due: those that the
    /// cluster, as it is then, does not promise to survive.
    pub fn run_plan_within<P: Protocol>(
        &self,
        mut simulator: Simulator<P>,
        plan: FaultPlan,
        generator: Generator,
        mut is_within: impl FnMut(&Simulator<P>, &Fault) -> bool,
    ) -> Report<P> {
        let first_alarm = self.set_alarms(&mut simulator, &plan);
        let mut clients = Clients::new(self.clients, generator, self.seed, first_alarm);
        clients.start(&mut simulator);
        let mut steps = 0;
        let mut healed = false;
        while let Some(happening) = simulator.step() {
            steps += 1;
            match happening {
                Happening::Inside => {}
                Happening::Answered(ticket, _, answer) => {
                    clients.on_answer(ticket, answer, &mut simulator);
                }
                Happening::Alarm(HEAL) => {
                    healed = true;
                    simulator.end_faults();
                }
                Happening::Alarm(CLOSE) => clients.close(),
                Happening::Alarm(END) => break,
                Happening::Alarm(name) if name < first_alarm => {
                    let number = usize::try_from(name - FAULTS).unwrap_or(usize::MAX);
                    // What lasts beyond the main phase was healed with everything else.
                    let due = plan.steps.get(number).filter(|_| !healed);
                    if let Some((_, fault)) = due.filter(|(_, fault)| is_within(&simulator, fault))
                    {
                        simulator.apply_fault(fault);
                    }
                }
                Happening::Alarm(name) => clients.on_alarm(name, &mut simulator),
            }
            if clients.all_done() {
                break;
            }
        }
        let history = clients.into_history();
        Report {
            ok_after_heal: ok_since(&history, self.faults.duration_ms * 1000),
            violation: simulator.violation().map(str::to_owned),
            history,
            plan,
            steps,
            simulator,
        }
    }

    /// Sets the alarms of the phases and of the plan's faults; returns the first name that is free for the clients'.
    fn set_alarms<P: Protocol>(&self, simulator: &mut Simulator<P>, plan: &FaultPlan) -> u64 {
        for (number, (at_ms, _)) in (FAULTS..).zip(&plan.steps) {
            simulator.alarm(at_ms * 1000, number);
        }
        let heal_ms = self.faults.duration_ms;
        let close_ms = heal_ms + self.settle_ms;
        // Long enough for the last operation to give up.
        let end_ms =
            close_ms + self.clients.operation_timeout_ms + 2 * self.clients.attempt_timeout_ms;
        simulator.alarm(heal_ms * 1000, HEAL);
        simulator.alarm(close_ms * 1000, CLOSE);
        simulator.alarm(end_ms * 1000, END);
        FAULTS + plan.steps.len() as u64
    }
}

fn ok_since(history: &History, since_us: u64) -> usize {
    let invoked_since = |index: &u64| {
        let event = usize::try_from(*index).ok().and_then(|index| history.events().get(index));
        event.is_some_and(|event| {
            matches!(event.kind, EventKind::Invoke(_)) && event.time_us >= since_us
        })
    };
    let succeeded = history.operations().into_iter().filter(|operation| {
        matches!(operation.completion, Completion::Ok(..)) && invoked_since(&operation.call)
    });
    succeeded.count()
}

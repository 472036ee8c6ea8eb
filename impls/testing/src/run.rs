//! One simulated run of a system.

use std::sync::Arc;

use contract::NodeId;
use node::{
    Protocol,
    sim::{FaultPlan, Report, Scenario, Simulator, View},
};

use crate::{
    Coverage, Failure, Recorder, System, acknowledged, progress, recorder::SNAPSHOTS_READ,
};

/// Counts nodes that came up.
pub const STARTS: &str = "nodes started or restarted";
/// Counts nodes that came up from a snapshot of theirs.
pub const SNAPSHOTS_RECOVERED: &str = "nodes recovered from a snapshot";

/// Counts snapshots that nodes got from others.
pub const SNAPSHOTS_INSTALLED: &str = "snapshots installed from another node";

/// How long a cluster without faults may take to agree, in virtual microseconds.
const SETTLE_US: u64 = 2_000_000;

/// A run that came to its end, or to a broken invariant.
pub struct Run<S: System> {
    /// What was run.
    pub scenario: Scenario,
    /// What came of it.
    pub report: Report<S::Node>,
    /// How often things happened in this run.
    pub coverage: Arc<Coverage>,
}

impl<S: System> Run<S> {
    /// The run of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let scenario = S::scenario(seed);
        let plan = S::plan(&scenario);
        Self::planned(scenario, plan)
    }

    /// The run of a seed in which nothing goes wrong.
    ///
    /// # Panics
    /// It is not [healthy](Run::healthy), or an operation did not succeed.
    #[must_use]
    pub fn calm(seed: u64) -> Self {
        let mut run = Self::planned(S::scenario(seed), FaultPlan::default());
        if let Err(failure) = run.healthy().and_then(|()| progress(&run.report, 0)) {
            panic!("seed {seed}, without faults, {failure}");
        }
        run
    }

    /// A run with faults of one's own.
    #[must_use]
    pub fn planned(scenario: Scenario, plan: FaultPlan) -> Self {
        let coverage = Arc::new(Coverage::default());
        let make = S::make(&scenario, &coverage);
        let mut simulator =
            Simulator::new(scenario.seed, &scenario.nodes, counting(make, &coverage));
        simulator.check_each_step(with_exactly_once::<S>(S::invariant(&scenario, &coverage)));
        if scenario.keep_trace {
            simulator.keep_trace();
        }
        if scenario.serialize_messages {
            simulator.serialize_messages();
        }
        let report = scenario.run_plan_within(simulator, plan, S::generator(), S::survives());
        let installed = coverage.times(SNAPSHOTS_READ) - coverage.times(SNAPSHOTS_RECOVERED);
        coverage.count_times(SNAPSHOTS_INSTALLED, installed);
        Self { scenario, report, coverage }
    }

    /// What every protocol owes its clients. No invariant was broken; the history is that of a right object; once the faults are over
    /// everything succeeds; and in the end the copies are the same and hold every write that was acknowledged.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn healthy(&mut self) -> Result<(), Failure> {
        self.no_violation()?;
        S::judge(&self.report.history)?;
        progress(&self.report, self.scenario.faults.duration_ms * 1000)?;
        self.report.simulator.run_for(SETTLE_US);
        self.no_violation()?;
        self.settled().map_err(|reason| self.failure(reason))
    }

    fn no_violation(&self) -> Result<(), Failure> {
        let violation = self.report.simulator.violation();
        violation.map_or(Ok(()), |reason| Err(self.failure(reason.to_owned())))
    }

    fn settled(&self) -> Result<(), String> {
        let simulator = &self.report.simulator;
        let mut first: Option<(&NodeId, &Recorder)> = None;
        let copies = S::copies(simulator)?;
        for name in &copies {
            let node = simulator.protocol(name).ok_or_else(|| format!("{name} is down"))?;
            let Some(copy) = S::recorder(node) else { continue };
            let (other_name, other) = *first.get_or_insert((name, copy));
            if copy.applied() != other.applied() {
                return Err(format!(
                    "the copies differ though nothing is under way: {name} applied {} requests, {other_name} {}",
                    copy.applied().len(),
                    other.applied().len()
                ));
            }
        }
        let Some((_, copy)) = first else { return Ok(()) };
        acknowledged::is_durable(&self.report.history, copy.applied())
    }

    /// Something that shows now.
    fn failure(&self, reason: String) -> Failure {
        Failure::new(self.report.simulator.now_us(), reason)
    }
}

/// Counts starts, and snapshots that nodes came up from.
fn counting<P: Protocol>(
    make: impl Fn(&NodeId, Vec<P::Record>) -> P + 'static,
    coverage: &Arc<Coverage>,
) -> impl Fn(&NodeId, Vec<P::Record>) -> P + 'static {
    let coverage = coverage.clone();
    move |name, records| {
        coverage.count(STARTS);
        let read = coverage.times(SNAPSHOTS_READ);
        let node = make(name, records);
        coverage.count_times(SNAPSHOTS_RECOVERED, coverage.times(SNAPSHOTS_READ) - read);
        node
    }
}

/// No node may carry out a request twice.
fn with_exactly_once<S: System>(
    mut invariant: impl FnMut(&View<'_, S::Node>) -> Result<(), String> + 'static,
) -> impl FnMut(&View<'_, S::Node>) -> Result<(), String> + 'static {
    move |view| {
        let (name, node) = view.stepped();
        if let Some((client, seq)) = S::recorder(node).and_then(Recorder::executed_twice) {
            return Err(format!("{name} carried out request {seq} of {client} a second time"));
        }
        invariant(view)
    }
}

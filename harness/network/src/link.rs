//! One directed link: everything its connections share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use record::Fate;
use tokio::task::{JoinError, JoinSet};

use crate::budget::Budget;
use crate::counters::Counters;
use crate::end::End;
use crate::faults::{Dice, MessageFaults, Roll};
use crate::framing::Label;
use crate::reorder::WaitingPlace;
use crate::trace::{Recorder, Times, Unseen};
use crate::trigger::{Kinds, Triggers, kind_of};

/// How late the bytes of a lost packet are, which is sent again: the least that Linux waits for its acknowledgement (RFC 6298,
/// there TCP_RTO_MIN).
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// A link to be: connections that `from` opens to `to`.
#[derive(Clone)]
pub struct LinkSpec {
    /// Who will dial the link: a node's id, or `clients`.
    pub from: String,
    /// Whom it reaches.
    pub to: String,
    /// Which of its ports, where it has several; each is a link of its own, and faults are of all.
    pub port: Option<u16>,
    /// Where `from` dials it.
    pub downstream: End,
    /// Where `to` really listens.
    pub upstream: End,
}

impl LinkSpec {
    /// A link whose ends are both on this machine: `from` dials a port that the system chooses.
    #[must_use]
    pub fn here(from: impl Into<String>, to: impl Into<String>, upstream: SocketAddr) -> Self {
        let (downstream, upstream) = (End::any_port(), End::here(upstream));
        Self { from: from.into(), to: to.into(), port: None, downstream, upstream }
    }
}

pub(crate) struct Link {
    pub from: String,
    pub to: String,
    pub port: Option<u16>,
    pub upstream: End,
    pub counters: Counters,
    pub waiting_place: WaitingPlace,
    pub budget: Arc<Budget>,
    pub tasks: Tasks,
    pub triggers: Arc<Triggers>,
    pub kinds: Kinds,
    trace: Option<Recorder>,
    unseen_requests: Earliest,
    unseen_answers: Earliest,
    /// Whether `faults` can hit at all: a link without faults pays one load a message for them.
    faulty: AtomicBool,
    faults: Mutex<Faults>,
}

/// What may happen to messages.
struct Faults {
    of_all: MessageFaults,
    /// What may happen besides to the messages of these kinds.
    of_kinds: BTreeMap<String, MessageFaults>,
    dice: Dice,
}

impl Link {
    pub fn new(
        spec: LinkSpec,
        seed: u64,
        trace: Option<Recorder>,
        budget: Arc<Budget>,
        triggers: Arc<Triggers>,
    ) -> Self {
        let dice = Dice::new(seed, &spec.from, &spec.to);
        Self {
            from: spec.from,
            to: spec.to,
            port: spec.port,
            upstream: spec.upstream,
            counters: Counters::default(),
            waiting_place: WaitingPlace::default(),
            budget,
            tasks: Tasks::default(),
            triggers,
            kinds: Kinds::default(),
            trace,
            unseen_requests: Earliest::default(),
            unseen_answers: Earliest::default(),
            faulty: AtomicBool::new(false),
            faults: Mutex::new(Faults {
                of_all: MessageFaults::default(),
                of_kinds: BTreeMap::new(),
                dice,
            }),
        }
    }

    pub fn set_faults(&self, of_all: MessageFaults) {
        self.change_faults(|faults| faults.of_all = of_all);
    }

    pub fn set_faults_of_kinds(&self, of_kinds: BTreeMap<String, MessageFaults>) {
        self.change_faults(|faults| faults.of_kinds = of_kinds);
    }

    fn change_faults(&self, change: impl FnOnce(&mut Faults)) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut faults);
        let is_faulty = faults.of_all.is_active() || !faults.of_kinds.is_empty();
        self.faulty.store(is_faulty, Ordering::Relaxed);
    }

    /// Whether message faults are on.
    pub fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }

    /// Whether anything may happen to a whole request.
    pub fn holds_requests(&self) -> bool {
        self.is_faulty() || self.triggers.watch(&self.from, &self.to)
    }

    /// What happens to a message of this kind.
    pub fn roll(&self, label: Option<&Label>) -> Roll {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let Faults { of_all, of_kinds, dice } = &mut *faults;
        let roll = dice.roll(of_all);
        match label.and_then(|label| of_kinds.get(kind_of(label))) {
            Some(of_kind) => roll.and(dice.roll(of_kind)),
            None => roll,
        }
    }

    /// What may happen to bytes that are no messages, in either direction: they come late, for of a stream nothing is lost or comes
    /// twice.
    pub async fn hold_up_bytes(&self) {
        if !self.is_faulty() {
            return;
        }
        let roll = self.roll(None);
        let lost = (roll.drop_request || roll.drop_response).then_some(RETRANSMISSION);
        if let Some(delay) = roll.delay.max(lost) {
            self.counters.delayed.count();
            tokio::time::sleep(delay).await;
        }
    }

    pub fn is_traced(&self) -> bool {
        self.trace.is_some()
    }

    /// The time for a record, read when the request is complete at the proxy.
    pub fn time_ns(&self) -> u64 {
        self.trace.as_ref().map_or(0, Recorder::time_ns)
    }

    pub fn record(&self, times: Times, label: Option<Label>, bytes: u64, fate: Fate) {
        let Some((trace, label)) = self.trace.as_ref().zip(label) else { return };
        self.kinds.count(kind_of(&label));
        if !trace.record(times, (&self.from, &self.to), label, bytes, fate) {
            self.unseen_requests.note(times.head_ns);
        }
    }

    /// A request whose head was complete then was passed on, in part at least, and will not be recorded.
    pub fn misses_request(&self, head_ns: u64) {
        self.unseen_requests.note(head_ns);
    }

    /// An answer says something.
    pub fn misses_answer(&self) {
        // The first is the earliest.
        if self.unseen_answers.get().is_none() {
            self.unseen_answers.note(self.time_ns());
        }
    }

    /// A connection is carried as raw bytes from here on.
    pub fn loses_sight(&self) {
        self.counters.raw.count();
        self.unseen_requests.note(self.time_ns());
        self.unseen_answers.note(self.time_ns());
    }

    /// What the trace does not show of this link.
    pub fn unseen(&self) -> Option<Unseen> {
        let (requests_ns, answers_ns) = (self.unseen_requests.get(), self.unseen_answers.get());
        requests_ns.or(answers_ns)?;
        Some(Unseen { from: self.from.clone(), to: self.to.clone(), requests_ns, answers_ns })
    }
}

/// The earliest of some times.
struct Earliest(AtomicU64);

impl Default for Earliest {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Earliest {
    fn note(&self, time_ns: u64) {
        self.0.fetch_min(time_ns, Ordering::Relaxed);
    }

    fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|time_ns| *time_ns < u64::MAX)
    }
}

/// The tasks of a link: its connections and duplicates.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = tasks.try_join_next() {
            report_panic(ended);
        }
        tasks.spawn(task);
    }

    /// Ends them all, and those that they may have started meanwhile.
    pub async fn end(&self) {
        loop {
            let mut tasks =
                std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
            if tasks.is_empty() {
                return;
            }
            tasks.abort_all();
            while let Some(ended) = tasks.join_next().await {
                report_panic(ended);
            }
        }
    }
}

/// A connection that was lost to a mistake of ours must not look like a fault.
pub(crate) fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the proxy lost a connection to a bug of its own");
    }
}

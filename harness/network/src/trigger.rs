//! Triggers: the next message of a kind is caught at a boundary, and goes on once whoever caught it lets it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::budget::Buffer;
use crate::framing::Verb;
use crate::gate::Passage;
use crate::link::Link;
use crate::{duplicate, framing::Label};

/// A message is held no longer than this, whoever caught it.
const HOLD_MS_MAX: u64 = 5_000;
/// Kinds of messages that are counted on a link; further ones are not: a hostile peer may make up any number.
const KINDS_MAX: usize = 32;

/// Where a message is when it is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The request has left its sender, and its receiver has seen nothing of it.
    BeforeDelivery,
    /// The receiver has the request, and the sender hears of no answer.
    Delivered,
    /// The receiver answers, and the sender has seen nothing of that.
    BeforeAnswer,
    /// The answer has passed, if it was not lost. There is nothing to hold any more.
    Answered,
}

/// Which message is to be caught.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// On one of these links: from, to.
    pub links: Vec<(String, String)>,
    /// Of one of these kinds, as [`Network::kinds`](crate::Network::kinds) names them; none: of any.
    pub kinds: Vec<String>,
    /// Where it is caught.
    pub boundary: Boundary,
    /// After so many others of which all this holds.
    pub skip: u32,
}

/// The kind of a message: `X-DS-Type`, or else what its body calls it, or else its path.
pub(crate) fn kind_of(label: &Label) -> &str {
    label.kind.as_deref().unwrap_or_else(|| label.path.split('?').next().unwrap_or_default())
}

/// How many messages of each kind a link has carried.
#[derive(Default)]
pub(crate) struct Kinds(Mutex<BTreeMap<String, u64>>);

impl Kinds {
    pub fn count(&self, kind: &str) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = kinds.get_mut(kind) {
            *count += 1;
        } else if kinds.len() < KINDS_MAX {
            kinds.insert(kind.to_owned(), 1);
        }
    }

    pub fn snapshot(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The triggers of all links.
#[derive(Default)]
pub(crate) struct Triggers {
    /// How many are armed: a link pays one load a message where there are none.
    armed: AtomicUsize,
    traps: Mutex<Vec<Trap>>,
}

/// A trigger that is armed.
struct Trap {
    number: usize,
    trigger: Trigger,
    caught: mpsc::UnboundedSender<Caught>,
}

/// A trigger that waits for its message; it is over when this is dropped.
pub struct Armed {
    triggers: Arc<Triggers>,
    number: usize,
    caught: mpsc::UnboundedReceiver<Caught>,
}

/// A message that was caught. It goes on when this is dropped.
pub struct Caught {
    /// Who sent the request.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// Its kind.
    pub kind: String,
    message: Message,
    _released: watch::Sender<()>,
}

/// A whole request, which can be sent again.
#[derive(Clone)]
pub(crate) struct Message {
    pub link: Arc<Link>,
    pub gate: Passage,
    pub bytes: Arc<Buffer>,
    pub verb: Verb,
}

/// A message that somebody waits for, on its way to the boundary.
pub(crate) struct Catch {
    boundary: Boundary,
    /// `None` once it is told.
    telling: Option<(mpsc::UnboundedSender<Caught>, Caught)>,
    /// Ends when the message may go on.
    hold: watch::Receiver<()>,
    /// It goes on then at the latest.
    deadline: Instant,
}

impl Triggers {
    pub fn arm(self: &Arc<Self>, trigger: Trigger) -> Armed {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let (caught, receiver) = mpsc::unbounded_channel();
        self.change(|traps| traps.push(Trap { number, trigger, caught }));
        Armed { triggers: Arc::clone(self), number, caught: receiver }
    }

    /// Whether any message of this link may be caught.
    pub fn watch(&self, from: &str, to: &str) -> bool {
        if self.armed.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let traps = self.traps.lock().unwrap_or_else(PoisonError::into_inner);
        traps.iter().any(|trap| trap.trigger.is_about(from, to))
    }

    /// Whether this message is the one that somebody waits for.
    pub fn catch(&self, label: Option<&Label>, message: impl FnOnce() -> Message) -> Option<Catch> {
        if self.armed.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let kind = label.map(kind_of).unwrap_or_default();
        let message = message();
        let suits = |trap: &Trap| {
            let Trigger { kinds, .. } = &trap.trigger;
            trap.trigger.is_about(&message.link.from, &message.link.to)
                && (kinds.is_empty() || kinds.iter().any(|own| own == kind))
        };
        let trap = self.change(|traps| {
            let at = traps.iter().position(suits)?;
            match traps[at].trigger.skip.checked_sub(1) {
                None => Some(traps.remove(at)),
                Some(skip) => {
                    traps[at].trigger.skip = skip;
                    None
                }
            }
        });
        let Trap { trigger, caught, .. } = trap?;
        let (released, hold) = watch::channel(());
        let (from, to) = (message.link.from.clone(), message.link.to.clone());
        let kind = kind.to_owned();
        let what = Caught { from, to, kind, message, _released: released };
        let deadline = Instant::now() + Duration::from_millis(HOLD_MS_MAX);
        Some(Catch { boundary: trigger.boundary, telling: Some((caught, what)), hold, deadline })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Trap>) -> T) -> T {
        let mut traps = self.traps.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut traps);
        self.armed.store(traps.len(), Ordering::Relaxed);
        result
    }
}

impl Trigger {
    fn is_about(&self, from: &str, to: &str) -> bool {
        self.links.iter().any(|(own_from, own_to)| own_from == from && own_to == to)
    }
}

impl Armed {
    /// Waits until the message is caught; `None` where it never will be, because its connection ended first.
    pub async fn caught(&mut self) -> Option<Caught> {
        self.caught.recv().await
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.triggers.change(|traps| traps.retain(|trap| trap.number != self.number));
    }
}

impl Caught {
    /// Sends the request once more, over a connection of its own; its answer is thrown away.
    pub fn send_again(&self) {
        self.message.link.counters.duplicated.count();
        duplicate::send(self.message.clone(), Duration::ZERO);
    }
}

impl Catch {
    /// The message is at this boundary: where it is to be caught here, tells whoever waits for it.
    pub fn reaches(&mut self, boundary: Boundary) -> bool {
        let is_here = self.boundary == boundary;
        if let Some((caught, what)) = self.telling.take_if(|_| is_here) {
            // Where nobody waits any more, it goes on.
            let _ = caught.send(what);
        }
        is_here
    }

    /// What the pump of answers has to do. What is told before a request is answered stays here.
    pub fn rest(&mut self) -> Catch {
        let boundary = self.boundary;
        let is_later = matches!(boundary, Boundary::BeforeAnswer | Boundary::Answered);
        let telling = self.telling.take_if(|_| is_later);
        Self { boundary, telling, hold: self.hold.clone(), deadline: self.deadline }
    }

    /// Returns when the message may go on; at once where it is not held yet.
    pub async fn pass(&mut self) {
        if self.telling.is_none() {
            // Nothing is ever sent: the channel ends with its `Caught`.
            let _ = tokio::time::timeout_at(self.deadline, self.hold.changed()).await;
        }
    }
}

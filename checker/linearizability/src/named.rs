//! Models by name, for histories of operations that others recorded.
//!
//! A recorded operation has a function, arguments and a result as JSON; what they mean to a model is decided here.
//! Functions go by the names that Jepsen's tests, Porcupine's data and this bench use for them.

mod calls;
mod keys;

use history::Operation;
use serde_json::Value;

use crate::models::{CasRegister, Counter, Kv, MultiRegister, OwnedLock, Queue, Set, Stack};
use crate::{Call, CallOf, Limits, Model, Report, check, check_by_key};
use keys::{Keyed, Part};

/// A model that goes by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// A register.
    Register,
    /// A register with compare-and-set.
    CasRegister,
    /// A key-value store.
    Kv,
    /// Registers under transactions.
    MultiRegister,
    /// A counter.
    Counter,
    /// A set.
    Set,
    /// A FIFO queue.
    Queue,
    /// A stack.
    Stack,
    /// A lock that does not know who holds it.
    Mutex,
    /// A lock that knows who holds it.
    Lock,
}

/// An operation that the model does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unfit {
    /// The index of the invocation's event, where it is about one operation.
    pub event: Option<u64>,
    /// What does not fit.
    pub message: String,
}

impl Named {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Register,
        Self::CasRegister,
        Self::Kv,
        Self::MultiRegister,
        Self::Counter,
        Self::Set,
        Self::Queue,
        Self::Stack,
        Self::Mutex,
        Self::Lock,
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::CasRegister => "cas-register",
            Self::Kv => "kv",
            Self::MultiRegister => "multi-register",
            Self::Counter => "counter",
            Self::Set => "set",
            Self::Queue => "queue",
            Self::Stack => "stack",
            Self::Mutex => "mutex",
            Self::Lock => "lock",
        }
    }

    /// The object for people, after "a".
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Kv => "key-value store",
            Self::Queue => "FIFO queue",
            Self::Lock => "lock with an owner",
            other => other.name(),
        }
    }

    /// The model of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The functions it knows, with their arguments.
    #[must_use]
    pub fn functions(self) -> &'static str {
        match self {
            Self::Register => "read, write V",
            Self::CasRegister => "read, write V, cas [OLD NEW]",
            Self::Kv => "get K, put K V, append K V, cas K OLD NEW, puthash K V",
            Self::MultiRegister => "txn [[read K V] [write K V] …]",
            Self::Counter => "read, add N, increment, decrement",
            Self::Set => "add V, remove V, contains V, read",
            Self::Queue => "enqueue V, dequeue",
            Self::Stack => "push V, pop",
            Self::Mutex | Self::Lock => "acquire, release",
        }
    }

    /// Does its first state hold a value that one may want to choose?
    #[must_use]
    pub fn has_initial_value(self) -> bool {
        matches!(self, Self::Register | Self::CasRegister | Self::MultiRegister | Self::Counter)
    }

    /// Is this history linearizable with respect to this model? `initial` is the value before the first operation,
    /// `None` the model's own: nil, or 0 for a counter.
    ///
    /// Where every value is a pair `[key value]`, as Jepsen's independent tests record them, each key is an object
    /// of its own.
    ///
    /// # Errors
    /// An operation that the model does not know, or an initial value that it cannot hold.
    pub fn check(
        self,
        operations: &[Operation],
        initial: Option<&Value>,
        limits: &Limits,
    ) -> Result<Report, Unfit> {
        let value = || initial.cloned().unwrap_or_default();
        if initial.is_some() && !self.has_initial_value() {
            return Err(unfit(None, format!("a {} has no initial value to choose", self.noun())));
        }
        let judged = Judged { model: self, operations, limits };
        match self {
            Self::Register => judged.by(&CasRegister { initial: value() }, calls::register),
            Self::CasRegister => judged.by(&CasRegister { initial: value() }, calls::cas_register),
            Self::Kv => judged.kv(),
            Self::MultiRegister => {
                judged.whole(&MultiRegister { initial: value() }, calls::transaction)
            }
            Self::Counter => {
                let initial = initial.map_or(Some(0), Value::as_i64);
                let initial =
                    initial.ok_or_else(|| unfit(None, "a counter begins with an integer"))?;
                judged.by(&Counter { initial }, calls::counter)
            }
            Self::Set => judged.by(&Set::new(), calls::set),
            Self::Queue => judged.by(&Queue::new(), calls::queue),
            Self::Stack => judged.by(&Stack::new(), calls::stack),
            Self::Mutex => judged.by(&OwnedLock::default(), calls::mutex),
            Self::Lock => judged.by(&OwnedLock::default(), calls::lock),
        }
    }
}

fn unfit(event: Option<u64>, message: impl Into<String>) -> Unfit {
    Unfit { event, message: message.into() }
}

/// Input and output of a call, or what does not fit.
type Read<M> = Result<(<M as Model>::Input, Option<<M as Model>::Output>), String>;

/// A history to check against a model.
struct Judged<'a> {
    model: Named,
    operations: &'a [Operation],
    limits: &'a Limits,
}

impl Judged<'_> {
    /// As one object, or as one for each key where every value has one.
    fn by<M: Model>(
        &self,
        model: &M,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<Report, Unfit> {
        match keys::of_pairs(self.operations) {
            Some(keyed) => self.by_key(model, &keyed, read),
            None => self.whole(model, read),
        }
    }

    /// As one object.
    fn whole<M: Model>(
        &self,
        model: &M,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<Report, Unfit> {
        let call = |operation| self.call::<M>(&Part::whole(operation), &read);
        let calls: Vec<CallOf<M>> = self.operations.iter().map(call).collect::<Result<_, _>>()?;
        Ok(check(model, &calls, self.limits))
    }

    fn by_key<M: Model>(
        &self,
        model: &M,
        keyed: &Keyed<'_>,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<Report, Unfit> {
        let calls = |parts: &Vec<Part<'_>>| {
            parts.iter().map(|part| self.call::<M>(part, &read)).collect::<Result<_, Unfit>>()
        };
        let groups: Vec<(String, Vec<CallOf<M>>)> = keyed
            .iter()
            .map(|(key, parts)| Ok((format!("Key {}", shown(key)), calls(parts)?)))
            .collect::<Result<_, _>>()?;
        Ok(check_by_key(model, groups, self.limits))
    }

    /// The operations of a store name their keys.
    fn kv(&self) -> Result<Report, Unfit> {
        let keyed = keys::of_store(self.operations)
            .map_err(|operation| self.misfit(operation, calls::without_key(&operation.f)))?;
        let absent = calls::Absent::of(&keyed).map_err(|what| unfit(None, what))?;
        self.by_key(&Kv, &keyed, |part| calls::kv(part, absent))
    }

    fn call<M: Model>(
        &self,
        part: &Part<'_>,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<CallOf<M>, Unfit> {
        let (input, output) = read(part).map_err(|what| self.misfit(part.operation, &what))?;
        Ok(Call::from_operation(part.operation, input, output))
    }

    fn misfit(&self, operation: &Operation, what: &str) -> Unfit {
        let (f, noun) = (shown(&operation.f), self.model.noun());
        let with = match &operation.arguments {
            Value::Null => String::new(),
            value => format!(" with {}", shown(&value.to_string())),
        };
        let known = self.model.functions();
        let message = format!("`{f}`{with} is no operation of a {noun}: {what}; it knows {known}");
        unfit(Some(operation.call), message)
    }
}

/// The beginning of a text, without control characters.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    let start: String = text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS_MAX).is_some() { format!("{start}…") } else { start }
}

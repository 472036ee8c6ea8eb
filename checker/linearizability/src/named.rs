//! Models by name, for histories of operations that others recorded.
//!
//! A recorded operation has a function, arguments and a result; what they mean to a model is decided here.
//! Functions go by the names that Jepsen's tests, Porcupine's data and this bench use for them.

mod fields;
mod keys;
mod recording;
mod table;

use history::words::cut;
use history::{Batch, Datum, Operation};

use crate::{Limits, Model, Report};
pub use recording::Recording;
pub use table::Named;

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
    /// The model of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The object for people, after "a".
    #[must_use]
    pub fn noun(self) -> &'static str {
        self.row().noun
    }

    /// The functions it knows, with their arguments.
    #[must_use]
    pub fn functions(self) -> &'static str {
        self.row().functions
    }

    /// Does its first state hold a value that one may want to choose?
    #[must_use]
    pub fn has_initial_value(self) -> bool {
        self.row().has_initial_value
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
        operations: Vec<Operation<Datum>>,
        initial: Option<&Datum>,
        limits: &Limits,
    ) -> Result<Report, Unfit> {
        let mut recording = self.recording(initial)?;
        if !operations.iter().all(|operation| keys::of_pair(operation).is_some()) {
            recording.is_of_one_object();
        }
        for operation in operations {
            recording.add(operation);
        }
        recording.check(limits)
    }

    /// Nothing recorded yet, to be judged as [`check`](Self::check) does.
    ///
    /// # Errors
    /// An initial value that the model cannot hold.
    pub fn recording(self, initial: Option<&Datum>) -> Result<Recording, Unfit> {
        if initial.is_some() && !self.has_initial_value() {
            return Err(unfit(None, format!("a {} has no initial value to choose", self.noun())));
        }
        (self.row().recording)(initial)
    }

    fn misfit(self, operation: &Operation<Datum>, what: &str) -> Unfit {
        let (f, noun) = (shown(&operation.f), self.noun());
        let with = match &operation.arguments {
            Datum::Nil => String::new(),
            value => format!(" with {}", shown(&value.to_string())),
        };
        let known = self.functions();
        let message = format!("`{f}`{with} is no operation of a {noun}: {what}; it knows {known}");
        unfit(Some(operation.call), message)
    }
}

fn unfit(event: Option<u64>, message: impl Into<String>) -> Unfit {
    Unfit { event, message: message.into() }
}

/// Input and output of a call, or what does not fit.
type Read<M> = Result<(<M as Model>::Input, Option<<M as Model>::Output>), String>;

/// What is wrong with an operation of no known name.
const UNKNOWN: &str = "there is no such function";

/// The beginning of a text, without control characters.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    cut(text, CHARS_MAX)
}

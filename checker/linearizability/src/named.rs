//! Models by name, for histories of operations that others recorded.
//!
//! A recorded operation has a function, arguments and a result; what they mean to a model is decided here.
//! Functions go by the names that Jepsen's tests, Porcupine's data and this bench use for them.

mod fields;
mod keys;
mod table;

use history::words::cut;
use history::{Datum, Operation, Verdict};
use rustc_hash::FxHashMap;

use crate::{Call, CallOf, Limits, Model, Report, Saw, Statistics, check, check_by_key};
use keys::Part;
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
        if initial.is_some() && !self.has_initial_value() {
            return Err(unfit(None, format!("a {} has no initial value to choose", self.noun())));
        }
        (self.row().check)(Judged { model: self, operations, limits }, initial)
    }
}

fn unfit(event: Option<u64>, message: impl Into<String>) -> Unfit {
    Unfit { event, message: message.into() }
}

/// Input and output of a call, or what does not fit.
type Read<M> = Result<(<M as Model>::Input, Option<<M as Model>::Output>), String>;

/// What is wrong with an operation of no known name.
const UNKNOWN: &str = "there is no such function";

/// A history to check against a model. Operations go once there are calls: the check needs the room.
struct Judged<'a> {
    model: Named,
    operations: Vec<Operation<Datum>>,
    limits: &'a Limits,
}

impl Judged<'_> {
    /// As one object, or as one for each key where every value has one.
    fn by<M: Model>(self, model: &M, read: impl Fn(&Part<'_>) -> Read<M>) -> Result<Report, Unfit> {
        match self.operations.iter().all(|operation| keys::of_pair(operation).is_some()) {
            true => self.by_key(model, keys::of_pair, |_| UNKNOWN.to_owned(), read),
            false => self.whole(model, read),
        }
    }

    /// As one object.
    fn whole<M: Model>(
        self,
        model: &M,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<Report, Unfit> {
        let call = |operation| self.model.call::<M>(&Part::whole(&operation), &read);
        let calls: Vec<CallOf<M>> =
            self.operations.into_iter().map(call).collect::<Result<_, _>>()?;
        if !tells_anything(model, &calls) {
            return Ok(untested(calls.iter()));
        }
        Ok(check(model, &calls, self.limits))
    }

    /// As one object for each key that `of` finds; `without` says what is wrong where it finds none.
    fn by_key<M: Model>(
        self,
        model: &M,
        of: impl Fn(&Operation<Datum>) -> Option<(&Datum, Part<'_>)>,
        without: impl Fn(&Operation<Datum>) -> String,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<Report, Unfit> {
        let mut groups: Vec<(String, Vec<CallOf<M>>)> = Vec::new();
        let mut places: FxHashMap<&Datum, usize> = FxHashMap::default();
        for operation in &self.operations {
            let Some((key, part)) = of(operation) else {
                return Err(self.model.misfit(operation, &without(operation)));
            };
            let place = *places.entry(key).or_insert_with(|| {
                groups.push((format!("Key {}", shown(&keys::name(key))), Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(self.model.call::<M>(&part, &read)?);
        }
        drop(self.operations);
        if !groups.iter().any(|(_, calls)| tells_anything(model, calls)) {
            return Ok(untested(groups.iter().flat_map(|(_, calls)| calls)));
        }
        Ok(check_by_key(model, groups, self.limits))
    }
}

/// Of a history that any object could have.
fn untested<'c, I: 'c, O: 'c>(calls: impl Iterator<Item = &'c Call<I, O>>) -> Report {
    let (mut operations, mut has_succeeded) = (0, false);
    for call in calls {
        operations += 1;
        has_succeeded |= !call.failed && call.ret.is_some();
    }
    let reason = match has_succeeded {
        false => "no operation succeeded",
        true => "none of the operations that succeeded tells what it found, as a read does",
    };
    Report {
        verdict: Verdict::Inconclusive,
        reason: Some(format!("Nothing was tested: {reason}.")),
        witness: None,
        statistics: Statistics { operations, ..Statistics::default() },
    }
}

impl Named {
    fn call<M: Model>(
        self,
        part: &Part<'_>,
        read: impl Fn(&Part<'_>) -> Read<M>,
    ) -> Result<CallOf<M>, Unfit> {
        let (input, output) = read(part).map_err(|what| self.misfit(part.operation, &what))?;
        Ok(Call::from_operation(part.operation, input, output))
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

/// Whether some call had a result that not every state allows: otherwise every history is right.
fn tells_anything<M: Model>(model: &M, calls: &[CallOf<M>]) -> bool {
    calls.iter().any(|call| {
        let output = call.output.as_ref();
        let effects = output.map(|output| model.effects(&call.input, Some(output)));
        effects
            .is_some_and(|effects| effects.all().iter().any(|effect| effect.saw != Saw::Anything))
    })
}

/// The beginning of a text, without control characters.
fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    cut(text, CHARS_MAX)
}

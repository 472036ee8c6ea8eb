//! The checkers that are compared, each asked in its own way.

mod porcupine_rs;
mod stateright;
#[cfg(test)]
mod tests;
mod todc_utils;

use std::fmt;
use std::slice;

use comparison::{Check, Limits};
use history::Verdict;
use linearizability::models::{CasRegister, Kv};
use linearizability::{CallOf, check, check_by_key};

use crate::object::{Known, Object, Timed, translate};
use crate::rows::History;

/// A checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checker {
    Ours,
    PorcupineRs,
    TodcUtils,
    Stateright,
}

impl Checker {
    /// All of them, ours first.
    pub const ALL: [Self; 4] = [Self::Ours, Self::PorcupineRs, Self::TodcUtils, Self::Stateright];

    /// Everything up to the check itself: a history in the checker's own form. Ours runs on one thread.
    ///
    /// # Errors
    /// An operation that the others do not know.
    pub fn prepare<'a>(self, history: &'a History, limits: &Limits) -> Result<Check<'a>, String> {
        // One thread, so that figures compare.
        let limits = linearizability::Limits {
            time: limits.time,
            memory_bytes: limits.memory_bytes,
            threads: Some(1),
            cancel: None,
        };
        match (self, history) {
            (Self::Ours, History::Registers(histories)) => {
                let ask =
                    move |calls: &Vec<_>| check(&CasRegister::default(), calls, &limits).verdict;
                Ok(Box::new(move || histories.iter().map(ask).collect()))
            }
            (Self::Ours, History::Store(keys)) => {
                let groups = keys.iter().cloned().enumerate().collect();
                Ok(Box::new(move || vec![check_by_key(&Kv, groups, &limits).verdict]))
            }
            (_, History::Registers(histories)) => {
                let prepare = |calls: &Vec<_>| {
                    self.prepare_other(&CasRegister::default(), slice::from_ref(calls))
                };
                let checks: Vec<_> = histories.iter().map(prepare).collect::<Result<_, _>>()?;
                Ok(Box::new(move || checks.into_iter().map(|check| verdict(check())).collect()))
            }
            (_, History::Store(keys)) => {
                let check = self.prepare_other(&Kv, keys)?;
                Ok(Box::new(move || vec![verdict(check())]))
            }
        }
    }

    /// One of the others, for the parts of one object.
    fn prepare_other<M: Known>(
        self,
        model: &M,
        parts: &[Vec<CallOf<M>>],
    ) -> Result<Box<dyn FnOnce() -> bool>, String> {
        let parts: Vec<_> =
            parts.iter().map(|calls| translate(model, calls)).collect::<Result<_, _>>()?;
        Ok(match self {
            Self::Ours => return Err("ours takes its own calls".to_owned()),
            Self::PorcupineRs => Box::new(porcupine_rs::prepare(parts)),
            Self::TodcUtils => one_by_one(parts, todc_utils::prepare),
            Self::Stateright => one_by_one(parts, stateright::prepare),
        })
    }
}

/// For those that know no parts, so that they need not lose by that.
fn one_by_one<O: Object, C: FnOnce() -> bool + 'static>(
    parts: Vec<Vec<Timed<O>>>,
    prepare: impl Fn(Vec<Timed<O>>) -> C,
) -> Box<dyn FnOnce() -> bool> {
    let checks: Vec<C> = parts.into_iter().map(prepare).collect();
    Box::new(move || checks.into_iter().all(|check| check()))
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours",
            Self::PorcupineRs => "porcupine-rs",
            Self::TodcUtils => "todc-utils",
            Self::Stateright => "stateright",
        })
    }
}

fn verdict(is_linearizable: bool) -> Verdict {
    if is_linearizable { Verdict::Valid } else { Verdict::Violation }
}

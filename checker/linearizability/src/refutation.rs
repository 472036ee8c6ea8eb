//! Why a history has no order: what every part of this crate that finds a violation hands on.

use crate::call::sort_by_call;
use crate::{Anomaly, Call, Witness};

/// What a monitor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorVerdict {
    /// The calls (by position) in an order that explains them; those that need not have happened may be left out.
    Valid(Vec<u32>),
    /// No order exists.
    Violation(Refutation),
}

/// A few operations that no order explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refutation {
    /// What is wrong.
    pub kind: Anomaly,
    /// What happened, in words that need nothing else.
    pub sentence: String,
    /// Positions of the operations that prove it, in order of invocation.
    pub operations: Vec<u32>,
}

impl Refutation {
    /// These operations prove it, in whatever order they are given; `text` says how, without the anomaly's name and
    /// the full stop.
    pub fn new<I, O>(
        calls: &[Call<I, O>],
        kind: Anomaly,
        text: &str,
        operations: impl IntoIterator<Item = u32>,
    ) -> Self {
        let mut operations: Vec<usize> = operations.into_iter().map(|op| op as usize).collect();
        sort_by_call(calls, &mut operations);
        let operations = operations.into_iter().map(|op| op as u32).collect();
        Self { kind, sentence: format!("{kind}: {text}."), operations }
    }

    /// The same as a report has it.
    pub(crate) fn into_witness<I, O>(self, calls: &[Call<I, O>], key: Option<String>) -> Witness {
        let place = key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        Witness {
            kind: self.kind,
            sentence: format!("{place}{}", self.sentence),
            operations: self.operations.iter().map(|&i| calls[i as usize].id).collect(),
            key,
        }
    }
}

//! The two entry points.

use std::fmt::Display;

use history::Verdict;

use crate::{Call, Limits, Model, Report, Statistics};

/// Is there an order of the calls that the model accepts and that respects real time?
pub fn check<M: Model>(
    _model: &M,
    calls: &[Call<M::Input, M::Output>],
    _limits: &Limits,
) -> Report {
    Report {
        verdict: Verdict::Inconclusive,
        reason: Some("The search is being built.".to_owned()),
        witness: None,
        statistics: Statistics { operations: calls.len() as u64, keys: 1, ..Statistics::default() },
    }
}

/// The same for an object whose parts are independent, such as the keys of a store: each group is checked
/// alone, all within the limits, and a violation names its group.
pub fn check_by_key<M: Model, K: Display>(
    model: &M,
    groups: Vec<(K, Vec<Call<M::Input, M::Output>>)>,
    limits: &Limits,
) -> Report {
    let _ = groups
        .into_iter()
        .map(|(key, calls)| (key.to_string(), check(model, &calls, limits)))
        .next();
    Report {
        verdict: Verdict::Inconclusive,
        reason: Some("The search is being built.".to_owned()),
        witness: None,
        statistics: Statistics::default(),
    }
}

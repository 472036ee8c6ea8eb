//! A history that its model knows how to split.

use rustc_hash::FxHashMap;

use crate::{CallOf, Limits, Model, Report, check, check_by_key};

/// [`check_by_key`] with the parts that [`Model::part`] tells, or [`check`] where some operation belongs to none.
pub fn check_partitioned<M: Model>(model: &M, calls: Vec<CallOf<M>>, limits: &Limits) -> Report {
    let parts: Option<Vec<String>> = calls.iter().map(|call| model.part(&call.input)).collect();
    let Some(parts) = parts else { return check(model, &calls, limits) };
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    let mut groups: Vec<(String, Vec<CallOf<M>>)> = Vec::new();
    for (call, part) in calls.into_iter().zip(parts) {
        let place = *places.entry(part).or_insert_with_key(|part| {
            groups.push((part.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(call);
    }
    check_by_key(model, groups, limits)
}

//! Two transactions that each insert only where the other's row is absent: at most one may commit.
//!
//! `insert [key [a b]]`, with one of a and b nil, looks for rows of this key in two tables and, if there are none,
//! inserts a row into the first or the second. That both succeed is an anti-dependency cycle by predicates: G2 of Adya,
//! "Weak Consistency", MIT 1999, §4.2.

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{misfit, only, pair};

/// The inserts of one key.
#[derive(Default)]
struct Key<'a> {
    tried: usize,
    succeeded: Vec<&'a Operation>,
}

/// At most one insert of each key may succeed.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["insert"])?;
    let mut keys: FxHashMap<&Value, Key<'_>> = FxHashMap::default();
    let mut findings = Findings::default();
    for operation in operations.iter().filter(|operation| operation.f == "insert") {
        let (name, _) = pair(&operation.arguments)
            .ok_or_else(|| misfit(operation, &operation.arguments, "[key [a b]]"))?;
        let key = keys.entry(name).or_default();
        key.tried += 1;
        if operation.result().is_none() {
            continue;
        }
        if let Some(first) = key.succeeded.first() {
            findings.add("write skew", [first.call, operation.call], || {
                format!(
                    "{} and {} both found no row of key {} and inserted one",
                    who(first),
                    who(operation),
                    shown(name)
                )
            });
        }
        key.succeeded.push(operation);
    }
    let contested = keys.values().filter(|key| key.tried > 1 && !key.succeeded.is_empty()).count();
    let untested = (contested == 0).then(|| {
        "No key was inserted once and tried a second time, so nothing was tested.".to_owned()
    });
    let checked =
        format!("{} had several inserts, of which one may succeed.", counted(contested, "key"));
    Ok(Judgement::of(findings, &checked, untested)
        .with_statistics(json!({ "keys": keys.len(), "contested": contested })))
}

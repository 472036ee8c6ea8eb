//! A witness in words.

use crate::problem::Effect;
use crate::witness::may_enable;
use crate::{CallOf, Model, UNCHANGED, Witness};

/// The most operations that a witness names.
const NAMED_MAX: usize = 12;

/// More operations than this of one kind are no help to a reader.
const RELATED_MAX: usize = 2;

/// Tells about a core that no order explains, the operation that broke it first.
pub(crate) fn describe<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    core: &[&CallOf<M>],
    key: Option<String>,
) -> Witness {
    let Some(&stuck) = core.first() else {
        let sentence = "No order of the operations explains their results.".to_owned();
        return Witness {
            kind: "not linearizable".to_owned(),
            sentence,
            operations: Vec::new(),
            key,
        };
    };
    let kind = model.kind(stuck, calls);
    let mut named = related(model, stuck, calls);
    if core.len() <= NAMED_MAX || named.is_empty() {
        named.extend(core.iter().take(NAMED_MAX));
    }
    named.push(stuck);
    named.sort_by_key(|call| (call.call, call.id));
    named.dedup_by_key(|call| call.id);
    let mut others: Vec<String> =
        named.iter().filter(|call| call.id != stuck.id).map(|call| told(model, call)).collect();
    let left_out = core.len().saturating_sub(named.len());
    if left_out > 0 && core.len() > NAMED_MAX {
        others.push(format!("and {left_out} other operations"));
    }
    let others =
        if others.is_empty() { "any other operation".to_owned() } else { others.join("; ") };
    let place = key.as_ref().map(|key| format!("Key {key}: ")).unwrap_or_default();
    Witness {
        kind: kind.to_owned(),
        sentence: format!("{place}{kind}: {} fits no order with {others}.", told(model, stuck)),
        operations: named.iter().map(|call| call.id).collect(),
        key,
    }
}

/// Where the value came from, even where its write need not have happened, and what else replaced it.
fn related<'a, M: Model>(
    model: &M,
    stuck: &'a CallOf<M>,
    calls: &'a [CallOf<M>],
) -> Vec<&'a CallOf<M>> {
    let of = |call| Effect::<M>::of(model, call);
    let Some(needs) = of(stuck).needs else { return Vec::new() };
    let earlier = || {
        let begun = |call: &&CallOf<M>| stuck.ret.is_none_or(|ret| call.call <= ret);
        calls.iter().filter(move |call| call.id != stuck.id).filter(begun)
    };
    let writers: Vec<&CallOf<M>> =
        earlier().filter(|call| may_enable(model, call, stuck)).collect();
    let replaces = |call: &'a CallOf<M>| {
        let effect = of(call);
        let changes = effect.gives.is_some_and(|gives| gives != UNCHANGED);
        !model.is_read_only(&call.input) && changes && effect.needs == Some(needs)
    };
    let rivals = if replaces(stuck) {
        earlier().filter(|call| !call.failed && replaces(call)).collect()
    } else {
        Vec::new()
    };
    let few = |calls: &Vec<&CallOf<M>>| calls.len() <= RELATED_MAX;
    [writers, rivals].into_iter().filter(few).flatten().collect()
}

/// `put "3" by process 4 (10.2000–10.4000 s)`.
pub(crate) fn told<M: Model>(model: &M, call: &CallOf<M>) -> String {
    let what = model.describe(&call.input, call.output.as_ref());
    let seconds = |ns: u64| format!("{:.4}", ns as f64 / 1e9);
    let when = match call.return_ns.filter(|_| call.ret.is_some()) {
        // A history without times.
        Some(0) => String::new(),
        Some(end) => format!(" ({}–{} s)", seconds(call.call_ns), seconds(end)),
        None => format!(" (from {} s on, never answered)", seconds(call.call_ns)),
    };
    let failed = if call.failed { ", which failed" } else { "" };
    format!("{what} by process {}{when}{failed}", call.process)
}

//! Names for what went wrong with a register, where that is clear. Only ever a name, never a verdict.

use crate::problem::Effect;
use crate::{CallOf, Model, UNCHANGED};

/// No name fits.
const UNNAMED: &str = "not linearizable";

/// The anomaly that keeps `stuck` from its place, told from the fingerprints alone.
pub(crate) fn of<M: Model>(model: &M, stuck: &CallOf<M>, calls: &[CallOf<M>]) -> &'static str {
    let Some(needs) = Effect::<M>::of(model, stuck).needs else { return UNNAMED };
    let others =
        || calls.iter().filter(|call| call.id != stuck.id && !model.is_read_only(&call.input));
    let gives = |call: &CallOf<M>| Effect::<M>::of(model, call).gives;
    let writes = |call: &&CallOf<M>| gives(call) == Some(needs);
    if !model.is_read_only(&stuck.input) {
        return of_update(model, stuck, needs, calls);
    }
    // Only what certainly changed the state, and is certainly over.
    let replaced_after = |from: Option<u64>| {
        others().any(|call| {
            let certain = call.output.is_some() && gives(call).is_some_and(|g| g != UNCHANGED);
            let after = from.is_none_or(|from| from < call.call);
            certain && !call.failed && after && call.ret.is_some_and(|ret| ret < stuck.call)
        })
    };
    let writers: Vec<&CallOf<M>> = others().filter(writes).collect();
    let effective = || writers.iter().filter(|writer| !writer.failed);
    if effective().next().is_some() {
        let future = |writer: &&&CallOf<M>| stuck.ret.is_some_and(|ret| ret < writer.call);
        if effective().all(|writer| future(&writer)) {
            return "read from the future";
        }
        let stale =
            effective().all(|w| future(&w) || w.ret.is_some_and(|ret| replaced_after(Some(ret))));
        return if stale { "stale read" } else { UNNAMED };
    }
    if model.step(&model.initial(), &stuck.input, stuck.output.as_ref()).is_some() {
        return if replaced_after(None) { "stale read" } else { UNNAMED };
    }
    if !writers.is_empty() {
        return "aborted read";
    }
    // Somebody's effect that nobody knows may have left it.
    let unclear = others().any(|call| !call.failed && gives(call).is_none());
    if unclear { UNNAMED } else { "phantom value" }
}

/// Two updates of a value that was there once.
fn of_update<M: Model>(
    model: &M,
    stuck: &CallOf<M>,
    needs: u64,
    calls: &[CallOf<M>],
) -> &'static str {
    let effects = || {
        let happened = calls.iter().filter(|call| !call.failed && call.id != stuck.id);
        happened.map(|call| (model.is_read_only(&call.input), Effect::<M>::of(model, call)))
    };
    let initially = model.step(&model.initial(), &stuck.input, stuck.output.as_ref()).is_some();
    let written = effects().filter(|(_, effect)| effect.gives == Some(needs)).count();
    let also_replaced = effects().any(|(read_only, effect)| {
        !read_only && effect.needs == Some(needs) && effect.gives.is_some_and(|g| g != UNCHANGED)
    });
    if also_replaced && written + usize::from(initially) <= 1 { "lost update" } else { UNNAMED }
}

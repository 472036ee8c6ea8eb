//! A `valid` verdict's proof, checked without the search.

use crate::{CallOf, Model};

/// Is this order of the calls (by position) legal, complete and true to real time?
pub(crate) fn is_legal<M: Model>(model: &M, calls: &[CallOf<M>], order: &[u32]) -> bool {
    let mut placed = vec![false; calls.len()];
    let mut state = model.initial();
    let mut latest_call = 0;
    for &source in order {
        let Some(call) = calls.get(source as usize) else { return false };
        let again = std::mem::replace(&mut placed[source as usize], true);
        // It returned before something that stands before it began.
        let too_late = call.ret.is_some_and(|ret| ret < latest_call);
        if again || too_late || call.failed {
            return false;
        }
        latest_call = latest_call.max(call.call);
        match model.step(&state, &call.input, call.output.as_ref()) {
            Some(next) => state = next,
            None => return false,
        }
    }
    let may_be_left_out = |call: &CallOf<M>| {
        call.failed
            || call.ret.is_none()
            || (call.output.is_none() && model.effects(&call.input, None).is_read_only())
    };
    calls.iter().zip(placed).all(|(call, placed)| placed || may_be_left_out(call))
}

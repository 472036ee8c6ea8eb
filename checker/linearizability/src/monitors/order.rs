//! A `valid` verdict's proof: everything about an order but what the object itself says.

use super::timeline::Timeline;
use crate::Call;

/// Does the order respect real time, and hold every call that must have happened, once?
pub(crate) fn is_possible<I, O>(
    calls: &[Call<I, O>],
    timeline: &Timeline,
    order: &[u32],
    may_be_left_out: impl Fn(&Call<I, O>) -> bool,
) -> bool {
    let mut placed = vec![false; calls.len()];
    let mut latest_call = 0;
    for &i in order {
        let span = timeline.spans[i as usize];
        let again = std::mem::replace(&mut placed[i as usize], true);
        // It returned before something that stands before it began.
        if again || calls[i as usize].failed || span.ret < latest_call {
            return false;
        }
        latest_call = latest_call.max(span.call);
    }
    let required = |call: &Call<I, O>| !call.failed && call.ret.is_some() && !may_be_left_out(call);
    calls.iter().zip(placed).all(|(call, placed)| placed || !required(call))
}

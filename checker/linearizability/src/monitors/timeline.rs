//! Moments as small numbers.

use crate::Call;

/// More calls than this would not fit into the numbers.
const CALLS_MAX: usize = 1 << 27;

/// When an operation was called and when it returned, as ranks among all calls and returns.
///
/// Ranks are all different. An operation can take effect at any *point* from `call` to `ret - 1`, where point `p`
/// lies between the ranks `p` and `p + 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) call: u32,
    pub(crate) ret: u32,
}

impl Span {
    /// Was this over before that began?
    pub(crate) fn precedes(self, other: Span) -> bool {
        self.ret < other.call
    }
}

/// The spans of all calls.
pub(crate) struct Timeline {
    /// By position in the history; failed calls have one that means nothing.
    pub(crate) spans: Vec<Span>,
    /// The rank after the last: everything that never returned is still open here.
    pub(crate) end: u32,
}

impl Timeline {
    /// Nothing where a call returns before it begins, or where there are too many.
    pub(crate) fn new<I, O>(calls: &[Call<I, O>]) -> Option<Self> {
        if calls.len() > CALLS_MAX {
            return None;
        }
        let mut events = Vec::with_capacity(2 * calls.len());
        for (i, call) in calls.iter().enumerate().filter(|(_, call)| !call.failed) {
            events.push((call.call, false, i as u32));
            if let Some(ret) = call.ret {
                if ret < call.call {
                    return None;
                }
                events.push((ret, true, i as u32));
            }
        }
        // A call before a return at the same position: the intervals are closed.
        events.sort_unstable();
        let end = events.len() as u32;
        let mut spans = vec![Span { call: 0, ret: end + 1 }; calls.len()];
        for (rank, &(_, returns, i)) in (0..).zip(&events) {
            let span = &mut spans[i as usize];
            *(if returns { &mut span.ret } else { &mut span.call }) = rank;
        }
        Some(Self { spans, end })
    }

    /// Of something that never happens while anybody looks.
    pub(crate) fn after_the_end(&self) -> Span {
        Span { call: self.end, ret: self.end + 1 }
    }
}

//! Calls and returns as small integers.

use crate::Call;

/// Before everything.
pub(super) const BEFORE: u32 = 0;

/// After everything: the return of what never returned.
pub(super) const NEVER: u32 = u32::MAX;

/// For each call of the history its call and its return, in the order of the record and without ties: at one
/// position calls come before returns, so that a return is before a call exactly where its number is smaller.
pub(super) struct Times {
    pub(super) calls: Vec<u32>,
    pub(super) returns: Vec<u32>,
    /// Above all numbers but [`NEVER`].
    pub(super) end: u32,
}

impl Times {
    /// `None` where the history is too long for this path.
    pub(super) fn of<I, O>(history: &[Call<I, O>]) -> Option<Self> {
        let (mut earliest, mut latest) = (u64::MAX, 0);
        for call in history {
            earliest = earliest.min(call.call);
            latest = latest.max(call.ret.unwrap_or(call.call));
        }
        let earliest = earliest.min(latest);
        let span = latest.checked_sub(earliest)?;
        // Positions of events need no sorting; nanoseconds, and one key of many, do.
        if span <= 4 * history.len() as u64 + 64 {
            Self::shifted(history, earliest, span)
        } else {
            Self::ranked(history)
        }
    }

    fn shifted<I, O>(history: &[Call<I, O>], earliest: u64, span: u64) -> Option<Self> {
        let end = u32::try_from(2 * span + 3).ok()?;
        let number =
            |time: u64, returns: bool| (2 * (time - earliest)) as u32 + u32::from(returns) + 1;
        let both = |call: &Call<I, O>| {
            (number(call.call, false), call.ret.map_or(NEVER, |ret| number(ret, true)))
        };
        let (calls, returns) = history.iter().map(both).unzip();
        Some(Self { calls, returns, end })
    }

    fn ranked<I, O>(history: &[Call<I, O>]) -> Option<Self> {
        let count = u32::try_from(history.len()).ok().filter(|&count| count < NEVER / 4)?;
        let mut events = Vec::with_capacity(2 * history.len());
        for (call, i) in history.iter().zip(0..count) {
            events.push((call.call, false, i));
            events.extend(call.ret.map(|ret| (ret, true, i)));
        }
        events.sort_unstable();
        let mut times = Self {
            calls: vec![BEFORE; history.len()],
            returns: vec![NEVER; history.len()],
            end: 0,
        };
        for (number, &(_, returns, i)) in (1..).zip(&events) {
            let of = if returns { &mut times.returns } else { &mut times.calls };
            of[i as usize] = number;
            times.end = number + 1;
        }
        Some(times)
    }
}

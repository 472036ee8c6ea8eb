//! What to check, and how much that may cost.

use history::Limits;

use crate::Consistency;

/// What to check, and how much that may cost. Past any of its limits a check is inconclusive, unless it has found a
/// violation.
#[derive(Clone, Debug)]
pub struct Options {
    /// What must hold. Everything found is reported; this decides the verdict.
    pub consistency: Consistency,
    /// Time, memory of the dependencies and their search, and whether to go on. A check uses one thread.
    pub limits: Limits,
    /// How many edges the searches for cycles may follow, some ten million a second. It bounds what comes after the
    /// linear part, which finds out whether there is any cycle, and has the same answer on every machine.
    pub work: u64,
}

impl Options {
    /// As much work as may be done within the limits' time.
    #[must_use]
    pub fn new(consistency: Consistency, limits: Limits) -> Self {
        const STEPS_PER_MS: u64 = 10_000;
        let time_ms = u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX);
        Self { consistency, limits, work: time_ms.saturating_mul(STEPS_PER_MS) }
    }
}

impl Default for Options {
    /// Strict serializability; work for some twenty seconds within the default limits.
    fn default() -> Self {
        Self {
            consistency: Consistency::StrictSerializable,
            limits: Limits::default(),
            work: 200_000_000,
        }
    }
}

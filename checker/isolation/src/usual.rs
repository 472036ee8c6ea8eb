//! What people call an anomaly, beside its formal name.
//!
//! The names are those of Berenson et al. ("A critique of ANSI SQL isolation levels", SIGMOD 1995) and, of the long
//! fork, of Sovran et al. ("Transactional storage for geo-replicated systems", SOSP 2011).

use crate::{Anomaly, Basis, Cycle, CycleStep, Finding};

impl Finding {
    /// `lost update`, `read skew`, `write skew`…, where it is one of these.
    #[must_use]
    pub fn usual_name(&self) -> Option<&'static str> {
        match self.anomaly {
            Anomaly::G1a => Some("aborted read"),
            Anomaly::G1b => Some("intermediate read"),
            Anomaly::Cycle(Cycle::G0, _) => Some("dirty write"),
            Anomaly::Cycle(..) if self.left_out == 0 => of_cycle(&self.steps),
            _ => None,
        }
    }
}

fn of_cycle(steps: &[CycleStep]) -> Option<&'static str> {
    use Basis::{Missed, Overwrote, Saw, Time};
    let bases: Vec<Basis> = steps.iter().map(|step| step.basis).collect();
    let is_one_key = steps.iter().all(|step| step.key == steps[0].key);
    Some(match bases[..] {
        [Missed, Missed | Overwrote] | [Overwrote, Missed] if is_one_key => "lost update",
        [Missed, Missed] => "write skew",
        [Missed, Saw] | [Saw, Missed] => "read skew",
        [Missed, Time] | [Time, Missed] => "stale read",
        [Saw, Time] | [Time, Saw] => "read from the future",
        [Missed, Saw, Missed, Saw] | [Saw, Missed, Saw, Missed] => "long fork",
        _ => return None,
    })
}

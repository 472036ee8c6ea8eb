//! One fault that is going to be carried out.

use std::{collections::BTreeMap, time::Duration};

use contract::NodeId;
use record::{FaultRecord, FaultStep};

use super::{Family, fault::Fault};

/// A fault that lasts so long is healed by whoever started it, not by the plan.
pub const UNTIL_HEALED: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One planned fault.
#[derive(Debug)]
pub struct PlannedFault {
    /// Its number: no other fault of the run has it.
    pub number: u64,
    /// Its family.
    pub family: Family,
    /// When it starts, from the beginning of the main phase.
    pub at: Duration,
    /// How long it lasts from when it takes hold.
    pub lasts: Duration,
    /// When it must be healed at the latest, from the beginning of the main phase.
    pub until: Duration,
    /// It ends sooner, once all other nodes than these have shown that they go on without them. Empty: it does not.
    pub away: Vec<NodeId>,
    /// What it does.
    pub fault: Box<dyn Fault>,
}

/// A fault that is healed sooner than this is one that a store hardly notices.
const HOLD_MIN: Duration = Duration::from_millis(100);

impl PlannedFault {
    /// When it must have taken hold, from the beginning of the main phase: later it could not hold for a quarter of
    /// what is planned, and would count without having tested anything.
    #[must_use]
    pub fn latest(&self) -> Duration {
        let hold_min = (self.lasts / 4).max(HOLD_MIN).min(self.lasts);
        self.until.saturating_sub(hold_min)
    }

    fn planned_note(&self) -> String {
        let manner = self.fault.manner().map_or(String::new(), |manner| format!(", {manner}"));
        match self.lasts {
            UNTIL_HEALED => format!("until it is healed{manner}"),
            lasts if !self.away.is_empty() => {
                format!(
                    "until the others have gone on, for {} ms at most{manner}",
                    lasts.as_millis()
                )
            }
            lasts => format!("for {} ms{manner}", lasts.as_millis()),
        }
    }

    /// The line that is written before anything is done; its time counts from the start of the main phase.
    #[must_use]
    pub fn planned_record(&self) -> FaultRecord {
        let targets = self.fault.targets();
        let note = self.planned_note();
        let record = self.record(nanoseconds(self.at), FaultStep::Planned, targets, note);
        FaultRecord { kinds: self.fault.kinds(), ..record }
    }

    /// A line about a step of the fault.
    #[must_use]
    pub fn record(
        &self,
        time_ns: u64,
        step: FaultStep,
        targets: Vec<String>,
        note: String,
    ) -> FaultRecord {
        let (family, form) = (self.family.name().to_owned(), self.fault.form());
        let (fault, kinds) = (self.number, BTreeMap::new());
        FaultRecord { fault, time_ns, family, form, step, targets, kinds, note }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

//! Whether a fault has shown: a cut is none while nothing is sent across it.

use std::{sync::atomic::Ordering, time::Duration};

use network::LinkCounters;
use tokio::{sync::watch, time::Instant};

use super::{
    execute::{Nemesis, sleep_until},
    plan::{Action, PlannedFault},
};

impl Nemesis {
    /// How often a fault of this family has shown so far.
    pub(super) fn measure(&self, fault: &PlannedFault) -> u64 {
        let count = |figure: fn(&LinkCounters) -> u64| {
            self.network.counters().iter().map(|(_, _, counters)| figure(counters)).sum()
        };
        match &fault.action {
            Action::Cut(..) => count(|link| link.stalled),
            Action::Disturb(_) => count(|link| {
                link.request_dropped
                    + link.response_dropped
                    + link.duplicated
                    + link.delayed
                    + link.reordered
            }),
            Action::MisuseClients => self.shared.misuse.count.load(Ordering::Relaxed),
            Action::Kill(_) | Action::Pause(_) => 0,
        }
    }

    /// Waits until a fault has shown since it was measured `before`.
    pub(super) async fn watch_for(
        &self,
        fault: &PlannedFault,
        before: u64,
        latest: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        while self.measure(fault) == before {
            let next = Instant::now() + Duration::from_millis(20);
            if next > latest || !sleep_until(next, stop).await {
                return self.measure(fault) != before;
            }
        }
        true
    }
}

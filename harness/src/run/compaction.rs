//! One key is written over and over: a log that compacts does not keep it all.

use std::{sync::Arc, time::Duration};

use contract::{Operation, launch::SNAPSHOT_BYTES};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use record::{Footprint, Mark, Phase};
use tokio::{task::JoinHandle, time::Instant};

use super::phases::{Admin, Runner};
use crate::{clients::attempts::Performed, environment::footprint};

/// The key; no workload has it.
const KEY: &str = "compaction";
/// The length of each value.
const VALUE_BYTES: u64 = 4096;
/// So much is written: many times what a log may hold.
const WRITTEN_BYTES: u64 = 8 * SNAPSHOT_BYTES;
/// After so many failures in a row no more is written.
const FAILURES_MAX: u32 = 10;
/// A log that is compacted in the background gets so much time.
const IN_BACKGROUND: Duration = Duration::from_secs(2);
/// From one look at the data folders to the next.
const LOOK: Duration = Duration::from_millis(100);
/// The same, while nothing depends on it.
const WATCH: Duration = Duration::from_secs(2);

impl Runner<'_> {
    /// Records what the nodes occupy, all through the run.
    pub(super) fn watch_footprints(&self) -> JoinHandle<()> {
        let (nodes, stream) = (&self.environment.nodes, &self.environment.stream);
        tokio::spawn(footprint::watch(Arc::clone(nodes), Arc::clone(stream), WATCH))
    }

    /// Writes one key over and over, and records what the nodes occupy before and after.
    pub(super) async fn overwrite(&self, admin: &mut Admin) {
        let (nodes, stream) = (&self.environment.nodes, &self.environment.stream);
        stream.mark(&Mark::Phase(Phase::Compaction));
        let before = footprint::mark(nodes, stream).await;
        let mut values = ChaCha8Rng::seed_from_u64(self.setting.seed);
        let (mut written_bytes, mut failures_in_a_row) = (0, 0);
        let deadline = Instant::now() + self.setting.timeouts.recovery();
        while written_bytes < WRITTEN_BYTES
            && failures_in_a_row < FAILURES_MAX
            && Instant::now() < deadline
        {
            let put = Operation::Put { key: KEY.to_owned(), value: value(&mut values) };
            if matches!(admin.clerk.perform(&put).await, Performed::Ok(_)) {
                written_bytes += VALUE_BYTES;
                failures_in_a_row = 0;
            } else {
                failures_in_a_row += 1;
                tokio::time::sleep(LOOK).await;
            }
        }
        let patience = IN_BACKGROUND.max(self.environment.clients.patience.operation);
        let deadline = Instant::now() + patience;
        while !have_compacted(&before, &footprint::mark(nodes, stream).await)
            && Instant::now() < deadline
        {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Random letters, which nothing can compress much.
fn value(rng: &mut ChaCha8Rng) -> String {
    (0..VALUE_BYTES).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect()
}

/// Whether there is nothing left to wait for: no data folder, nor log where there is no data, keeps much of it.
fn have_compacted(before: &[Footprint], after: &[Footprint]) -> bool {
    before.iter().zip(after).all(|(before, after)| {
        after.growth_bytes(before).is_none_or(|growth| growth < SNAPSHOT_BYTES)
    })
}

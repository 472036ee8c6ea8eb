//! All nodes are killed at once and started again on their data: what was acknowledged must be on their disks.

use std::sync::Arc;

use contract::launch::SNAPSHOT_BYTES;
use record::{Mark, Phase};
use tokio::task::JoinSet;

use super::{
    main_phase::HEAL_LIMIT,
    phases::{Admin, Runner},
};

impl Runner<'_> {
    /// After the faults, so that the final reads look at what came back; whether the store serves again. Where nodes are
    /// not to be killed nothing is done.
    pub(super) async fn restart_all(&self, admin: &mut Admin) -> bool {
        if !self.setting.restarts_all() {
            return true;
        }
        let (environment, stream) = (self.environment, &self.environment.stream);
        stream.mark(&Mark::Phase(Phase::Restart));
        let mut kills = JoinSet::new();
        for node in environment.nodes.ids() {
            let (environment, node) = (Arc::clone(environment), node.clone());
            kills.spawn(async move { environment.kill(&node).await });
        }
        let misses: Vec<String> =
            kills.join_all().await.into_iter().filter_map(Result::err).collect();
        // From here on the log must compact, whatever its limit was.
        environment.nodes.limit_logs(SNAPSHOT_BYTES).await;
        environment.revive_nodes(HEAL_LIMIT).await;
        if let Err(failure) = environment.nodes.wait_until_bound().await {
            environment.note(failure.to_string());
        }
        let served = self.recovered(admin).await;
        environment.mark_own_exits().await;
        if misses.is_empty() {
            stream.mark(&Mark::Restarted(served));
        } else {
            let misses = misses.join("; ");
            environment.note(format!("Not all nodes could be killed at once: {misses}."));
        }
        served
    }
}

//! The main phase of a session: a person asks and breaks things until there is nothing more to do.

use std::time::Duration;

use record::{Mark, Phase};

use super::{
    main_phase::{AbortOnDrop, HEAL_LIMIT, WATCH_INTERVAL},
    phases::Runner,
};
use crate::{
    environment::Environment,
    session::{Session, command::Names},
};

/// How often is looked whether somebody asked the nodes past the record.
const LOOK: Duration = Duration::from_millis(100);

impl Runner<'_> {
    /// Returns when the person has left and everything that can be healed is.
    pub(super) async fn by_hand(&self, session: &Session<'_>) {
        let (environment, setting) = (self.environment, self.setting);
        environment.stream.mark(&Mark::Phase(Phase::Main));
        let _watching_leader = AbortOnDrop(self.watch_leader());
        let _watching_nodes = AbortOnDrop(tokio::spawn(watch_nodes(environment.clone())));
        let asked = [&setting.nodes[..], &setting.controllers].concat();
        let names = Names {
            nodes: &asked,
            view_service: setting.view_service.as_ref(),
            manifest: session.manifest,
        };
        let mut faults = session.play(environment, names, setting.members()).await;
        environment.stream.mark(&Mark::Phase(Phase::Heal));
        let limit = HEAL_LIMIT + setting.coming_back();
        let healing = faults.take(|_| true).finish();
        if tokio::time::timeout(limit, healing).await.is_err() {
            let how = "what was broken by hand could not be healed in time".to_owned();
            environment.stream.mark(&Mark::Hindered(how));
        }
        environment.heal_all();
        environment.revive_nodes(HEAL_LIMIT).await;
        let down = environment.nodes.killed().await;
        if !setting.can_restart && down > setting.members().dispensable() {
            let how = format!(
                "{down} of {} nodes were killed, and the store does not restart",
                setting.nodes.len()
            );
            environment.stream.mark(&Mark::Hindered(how));
        }
    }

    /// Records how many requests came past the record, as soon as there are more.
    pub(super) fn watch_unrecorded(&self) -> AbortOnDrop {
        let environment = self.environment.clone();
        AbortOnDrop(tokio::spawn(async move {
            let mut known = 0;
            loop {
                known = mark_unrecorded(&environment, known);
                tokio::time::sleep(LOOK).await;
            }
        }))
    }
}

/// Records how many requests came past the record, if they are more than was known.
pub(super) fn mark_unrecorded(environment: &Environment, known: u64) -> u64 {
    let count = environment.unrecorded();
    if count > known {
        environment.stream.mark(&Mark::Unrecorded(count));
    }
    count
}

async fn watch_nodes(environment: std::sync::Arc<Environment>) {
    loop {
        tokio::time::sleep(WATCH_INTERVAL).await;
        environment.mark_own_exits().await;
    }
}

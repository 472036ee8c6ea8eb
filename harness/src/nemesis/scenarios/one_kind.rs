//! Messages of one kind are late, lost or doubled for a while, and all others pass; meanwhile the leader goes.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    faults::one_kind::Mishap,
    scenario::Scenario,
    script::{Done, Ended, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "one-kind",
    about: "Messages of one kind are late, lost or doubled for a while, and all others pass; meanwhile the leader goes.",
    needs: &["network"],
    needs_one_of: &["partition", "kill", "pause"],
    nodes_min: 3,
    kills_many: false,
    holds_messages: false,
    turns: 2,
    play: |script| Box::pin(play(script)),
};

/// So long another leader may take to be found while messages go astray.
const MEANWHILE_MS: u64 = 900;

async fn play(script: &mut Script) -> Done {
    let late_ms = script.one_of(&[10, 30, 80, 150])?;
    let mishap = script.one_of(&[
        Mishap::Late(late_ms),
        Mishap::Late(late_ms),
        Mishap::Lost,
        Mishap::Doubled,
    ])?;
    script.disturb_one_kind(mishap).await?;
    script.wait(20..250).await?;
    let leader = script.leader().await;
    script.take_away(&leader).await?;
    match script.next_leader(&leader, MEANWHILE_MS).await {
        Ok(_) => script.wait(50..300).await?,
        Err(Ended::Stopped) => return Err(Ended::Stopped),
        Err(Ended::Failed(_)) => {}
    }
    script.leave_kinds_alone().await;
    script.next_leader(&leader, NEW_LEADER_MS).await?;
    script.wait(0..100).await?;
    script.bring_back(&leader);
    script.wait(50..200).await
}

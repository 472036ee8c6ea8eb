//! Nodes were away for long and missed much, perhaps more than the log still holds; as soon as they are back, the leader is
//! gone. Played after each absence of a plan.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "laggard",
    about: "Nodes were away for long and missed much, perhaps more than the log still holds; as soon as they are back, the leader is gone.",
    needs_one_of: &["partition", "kill", "pause"],
    turns: 0,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    if script.coin() {
        script.wait(0..60).await?;
    }
    script.take_away(&leader).await?;
    let next = script.next_leader(&leader, NEW_LEADER_MS).await?;
    script.probe_often(&next).await?;
    script.bring_back(&leader);
    script.wait(30..150).await
}

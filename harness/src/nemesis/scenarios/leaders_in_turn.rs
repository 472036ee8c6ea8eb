//! Whoever comes to lead is taken away at once, several times.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "leaders-in-turn",
    about: "Whoever comes to lead is taken away at once, several times.",
    needs_one_of: &["partition", "kill", "pause"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let mut leader = script.leader().await;
    for _ in 0..3 {
        script.take_away(&leader).await?;
        let next = script.next_leader(&leader, NEW_LEADER_MS).await?;
        if script.coin() {
            script.wait(0..120).await?;
        }
        script.bring_back(&leader);
        // Back just before the next one goes, so that a majority is there.
        script.wait(10..150).await?;
        leader = next;
    }
    Ok(())
}

//! The leader is away until another one leads; then its clients reach it again, and it hears nothing of the others.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "deposed",
    about: "The leader is away until another one leads; then its clients reach it again, and it hears nothing of the others.",
    needs: &["partition"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// How late what the old leader hears may be, in milliseconds: answers from its time then reach it when another one leads.
const LATE_MS: [u64; 3] = [30, 90, 180];

async fn play(script: &mut Script) -> Done {
    let old = script.leader().await;
    let (sent, heard) = (script.links_from(&old), script.links_to(&old));
    let paused = script.has("pause") && script.coin();
    // A leader that stands still finds what was said before in its sockets: better nothing later is there, too.
    let deaf_from_the_start = !paused || script.coin();
    let late = script.has("network") && (paused || script.coin());
    if late {
        let late_ms = script.one_of(&LATE_MS)?;
        script.slow(&heard, late_ms).await?;
        script.wait(late_ms..late_ms + 60).await?;
    }
    if paused {
        script.pause(&old).await?;
    } else {
        script.cut(&sent).await?;
    }
    if late {
        // What is on its way still reaches it.
        script.wait(100..220).await?;
    }
    if deaf_from_the_start {
        script.cut(&heard).await?;
    }
    script.next_leader(&old, NEW_LEADER_MS).await?;
    if !paused {
        // It may still take itself for the leader.
        script.probe_often(&old).await?;
    }
    // Something new must have happened that the old leader does not know of.
    script.wait(20..200).await?;
    if !deaf_from_the_start {
        script.cut(&heard).await?;
    }
    if paused {
        script.resume(&old).await;
    } else if script.coin() {
        script.probe(&old);
        script.open(&sent).await;
    }
    script.wait(150..450).await?;
    script.tell("asked there");
    Ok(())
}

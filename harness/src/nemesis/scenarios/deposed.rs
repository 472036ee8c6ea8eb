//! The others hear nothing of the leader and elect another one; it hears of that late, or not at all, and clients still ask it.

use std::ops::Range;

use contract::NodeId;

use super::NEW_LEADER_MS;
use crate::nemesis::{
    faults::partition::Link,
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "deposed",
    about: "The others hear nothing of the leader and elect another one; it hears of that late, or not at all, and clients still ask it.",
    needs: &["partition"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// How late what the old leader hears may be, in milliseconds: answers from its time then reach it when another one leads. No later
/// than half an election timeout: else it takes itself for lost before anything is cut.
const LATE_MS: [u64; 4] = [0, 60, 120, 200];
/// Something new happens within this time, of which the old leader does not know.
const NEWS_MS: Range<u64> = 20..200;

async fn play(script: &mut Script) -> Done {
    let old = script.leader().await;
    let heard = script.links_to(&old);
    let late_ms = if script.has("network") { script.one_of(&LATE_MS)? } else { 0 };
    if late_ms > 0 {
        script.slow(&heard, late_ms).await?;
        script.wait(late_ms..late_ms + 60).await?;
    }
    if script.has("pause") && script.one_of(&[true, false, false])? {
        stands_still(script, &old, &heard, late_ms).await?;
    } else {
        says_nothing(script, &old, &heard, late_ms).await?;
    }
    script.wait(150..450).await?;
    script.tell("asked there");
    Ok(())
}

/// The old leader stands still. When it goes on it finds in its sockets what was said before, and in one of two cases nothing of what
/// was said since.
async fn stands_still(script: &mut Script, old: &NodeId, heard: &[Link], late_ms: u64) -> Done {
    script.pause(old).await?;
    // What is on its way still reaches it.
    script.wait(late_ms..late_ms + 60).await?;
    let deaf_from_the_start = script.coin();
    if deaf_from_the_start {
        script.cut(heard).await?;
    }
    script.next_leader(old, NEW_LEADER_MS).await?;
    script.wait(NEWS_MS).await?;
    if !deaf_from_the_start {
        script.cut(heard).await?;
    }
    script.resume(old).await;
    script.probe_often(old).await
}

/// The old leader hears nothing new, or late; so it may still take itself for the leader.
async fn says_nothing(script: &mut Script, old: &NodeId, heard: &[Link], late_ms: u64) -> Done {
    let sent = script.links_from(old);
    script.cut(&sent).await?;
    if late_ms == 0 {
        script.cut(heard).await?;
    }
    script.next_leader(old, NEW_LEADER_MS).await?;
    script.probe_often(old).await?;
    script.wait(NEWS_MS).await?;
    if script.coin() {
        script.probe(old);
        script.open(&sent).await;
    }
    Ok(())
}

//! The leader writes to nobody, or to few; perhaps it dies; others lead, and it comes back while the next leader goes.

use contract::NodeId;

use super::NEW_LEADER_MS;
use crate::nemesis::{
    faults::partition::Link,
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "lone-entry",
    about: "The leader writes to nobody, or to few; perhaps it dies; others lead, and it comes back while the next leader goes.",
    needs: &["partition"],
    turns: 3,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let first = script.leader().await;
    let others = script.others(&first);
    // It keeps one follower where that is no majority yet.
    let kept = if others.len() > 2 && script.coin() { 1 } else { 0 };
    let side = [&[first.clone()][..], &others[..kept]].concat();
    let around = script.links_around(&side);
    script.cut(&around).await?;
    // What the first one has alone is then more than what others decide without it.
    let has_more = script.one_of(&[true, true, false])?;
    if has_more {
        script.slow_clients();
        script.burst(&first).await?;
    }
    script.wait(30..250).await?;
    // A store whose nodes forget everything when they are killed: there the first leader is only cut off.
    let dies = script.has("kill") && script.may_kill_all && script.coin();
    if dies {
        script.kill(&first).await?;
        script.open(&around).await;
    }
    let second = script.next_leader(&first, NEW_LEADER_MS).await?;
    if !has_more && script.coin() {
        script.wait(0..150).await?;
    }
    // Perhaps it hears of the next leader, and perhaps only of its end.
    let is_back_before = script.coin();
    if is_back_before {
        come_back(script, &first, &around).await;
        script.wait(0..120).await?;
    }
    script.take_away(&second).await?;
    if !is_back_before {
        come_back(script, &first, &around).await;
    }
    script.next_leader(&second, NEW_LEADER_MS).await?;
    script.bring_back(&second);
    script.wait(50..200).await
}

async fn come_back(script: &mut Script, node: &NodeId, around: &[Link]) {
    script.restart(node);
    script.open(around).await;
}

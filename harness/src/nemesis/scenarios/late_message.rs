//! One message of some kind, or its answer, is held while others pass, or arrives a second time. Then the leader goes; or it
//! has gone before, and the message is from a time that is over.

use std::sync::Arc;

use network::{Boundary, Caught};

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "late-message",
    about: "One message of some kind, or its answer, is held or arrives a second time: just before the leader is gone, or after.",
    needs: &["network"],
    needs_one_of: &["partition", "kill", "pause"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

const BOUNDARIES: [Boundary; 3] =
    [Boundary::BeforeDelivery, Boundary::BeforeAnswer, Boundary::Answered];

async fn play(script: &mut Script) -> Done {
    let boundary = script.one_of(&BOUNDARIES)?;
    let caught = script.catch(boundary).await?;
    let was_answered = boundary == Boundary::Answered;
    if !was_answered {
        script.hold(&caught).await?;
    }
    let again = was_answered.then_some(caught);
    // Whoever was away for the election is needed for the next one.
    script.bring_back_all();
    let leader = script.leader().await;
    if script.coin() {
        script.wait(20..300).await?;
        arrive(script, again).await;
        script.wait(0..15).await?;
        script.take_away_with_others(&leader).await?;
        script.next_leader(&leader, NEW_LEADER_MS).await?;
    } else {
        script.take_away_with_others(&leader).await?;
        script.next_leader(&leader, NEW_LEADER_MS).await?;
        script.wait(0..300).await?;
        if script.coin() {
            script.bring_back(&leader);
            script.wait(0..200).await?;
        }
        arrive(script, again).await;
    }
    script.wait(50..300).await
}

async fn arrive(script: &mut Script, again: Option<Arc<Caught>>) {
    match again {
        Some(caught) => caught.send_again(),
        None => script.let_go().await,
    }
    script.tell("it came late");
}

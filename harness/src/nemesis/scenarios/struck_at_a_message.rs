//! Just when a message of some kind is sent, delivered or answered, one of its two ends is taken away, and perhaps the other
//! one, too.

use network::Boundary;

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Ended, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "struck-at-a-message",
    about: "Just when a message of some kind is sent, delivered or answered, one of its ends is taken away, and perhaps the other.",
    needs_one_of: &["partition", "kill", "pause"],
    nodes_min: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

const BOUNDARIES: [Boundary; 4] =
    [Boundary::BeforeDelivery, Boundary::Delivered, Boundary::BeforeAnswer, Boundary::Answered];

async fn play(script: &mut Script) -> Done {
    let boundary = script.one_of(&BOUNDARIES)?;
    let caught = script.catch(boundary).await?;
    let (from, to) = (caught.from.clone(), caught.to.clone());
    let mut ends: Vec<_> = [from, to].into_iter().filter(|end| script.stands(end)).collect();
    if script.coin() {
        ends.reverse();
    }
    let first = ends
        .first()
        .cloned()
        .ok_or_else(|| Ended::Failed("neither end can be taken away".into()))?;
    if script.has("partition") && script.coin() {
        // It goes on, and half of what it knows is out of date.
        let links = if script.coin() { script.links_from(&first) } else { script.links_to(&first) };
        script.cut(&links).await?;
        drop(caught);
        script.tell(format!("{first} was cut off in one direction"));
        script.wait(60..400).await?;
        script.open(&links).await;
        return script.wait(50..300).await;
    }
    script.take_away(&first).await?;
    drop(caught);
    script.tell(format!("{first} was taken away"));
    if script.coin() {
        script.bring_back(&first);
    }
    if let Some(second) = ends.get(1)
        && script.coin()
    {
        script.wait(0..40).await?;
        script.take_away(second).await?;
        script.tell(format!("{second}, too"));
        script.bring_back(&first);
        script.next_leader(second, NEW_LEADER_MS).await?;
    }
    script.wait(100..500).await
}

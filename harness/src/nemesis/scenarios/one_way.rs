//! The leader is heard by nobody but hears all, or the other way round; or so it is with one follower.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "one-way",
    about: "The leader is heard by nobody but hears all, or the other way round; or so it is with one follower.",
    needs: &["partition"],
    nodes_min: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    for _ in 0..2 {
        let followers = script.others(&leader);
        let node = if script.coin() { leader.clone() } else { script.one_of(&followers)? };
        let links = if script.coin() { script.links_from(&node) } else { script.links_to(&node) };
        let towards = links.first().is_some_and(|(from, _)| *from == node);
        script.tell(format!("{node} was {}", if towards { "not heard" } else { "deaf" }));
        script.cut(&links).await?;
        script.wait(250..1100).await?;
        script.open(&links).await;
        script.wait(0..200).await?;
    }
    Ok(())
}

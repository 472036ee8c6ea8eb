//! All nodes but one are away at once, and come back one after the other.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "one-left",
    about: "All nodes but one are away at once, and come back one after the other.",
    needs_one_of: &["partition", "pause"],
    nodes_min: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let nodes = script.nodes.clone();
    let left = script.one_of(&nodes)?;
    script.tell(format!("only {left} was left"));
    let mut away = script.others(&left);
    // The last to go may know most.
    let leader = script.leader().await;
    away.sort_by_key(|node| *node == leader);
    let kills = script.may_kill_all && script.kills();
    for node in &away {
        match kills {
            true => script.kill(node).await?,
            false => script.take_away_alive(node).await?,
        }
        script.wait(0..60).await?;
    }
    script.wait(250..1200).await?;
    away.reverse();
    for node in &away {
        script.bring_back(node);
        script.wait(0..400).await?;
    }
    script.wait(50..250).await
}

//! All nodes stop in the same moment, in the middle of their work, and go on in the same moment.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "all-at-once",
    about: "All nodes stop in the same moment, in the middle of their work, and go on in the same moment.",
    needs_one_of: &["kill", "pause"],
    nodes_min: 2,
    kills_many: true,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let kills = script.kills();
    let nodes = script.nodes.clone();
    for _ in 0..2 {
        for node in &nodes {
            script.kill_or_pause(node, kills).await?;
        }
        if !kills {
            script.wait(300..900).await?;
        }
        nodes.iter().for_each(|node| script.bring_back(node));
        script.tell(if kills { "all were killed" } else { "all stood still" });
        script.wait(400..900).await?;
    }
    Ok(())
}

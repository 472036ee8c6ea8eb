//! A node is killed, and killed again while it comes back.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "crash-again",
    about: "A node is killed, and killed again while it comes back.",
    needs: &["kill"],
    nodes_min: 1,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let nodes = script.nodes.clone();
    let node = if script.coin() { leader } else { script.one_of(&nodes)? };
    script.tell(format!("{node} crashed again and again"));
    for _ in 0..3 {
        script.kill(&node).await?;
        script.wait(0..150).await?;
        script.restart(&node);
        script.wait(5..250).await?;
    }
    Ok(())
}

//! The leader stands still again and again, sometimes too short and sometimes just long enough to be deposed.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "short-pauses",
    about: "The leader stands still again and again, sometimes too short and sometimes just long enough to be deposed.",
    needs: &["pause"],
    nodes_min: 1,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    for _ in 0..2 {
        let leader = script.leader().await;
        script.pause(&leader).await?;
        script.wait(120..650).await?;
        script.resume(&leader).await;
        script.wait(30..250).await?;
    }
    Ok(())
}

//! The leader is cut off about as long as an election takes to begin, again and again: a heal meets an election.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "short-cuts",
    about: "The leader is cut off about as long as an election takes to begin, again and again: a heal meets an election.",
    needs: &["partition"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    for _ in 0..2 {
        let leader = script.leader().await;
        let around = script.links_around(std::slice::from_ref(&leader));
        script.cut(&around).await?;
        script.wait(150..550).await?;
        script.open(&around).await;
        script.wait(0..200).await?;
    }
    Ok(())
}

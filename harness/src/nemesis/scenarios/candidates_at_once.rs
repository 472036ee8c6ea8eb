//! Followers stand still for longer than an election timeout and go on in the same moment: several ask for votes at once, and
//! whoever led before is there, too, or not. Perhaps a node crashes just when it has answered one of them.

use network::Boundary;

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "candidates-at-once",
    about: "Followers stand still for longer than an election timeout and go on in the same moment: several ask for votes at once.",
    needs: &["pause"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let followers = script.others(&leader);
    for follower in &followers {
        script.pause(follower).await?;
    }
    script.take_away(&leader).await?;
    if script.coin() {
        script.bring_back(&leader);
    }
    script.wait(330..600).await?;
    let crashes = script.has("kill") && script.coin();
    let armed = if crashes { Some(script.arm(Boundary::BeforeAnswer)?) } else { None };
    script.resume_all(&followers).await;
    if let Some(mut armed) = armed
        && let Some(caught) = script.caught(&mut armed, 200).await?
    {
        let voter = caught.to.clone();
        drop(caught);
        if script.stands(&voter) {
            script.kill(&voter).await?;
            script.restart(&voter);
        }
    }
    script.wait(80..300).await?;
    script.bring_back(&leader);
    script.wait(30..150).await
}

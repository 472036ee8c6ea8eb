//! Followers are killed and started again, one by one or all together, while the leader goes on.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "followers-restart",
    about: "Followers are killed and started again, one by one or all together, while the leader goes on.",
    needs: &["kill"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let followers = script.others(&leader);
    let together = script.may_kill_all && script.coin();
    for follower in &followers {
        script.kill(follower).await?;
        script.tell(format!("{follower} was killed"));
        if !together {
            script.wait(0..200).await?;
            script.restart(follower);
            script.wait(100..400).await?;
        }
    }
    if together {
        followers.iter().for_each(|follower| script.restart(follower));
    }
    if script.coin() && script.may_kill_all {
        script.kill(&leader).await?;
        script.wait(50..300).await?;
        script.restart(&leader);
    }
    script.wait(50..300).await
}

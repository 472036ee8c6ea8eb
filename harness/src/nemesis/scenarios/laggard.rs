//! A follower misses much, perhaps more than the log still holds; as soon as it is back, the leader is gone.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "laggard",
    about: "A follower misses much, perhaps more than the log still holds; as soon as it is back, the leader is gone.",
    needs: &["partition"],
    needs_one_of: &["kill", "pause"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    for _ in 0..2 {
        let leader = script.leader().await;
        let followers = script.others(&leader);
        let laggard = script.one_of(&followers)?;
        let around = script.links_around(std::slice::from_ref(&laggard));
        script.cut(&around).await?;
        script.wait(250..900).await?;
        script.open(&around).await;
        script.tell(format!("{laggard} was behind"));
        if script.coin() {
            script.wait(0..60).await?;
        }
        let kills = script.kills();
        script.kill_or_pause(&leader, kills).await?;
        script.next_leader(&leader, NEW_LEADER_MS).await?;
        script.wait(0..150).await?;
        script.bring_back(&leader);
        script.wait(50..250).await?;
    }
    Ok(())
}

//! The leader is left alone with what clients send it, others lead, and it learns what they decided; then it crashes. What it
//! has on its disk of the time when it was alone must not come back, also where it leads again.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "former-leader-crashes",
    about: "The leader is alone for a while, then follows another one, then crashes and comes back; and then the other one is gone.",
    needs: &["partition", "kill"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let former = script.leader().await;
    let around = script.links_around(std::slice::from_ref(&former));
    script.cut(&around).await?;
    let next = script.next_leader(&former, NEW_LEADER_MS).await?;
    script.wait(30..200).await?;
    script.open(&around).await;
    script.wait(20..350).await?;
    script.kill(&former).await?;
    script.restart(&former);
    script.tell(format!("{former} crashed"));
    script.wait(100..300).await?;
    script.take_away(&next).await?;
    script.next_leader(&next, NEW_LEADER_MS).await?;
    script.wait(50..250).await
}

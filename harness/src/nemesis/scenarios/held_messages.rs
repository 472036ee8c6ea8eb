//! What the leader sends is held until another one leads, and only then arrives.

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "held-messages",
    about: "What the leader sends is held until another one leads, and only then arrives.",
    needs: &["partition"],
    holds_messages: true,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let old = script.leader().await;
    let sent = script.links_from(&old);
    let heard = script.links_to(&old);
    let also_deaf = script.coin();
    script.cut(&sent).await?;
    if also_deaf {
        script.cut(&heard).await?;
    }
    script.next_leader(&old, NEW_LEADER_MS).await?;
    script.wait(0..300).await?;
    script.open(&sent).await;
    script.tell("its messages came late");
    script.wait(30..250).await
}

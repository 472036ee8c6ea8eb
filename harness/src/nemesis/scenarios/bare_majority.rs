//! A minority of the followers is away, and messages between the leader and the rest are lost, late or doubled. Then the leader
//! goes, and whoever was away is back: what the leader took for known to a majority must be, by each of them.

use record::Mishap;

use super::{NEW_LEADER_MS, kinds::some_mishaps};
use crate::nemesis::{
    faults::partition::between,
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "bare-majority",
    about: "The leader has a bare majority, whose messages are lost, late or doubled; then it goes, and the others are back.",
    needs: &["partition", "network"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let mut followers = script.others(&leader);
    script.mix(&mut followers);
    let away = followers.split_off(script.nodes.len() / 2);
    let around = script.links_around(&away);
    script.cut(&around).await?;
    script.tell(format!("without {}", away.join(", ")));
    // What is lost leaves gaps; that shows most.
    let mishaps = match script.coin() {
        true => script.every_kind(Mishap::SomeLost),
        false => some_mishaps(script)?,
    };
    let links = between(std::slice::from_ref(&leader), &followers);
    script.disturb_kinds_on(mishaps, links).await?;
    script.wait(80..350).await?;
    if script.coin() {
        script.take_away(&leader).await?;
        script.open(&around).await;
    } else {
        // What is sent at the last moment reaches nobody.
        script.open(&around).await;
        script.take_away(&leader).await?;
    }
    script.leave_kinds_alone().await;
    let next = script.next_leader(&leader, NEW_LEADER_MS).await?;
    script.probe_often(&next).await?;
    script.wait(0..150).await?;
    script.bring_back(&leader);
    script.wait(30..150).await
}

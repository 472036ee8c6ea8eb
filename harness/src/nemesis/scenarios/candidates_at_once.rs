//! Followers stand still for longer than an election timeout and go on in the same moment, while messages are slow: several ask for
//! votes before they hear of each other, and whoever led before is there, too, or not. A voter crashes just when its vote is on its
//! way, and is asked by another one when it is back; or candidates that are cut off from each other both need it.

use std::ops::Range;

use contract::NodeId;

use crate::nemesis::{
    faults::partition::between,
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "candidates-at-once",
    about: "Followers stand still for longer than an election timeout and go on in the same moment, while messages are slow: several ask for votes before they hear of each other, and perhaps a voter crashes.",
    needs: &["pause"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// A message takes so long: each asks for votes before it hears of the others, and a vote counts later than the next is given.
const LATE_MS: [u64; 3] = [25, 50, 90];
/// Election timeouts are one to two times `DS_ELECTION_MS`: so all are overdue.
const OVERDUE_MS: Range<u64> = 620..760;
/// A vote may take so long to come.
const VOTE_MS: u64 = 500;
/// So often a voter crashes between candidates that do not hear of each other.
const CRASHES: u32 = 2;

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let followers = script.others(&leader);
    // First the leader, and for good: else what it says waits in the others' sockets, and is news of it when they go on.
    if script.has("kill") {
        script.kill(&leader).await?;
    } else {
        script.take_away(&leader).await?;
    }
    for follower in &followers {
        script.pause(follower).await?;
    }
    let apart = script.has("partition") && script.coin();
    if apart {
        let (one, other) = followers.split_at(followers.len() / 2);
        script.cut(&between(one, other)).await?;
        script.tell(format!("{} and {} were apart", one.join(", "), other.join(", ")));
    }
    script.wait(OVERDUE_MS).await?;
    if script.has("network") && script.coin() {
        let late_ms = script.one_of(&LATE_MS)?;
        script.slow_all(late_ms).await?;
    }
    let is_back = apart || script.coin();
    if is_back {
        // Not sooner: whoever stands for election votes for itself.
        script.bring_back(&leader);
    }
    let voter = if is_back { leader.clone() } else { script.one_of(&followers)? };
    script.resume_all(&followers).await;
    // Between candidates that are apart both sides need its vote, and neither hears that the other one has it.
    let crashes = if apart { CRASHES } else { 1 };
    for _ in 0..crashes {
        crash_at_a_vote(script, &voter).await?;
    }
    script.wait(150..400).await?;
    script.leave_kinds_alone().await;
    script.bring_back(&leader);
    script.wait(30..150).await
}

/// A crash just when its vote, or something else that it seldom says, is on its way.
async fn crash_at_a_vote(script: &mut Script, voter: &NodeId) -> Done {
    if !script.has("kill") {
        return Ok(());
    }
    let mut vote = script.arm_rare(voter);
    let caught = script.caught(&mut vote, VOTE_MS).await?;
    if caught.is_some() && script.stands(voter) {
        script.kill(voter).await?;
        drop(caught);
        script.restart(voter);
        script.tell("and crashed");
    }
    Ok(())
}

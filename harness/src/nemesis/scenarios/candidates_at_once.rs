//! Followers stand still for longer than an election timeout and go on in the same moment, while messages are slow: several ask for
//! votes before they hear of each other, and whoever led before is there, too, or not. Perhaps a voter crashes just when its vote
//! is on its way, and is asked by another one when it is back.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "candidates-at-once",
    about: "Followers stand still for longer than an election timeout and go on in the same moment, while messages are slow: several ask for votes before they hear of each other, and perhaps a voter crashes.",
    needs: &["pause"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// A message takes so long: each asks for votes before it hears of the others, and a vote counts later than the next is given.
const LATE_MS: [u64; 3] = [25, 50, 90];
/// Election timeouts are one to two times `DS_ELECTION_MS`: so all are overdue.
const OVERDUE_MS: std::ops::Range<u64> = 620..760;
/// A vote may take so long to come.
const VOTE_MS: u64 = 700;

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let followers = script.others(&leader);
    // First the leader: else what it says waits in the others' sockets, and counts as news of it when they go on.
    script.take_away(&leader).await?;
    for follower in &followers {
        script.pause(follower).await?;
    }
    let is_back = script.one_of(&[true, true, false])?;
    if is_back {
        script.bring_back(&leader);
    }
    script.wait(OVERDUE_MS).await?;
    if script.has("network") {
        let late_ms = script.one_of(&LATE_MS)?;
        script.slow_all(late_ms).await?;
    }
    // Whoever stands for election votes for itself.
    let voter = if is_back { leader.clone() } else { script.one_of(&followers)? };
    let crashes = script.has("kill") && script.coin();
    let armed = crashes.then(|| script.arm_rare(&voter));
    script.resume_all(&followers).await;
    if let Some(mut armed) = armed
        && let Some(caught) = script.caught(&mut armed, VOTE_MS).await?
        && script.stands(&voter)
    {
        script.kill(&voter).await?;
        drop(caught);
        script.restart(&voter);
        script.tell("and crashed");
    }
    script.wait(200..600).await?;
    script.leave_kinds_alone().await;
    script.bring_back(&leader);
    script.wait(30..150).await
}

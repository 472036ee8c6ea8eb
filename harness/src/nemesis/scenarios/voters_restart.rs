//! The leader is away, and whoever may have voted is killed in the middle of the election and started again.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "voters-restart",
    about: "The leader is away, and whoever may have voted is killed in the middle of the election and started again.",
    needs: &["kill"],
    kills_many: true,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// A message takes so long then.
const LATE_MS: u64 = 60;

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    script.take_away(&leader).await?;
    if script.has("network") && script.coin() {
        // Votes are on their way for longer than a restart takes.
        script.slow_all(LATE_MS).await?;
    }
    let voters = script.others(&leader);
    for _ in 0..2 {
        script.wait(120..450).await?;
        let all = script.coin();
        let restarted = if all { voters.clone() } else { vec![script.one_of(&voters)?] };
        for voter in &restarted {
            script.kill(voter).await?;
        }
        for voter in &restarted {
            script.restart(voter);
        }
        if script.coin() {
            script.bring_back(&leader);
        }
    }
    script.bring_back(&leader);
    script.leave_kinds_alone().await;
    script.wait(100..400).await
}

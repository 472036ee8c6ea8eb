//! A few links are slow, each for some kinds of messages, by delays that may be longer than an election takes; from time to time
//! another link is slow instead, and leaders go meanwhile.
//!
//! Rare orders of events mostly need few of them to be late, and few changes: so found by probabilistic concurrency testing
//! (Burckhardt et al., ASPLOS 2010; for distributed systems Ozkan et al., OOPSLA 2018).

use super::probe_next_leader_if_any;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "slow-links",
    about: "A few links are slow, each for some kinds of messages, perhaps for longer than an election takes; other links in turn, and leaders go meanwhile.",
    needs: &["network"],
    needs_one_of: &["partition", "kill", "pause"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// So many links are slow at once.
const SLOW: u32 = 2;
/// How late some kinds are there, in milliseconds.
const DELAYS_MS: [u64; 4] = [20, 60, 150, 400];
/// So often another link becomes slow instead of one.
const CHANGES: u32 = 3;

async fn play(script: &mut Script) -> Done {
    for _ in 0..SLOW {
        script.slow_one_more_link(&DELAYS_MS).await?;
    }
    for _ in 0..CHANGES {
        script.wait(40..250).await?;
        let leader = script.leader().await;
        script.take_away(&leader).await?;
        probe_next_leader_if_any(script, &leader).await?;
        script.bring_back_all();
        script.quicken_a_link().await;
        script.slow_one_more_link(&DELAYS_MS).await?;
    }
    script.wait(50..200).await
}

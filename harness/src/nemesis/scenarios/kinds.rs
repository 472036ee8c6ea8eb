//! Messages of one kind are late, lost or doubled, or each kind has a delay of its own, or some messages of all kinds are lost or
//! overtaken, or all are doubled; meanwhile the leader goes. Then it is other messages, and another leader. (A message that is lost takes
//! its connection with it.)

use record::Mishap;

use super::probe_next_leader_if_any;
use crate::nemesis::{
    faults::kinds::{DELAYS_MS, Mishaps},
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "kinds",
    about: "Messages of one kind are late, lost or doubled, each kind has a delay of its own, or some of all are lost or overtaken, or all are doubled; meanwhile the leader goes, several times.",
    needs: &["network"],
    needs_one_of: &["partition", "kill", "pause"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// To which kinds of messages something happens.
#[derive(Clone, Copy)]
enum Which {
    /// Each has a delay of its own.
    Each,
    /// One only.
    One,
    /// The same happens to all.
    All,
}

/// So often something happens to other kinds, and to another leader.
const ROUNDS: u32 = 2;

async fn play(script: &mut Script) -> Done {
    for _ in 0..ROUNDS {
        let mishaps = some_mishaps(script)?;
        script.disturb_kinds(mishaps).await?;
        script.wait(30..250).await?;
        let leader = script.leader().await;
        script.take_away_with_others(&leader).await?;
        probe_next_leader_if_any(script, &leader).await?;
        script.wait(0..100).await?;
        script.leave_kinds_alone().await;
        script.bring_back_all();
        script.wait(30..100).await?;
    }
    Ok(())
}

/// What happens to messages of which kinds.
pub(super) fn some_mishaps(script: &mut Script) -> Done<Mishaps> {
    Ok(match script.one_of(&[Which::Each, Which::One, Which::All])? {
        Which::Each => script.each_kind_late(&DELAYS_MS),
        Which::One => {
            let mishap = script.one_of(&[Mishap::LateMs(80), Mishap::Lost, Mishap::Doubled])?;
            [(script.some_kind()?, mishap)].into()
        }
        Which::All => {
            let mishap =
                script.one_of(&[Mishap::SomeLost, Mishap::UpToMs(100), Mishap::Doubled])?;
            script.every_kind(mishap)
        }
    })
}

//! Messages of one kind are late, lost or doubled, or each kind has a delay of its own; meanwhile the leader goes. (A message
//! that is lost takes its connection with it.)

use crate::nemesis::{
    faults::kinds::Mishap,
    scenario::Scenario,
    script::{Done, Ended, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "kinds",
    about: "Messages of one kind are late, lost or doubled, or each kind has a delay of its own; meanwhile the leader goes.",
    needs: &["network"],
    needs_one_of: &["partition", "kill", "pause"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// So long another leader may take to be found while messages go astray.
const MEANWHILE_MS: u64 = 900;

async fn play(script: &mut Script) -> Done {
    let mishaps = if script.coin() {
        script.each_kind_late()
    } else {
        let mishap = script.one_of(&[Mishap::Late(80), Mishap::Lost, Mishap::Doubled])?;
        [(script.some_kind()?, mishap)].into()
    };
    script.disturb_kinds(mishaps).await?;
    for _ in 0..2 {
        script.wait(20..250).await?;
        let leader = script.leader().await;
        script.take_away_with_others(&leader).await?;
        match script.next_leader(&leader, MEANWHILE_MS).await {
            Ok(_) => script.wait(30..250).await?,
            Err(Ended::Stopped) => return Err(Ended::Stopped),
            // Without these messages perhaps nobody can.
            Err(Ended::Failed(_)) => break,
        }
        script.bring_back_all();
    }
    script.leave_kinds_alone().await;
    script.bring_back_all();
    script.wait(50..200).await
}

//! A node is killed just when it has answered a message of some kind, and started again at once; whoever got the answer is
//! taken away. What the node answered must have been on its disk.

use network::Boundary;

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Ended, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "answered-then-crashed",
    about: "A node is killed just when it has answered a message of some kind; it comes back, and whoever got the answer is taken away.",
    needs: &["kill"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let boundary = script.one_of(&[Boundary::BeforeAnswer, Boundary::Answered])?;
    let caught = script.catch(boundary).await?;
    let (asked, answered) = (caught.from.clone(), caught.to.clone());
    if boundary == Boundary::BeforeAnswer {
        // The answer is on its way already.
        drop(caught);
    }
    if !script.stands(&answered) {
        return Err(Ended::Failed(format!("{answered} cannot be killed")));
    }
    script.kill(&answered).await?;
    script.tell(format!("{answered} crashed"));
    // Whoever was away for the election may lead next: what it lacks shows who forgot.
    script.bring_back_all_but(&answered);
    if script.coin() {
        script.wait(0..60).await?;
    }
    if script.stands(&asked) {
        script.take_away(&asked).await?;
    }
    script.restart(&answered);
    script.next_leader(&asked, NEW_LEADER_MS).await?;
    script.wait(50..300).await?;
    script.bring_back(&asked);
    script.wait(50..250).await
}

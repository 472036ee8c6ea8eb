//! A message of some kind is held; meanwhile another node comes to lead, and the receiver crashes. The message arrives at what
//! comes up again, which should know that its time is over; then that node and the sender are a majority.

use network::Boundary;

use super::NEW_LEADER_MS;
use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Ended, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "late-after-crash",
    about: "A message of some kind is held until another node leads and the receiver has crashed and come back; then the new leader is gone.",
    needs: &["network", "partition", "kill"],
    holds_messages: true,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let caught = script.catch(Boundary::BeforeDelivery).await?;
    let (from, to) = (caught.from.clone(), caught.to.clone());
    if ![&from, &to].into_iter().all(|end| script.nodes.contains(end)) {
        return Err(Ended::Failed("it was not between nodes".to_owned()));
    }
    script.hold(&caught).await?;
    // Whoever was away for the election is needed for the next one.
    script.bring_back_all();
    let message = [(from.clone(), to.clone())];
    let others: Vec<_> = script
        .links_around(std::slice::from_ref(&from))
        .into_iter()
        .filter(|link| *link != message[0])
        .collect();
    script.cut(&message).await?;
    script.cut(&others).await?;
    let leader = script.next_leader(&from, NEW_LEADER_MS).await?;
    script.wait(0..200).await?;
    script.kill(&to).await?;
    script.restart(&to);
    script.wait(100..250).await?;
    script.open(&message).await;
    caught.send_again();
    drop(caught);
    script.let_go().await;
    script.tell("it came late");
    script.wait(0..100).await?;
    if leader != to {
        script.take_away(&leader).await?;
    }
    script.open(&others).await;
    script.wait(300..700).await
}

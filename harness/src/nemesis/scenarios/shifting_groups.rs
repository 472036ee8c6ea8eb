//! The leader is left with few, then with a majority, then alone: groups change without a moment in which all are
//! connected.

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "shifting-groups",
    about: "The leader is left with few, then with a majority, then alone: groups change without a moment in which all are connected.",
    needs: &["partition"],
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let others = script.others(&leader);
    let majority = script.nodes.len() / 2 + 1;
    let with = |companions: &[String]| [&[leader.clone()][..], companions].concat();
    let (first, last) = (&others[..majority - 1], &others[others.len() + 1 - majority..]);
    let few = &others[..majority.saturating_sub(2)];
    let mut groups = vec![with(first), with(few), with(last), with(&[])];
    if script.coin() {
        groups.reverse();
    }
    let mut before = Vec::new();
    for group in groups {
        let around = script.links_around(&group);
        if around == before {
            continue;
        }
        script.cut(&around).await?;
        script.open(&before).await;
        before = around;
        script.wait(150..600).await?;
    }
    script.tell("the groups changed");
    Ok(())
}

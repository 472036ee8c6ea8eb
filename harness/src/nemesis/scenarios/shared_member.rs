//! Two majorities that share a single node take turns, and it crashes between them: what it forgets, nobody else knows. That
//! any two majorities share a node is all that consensus rests on.

use contract::NodeId;

use crate::nemesis::{
    scenario::Scenario,
    script::{Done, Script},
};

/// The scenario.
pub static SCENARIO: Scenario = Scenario {
    name: "shared-member",
    about: "Two majorities that share a single node take turns, and it crashes between them: what it forgets, nobody else knows.",
    needs: &["partition"],
    turns: 2,
    play: |script| Box::pin(play(script)),
    ..Scenario::USUAL
};

/// So long a majority may take to ask the member that it shares for anything.
const PROMISE_MS: u64 = 800;

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let mut others = script.others(&leader);
    let shared = others.pop().unwrap_or_else(|| leader.clone());
    // Whoever leads begins with a majority.
    let mut sides: [Vec<NodeId>; 2] = [vec![leader.clone()], Vec::new()];
    let half = script.nodes.len() / 2;
    for other in others {
        let side = usize::from(sides[0].len() == half);
        sides[side].push(other);
    }
    script.tell(format!("{shared} was in both majorities"));
    // Whoever stands still goes on as what it was before, a leader perhaps; whoever is cut off learns that nobody hears it.
    let pauses = script.has("pause") && script.coin();
    for turn in 0..3 {
        let [away, back] = [&sides[1 - turn % 2], &sides[turn % 2]];
        let crashes = turn > 0 && script.stands(&shared) && script.has("kill") && script.coin();
        if crashes {
            script.kill(&shared).await?;
        }
        // A crash when it has just said something that matters, and nobody heard of yet, shows best what it forgets.
        let promises = !crashes && turn == 1 && script.has("kill") && script.coin();
        let armed = promises.then(|| script.arm_rare(&shared));
        script.part(away, pauses).await?;
        if turn == 1 && !pauses && script.one_of(&[true, true, false])? {
            // What the first one has alone is then more than what others decide without it.
            script.slow_clients();
            script.burst(&leader).await?;
        }
        script.join(back).await;
        script.restart(&shared);
        if let Some(mut armed) = armed
            && let Some(caught) = script.caught(&mut armed, PROMISE_MS).await?
        {
            script.kill(&shared).await?;
            drop(caught);
            script.tell("and crashed");
            script.wait(5..40).await?;
        } else {
            script.wait(250..650).await?;
        }
    }
    script.restart(&shared);
    Ok(())
}

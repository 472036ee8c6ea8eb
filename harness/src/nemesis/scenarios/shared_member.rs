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

async fn play(script: &mut Script) -> Done {
    let leader = script.leader().await;
    let mut others = script.others(&leader);
    let shared = others.pop().unwrap_or_else(|| leader.clone());
    // Whoever leads begins with a majority.
    let mut sides: [Vec<NodeId>; 2] = [vec![leader], Vec::new()];
    let half = script.nodes.len() / 2;
    for other in others {
        let side = usize::from(sides[0].len() == half);
        sides[side].push(other);
    }
    script.tell(format!("{shared} was in both majorities"));
    let mut before = Vec::new();
    for turn in 0..3 {
        let cut_off = &sides[1 - turn % 2];
        let around = script.links_around(cut_off);
        let crashes = turn > 0 && script.has("kill") && script.coin();
        if crashes {
            script.kill(&shared).await?;
        }
        script.cut(&around).await?;
        script.open(&before).await;
        before = around;
        if crashes {
            script.restart(&shared);
        }
        script.wait(250..650).await?;
    }
    Ok(())
}

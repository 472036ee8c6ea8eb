//! Carries out a plan that was recorded: act after act, each once the store has served again after the one before.

use std::{sync::Arc, time::Duration};

use history::words::counted;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use tokio::{task::JoinSet, time::Instant};

use super::{
    Family,
    execute::{WrittenPlan, carry_out},
    fault::{Fault, Members},
    faults::{
        client, kill, kinds, network,
        partition::{self, CutMode, Link},
        pause, shards,
    },
    play::Player,
    recorded_plan::{RecordedAct, RecordedFault, RecordedPlan},
};

impl Player<'_> {
    /// Every act of the plan, until the main phase is over.
    pub(super) async fn replay(&self, plan: &RecordedPlan) -> std::io::Result<()> {
        for (played, act) in plan.acts.iter().enumerate() {
            self.until_it_serves().await;
            if self.is_over() {
                let left = plan.acts.len() - played;
                self.environment.note(format!(
                    "{} of the plan did not fit into the time limit.",
                    counted(left, "act")
                ));
                break;
            }
            let leader = self.environment.leader().await;
            let act = leader.node().map_or_else(|| act.clone(), |leader| act.led_by(leader));
            self.act_again(&act).await?;
            self.probe_all();
        }
        Ok(())
    }

    async fn act_again(&self, act: &RecordedAct) -> std::io::Result<()> {
        let mut under_way = JoinSet::new();
        let began = Instant::now();
        for fault in &act.faults {
            if !self.sleep_until(began + Duration::from_millis(fault.after_ms)).await {
                break;
            }
            let lasts = Duration::from_millis(fault.lasts_ms);
            let known = |target: &String| {
                let ends = target.split('>');
                ends.into_iter().all(|end| self.members.linked().iter().any(|node| node == end))
            };
            // Shards are no nodes.
            let is_of_shards = fault.family == "shards";
            let targets = fault.targets.iter().filter(|target| is_of_shards || known(target));
            let targets: Vec<String> = targets.cloned().collect();
            let is_aimed =
                !["network", "client"].contains(&fault.family.as_str()) || !fault.kinds.is_empty();
            if targets.is_empty() && is_aimed {
                self.environment.note(format!("Nobody is here whom the plan means by: {fault}."));
            }
            // A plan with another family is refused when it is read.
            let Some(family) = Family::by_name(&fault.family) else { continue };
            for fault in again(fault, &targets, self.members) {
                let planned = self.planned(family, fault, lasts, lasts.mul_f64(2.0));
                let plan = WrittenPlan::write(vec![planned], &self.environment.stream).await?;
                let environment = Arc::clone(self.environment);
                under_way.spawn(carry_out(plan, environment, self.begin, self.stop.clone()));
            }
        }
        while under_way.join_next().await.is_some() {}
        Ok(())
    }
}

/// The same fault, aimed at these targets: a process is killed or paused by a fault of its own.
fn again(
    recorded: &RecordedFault,
    targets: &[String],
    members: Members<'_>,
) -> Vec<Box<dyn Fault>> {
    // Delays are drawn anew, the same each time.
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    match recorded.family.as_str() {
        "kill" => {
            let away_max = kill::away_max(members);
            let kill = |node: &String| kill::chosen(node, members.can_restart, away_max);
            targets.iter().map(kill).collect()
        }
        "pause" => targets.iter().map(|node| pause::chosen(node)).collect(),
        "partition" if targets.is_empty() => Vec::new(),
        "partition" => {
            let mode = if recorded.refuses { CutMode::Refuse } else { CutMode::Stall };
            vec![partition::chosen(links(targets), mode)]
        }
        "network" if !recorded.kinds.is_empty() => {
            vec![kinds::chosen(recorded.kinds.clone(), links(targets))]
        }
        "network" => network::of_form(&recorded.form, members, &mut rng).into_iter().collect(),
        "client" => client::plan(members, &mut rng).into_iter().collect(),
        "shards" => shards::again(&recorded.form, targets, members).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// `n1>n2` as its two ends.
fn links(targets: &[String]) -> Vec<Link> {
    let ends = targets.iter().filter_map(|link| link.split_once('>'));
    ends.map(|(from, to)| (from.to_owned(), to.to_owned())).collect()
}

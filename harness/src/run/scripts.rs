//! The phases of a run against a view service: ready → main, one script after the other → quiesce → stop.

use std::{sync::Arc, time::Duration};

use contract::{View, launch::VIEW_SERVICE};
use history::EventKind;
use record::{Mark, Phase};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};
use workloads::view_service::{Heard, NAMED, START, Script, random};

use super::{phases::judge_protocol_errors, setting::Setting, starvation::Starvation};
use crate::{
    clients::servers::Servers,
    environment::{
        Environment,
        build::{ELECTION, HEARTBEAT},
    },
    exit::Failure,
};

/// A process that ends takes so long to be seen.
const SETTLE: Duration = Duration::from_millis(200);
/// A script that does not come to its end is played so often: a busy machine may be why.
const TRIES_MAX: usize = 3;
/// After so many answers that break the contract there is nothing more to learn.
const BROKEN_ANSWERS_MAX: u64 = 3;

/// Plays the scripts of the courses, then random ones as long as there is time.
///
/// # Errors
/// The service does not start, or keeps breaking the contract.
pub(super) async fn play(setting: &Setting, environment: &Environment) -> Result<(), Failure> {
    let stream = &environment.stream;
    let starvation = Starvation::watch(Arc::clone(stream));
    stream.mark(&Mark::Phase(Phase::Ready));
    environment.note(
        "Nothing but the servers was broken: for each script the view service was started anew, and a view service does \
         not fail.",
    );
    stream.mark(&Mark::Phase(Phase::Main));
    let mut stage = Stage {
        environment,
        servers: Servers::new(&environment.clients),
        end: Instant::now() + setting.time_limit,
    };
    for named in &NAMED {
        for _ in 0..TRIES_MAX {
            let latest = stage.play(named.name, named.play()).await?;
            if latest.is_none_or(|latest| named.has_come_to_its_end(&latest)) {
                break;
            }
        }
    }
    for number in 0.. {
        let script = random(setting.seed, number);
        stage.play(&format!("random-{}", number + 1), script).await?;
        if stage.is_over() {
            break;
        }
    }
    stream.mark(&Mark::Phase(Phase::Quiesce));
    stream.mark(&Mark::StarvedMs(starvation.longest_ms()));
    judge_protocol_errors(environment)
}

/// Where scripts are played.
struct Stage<'a> {
    environment: &'a Environment,
    servers: Servers,
    end: Instant,
}

impl Stage<'_> {
    /// Whether there is no time left, or nothing more to learn.
    fn is_over(&self) -> bool {
        let broken_answers = self.environment.clients.protocol_errors.total();
        Instant::now() >= self.end || broken_answers > BROKEN_ANSWERS_MAX
    }

    /// Plays a script, if there is time; the latest view, or `None` where something was not answered, or nothing asked.
    async fn play(&mut self, name: &str, script: Box<dyn Script>) -> Result<Option<View>, Failure> {
        if self.is_over() {
            return Ok(None);
        }
        self.start(name).await?;
        let latest = self.follow(script).await;
        if latest.is_none() {
            tokio::time::sleep(SETTLE).await;
        }
        self.environment.mark_own_exits().await;
        Ok(latest)
    }

    /// Starts the service anew, for this script.
    async fn start(&self, name: &str) -> Result<(), Failure> {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let arguments =
            json!({ "script": name, "ping_ms": ms(HEARTBEAT), "dead_ms": ms(ELECTION) });
        self.servers.record(EventKind::Invoke, START, arguments);
        self.environment.nodes.start_anew(VIEW_SERVICE).await?;
        self.servers.record(EventKind::Ok, START, json!({}));
        Ok(())
    }

    /// The latest view that was told; `None`: something was not answered.
    async fn follow(&mut self, mut script: Box<dyn Script>) -> Option<View> {
        let mut heard = Heard::default();
        let mut rounds = interval(HEARTBEAT);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while let Some(round) = script.next(&heard) {
            rounds.tick().await;
            if round.is_between {
                tokio::time::sleep(HEARTBEAT / 2).await;
            }
            if round.looks {
                heard.looked(&self.servers.look().await?);
            }
            for (server, view) in self.servers.ping(&round.pings, round.at_once).await {
                heard.told(&server, view?);
            }
        }
        Some(heard.latest)
    }
}

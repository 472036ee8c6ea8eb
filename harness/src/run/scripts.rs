//! The phases of a run against a view service: ready → main, one script after the other → quiesce → stop.

use std::{sync::Arc, time::Duration};

use contract::launch::VIEW_SERVICE;
use history::EventKind;
use record::{Mark, Phase};
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};
use workloads::view_service::{Heard, NAMED, Named, START, Script, random};

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
    let end = Instant::now() + setting.time_limit;
    let mut servers = Servers::new(&environment.clients);
    let named = NAMED.iter().map(|named: &Named| (named.name.to_owned(), named.play()));
    let seed = setting.seed;
    let random = (0..).map(|at| (format!("random-{}", at + 1), random(seed, at)));
    for (name, script) in named.chain(random) {
        let is_hopeless = environment.clients.protocol_errors.total() > BROKEN_ANSWERS_MAX;
        if Instant::now() >= end || is_hopeless {
            break;
        }
        start(&name, environment, &servers).await?;
        if !play_one(script, &mut servers).await {
            tokio::time::sleep(SETTLE).await;
        }
        environment.mark_own_exits().await;
    }
    stream.mark(&Mark::Phase(Phase::Quiesce));
    stream.mark(&Mark::StarvedMs(starvation.longest_ms()));
    judge_protocol_errors(environment)
}

/// Starts the service anew, for this script.
async fn start(name: &str, environment: &Environment, servers: &Servers) -> Result<(), Failure> {
    let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let arguments = json!({ "script": name, "ping_ms": ms(HEARTBEAT), "dead_ms": ms(ELECTION) });
    servers.record(EventKind::Invoke, START, arguments);
    environment.nodes.start_anew(VIEW_SERVICE).await?;
    servers.record(EventKind::Ok, START, json!({}));
    Ok(())
}

/// Whether everything was answered.
async fn play_one(mut script: Box<dyn Script>, servers: &mut Servers) -> bool {
    let mut heard = Heard::default();
    let mut rounds = interval(HEARTBEAT);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some(round) = script.next(&heard) {
        rounds.tick().await;
        if round.is_between {
            tokio::time::sleep(HEARTBEAT / 2).await;
        }
        if round.looks {
            match servers.look().await {
                Some(view) => heard.looked(&view),
                None => return false,
            }
        }
        for (server, view) in servers.ping(&round.pings, round.at_once).await {
            match view {
                Some(view) => heard.told(&server, view),
                None => return false,
            }
        }
    }
    true
}

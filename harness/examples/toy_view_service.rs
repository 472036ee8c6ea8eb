//! A view service in one small file, for the rung `view-service`. With an argument it is wrong in one way, for tests.
//!
//! ```text
//! early      waits for no acknowledgement
//! ends       ends by itself once there is a backup
//! hangs      answers nothing any more once there is a backup
//! gibberish  answers what is no view
//! ```

use std::{
    collections::BTreeMap,
    env,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing};
use contract::{View, view::Ping};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the service knows.
struct Service {
    flaw: String,
    dead: Duration,
    view: View,
    acknowledged: bool,
    /// When each server pinged last; `None`: it restarted without data.
    pings: BTreeMap<String, Option<Instant>>,
}

type Shared = Arc<Mutex<Service>>;

impl Service {
    fn ping(&mut self, Ping { node, view }: Ping) {
        let is_primary = self.view.primary.as_ref() == Some(&node);
        let is_in = is_primary || self.view.backup.as_ref() == Some(&node);
        let has_restarted = is_in && view == 0 && self.acknowledged;
        self.acknowledged |= is_primary && view == self.view.num;
        self.pings.insert(node, (!has_restarted).then(Instant::now));
        self.advance();
    }

    /// Changes the view where that is due and allowed.
    fn advance(&mut self) {
        if self.view.num > 0 && !self.acknowledged && self.flaw != "early" {
            return;
        }
        let View { num, primary, backup } = &self.view;
        let alive = |id: &String| {
            self.pings.get(id).copied().flatten().is_some_and(|at| at.elapsed() < self.dead)
        };
        let is_idle = |id: &&String| ![primary, backup].contains(&&Some((*id).clone()));
        let idle = self.pings.keys().find(|id| alive(id) && is_idle(id)).cloned();
        let live_backup = backup.clone().filter(alive);
        let (primary, backup) = match primary {
            None => (idle, None),
            Some(old) if alive(old) => (Some(old.clone()), live_backup.or(idle)),
            // Without a backup that lives, nobody has the data.
            Some(_) if live_backup.is_none() => return,
            Some(_) => (live_backup, idle),
        };
        let next = View { num: num + 1, primary, backup };
        if (&next.primary, &next.backup) != (&self.view.primary, &self.view.backup) {
            self.view = next;
            self.acknowledged = false;
        }
    }

    fn answer(&mut self) -> Value {
        match self.flaw.as_str() {
            "ends" if self.view.backup.is_some() => {
                eprintln!("there is a backup: what now?");
                std::process::exit(3);
            }
            "hangs" if self.view.backup.is_some() => loop {
                std::thread::park();
            },
            "gibberish" => json!({ "ok": { "num": "many", "primary": 7 } }),
            _ => json!({ "ok": self.view }),
        }
    }
}

#[tokio::main]
async fn main() {
    let ms = env::var("DS_ELECTION_MS").ok().and_then(|ms| ms.parse().ok()).unwrap_or(300);
    let service = Service {
        flaw: env::args().nth(1).unwrap_or_default(),
        dead: Duration::from_millis(ms),
        view: View::default(),
        acknowledged: false,
        pings: BTreeMap::new(),
    };
    let ping = async |State(service): State<Shared>, Json(ping): Json<Ping>| {
        let mut service = service.lock().expect("nobody panics with it");
        service.ping(ping);
        Json(service.answer())
    };
    let view = async |State(service): State<Shared>| {
        Json(service.lock().expect("nobody panics with it").answer())
    };
    let router = Router::new()
        .route("/healthz", routing::get(async || "ok"))
        .route("/readyz", routing::get(async || "ok"))
        .route("/v1/ping", routing::post(ping))
        .route("/v1/view", routing::get(view))
        .with_state(Arc::new(Mutex::new(service)));
    let address = env::var("DS_LISTEN").expect("the bench sets it");
    let listener = TcpListener::bind(address).await.expect("the port is reserved for this node");
    axum::serve(listener, router).await.expect("nothing ends it");
}

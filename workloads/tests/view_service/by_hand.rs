//! Records made by hand: each ping takes a millisecond, each round fifty.

use history::{CheckResult, Completion, Operation};
use serde_json::{Value, json};
use workloads::view_service::{LOOK, PING, START, judge};

const NS_A_MS: u64 = 1_000_000;
/// Silent for this number of rounds, a server may be taken for dead, or not.
pub const SHORT: usize = 6;
/// After this number of rounds whatever was due should have happened.
pub const LONG: usize = 18;

/// A view: number, primary, backup; `""`: nobody.
pub type Told<'a> = (u64, &'a str, &'a str);

/// A record that grows.
#[derive(Clone, Default)]
pub struct Record {
    operations: Vec<Operation>,
    now_ms: u64,
}

impl Record {
    /// A script has begun.
    pub fn new() -> Self {
        Self::default().begin("random-1")
    }

    /// A script of this name begins, with a service that starts anew.
    pub fn begin(self, script: &str) -> Self {
        let start = json!({ "script": script, "ping_ms": 50, "dead_ms": 300 });
        self.done(3, START, start, Some(json!({})))
    }

    /// n1 is primary, n2 backup of view 2, and n1 has acknowledged view 1.
    pub fn unacknowledged() -> Self {
        let begun = Self::new().ping("n1", 0, (1, "n1", "")).ping("n1", 1, (1, "n1", ""));
        begun.ping("n2", 0, (2, "n1", "n2")).ping("n1", 1, (2, "n1", "n2"))
    }

    /// The same, and both know it.
    pub fn both() -> Self {
        Self::unacknowledged().rounds(2, &[("n1", 2), ("n2", 2)], (2, "n1", "n2"))
    }

    /// The same, with n3 idle.
    pub fn three() -> Self {
        Self::both().rounds(2, &[("n1", 2), ("n2", 2), ("n3", 0)], (2, "n1", "n2"))
    }

    pub fn ping(self, server: &str, num: u64, told: Told<'_>) -> Self {
        let process = u64::from(server.as_bytes()[1] - b'1');
        self.done(process, PING, json!({ "node": server, "view": num }), Some(view(told)))
    }

    pub fn look(self, told: Told<'_>) -> Self {
        self.done(3, LOOK, json!({}), Some(view(told)))
    }

    pub fn unanswered(self, server: &str, num: u64) -> Self {
        self.done(0, PING, json!({ "node": server, "view": num }), None)
    }

    /// So many rounds in which these servers ping, and are told this view.
    pub fn rounds(mut self, rounds: usize, pings: &[(&str, u64)], told: Told<'_>) -> Self {
        for _ in 0..rounds {
            let begun_ms = self.now_ms;
            for (server, num) in pings {
                self = self.ping(server, *num, told);
            }
            self.now_ms = begun_ms + 50;
        }
        self
    }

    /// Nothing happens.
    pub fn wait_ms(mut self, ms: u64) -> Self {
        self.now_ms += ms;
        self
    }

    fn done(mut self, process: u64, f: &str, arguments: Value, result: Option<Value>) -> Self {
        let call = 2 * self.operations.len() as u64;
        let call_ns = self.now_ms * NS_A_MS;
        let return_ns = result.as_ref().map(|_| call_ns + NS_A_MS);
        let completion =
            result.map_or(Completion::Info(None), |result| Completion::Ok(call + 1, result));
        self.now_ms += 1;
        self.operations.push(Operation {
            call,
            process,
            f: f.into(),
            arguments,
            completion,
            call_ns,
            return_ns,
            node: None,
            phase: "main".to_owned(),
        });
        self
    }

    /// What the check of all scripts without a name of their own says.
    pub fn judged(&self) -> CheckResult {
        self.judged_by(workloads::view_service::RANDOM)
    }

    pub fn judged_by(&self, checker: &str) -> CheckResult {
        let checks = judge(&self.operations).unwrap().checks;
        checks.into_iter().find(|check| check.checker == checker).unwrap()
    }

    /// Why this is no record of scripts.
    pub fn refused(&self) -> String {
        judge(&self.operations).unwrap_err()
    }

    #[track_caller]
    pub fn is_right(&self) {
        let result = self.judged();
        assert!(result.violations.is_empty(), "{}", result.summary);
    }

    /// It is one violation, of this kind, whose sentence has these parts.
    #[track_caller]
    pub fn is_wrong(&self, kind: &str, parts: &[&str]) {
        let result = self.judged();
        assert_eq!(result.violations.len(), 1, "{}", result.summary);
        let violation = &result.violations[0];
        assert_eq!(violation.kind, kind, "{}", violation.sentence);
        for part in parts {
            assert!(
                violation.sentence.contains(part),
                "`{part}` is not in: {}",
                violation.sentence
            );
        }
        assert!((1..=4).contains(&violation.operations.len()), "{violation:?}");
    }
}

fn view((num, primary, backup): Told<'_>) -> Value {
    let server = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
    json!({ "num": num, "primary": server(primary), "backup": server(backup) })
}

//! The requests that a node answers, and the fields of `GET /v1/status`.

use crate::{
    Availability,
    mapreduce::{JOB_PATH, JOBS_PATH},
    view::{PING_PATH, VIEW_PATH},
};

/// One row of the registry of endpoints.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// The HTTP method.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// The parameters in the query.
    pub query: &'static [&'static str],
    /// What it answers, in one sentence.
    pub answer: &'static str,
    /// Whether the bench uses it already.
    pub availability: Availability,
}

/// Every request of the client API.
pub const ENDPOINTS: [Endpoint; 9] = [
    now("GET", "/healthz", "200 once the node is bound."),
    now("GET", "/readyz", "200 while the node believes that it can serve, else 503."),
    now("POST", "/v1/op", "The result of one operation, or an error."),
    now("GET", "/v1/status", "What the node knows of itself (capability `introspect`)."),
    now("POST", PING_PATH, "The current view, after a server's ping (rung `view-service`)."),
    now("GET", VIEW_PATH, "The current view (rung `view-service`)."),
    now("POST", JOBS_PATH, "The name of the job that was started (rung `mapreduce`)."),
    now("GET", JOB_PATH, "How far a job is (rung `mapreduce`)."),
    Endpoint {
        query: &["from", "to"],
        ..now(
            "GET",
            "/v1/log",
            "The chosen entries of these slots, for checks that look inside (capability `log`).",
        )
    },
];

const fn now(method: &'static str, path: &'static str, answer: &'static str) -> Endpoint {
    Endpoint { method, path, query: &[], answer, availability: Availability::Now }
}

/// One field of the answer of `GET /v1/status`; a node leaves out what it does not have.
#[derive(Clone, Copy, Debug)]
pub struct StatusEntry {
    /// The field.
    pub name: &'static str,
    /// Its JSON type.
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every field of the answer of `GET /v1/status`.
pub const STATUS: [StatusEntry; 14] = [
    status(
        "role",
        "string",
        "What the node is at the moment. Whoever says `leader` or `primary` is where faults of leaders strike.",
    ),
    status("term", "integer", "Its term, view or ballot round."),
    status("leader", "string", "The id of the node it takes for the leader."),
    status(
        "led",
        "integer",
        "The last term or view in which it led since it was started, if only for a moment between two questions.",
    ),
    status(
        "promised",
        "integer",
        "The term, view or ballot round below which nothing counts with it any more. With `log`, only what a crash cannot \
         take from it, such as what is on its disk.",
    ),
    status(
        "voted",
        "string",
        "The id of the node that has its vote in the term `promised`; `null`: nobody yet. Of the same moment as that.",
    ),
    status("commit", "integer", "The last slot it knows to be chosen."),
    status("applied", "integer", "The last slot it has applied."),
    status("config", "integer", "The number of its shard configuration."),
    status("log_bytes", "integer", "The size of its log."),
    status("snapshot_bytes", "integer", "The size of its last snapshot."),
    status("shards", "array", "The shards it serves."),
    status(
        "rates",
        "object",
        "Requests a second of each shard that it serves, by the shard's number: a rate of the last seconds, as whoever leads the group \
         counts them.",
    ),
    status(
        "rebalancer",
        "object",
        "Of a shard controller that moves shards by itself: the rates that it saw last, how uneven they are, and which `move` follows \
         from that, or the `reason` why none does.",
    ),
];

const fn status(name: &'static str, kind: &'static str, meaning: &'static str) -> StatusEntry {
    StatusEntry { name, kind, meaning }
}

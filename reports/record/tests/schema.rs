//! The files' shape, pinned: other programs read them, so a change here is a change of the schema's version.

use record::{
    Fate, FaultRecord, FaultStep, IntrospectionRecord, MessageRecord, ResultsFile, RunFile,
};
use serde_json::{Value, json};

#[track_caller]
fn round_trip<T: serde::Serialize + serde::de::DeserializeOwned>(document: &Value) {
    let typed: T =
        serde_json::from_value(document.clone()).expect("the document follows the schema");
    assert_eq!(&serde_json::to_value(&typed).expect("it can be written"), document);
}

#[test]
fn run_json() {
    round_trip::<RunFile>(&json!({
        "version": 1, "harness": "0.1.0", "target": "kv", "target_folder": "impls/kv",
        "serves": ["replicated-kv"], "caps": ["cas", "log"], "workload": "bank",
        "consistency": "serializable", "seed": 7, "nodes": ["n1"], "snapshot_bytes": null, "clients": 10, "probers": 6, "rate": null, "faults": ["kill"], "fault_interval_ms": 5000,
        "time_limit_ms": 30000,
        "timeouts": {"attempt_ms": 500, "operation_ms": 2000, "bind_ms": 10000, "ready_ms": 15000, "recovery_ms": 8000,
                     "stop_ms": 2000},
        "started": "2026-03-01T11:00:00+01:00", "require": {"each-client": 0, "succeeded": 1000},
        "command": "harness run",
        "machine": {"cores": "2"}, "confinement": "namespaces", "lacks": [],
    }));
}

#[test]
fn results_json() {
    round_trip::<ResultsFile>(&json!({
        "verdict": "violation", "version": 1, "summary": "Stale.",
        "consistency": "linearizable",
        "checks": [{
            "checker": "linearizability", "verdict": "violation", "summary": "Stale.",
            "violations": [{"kind": "stale read", "sentence": "Stale.", "operations": [4, 8]}],
            "statistics": {"keys": 1},
        }],
        "operations": {"get": {"ok": 1, "fail": 2, "info": 3}},
        "latency_ms": {"p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.5},
        "evidence": [{"what": "operations that succeeded", "asked": 100, "seen": 7}],
        "promises": [{"promise": "the log compacts", "how": "not checked yet", "verdict": null, "seen": ""}],
        "behaviour": {
            "fail_over_ms": {"count": 3, "never": 1, "median": 412.5, "max": null},
            "fail_over_healed_before": 1,
            "recovery_ms": {"count": 5, "never": 0, "median": 3.5, "max": 40.0},
            "longest_outage": {"from_ms": 9000.5, "lasted_ms": 900.0},
            "longest_wait": {"from_ms": 9000.5, "lasted_ms": 950.0},
            "shards_paused_ms": {"count": 9, "never": 0, "median": 41.5, "max": 83.0},
            "beside_moves_ms": {"count": 8, "never": 0, "median": 12.5, "max": 30.0},
            "traffic": {"messages_per_operation": 6.5, "bytes_per_operation": 2100.0, "until_ms": null},
            "orders": {"different": 12, "by_tenth": [8, 12], "next_is_new": 0.25},
            "snapshot_limit_bytes": 65536,
            "nodes": {"n1": {
                "data_bytes": {"most": 500000, "end": 70000},
                "log_bytes": {"most": 60000, "end": 9000},
                "memory_bytes": null,
            }},
        },
        "faults": {"kill": {"planned": 2, "effective": 1}}, "notes": [], "folder": "results/x",
    }));
}

#[test]
fn results_that_were_written_before_the_behaviour_was_kept_are_read() {
    let old = json!({
        "verdict": "valid", "version": 1, "summary": "Fine.", "checks": [], "operations": {}, "latency_ms": null,
        "faults": {}, "folder": "results/x",
    });
    let read: ResultsFile = serde_json::from_value(old).expect("an old document is read");
    assert_eq!(read.behaviour, None);
}

#[test]
fn fault_lines() {
    round_trip::<FaultRecord>(&json!({
        "fault": 0, "time": 5, "family": "partition", "form": "halves", "step": "healed", "targets": ["n1>n2"],
    }));
    round_trip::<FaultRecord>(&json!({
        "fault": 1, "time": 5, "family": "network", "form": "kinds", "step": "planned", "targets": ["n1>n2"],
        "kinds": {"Vote": "some-lost", "Append": {"late-ms": 80}},
    }));
    let unknown = serde_json::from_value::<FaultStep>(json!("begun"));
    assert!(unknown.is_err());
}

#[test]
fn message_lines() {
    round_trip::<MessageRecord>(&json!({
        "time": 5, "from": "n1", "to": "n2", "method": "POST", "path": "/peer", "bytes": 100, "fate": "request-dropped",
    }));
    round_trip::<MessageRecord>(&json!({
        "time": 5, "from": "n1", "to": "n2", "method": "POST", "path": "/peer", "bytes": 100, "fate": "delivered",
        "clocks": {"term": 1, "lamport": 2, "vector": {"n1": 3}, "malformed": true, "head": 4},
    }));
    let fate = serde_json::to_value(Fate::ResponseDropped).expect("it can be written");
    assert_eq!(fate, json!("response-dropped"));
}

#[test]
fn introspection_lines() {
    for said in [
        json!({"status": {"role": "leader", "term": 7}}),
        json!({"status": {"role": "follower", "term": null}}),
        json!({"log": {"from": 3, "to": 9, "entries": [[3, "a"], [8, "b"]]}}),
        json!({"unusable": "status 404"}),
    ] {
        let line = json!({"node": "n1", "asked": 5, "answered": 6, "said": said});
        round_trip::<IntrospectionRecord>(&line);
    }
}

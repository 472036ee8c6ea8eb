//! Stores that promise less than the reference store, or are slower, are tested for what they promise.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use common::Bench;

const FEW: &str = "--workload register --faults none --clients 4 --seed 1 --time-limit 5s \
                   --require succeeded=10,each-client=2,each-kind=1";

/// Half a second for each answer was once all that a store could get.
#[test]
fn a_slow_store_gets_the_time_that_its_manifest_asks_for() {
    let sentence = "reads or writes did not succeed any more within 8 s";
    Bench::with_toy("slow").run(FEW).expect(1, sentence);
    let patient = "[timeouts]\nattempt_ms = 3000\noperation_ms = 4000\n";
    let bench = Bench::with_toy_and("slow", patient);
    bench.run(FEW).expect(0, "VALID");
    let run = std::fs::read_to_string(bench.latest().join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    assert_eq!(
        (&run["timeouts"]["attempt_ms"], &run["timeouts"]["stop_ms"]),
        (&3000.into(), &2000.into())
    );
}

#[test]
fn a_node_that_needs_longer_to_bind_than_it_said_is_broken() {
    let hasty = "[timeouts]\nbind_ms = 1500\n";
    Bench::with_toy_and("mute", hasty).run(FEW).expect(4, "on its DS_LISTEN within 1s500ms");
    let none = "[timeouts]\nbind_ms = 0\n";
    Bench::with_toy_and("", none).run(FEW).expect(4, "`timeouts.bind_ms` is 0; it must be between");
}

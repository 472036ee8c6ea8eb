//! Transactions end to end: a run whose anomaly is drawn and explained in the report, and one that has none.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use common::Bench;

const RUN: &str =
    "--workload list-append --faults none --time-limit 2s --clients 8 --seed 1 --json";

#[test]
fn a_multiget_that_reads_key_by_key_is_a_g_single_that_the_report_draws_and_explains() {
    let bench = Bench::with_toy("key-by-key");
    let results = bench.run(RUN).expect(1, "").json();
    let checks = results["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["checker"] == "isolation").unwrap();
    let violations = check["violations"].as_array().unwrap();
    let kinds: Vec<&str> = violations.iter().map(|v| v["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"G-single-item"), "{kinds:?}");
    assert_eq!(check["pictures"].as_array().unwrap().len(), violations.len());

    let page = std::fs::read_to_string(bench.latest().join("report.html")).unwrap();
    for part in [
        "<strong>G-single-item</strong>",
        "src='data:image/svg+xml,%3Csvg class=%27cycle%27",
        "<li>T1 = event ",
        "<li>T1 &lt; T2, because ",
        "<li>However, T",
        " &lt; T1, because ",
        ": a contradiction!",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_same_store_that_reads_at_once_is_valid() {
    let results = Bench::with_toy("").run(RUN).expect(0, "").json();
    let checks = results["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["checker"] == "isolation").unwrap();
    assert_eq!(check["verdict"], "valid");
    assert!(check["statistics"]["ok"].as_u64().unwrap() > 200, "{check}");
}

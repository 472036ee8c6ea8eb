//! Against a real Redis server.

use std::sync::Arc;

use contract::Operation;
use testing::{Plan, System, checks, is_installed};

const PLAN: Plan<'_> = Plan {
    start: concat!(env!("CARGO_MANIFEST_DIR"), "/start"),
    adapter: env!("CARGO_BIN_EXE_redis-adapter"),
    ports: &[6379],
    nodes: 1,
    variables: &[],
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_syncs_carries_out_each_operation_and_loses_nothing() {
    if !is_installed("redis-server") {
        return;
    }
    let system = Arc::new(System::start(PLAN).await);
    checks::each_operation(&system).await;
    checks::refusals(&system).await;
    checks::appends_at_once(&system).await;
    assert_eq!(checks::write_skews(&system).await, 0);
    let (key, value) = ("middle".to_owned(), "1".to_owned());
    let put = Operation::Put { key: key.clone(), value: value.clone() };
    checks::killed_in_the_middle(&system, &put, false).await;
    checks::killed_in_the_middle(&system, &Operation::Append { key, value }, false).await;
    checks::killed_under_load(&system, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_file_loses_what_it_acknowledged() {
    if !is_installed("redis-server") {
        return;
    }
    let variables = [("REDIS_PERSISTENCE", "none")];
    let system = Arc::new(System::start(Plan { variables: &variables, ..PLAN }).await);
    assert!(checks::killed_under_load(&system, true).await > 0);
}

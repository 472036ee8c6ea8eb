//! Against a real `MariaDB` server.

use std::sync::Arc;

use contract::Operation;
use testing::{Plan, System, checks, is_installed};

const PLAN: Plan<'_> = Plan {
    start: concat!(env!("CARGO_MANIFEST_DIR"), "/start"),
    adapter: env!("CARGO_BIN_EXE_mariadb-adapter"),
    ports: &[3306],
    nodes: 1,
    variables: &[],
};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_carries_out_each_operation_and_loses_nothing() {
    if !is_installed("mariadb-install-db") {
        return;
    }
    let system = Arc::new(System::start(PLAN).await);
    checks::each_operation(&system).await;
    checks::refusals(&system).await;
    checks::appends_at_once(&system).await;
    assert_eq!(checks::write_skews(&system).await, 0);
    // Its transaction has not committed.
    let put = Operation::Put { key: "middle".to_owned(), value: "1".to_owned() };
    checks::killed_in_the_middle(&system, &put, true).await;
    assert_eq!(system.get(0, "middle").await, None);
    checks::killed_under_load(&system, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_level_carries_out_each_operation_and_lets_writes_skew() {
    if !is_installed("mariadb-install-db") {
        return;
    }
    let variables = [("MARIADB_ISOLATION", "repeatable-read")];
    let system = Arc::new(System::start(Plan { variables: &variables, ..PLAN }).await);
    checks::each_operation(&system).await;
    checks::appends_at_once(&system).await;
    assert!(checks::write_skews(&system).await > 0, "it is stronger than its name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_writes_once_a_second_loses_the_last_commits() {
    if !is_installed("mariadb-install-db") {
        return;
    }
    let variables = [("MARIADB_FLUSH", "0")];
    let system = Arc::new(System::start(Plan { variables: &variables, ..PLAN }).await);
    assert!(checks::killed_under_load(&system, true).await > 0);
}

//! Against a real `PostgreSQL` server.

use std::{path::Path, sync::Arc};

use contract::Operation;
use testing::{Plan, System, checks, is_installed};

const PLAN: Plan<'_> = Plan {
    start: concat!(env!("CARGO_MANIFEST_DIR"), "/start"),
    adapter: env!("CARGO_BIN_EXE_postgresql-adapter"),
    ports: &[5432],
    nodes: 1,
    variables: &[],
};

/// Debian keeps the server out of `PATH`.
fn is_there() -> bool {
    Path::new("/usr/lib/postgresql").exists() || is_installed("postgres")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_carries_out_each_operation_and_loses_nothing() {
    if !is_there() {
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
async fn weaker_levels_carry_out_each_operation_and_let_writes_skew() {
    if !is_there() {
        return;
    }
    for level in ["read-committed", "repeatable-read"] {
        let variables = [("POSTGRESQL_ISOLATION", level)];
        let system = Arc::new(System::start(Plan { variables: &variables, ..PLAN }).await);
        checks::each_operation(&system).await;
        checks::appends_at_once(&system).await;
        assert!(checks::write_skews(&system).await > 0, "{level} is stronger than its name");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_acknowledges_before_it_writes_loses_the_last_commits() {
    if !is_there() {
        return;
    }
    let variables = [("POSTGRESQL_SYNCHRONOUS_COMMIT", "off")];
    let system = Arc::new(System::start(Plan { variables: &variables, ..PLAN }).await);
    assert!(checks::killed_under_load(&system, true).await > 0);
}

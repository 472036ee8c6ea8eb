//! The sandbox, where this kernel has one.
#![cfg(target_os = "linux")] // Processes are found in /proc.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::fs;

use cluster::{Enforced, Sandbox, StartError, TcpPorts, sandbox};
use common::{Bench, start};

/// Says aloud that a test could not be made.
fn landlock(at_least: u32) -> bool {
    let abi = sandbox::landlock_abi().unwrap_or(0);
    if abi < at_least {
        println!("SKIPPED: needs Landlock version {at_least}, this kernel has {abi}");
    }
    abi >= at_least
}

#[tokio::test]
async fn writes_outside_are_denied() {
    if !landlock(3) {
        return;
    }
    let bench = Bench::new();
    fs::create_dir(bench.path("data")).unwrap();
    fs::write(bench.path("precious"), "precious").unwrap();
    let script = "
        echo x > data/inside && mkdir data/folder && mv data/inside data/folder/ && echo inside ok
        echo x > /dev/null && echo null ok
        echo x > /dev/stderr && echo stderr ok
        cat precious > /dev/null && echo read ok
        (echo x > outside) || echo create denied
        (: > precious) || echo truncate denied
        rm -f precious || echo remove denied
        mkdir made || echo mkdir denied
        (echo x > /tmp/cluster-sandbox-test-$$) || echo tmp denied
        sh -c '(echo x > outside)' || echo child denied
    ";
    let mut spec = bench.script(script);
    spec.sandbox = Some(Sandbox { writable: vec![bench.path("data")], tcp: None });
    let node = start(&spec).await;
    node.exited().await;
    let expected = "inside ok\nnull ok\nstderr ok\nread ok\ncreate denied\ntruncate denied\n\
                    remove denied\nmkdir denied\ntmp denied\nchild denied\n";
    assert_eq!(bench.stdout(), expected, "{}", bench.stderr());
    assert_eq!(fs::read_to_string(bench.path("precious")).unwrap(), "precious");
    assert!(node.enforced().unwrap().writes);
    assert!(node.kill().await.unwrap(), "the shim can signal into the sandbox");
}

#[tokio::test]
async fn signals_to_the_outside_are_denied() {
    if !landlock(6) {
        return;
    }
    let bench = Bench::new();
    let script = "kill -TERM $PPID || echo shim denied; sleep 1000 & kill $! && echo child ok";
    let mut spec = bench.script(script);
    spec.sandbox = Some(Sandbox::default());
    let node = start(&spec).await;
    node.exited().await;
    assert_eq!(bench.stdout(), "shim denied\nchild ok\n", "{}", bench.stderr());
    assert_eq!(node.enforced(), Some(Enforced { writes: true, tcp: false, signals: true }));
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn other_ports_are_denied() {
    if !landlock(4) {
        return;
    }
    let bench = Bench::new();
    let listeners = [0; 2].map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let [allowed, denied] = listeners.each_ref().map(|l| l.local_addr().unwrap().port());
    // bash can connect without any other program.
    let script = format!(
        "(: > /dev/tcp/127.0.0.1/{allowed}) && echo allowed; (: > /dev/tcp/127.0.0.1/{denied}) || echo denied"
    );
    let mut spec = bench.node(&["bash", "-c", &script]);
    let tcp = TcpPorts { bind: vec![], connect: vec![allowed] };
    spec.sandbox = Some(Sandbox { writable: vec![], tcp: Some(tcp) });
    let node = start(&spec).await;
    node.exited().await;
    assert_eq!(bench.stdout(), "allowed\ndenied\n", "{}", bench.stderr());
    assert!(bench.stderr().contains("ermission denied"), "{}", bench.stderr());
    assert!(node.enforced().unwrap().tcp);
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn a_missing_folder_is_told() {
    let bench = Bench::new();
    let mut spec = bench.script("exit 0");
    spec.sandbox = Some(Sandbox { writable: vec![bench.path("missing")], tcp: None });
    let error = cluster::NodeProcess::start(&spec).await.unwrap_err();
    assert!(matches!(error, StartError::Sandbox(_)), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn an_older_kernel_enforces_less() {
    let parts = |abi| {
        let Enforced { writes, tcp, signals } = Enforced::by(abi);
        [writes, tcp, signals]
    };
    assert_eq!(parts(0), [false, false, false]);
    assert_eq!(parts(3), [true, false, false]);
    assert_eq!(parts(4), [true, true, false]);
    assert_eq!(parts(6), [true, true, true]);
}

//! What 100,000 clients cost. A process of its own, so that nothing else is counted.

use contract::{Operation, Request};
use exactly_once::Server;
use kv::{ExactlyOnce, Store};
use node::{Effects, Protocol};

const CLIENTS: u64 = 100_000;
const BYTES_MAX: u64 = 100_000_000;

/// Resident memory of this process; `None` where the system does not tell.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn ask(server: &mut Server<ExactlyOnce<Store>>, client: u64, seq: u64, value: &str) {
    let op = Operation::Append { key: format!("k{}", client % 1000), value: value.to_owned() };
    let request = Request { client: format!("client-{client}"), seq, op };
    server.on_request(client, request, &mut Effects::new(0, 0));
}

/// Each answer is a list of up to 2 KB, 100 MB together; what is remembered of them is bounded, and a retry of a forgotten
/// one changes nothing.
#[test]
fn a_hundred_thousand_clients_take_less_than_a_hundred_megabytes() {
    let Some(before) = resident_bytes() else {
        eprintln!("NOT CHECKED: this system does not tell how much memory a process has");
        return;
    };
    let mut server = Server::new(ExactlyOnce::new(Store::default()), None, Vec::new()).unwrap();
    for client in 0..CLIENTS {
        ask(&mut server, client, 1, "01234567890123456789");
    }
    let taken = resident_bytes().unwrap().saturating_sub(before);
    println!("{CLIENTS} clients take {} MB", taken / 1_000_000);
    assert!(taken < BYTES_MAX, "{taken} bytes");
    let state = server.application().application().clone();
    for client in (0..CLIENTS).step_by(997) {
        ask(&mut server, client, 1, "again");
    }
    assert_eq!(*server.application().application(), state);
}

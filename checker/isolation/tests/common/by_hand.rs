//! Transactions and events written down one by one.

use history::{Event, EventKind, Process};
use isolation::{MicroOp, Outcome, Seen, Transaction};
use serde_json::Value;

/// A transaction that committed between two positions.
pub fn transaction(process: u64, call: u64, ret: u64, micro_ops: Vec<MicroOp>) -> Transaction {
    let (outcome, ret) = (Outcome::Ok, Some(ret));
    Transaction { process, call, ret, call_ns: 0, return_ns: Some(0), outcome, micro_ops }
}

pub fn write(key: u32, value: u32) -> MicroOp {
    MicroOp::Write { key, value }
}

/// A read of a register.
pub fn read(key: u32, value: u32) -> MicroOp {
    MicroOp::Read { key, seen: Seen::Register(Some(value)) }
}

/// Round after round so many clients write key 0 at once, and as many read what they write.
pub fn rounds(rounds: u32, clients: u32) -> Vec<Transaction> {
    let mut transactions = Vec::new();
    for value in 0..rounds * clients {
        let (round, client) = (value / clients, value % clients);
        for (process, micro_op) in [(client, write(0, value)), (clients + client, read(0, value))] {
            let (process, call) = (u64::from(process), u64::from(round * 10_000 + process));
            transactions.push(transaction(process, call, call + 5_000, vec![micro_op]));
        }
    }
    transactions
}

/// An event of the first client.
pub fn event(index: u64, kind: EventKind, value: Value) -> Event {
    Event {
        index,
        time_ns: index,
        process: Process::Client(0),
        kind,
        f: "txn".into(),
        value,
        error: None,
        node: None,
    }
}

//! The histories that are compared: one row of the table each.

use comparison::Row;
use history::Verdict;
use isolation::generate::{Injection, Synthetic};
use isolation::{Anomaly, Cycle, Datatype, Order};

use crate::checkers::Checker;
use crate::told::{self, Session};

/// A history in our form, and as the others are told it.
pub struct History {
    pub ours: isolation::History,
    pub told: Vec<Session>,
}

impl History {
    /// Of these transactions.
    pub fn new(datatype: Datatype, transactions: &[isolation::Transaction]) -> Self {
        let ours = isolation::History::from_transactions(datatype, transactions)
            .expect("generated reads fit their keys");
        Self { ours, told: told::sessions(transactions) }
    }
}

/// An anomaly, and the checkers that look for it.
struct Planted {
    what: &'static str,
    injection: Injection,
    is_violation: fn(Checker) -> bool,
}

/// What each level forbids: Adya (PhD thesis, 1999); Biswas & Enea (OOPSLA 2019) for the levels of the others.
fn planted() -> Vec<Planted> {
    use Checker::{AwditReadCommitted, DbcopReadCommitted, DbcopSerializable, DbcopSnapshot, Ours};
    vec![
        Planted {
            what: "aborted read",
            injection: Injection::Anomaly(Anomaly::G1a),
            is_violation: |_| true,
        },
        Planted {
            what: "circle of reads",
            injection: Injection::Anomaly(Anomaly::Cycle(Cycle::G1c, Order::Data)),
            is_violation: |_| true,
        },
        Planted {
            what: "fractured read",
            injection: Injection::Anomaly(Anomaly::Cycle(Cycle::GSingleItem, Order::Data)),
            // What is old is read before what is new: read committed lets that pass.
            is_violation: |checker| !matches!(checker, AwditReadCommitted | DbcopReadCommitted),
        },
        Planted {
            what: "lost update",
            injection: Injection::Anomaly(Anomaly::LostUpdate),
            is_violation: |checker| matches!(checker, Ours | DbcopSnapshot | DbcopSerializable),
        },
        Planted {
            what: "write skew",
            injection: Injection::Anomaly(Anomaly::Cycle(Cycle::G2Item, Order::Data)),
            is_violation: |checker| matches!(checker, Ours | DbcopSerializable),
        },
        Planted {
            what: "stale read",
            injection: Injection::StaleRead,
            // Real time is beyond all levels of the others.
            is_violation: |checker| matches!(checker, Ours),
        },
    ]
}

/// Right stores of lists and registers, and registers with an anomaly in the middle.
pub fn all() -> Vec<Row<History>> {
    let mut rows = Vec::new();
    for (datatype, what) in [(Datatype::ListAppend, "lists"), (Datatype::Register, "registers")] {
        for (transactions, size) in
            [(100, "100"), (10_000, "10k"), (100_000, "100k"), (1_000_000, "1M")]
        {
            rows.push(row(format!("{what} {size}"), datatype, transactions, None));
        }
    }
    for (transactions, size) in [(100, "100"), (10_000, "10k")] {
        for planted in planted() {
            let name = format!("registers {size}, {}", planted.what);
            rows.push(row(name, Datatype::Register, transactions, Some(planted)));
        }
    }
    rows
}

fn row(
    name: String,
    datatype: Datatype,
    transactions: usize,
    planted: Option<Planted>,
) -> Row<History> {
    let verdict = |checker| match &planted {
        Some(planted) if (planted.is_violation)(checker) => Verdict::Violation,
        _ => Verdict::Valid,
    };
    let expected = Checker::ALL.iter().map(|&checker| vec![verdict(checker)]).collect();
    let inject = planted.as_ref().map(|planted| planted.injection);
    let synthetic = Synthetic { datatype, transactions, inject, ..Synthetic::default() };
    let history = move || {
        let mut steps = synthetic.steps();
        let transactions: Vec<_> =
            steps.by_ref().filter(|step| step.completes).map(|step| step.transaction).collect();
        match steps.not_injected() {
            Some(injection) => Err(format!("{} found no place", injection.name())),
            None => Ok(History::new(datatype, &transactions)),
        }
    };
    Row { name, expected, history: Box::new(history) }
}

//! Recorded operations as threads that read leave them beside the same as they are: one history, or one complaint.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use history::{Batch, Completion, Datum, Operation};
use isolation::{Datatype, HistoryBuilder, Recorded};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const HISTORIES: u64 = 20_000;

fn micro_op(rng: &mut ChaCha8Rng) -> Datum {
    let f = ["append", ":append", "w", ":w", "r", ":r", "r", "guard", "x"];
    let key = match rng.random_range(0..20) {
        0 => Datum::text("x"),
        1 => Datum::Int(i64::MIN),
        _ => Datum::Int(rng.random_range(0..3)),
    };
    let value = match rng.random_range(0..16) {
        0 => Datum::text("y"),
        1 => Datum::list(vec![Datum::Int(1), Datum::Nil]),
        2 => Datum::Int(i64::MIN),
        3..8 => Datum::Int(rng.random_range(0..4)),
        8..11 => Datum::Nil,
        _ => Datum::list((0..rng.random_range(0..7)).map(Datum::Int).collect()),
    };
    let mut parts = vec![Datum::text(f[rng.random_range(0..f.len())]), key, value];
    if rng.random_range(0..30) == 0 {
        parts.truncate(rng.random_range(0..3));
    }
    Datum::list(parts)
}

fn transaction(rng: &mut ChaCha8Rng) -> Datum {
    match rng.random_range(0..40) {
        0 => Datum::Nil,
        1 => Datum::Int(7),
        2 => Datum::list((0..5).map(Datum::Int).collect()),
        _ => Datum::list((0..rng.random_range(0..4)).map(|_| micro_op(rng)).collect()),
    }
}

fn operation(rng: &mut ChaCha8Rng, call: u64) -> Operation<Datum> {
    let arguments = if rng.random_range(0..20) == 0 { Datum::Nil } else { transaction(rng) };
    let completion = match rng.random_range(0..6) {
        0 => Completion::Fail(call + 1, None),
        1 => Completion::Info(None),
        2 => Completion::Ok(call + 1, transaction(rng)),
        _ => Completion::Ok(call + 1, arguments.clone()),
    };
    Operation {
        call,
        process: call,
        f: "txn".into(),
        arguments,
        completion,
        call_ns: 0,
        return_ns: None,
        node: None,
        phase: String::new(),
    }
}

#[test]
fn packed_operations_make_the_same_history() {
    let (mut made, mut refused) = (0, 0);
    for seed in 0..HISTORIES {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let datatype = Datatype::ALL[rng.random_range(0..2)];
        let (mut plain, mut packed) =
            (HistoryBuilder::new(datatype), HistoryBuilder::new(datatype));
        let mut recorded = Recorded::new(datatype);
        let operations: Vec<_> = (0..4).map(|call| operation(&mut rng, 2 * call)).collect();
        operations.iter().for_each(|operation| recorded.add(operation.clone()));
        assert_eq!(recorded.iter().count(), operations.len());
        for (operation, record) in operations.iter().zip(recorded.iter()) {
            let complaint = plain.add(operation);
            assert_eq!(packed.add_recorded(record), complaint, "seed {seed}");
            if complaint.is_err() {
                refused += 1;
                break;
            }
            made += 1;
        }
        let [plain, packed] = [plain, packed].map(|recording| format!("{recording:?}"));
        assert_eq!(plain, packed, "seed {seed}");
    }
    assert!(made > HISTORIES / 4 && refused > HISTORIES / 4, "{made} {refused}");
}

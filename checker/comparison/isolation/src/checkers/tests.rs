//! Every checker was told the same, and none of the others knows of an order that ours rules out.

use isolation::generate::Synthetic;
use isolation::{Consistency, Datatype, MicroOp, Seen, Transaction};

use super::*;

const HISTORIES: u64 = 2000;

/// A small history of a right store, in which two reads may have changed their results.
fn history(seed: u64) -> Vec<Transaction> {
    let synthetic = Synthetic {
        datatype: Datatype::Register,
        transactions: 7,
        clients: 3,
        keys: 2,
        writes_per_key: 4,
        micro_ops: 3,
        fail: 0.1,
        info: 0.1,
        seed,
        inject: None,
    };
    let mut transactions: Vec<_> = synthetic.transactions().collect();
    if !seed.is_multiple_of(4) {
        swap_reads(&mut transactions);
    }
    transactions
}

/// The first and the last committed read of the same key change places, where they differ.
fn swap_reads(transactions: &mut [Transaction]) {
    let mut reads: Vec<_> = transactions
        .iter_mut()
        .flat_map(|transaction| &mut transaction.micro_ops)
        .filter_map(|micro_op| match micro_op {
            MicroOp::Read { seen: Seen::Unknown, .. } | MicroOp::Write { .. } => None,
            MicroOp::Read { key, seen } => Some((*key, seen)),
        })
        .collect();
    reads.sort_by_key(|(key, _)| *key);
    for same_key in reads.chunk_by_mut(|(a, _), (b, _)| a == b) {
        if let [(_, first), .., (_, last)] = same_key
            && first != last
        {
            std::mem::swap(*first, *last);
            return;
        }
    }
}

fn holds(checker: Checker, history: &History) -> bool {
    checker.prepare(history)()[0] == Verdict::Valid
}

fn ours_rules_out(history: &History, consistency: Consistency) -> bool {
    let options = Options { consistency, ..Options::default() };
    isolation::check(&history.ours, &options).verdict == Verdict::Violation
}

/// The others know the order of each session, and ours the models that respect it. Their levels are at least as strong
/// as ours of that name, so a level that they find kept must not be ruled out.
#[test]
fn what_others_find_kept_is_not_ruled_out() {
    let levels = [
        (Checker::AwditReadCommitted, Consistency::ReadCommitted),
        (Checker::AwditReadAtomic, Consistency::ReadAtomic),
        (Checker::AwditCausal, Consistency::StrongSessionReadCommitted),
        (Checker::DbcopReadCommitted, Consistency::ReadCommitted),
        (Checker::DbcopCausal, Consistency::StrongSessionReadCommitted),
        (Checker::DbcopSnapshot, Consistency::StrongSessionSnapshotIsolation),
        (Checker::DbcopSerializable, Consistency::StrongSessionSerializable),
    ];
    let (mut kept, mut broken, mut found) = ([0; 7], [0; 7], [0; 7]);
    for seed in 0..HISTORIES {
        let history = History::new(Datatype::Register, &history(seed));
        for (i, (checker, consistency)) in levels.into_iter().enumerate() {
            let is_ruled_out = ours_rules_out(&history, consistency);
            if holds(checker, &history) {
                kept[i] += 1;
                assert!(!is_ruled_out, "{checker} finds {consistency} kept, seed {seed}");
            } else {
                broken[i] += 1;
                found[i] += u32::from(is_ruled_out);
            }
        }
    }
    println!("kept {kept:?}; broken {broken:?}, of which ours found {found:?}");
    for i in 0..levels.len() {
        assert!(kept[i] > 100 && broken[i] > 20 && found[i] > 10, "{kept:?} {broken:?} {found:?}");
    }
}

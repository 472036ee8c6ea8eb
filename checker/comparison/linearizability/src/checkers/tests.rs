//! Every checker got the same history: on small histories all agree with the definition.

use std::time::Duration;

use linearizability::models::cas_register::CasOutput;
use linearizability::models::kv::KvOutput;
use linearizability::oracle;
use serde_json::json;

use super::*;
use crate::synthetic::{self, Shape};

const HISTORIES: u64 = 300;

fn shape(keys: usize) -> Shape {
    Shape { operations: 8 * keys, clients: 4, keys, unknown_per_mille: 200 }
}

/// What each checker says, in the order of [`Checker::ALL`].
fn verdicts(history: &History) -> Vec<Verdict> {
    let limits = Limits { time: Duration::from_secs(60), memory_bytes: 1 << 30 };
    let ask = |checker: &Checker| checker.prepare(history, &limits).unwrap()()[0];
    Checker::ALL.iter().map(ask).collect()
}

/// Returns the true verdict.
fn assert_agree(history: &History, is_linearizable: bool, seed: u64) -> Verdict {
    let expected = verdict(is_linearizable);
    assert_eq!(verdicts(history), vec![expected; Checker::ALL.len()], "seed {seed}");
    expected
}

/// Of so many histories a good part is valid and a good part is not.
fn assert_both(verdicts: impl Iterator<Item = Verdict>) {
    let (valid, violations): (Vec<_>, Vec<_>) = verdicts.partition(|v| *v == Verdict::Valid);
    assert!(valid.len().min(violations.len()) > HISTORIES as usize / 10, "{}", valid.len());
}

#[test]
fn all_agree_on_registers() {
    assert_both((0..HISTORIES).map(|seed| {
        let mut calls = synthetic::cas(shape(1), seed);
        if seed % 2 == 0 {
            let read = calls.iter_mut().find(|c| matches!(c.output, Some(CasOutput::Value(_))));
            let wrong = json!(seed % 5);
            read.into_iter().for_each(|call| call.output = Some(CasOutput::Value(wrong.clone())));
        }
        let expected = oracle::is_linearizable(&CasRegister::default(), &calls);
        assert_agree(&History::Registers(vec![calls]), expected, seed)
    }));
}

#[test]
fn all_agree_on_stores() {
    assert_both((0..HISTORIES).map(|seed| {
        let mut keys = synthetic::key_value(shape(3), seed);
        if seed % 2 == 0 {
            let mut known =
                keys[0].iter_mut().filter(|c| matches!(c.output, Some(KvOutput::Value(_))));
            if let (Some(first), Some(last)) = (known.next(), known.last()) {
                std::mem::swap(&mut first.output, &mut last.output);
            }
        }
        let expected = keys.iter().all(|calls| oracle::is_linearizable(&Kv, calls));
        assert_agree(&History::Store(keys), expected, seed)
    }));
}

//! Operations recorded in batches, however they are cut: the same report, or the same complaint.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use history::{Batch, Completion, Datum, Operation};
use linearizability::named::Recording;
use linearizability::{Limits, Named};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const HISTORIES: u64 = 6000;

/// What a history is like.
struct Style {
    has_pairs: bool,
    has_others: bool,
    has_strange: bool,
    /// How often what was read is the empty text.
    empty: u32,
}

fn operation(rng: &mut ChaCha8Rng, model: Named, style: &Style, call: u64) -> Operation<Datum> {
    let value = |rng: &mut ChaCha8Rng| match rng.random_range(0..12_u32) {
        drawn if drawn < style.empty => Datum::text(""),
        11 => Datum::Nil,
        _ => Datum::Int(rng.random_range(0..3)),
    };
    let strange = style.has_strange && rng.random_range(0..10) == 0;
    let reads = rng.random_range(0..2) == 0;
    let f = if strange {
        "dance"
    } else if reads {
        "read"
    } else {
        "write"
    };
    let key = Datum::text(["x", "y", "z"][rng.random_range(0..3)]);
    let paired =
        model == Named::Kv || style.has_pairs && !(style.has_others && rng.random_range(0..6) == 0);
    let of_key = |value: Datum| match paired {
        true => Datum::list(vec![key.clone(), value]),
        false => value,
    };
    let asked = of_key(if reads { Datum::Nil } else { Datum::Int(rng.random_range(0..3)) });
    let result = if reads { of_key(value(rng)) } else { asked.clone() };
    let completion = match rng.random_range(0..8) {
        0 => Completion::Fail(2 * call + 3, None),
        1 => Completion::Info(None),
        _ => Completion::Ok(2 * call + 3, result),
    };
    Operation {
        call: 2 * call,
        process: call,
        f: f.into(),
        arguments: asked,
        completion,
        call_ns: 0,
        return_ns: None,
        node: None,
        phase: String::new(),
    }
}

/// What comes of the check: verdict, reason and witness, or what does not fit.
type Told = Result<(String, Option<Vec<u64>>), (Option<u64>, String)>;

fn told(recording: Recording) -> Told {
    let report = recording.check(&Limits::default());
    let report = report.map_err(|unfit| (unfit.event, unfit.message))?;
    let witness = report.witness.as_ref().map(|witness| witness.operations.clone());
    Ok((format!("{:?} {:?}", report.verdict, report.reason), witness))
}

/// Batches with a few operations between them, added in any order.
fn in_batches(
    rng: &mut ChaCha8Rng,
    mut all: Recording,
    operations: &[Operation<Datum>],
) -> Recording {
    let mut rest = operations;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rng.random_range(1..=rest.len().min(5)));
        let (mut batch, mut others) = (all.fresh(), all.fresh());
        for operation in now {
            let batch = if rng.random_range(0..4) > 0 { &mut batch } else { &mut others };
            batch.add(operation.clone());
        }
        all.append(&mut batch);
        all.append(&mut others);
        // What is done with holds nothing.
        batch.clear();
        all.append(&mut batch);
        rest = later;
    }
    all
}

#[test]
fn it_makes_no_difference_how_a_history_is_cut() {
    let (mut checked, mut refused, mut mixed) = (0, 0, 0);
    for seed in 0..HISTORIES {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let model = [Named::Register, Named::CasRegister, Named::Kv][(seed % 3) as usize];
        let mut one_in = |of| rng.random_range(0..of) == 0;
        let (has_pairs, has_others, has_strange) = (one_in(2), one_in(3), one_in(3));
        let style = Style { has_pairs, has_others, has_strange, empty: rng.random_range(0..3) };
        let operations: Vec<_> = (0..rng.random_range(0..14))
            .map(|call| operation(&mut rng, model, &style, call))
            .collect();

        let whole = model.check(operations.clone(), None, &Limits::default());
        let whole: Told = whole.map_err(|unfit| (unfit.event, unfit.message)).map(|report| {
            let witness = report.witness.as_ref().map(|witness| witness.operations.clone());
            (format!("{:?} {:?}", report.verdict, report.reason), witness)
        });
        let mut cut = in_batches(&mut rng, model.recording(None).unwrap(), &operations);
        if cut.is_mixed() {
            let mut empty = model.recording(None).unwrap();
            empty.is_of_one_object();
            cut = in_batches(&mut rng, empty, &operations);
            mixed += 1;
        }
        assert_eq!(told(cut), whole, "seed {seed}, {model:?}: {operations:?}");
        if let Err((Some(event), _)) = whole {
            let is_strange = |operation: &&Operation<Datum>| operation.f == "dance";
            assert_eq!(operations.iter().find(is_strange).map(|strange| strange.call), Some(event));
        }
        checked += u32::from(whole.is_ok());
        refused += u32::from(whole.is_err());
    }
    assert!(checked > 2000 && refused > 500 && mixed > 100, "{checked} {refused} {mixed}");
}

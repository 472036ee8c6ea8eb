//! `bank:txn` supposes nothing about the start: the record shows it, or the verdict says that it does not.

mod by_hand;

use by_hand::Step;
use history::{CheckResult, Verdict};
use serde_json::{Value, json};

fn judge(steps: &[Step]) -> Vec<CheckResult> {
    by_hand::judge("bank:txn", steps)
}

fn find<'a>(results: &'a [CheckResult], checker: &str) -> &'a CheckResult {
    results.iter().find(|result| result.checker == checker).expect("it was checked")
}

fn keys() -> Vec<String> {
    (0..8).map(|number| format!("account{number}")).collect()
}

/// A read of every account that finds this in each.
fn read(value: impl Fn(usize) -> Value) -> Step {
    let values = keys().into_iter().enumerate().map(|(at, key)| (key, value(at)));
    ("multiget", json!({ "keys": keys() }), json!({ "values": values.collect::<Value>() }))
}

fn missing() -> Step {
    read(|_| Value::Null)
}

fn open() -> Step {
    read(|_| json!("100 opening"))
}

fn opening(committed: bool) -> Step {
    let guards: Value = keys().into_iter().map(|key| (key, Value::Null)).collect();
    let ops: Vec<Value> = keys().iter().map(|key| json!(["w", key, "100 opening"])).collect();
    let result = match committed {
        true => json!({ "committed": true, "results": vec!["100 opening"; 8] }),
        false => json!({ "committed": false }),
    };
    ("txn", json!({ "guards": guards, "ops": ops }), result)
}

#[test]
fn an_empty_start_is_one_that_was_read() {
    let verdict = |steps: &[Step]| find(&judge(steps), "bank-start").verdict;
    assert_eq!(verdict(&[missing(), opening(true), open()]), Verdict::Valid);
    assert_eq!(verdict(&[opening(true), open()]), Verdict::Inconclusive, "never read");
    assert_eq!(verdict(&[opening(true), missing()]), Verdict::Inconclusive, "read too late");
}

#[test]
fn a_store_that_does_not_start_empty_is_accused_of_values_that_nobody_wrote() {
    let results = judge(&[read(|_| json!("100 earlier")), opening(false)]);
    assert_eq!(find(&results, "bank-start").verdict, Verdict::Inconclusive);
    assert_eq!(find(&results, "isolation").violations[0].kind, "garbage-read");
    assert_eq!(find(&results, "bank-guards").violations, [], "the guards did not hold");
}

#[test]
fn a_refusal_is_false_only_where_somebody_saw_that_its_guards_held() {
    let accused = |steps: &[Step]| !find(&judge(steps), "bank-guards").violations.is_empty();
    assert!(accused(&[missing(), opening(false), missing()]));
    assert!(!accused(&[opening(false), missing()]), "what was there at first may be lost since");
}

#[test]
fn totals_are_those_of_reads_that_saw_every_account() {
    let start = [missing(), opening(true)];
    let results = judge(&start);
    assert_eq!(find(&results, "bank-total").verdict, Verdict::Inconclusive, "nothing was summed");
    let after = |step: Step| {
        let results = judge(&[start.as_slice(), &[step]].concat());
        let total = find(&results, "bank-total");
        (total.verdict, total.summary.clone())
    };
    let (verdict, summary) = after(open());
    assert_eq!(verdict, Verdict::Valid);
    assert!(summary.starts_with("1 reads saw all accounts at once"), "{summary}");
    for (account3, expected) in [
        (json!("170 c1.1"), "saw a total of 870, not 800: money was made"),
        (json!("30 c1.1"), "saw a total of 730, not 800: money was lost"),
        (Value::Null, "saw 1 of the 8 accounts missing"),
    ] {
        let step = read(|at| if at == 3 { account3.clone() } else { json!("100 opening") });
        let (verdict, summary) = after(step);
        assert_eq!(verdict, Verdict::Violation);
        assert!(summary.contains(expected), "{summary}");
    }
    // No number, no sum: other rules tell of such a value.
    let garbage = read(|at| if at == 3 { json!("?") } else { json!("100 opening") });
    assert_eq!(after(garbage).0, Verdict::Inconclusive);
}

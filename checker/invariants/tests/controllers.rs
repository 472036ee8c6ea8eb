//! Shard controllers: right ones are never accused, each fault is found in most runs, and small histories are judged as
//! by a search of all orders, which knows nothing of windows and matchings.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

mod common;

use std::collections::BTreeMap;
use std::time::Instant;

use checker_testing::simulation::{Plan, Rng, run};
use common::controller::{Controller, Fault, Use};
use history::{Completion, Operation, Verdict};
use invariants::Invariant;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

const CONFIGURATIONS: Invariant = Invariant::Configurations;

#[test]
fn right_controllers_are_never_accused() {
    for seed in 0..3000 {
        let mut rng = Rng::seed_from_u64(seed);
        let how = Use {
            shards: rng.random_range(1..12),
            groups: rng.random_range(1..9),
            changes_percent: [10, 30, 60, 95][rng.random_range(0..4)],
            is_framed: true,
            looks_back: rng.random_bool(0.5),
        };
        let plan = Plan {
            clients: rng.random_range(1..10),
            operations: rng.random_range(5..120),
            info_percent: [0, 5, 40][rng.random_range(0..3)],
            fail_percent: [0, 5, 30][rng.random_range(0..3)],
        };
        let history = run(&mut Controller::new(how, None, 0), seed, plan);
        let result = CONFIGURATIONS.check(&history);
        assert_eq!(result.verdict, Verdict::Valid, "seed {seed}: {result:#?}");
    }
}

/// How many of a hundred runs with this fault are found wrong, and the kinds of what is found.
fn is_found(fault: Fault, looks_back: bool, kinds: &[&str], least: u64) {
    const PLAN: Plan = Plan { clients: 4, operations: 120, info_percent: 4, fail_percent: 4 };
    let (mut planted, mut found, mut named) = (0, 0, BTreeMap::new());
    for seed in 0..200 {
        let patience = Rng::seed_from_u64(seed).random_range(10..60);
        let how = Use { looks_back, ..Use::default() };
        let mut controller = Controller::new(how, Some(fault), patience);
        let history = run(&mut controller, seed, PLAN);
        let Some(_) = controller.struck else { continue };
        planted += 1;
        let result = CONFIGURATIONS.check(&history);
        found += u64::from(result.verdict == Verdict::Violation);
        for violation in result.violations {
            *named.entry(violation.kind).or_insert(0) += 1;
        }
    }
    println!("{fault:?}, looking back {looks_back}: {found} of {planted}: {named:?}");
    assert!(planted > 150 && found * 100 >= planted * least, "{fault:?}: {found} of {planted}");
    assert!(kinds.iter().all(|kind| named.contains_key(*kind)), "{fault:?}: {named:?}");
}

#[test]
fn faults_are_found() {
    // Without looking back fewer steps are seen. What is stale may not have been known yet.
    let cases: [(Fault, &[&str], u64, u64); 7] = [
        (Fault::StaleQuery, &["stale configuration"], 80, 80),
        (Fault::WrongNumber, &["stale configuration"], 90, 90),
        (Fault::ChangedContent, &["configuration changed"], 95, 95),
        (Fault::LostChange, &["change lost"], 95, 95),
        (Fault::DoubledChange, &["impossible change", "configuration from the future"], 95, 80),
        (Fault::Unbalanced, &["unbalanced"], 95, 80),
        (Fault::NeedlessMove, &["too many shards moved"], 95, 80),
    ];
    for (fault, kinds, least, least_without) in cases {
        is_found(fault, true, kinds, least);
        is_found(fault, false, kinds, least_without);
    }
}

/// All configurations that a change can make of this one.
fn after(before: &Value, operation: &Operation) -> Vec<Value> {
    let (groups, arguments) = (before["groups"].as_object().unwrap(), &operation.arguments);
    let made = |groups: &Map<String, Value>, shards: &[Value]| json!({"num": before["num"].as_u64().unwrap() + 1, "shards": shards, "groups": groups});
    let old = before["shards"].as_array().unwrap();
    let mut groups = groups.clone();
    match operation.f.as_str() {
        "join" => {
            for (id, servers) in arguments["groups"].as_object().unwrap() {
                if groups.insert(id.clone(), servers.clone()).is_some() {
                    return Vec::new();
                }
            }
        }
        "leave" => {
            for id in arguments["groups"].as_array().unwrap() {
                if groups.remove(id.as_str().unwrap()).is_none() {
                    return Vec::new();
                }
            }
        }
        _ => {
            let (group, shard) = (&arguments["group"], arguments["shard"].as_u64().unwrap());
            let shard = usize::try_from(shard).unwrap();
            if !groups.contains_key(group.as_str().unwrap()) || old[shard] == *group {
                return Vec::new();
            }
            let mut shards = old.clone();
            shards[shard] = group.clone();
            return vec![made(&groups, &shards)];
        }
    }
    if groups.is_empty() {
        return vec![made(&groups, &vec![Value::Null; old.len()])];
    }
    let ids: Vec<&String> = groups.keys().collect();
    let spread: Vec<Vec<Value>> = (0..ids.len().pow(u32::try_from(old.len()).unwrap()))
        .map(|mut number| {
            let mut shards = Vec::new();
            for _ in old {
                shards.push(json!(ids[number % ids.len()]));
                number /= ids.len();
            }
            shards
        })
        .filter(|shards| {
            let count = |id: &&String| shards.iter().filter(|owner| **owner == ***id).count();
            ids.iter().map(count).max().unwrap() - ids.iter().map(count).min().unwrap() <= 1
        })
        .collect();
    let moved = |shards: &Vec<Value>| shards.iter().zip(old).filter(|(is, was)| is != was).count();
    let fewest = spread.iter().map(moved).min().unwrap();
    spread.iter().filter(|shards| moved(shards) == fewest).map(|s| made(&groups, s)).collect()
}

/// Whether the operations that are left can follow in some order.
fn has_order(left: &[&Operation], configurations: &mut Vec<Value>, seen: &[&Value]) -> bool {
    if left.iter().all(|operation| operation.result().is_none()) {
        return true;
    }
    let end = left.iter().filter_map(|operation| operation.return_index()).min().unwrap();
    for (at, operation) in left.iter().enumerate().filter(|(_, operation)| operation.call < end) {
        let mut rest = left.to_vec();
        rest.remove(at);
        let latest = configurations.len() - 1;
        if operation.f == "query" {
            let asked = operation.arguments["num"].as_i64().unwrap();
            let asked = usize::try_from(asked).unwrap_or(latest).min(latest);
            let is_right = operation.result().is_none_or(|saw| *saw == configurations[asked]);
            if is_right && has_order(&rest, configurations, seen) {
                return true;
            }
            continue;
        }
        for next in after(&configurations[latest], operation) {
            // What a query contradicts leads nowhere.
            if seen.iter().any(|saw| saw["num"] == next["num"] && **saw != next) {
                continue;
            }
            configurations.push(next);
            let is_explained = has_order(&rest, configurations, seen);
            configurations.pop();
            if is_explained {
                return true;
            }
        }
    }
    false
}

fn is_linearizable(history: &[Operation], shards: usize) -> bool {
    let first = json!({"num": 0, "shards": vec![Value::Null; shards], "groups": {}});
    let happened = |operation: &&Operation| !matches!(operation.completion, Completion::Fail(..));
    let seen = history.iter().filter(|operation| operation.f == "query");
    let seen: Vec<&Value> = seen.filter_map(Operation::result).collect();
    has_order(&history.iter().filter(happened).collect::<Vec<_>>(), &mut vec![first], &seen)
}

/// Changes a result, or how an operation ended.
fn corrupt(history: &mut [Operation], rng: &mut Rng) {
    let at = rng.random_range(0..history.len());
    let other = history[rng.random_range(0..history.len())].clone();
    let is_query = history[at].f == "query";
    match &mut history[at].completion {
        Completion::Ok(_, result) if is_query => match rng.random_range(0..5) {
            0 => result["num"] = json!(result["num"].as_i64().unwrap() + rng.random_range(0..2)),
            1 => result["num"] = json!((result["num"].as_i64().unwrap() - 1).max(0)),
            2 => {
                let shard = rng.random_range(0..result["shards"].as_array().unwrap().len());
                result["shards"][shard] = json!(format!("g{}", rng.random_range(0..3)));
            }
            3 => {
                let number = rng.random_range(0..3);
                let groups = result["groups"].as_object_mut().unwrap();
                groups.insert(format!("g{number}"), json!(["n1", "n2"]));
            }
            _ => {
                if let Some(shown) = other.result().filter(|_| other.f == "query") {
                    *result = shown.clone();
                }
            }
        },
        Completion::Fail(end, _) if !is_query => {
            history[at].completion = Completion::Ok(*end, json!({}));
        }
        Completion::Ok(end, _) => history[at].completion = Completion::Fail(*end, None),
        Completion::Fail(..) | Completion::Info(_) => {}
    }
}

#[test]
fn small_histories_are_judged_as_by_a_search_of_all_orders() {
    const HISTORIES: u64 = 4000;
    const FAULTS: [Fault; 7] = [
        Fault::StaleQuery,
        Fault::WrongNumber,
        Fault::ChangedContent,
        Fault::LostChange,
        Fault::DoubledChange,
        Fault::Unbalanced,
        Fault::NeedlessMove,
    ];
    let (mut right, mut valid, mut wrong, mut found) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let mut rng = Rng::seed_from_u64(seed);
        let shards = rng.random_range(1..4);
        let is_framed = rng.random_bool(0.7);
        let looks_back = is_framed && rng.random_bool(0.3);
        let how = Use { shards, groups: 3, changes_percent: 50, is_framed, looks_back };
        let plan = Plan {
            clients: rng.random_range(1..5),
            operations: rng.random_range(1..7),
            info_percent: 15,
            fail_percent: 5,
        };
        let fault = rng.random_bool(0.3).then(|| FAULTS[rng.random_range(0..FAULTS.len())]);
        let mut history = run(&mut Controller::new(how, fault, 0), seed, plan);
        for _ in 0..rng.random_range(0..3) {
            corrupt(&mut history, &mut rng);
        }
        let result = CONFIGURATIONS.check(&history);
        if is_linearizable(&history, shards) {
            let is_accused = result.verdict == Verdict::Violation;
            assert!(!is_accused, "seed {seed}: {result:#?}\n{history:#?}");
            right += 1;
            valid += u64::from(result.verdict == Verdict::Valid);
        } else {
            wrong += 1;
            found += u64::from(result.verdict == Verdict::Violation);
        }
    }
    println!("{valid} of {right} right ones valid, {found} of {wrong} wrong ones found");
    assert!(right > HISTORIES / 4 && valid * 3 > right && wrong > HISTORIES / 4);
    assert!(found * 100 > wrong * 95, "{found} of {wrong}");
}

#[test]
fn long_histories_take_little_time() {
    // As a bench makes them; changes only, nearly all of them unseen; the same few again and again, many in doubt.
    for (groups, changes_percent, info_percent, looks_back) in [
        (8, 10, 2, true),
        (8, 10, 2, false),
        (8, 100, 2, false),
        (2, 95, 20, true),
        (2, 95, 90, true),
    ] {
        let how = Use { groups, changes_percent, looks_back, ..Use::default() };
        let plan = Plan { clients: 10, operations: 20_000, info_percent, fail_percent: 2 };
        let history = run(&mut Controller::new(how, None, 0), 1, plan);
        let start = Instant::now();
        let result = CONFIGURATIONS.check(&history);
        println!("{:?}: {}", start.elapsed(), result.summary);
        assert_eq!(result.verdict, Verdict::Valid, "{result:#?}");
    }
}

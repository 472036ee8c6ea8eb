//! The lattice: the laws of an order, and tables of what it says.

use isolation::{Anomaly, Consistency, Cycle, Order, Ruling};

fn model(name: &str) -> Consistency {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn models(names: &str) -> Vec<Consistency> {
    let mut models: Vec<_> = names.split_whitespace().map(model).collect();
    models.sort();
    models
}

#[test]
fn there_are_36_models_each_found_by_every_name_it_has() {
    assert_eq!(Consistency::all().count(), 36);
    let mut names = std::collections::HashSet::new();
    for model in Consistency::all() {
        for name in model.aliases().iter().copied().chain([model.name()]) {
            assert_eq!(name.to_uppercase().parse(), Ok(model));
            assert!(names.insert(name.to_lowercase()), "two models are named {name}");
        }
    }
    for (alias, name) in [
        ("strong-serializable", "strict-serializable"),
        ("PL-SS", "strict-serializable"),
        ("conflict-serializable", "serializable"),
        ("pl-2.99", "repeatable-read"),
        ("PL-2+", "consistent-view"),
        ("PL-2", "read-committed"),
        ("PL-1", "read-uncommitted"),
    ] {
        assert_eq!(model(alias).name(), name);
    }
    let message = "serialisable".parse::<Consistency>().unwrap_err().to_string();
    assert!(
        message.contains("`serialisable`") && message.contains("serializable, strong-session"),
        "{message}"
    );
}

#[test]
fn implication_is_a_partial_order() {
    for a in Consistency::all() {
        assert!(a.implies(a));
        for b in Consistency::all().filter(|b| a.implies(*b)) {
            assert!(a == b || !b.implies(a), "{a} and {b} imply each other");
            for c in Consistency::all().filter(|c| b.implies(*c)) {
                assert!(a.implies(c), "{a} → {b} → {c}");
            }
        }
    }
}

#[test]
fn implications_of_the_literature() {
    for (stronger, weaker) in [
        ("strict-serializable", "linearizable"),
        ("strict-serializable", "strong-snapshot-isolation"),
        ("strict-serializable", "1SR"),
        ("strong-session-serializable", "strong-session-snapshot-isolation"),
        ("serializable", "view-serializable"),
        ("serializable", "repeatable-read"),
        ("serializable", "snapshot-isolation"),
        ("snapshot-isolation", "parallel-snapshot-isolation"),
        ("snapshot-isolation", "prefix"),
        ("snapshot-isolation", "consistent-view"),
        ("parallel-snapshot-isolation", "read-atomic"),
        ("repeatable-read", "monotonic-atomic-view"),
        ("linearizable", "monotonic-writes"),
    ] {
        assert!(model(stronger).implies(model(weaker)), "{stronger} → {weaker}");
    }
    for (left, right) in [
        ("repeatable-read", "snapshot-isolation"),
        ("serializable", "strong-session-read-uncommitted"),
        ("serializable", "linearizable"),
        ("parallel-snapshot-isolation", "prefix"),
        ("strong-snapshot-isolation", "serializable"),
        ("cursor-stability", "read-atomic"),
    ] {
        assert!(
            !model(left).implies(model(right)) && !model(right).implies(model(left)),
            "{left} | {right}"
        );
    }
}

#[test]
fn what_is_forbidden_stays_forbidden_above_and_starts_at_the_weakest() {
    for anomaly in Anomaly::all() {
        for a in Consistency::all() {
            for b in Consistency::all().filter(|b| a.implies(*b) && b.forbids(anomaly)) {
                assert!(a.forbids(anomaly), "{b} forbids {anomaly}, {a} does not");
            }
        }
        let weakest = anomaly.rules_out();
        assert!(!weakest.is_empty());
        for (a, b) in weakest.iter().flat_map(|a| weakest.iter().map(move |b| (a, b))) {
            assert!(a == b || !a.implies(*b), "{anomaly}: {a} is not weakest, there is {b}");
        }
        assert!(Consistency::StrictSerializable.forbids(anomaly), "{anomaly}");
    }
}

#[test]
fn time_never_makes_an_anomaly_worse() {
    for cycle in Cycle::ALL {
        for model in Consistency::all() {
            let forbidden = Order::ALL.map(|order| model.forbids(Anomaly::Cycle(cycle, order)));
            assert!(
                forbidden.is_sorted_by(|stronger, weaker| stronger >= weaker),
                "{model} forbids {cycle}: {forbidden:?} with data, process, real time"
            );
        }
    }
}

/// Each model and every one it implies, computed from Elle's own table.
const IMPLIES: &str = include_str!("data/implies.txt");

#[test]
fn models_imply_what_they_do_in_elle() {
    let mut rows = 0;
    for row in IMPLIES.lines().filter(|line| !line.starts_with('#')) {
        let (name, weaker) = row.split_once('\t').unwrap();
        let implied: Vec<_> =
            Consistency::all().filter(|b| *b != model(name) && model(name).implies(*b)).collect();
        assert_eq!(implied, models(weaker), "{name}");
        rows += 1;
    }
    assert_eq!(rows, 36);
}

/// Each anomaly, the weakest models it rules out, and how many it rules out in all; computed from Elle's own
/// tables (but for garbage reads, which Elle refuses to judge).
const WEAKEST: &str = include_str!("data/weakest.txt");

#[test]
fn anomalies_rule_out_what_they_do_in_elle() {
    let mut rows = 0;
    for row in WEAKEST.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = row.split('\t').collect();
        let anomaly = Anomaly::all().find(|anomaly| anomaly.name() == columns[0]).expect(row);
        let ruling = Ruling::new(&[anomaly], Order::Realtime);
        assert_eq!(ruling.violated, models(columns[1]), "{row}");
        assert_eq!(
            ruling.violated.len() + ruling.also_violated.len(),
            columns[2].parse::<usize>().unwrap(),
            "{row}"
        );
        rows += 1;
    }
    assert_eq!(rows, Anomaly::all().count());
}

#[test]
fn without_anomalies_the_strongest_model_that_was_tested_stands() {
    for (order, strongest) in [
        (Order::Data, "serializable"),
        (Order::Process, "strong-session-serializable"),
        (Order::Realtime, "strict-serializable"),
    ] {
        let ruling = Ruling::new(&[], order);
        assert_eq!((ruling.violated, ruling.also_violated), (vec![], vec![]));
        assert_eq!(ruling.standing, models(strongest));
    }
}

#[test]
fn what_still_stands() {
    let data = |cycle| Anomaly::Cycle(cycle, Order::Data);
    for (anomalies, order, standing) in [
        (vec![data(Cycle::G2Item)], Order::Data, "snapshot-isolation"),
        (vec![data(Cycle::G2Item)], Order::Realtime, "strong-snapshot-isolation"),
        (vec![data(Cycle::G2)], Order::Data, "repeatable-read snapshot-isolation"),
        (vec![data(Cycle::GSingleItem)], Order::Data, "read-committed"),
        (vec![data(Cycle::GSingle)], Order::Data, "repeatable-read"),
        (vec![Anomaly::LostUpdate], Order::Data, "read-committed"),
        (vec![Anomaly::Internal], Order::Data, "read-committed"),
        (
            vec![Anomaly::Internal, Anomaly::LostUpdate],
            Order::Process,
            "strong-session-read-committed",
        ),
        (vec![Anomaly::G1a], Order::Data, "read-uncommitted"),
        (vec![Anomaly::G1a], Order::Realtime, "strong-read-uncommitted"),
        (vec![Anomaly::GarbageRead], Order::Realtime, ""),
        (
            vec![Anomaly::Cycle(Cycle::GSingleItem, Order::Realtime)],
            Order::Realtime,
            "strong-session-serializable strong-read-committed",
        ),
        (
            vec![Anomaly::Cycle(Cycle::GSingleItem, Order::Process)],
            Order::Realtime,
            "serializable strong-read-committed",
        ),
    ] {
        assert_eq!(
            Ruling::new(&anomalies, order).standing,
            models(standing),
            "{anomalies:?} {order:?}"
        );
    }
}

#[test]
fn a_ruling_covers_every_tested_model_once() {
    let anomalies: Vec<_> = Anomaly::all().collect();
    for pair in anomalies.iter().flat_map(|a| anomalies.iter().map(move |b| [*a, *b])) {
        let ruling = Ruling::new(&pair, Order::Realtime);
        for model in Consistency::all() {
            let broken = ruling.violated.iter().any(|weakest| model.implies(*weakest));
            assert_eq!(
                broken,
                ruling.violated.contains(&model) || ruling.also_violated.contains(&model)
            );
            assert_eq!(broken, pair.iter().any(|anomaly| model.forbids(*anomaly)));
            assert!(
                !broken || !ruling.standing.iter().any(|standing| standing.implies(model)),
                "{pair:?} {model}"
            );
        }
        for a in &ruling.standing {
            assert!(
                !ruling.standing.iter().any(|b| a != b && a.implies(*b)),
                "{pair:?}: {:?}",
                ruling.standing
            );
        }
    }
}

//! The oracles against each other, and the checker against them, on histories small enough to try everything.

use checker_testing::isolation::compare::{Tally, compare, plans, violated};
use checker_testing::isolation::cycles::{self, Cycles};
use checker_testing::isolation::oracle::{commit_orders, version_orders};
use checker_testing::isolation::orders::{self, Orders};
use checker_testing::isolation::stores::{Plan, Store, history};
use history::Verdict;
use isolation::{Anomaly, Consistency, Cycle, Datatype, Order, Outcome, Transaction, notation};

#[test]
fn the_two_oracles_agree_where_both_know_the_model() {
    for model in Consistency::all() {
        let mut tally = [0; 2];
        for (plan, seed) in plans(5).flat_map(|plan| (0..20).map(move |seed| (plan, seed))) {
            let history = history(plan, seed);
            let executed = commit_orders::explain(plan.datatype, &history, model);
            let Some(executed) = executed else { continue };
            let graph = version_orders::explain(&history, model);
            assert_eq!(
                Some(executed),
                graph,
                "{model}, {plan:?}\n{}",
                notation::print(plan.datatype, &history)
            );
            tally[usize::from(executed)] += 1;
        }
        println!("{model}: {tally:?}");
        assert!(tally == [0, 0] || tally.iter().all(|count| *count > 100), "{model}: {tally:?}");
    }
}

#[test]
fn what_satisfies_a_model_satisfies_the_weaker_ones() {
    for (plan, seed) in plans(5).flat_map(|plan| (0..5).map(move |seed| (plan, seed))) {
        let history = history(plan, seed);
        let explain = |model: Consistency| Some((model, version_orders::explain(&history, model)?));
        let known: Vec<_> = Consistency::all().filter_map(explain).collect();
        for ((model, holds), (weaker, weaker_holds)) in
            known.iter().flat_map(|a| known.iter().map(move |b| (a, b)))
        {
            let text = notation::print(plan.datatype, &history);
            assert!(
                !model.implies(*weaker) || !holds || *weaker_holds,
                "{model} holds, {weaker} does not\n{text}"
            );
        }
    }
}

#[test]
fn stores_keep_their_promises_and_the_broken_ones_do_not() {
    for (store, promise) in [
        (Store::Serial, Consistency::StrictSerializable),
        (Store::StaleReads, Consistency::Serializable),
        (Store::Snapshot, Consistency::StrongSnapshotIsolation),
        (Store::OldSnapshot, Consistency::SnapshotIsolation),
        (Store::ReadCommitted, Consistency::ReadCommitted),
    ] {
        // Lists that nobody locks show a transaction its own appends at places that others take meanwhile.
        let registers_only = store == Store::ReadCommitted;
        let stronger: Vec<_> = Consistency::all()
            .filter(|model| *model != promise && model.implies(promise))
            .collect();
        let mut broken = 0;
        let suits = |plan: &Plan| {
            plan.store == store
                && !plan.mutated
                && !(registers_only && plan.datatype == Datatype::ListAppend)
        };
        for plan in plans(5).filter(suits) {
            for seed in 0..100 {
                let history = history(plan, seed);
                let text = notation::print(plan.datatype, &history);
                assert_eq!(
                    version_orders::explain(&history, promise),
                    Some(true),
                    "{store:?} {promise}\n{text}"
                );
                broken += usize::from(
                    stronger.iter().any(|m| version_orders::explain(&history, *m) == Some(false)),
                );
            }
        }
        println!("{store:?}: {broken}");
        assert!(broken > 10 || stronger.is_empty(), "{store:?} breaks nothing stronger: {broken}");
    }
}

#[test]
fn the_checker_agrees_with_the_definitions() {
    let mut sum = Tally::default();
    for plan in plans(6) {
        let tally = compare(plan, 0..200, violated);
        println!("{plan:?}: {tally}");
        sum += tally;
    }
    println!("{sum}");
    assert!(sum.right > 1000 && sum.wrong > 1000 && sum.complete > 500, "one-sided: {sum}");
    assert_eq!((sum.false_alarms, sum.missed), (0, 0));
}

/// The comparison is worth something: it finds each of three planted mistakes.
#[test]
fn a_wrong_checker_is_found() {
    let all_plans = |judge: &dyn Fn(Datatype, &[Transaction]) -> Vec<Consistency>| {
        let mut sum = Tally::default();
        for plan in plans(5) {
            sum += compare(plan, 0..30, judge);
        }
        sum
    };
    let changed = |history: &[Transaction], change: fn(&mut Transaction)| {
        let mut history = history.to_vec();
        history.iter_mut().for_each(change);
        history
    };
    let takes_unknown_for_failed = all_plans(&|datatype, history| {
        let fail = |transaction: &mut Transaction| {
            if transaction.outcome == Outcome::Info {
                transaction.outcome = Outcome::Fail;
            }
        };
        violated(datatype, &changed(history, fail))
    });
    assert!(takes_unknown_for_failed.false_alarms > 0, "{takes_unknown_for_failed}");

    let takes_failed_for_committed = all_plans(&|datatype, history| {
        let commit = |transaction: &mut Transaction| {
            if transaction.outcome == Outcome::Fail {
                transaction.outcome = Outcome::Ok;
            }
        };
        violated(datatype, &changed(history, commit))
    });
    assert!(takes_failed_for_committed.false_alarms > 0 && takes_failed_for_committed.missed > 0);

    let forgets_time = all_plans(&|datatype, history| {
        let detach = |transaction: &mut Transaction| {
            (transaction.process, transaction.ret) =
                (transaction.call, transaction.ret.map(|ret| ret + 1000));
        };
        violated(datatype, &changed(history, detach))
    });
    assert!(forgets_time.missed > 0 && forgets_time.false_alarms == 0, "{forgets_time}");
}

/// What is valid has an order, what is broken has none, and nothing so small stays open.
#[test]
fn an_order_is_found_where_there_is_one() {
    for datatype in Datatype::ALL {
        let mut sum = Orders::default();
        for plan in plans(7).filter(|plan| plan.datatype == datatype) {
            sum += orders::compare(plan, 0..60, &orders::verdict);
        }
        println!("{sum}");
        let [ordered, not, undecided] = sum.counts();
        assert!(ordered > 3000 && not > 3000, "one-sided: {sum}");
        assert_eq!((sum.wrong(), undecided), (0, 0), "{sum}");
    }
}

/// The comparison finds one who takes what he cannot refute for valid, and one who takes unknown writes for failed.
#[test]
fn a_wrong_verdict_about_an_order_is_found() {
    let all_plans = |judge: orders::Judge<'_>| {
        let mut sum = Orders::default();
        for plan in plans(5).filter(|plan| plan.datatype == Datatype::Register) {
            sum += orders::compare(plan, 0..20, judge);
        }
        sum.wrong()
    };
    assert!(all_plans(&|_, _, _| Some(Verdict::Valid)) > 0);
    let forgets_unknown = |datatype, history: &[Transaction], level| {
        let mut history = history.to_vec();
        for transaction in &mut history {
            if transaction.outcome == Outcome::Info {
                transaction.outcome = Outcome::Fail;
            }
        }
        orders::verdict(datatype, &history, level)
    };
    assert!(all_plans(&forgets_unknown) > 0);
    assert_eq!(all_plans(&orders::verdict), 0);
}

fn of_lists(transactions: usize) -> impl Iterator<Item = Plan> {
    plans(transactions).filter(|plan| plan.datatype == Datatype::ListAppend)
}

/// Every class that a component holds is told, with its shortest cycle, and nothing else.
#[test]
fn all_cycles_are_told_and_none_is_longer_than_the_shortest() {
    let mut sum = Cycles::default();
    for plan in of_lists(6).chain(of_lists(8)) {
        sum += cycles::compare(plan, 0..60, cycles::told);
    }
    println!("{sum}");
    assert!(sum.histories > 2000 && sum.classes > 1500, "one-sided: {sum}");
    assert_eq!((sum.missing, sum.wrong), (0, 0), "{sum}");
    assert!(100 * sum.standing_for < sum.classes, "{sum}");
}

/// The comparison finds one who forgets a class, and one whose cycle is too long.
#[test]
fn a_cycle_left_out_is_found() {
    let all_plans = |told: &dyn Fn(&[Transaction]) -> Vec<cycles::Told>| {
        let mut sum = Cycles::default();
        for plan in of_lists(6) {
            sum += cycles::compare(plan, 0..10, told);
        }
        [sum.missing, sum.wrong].map(|count| count > 0)
    };
    let forgets = |history: &[Transaction]| {
        let told = cycles::told(history);
        told.into_iter().filter(|(anomaly, _)| anomaly.name() != "G2-item").collect()
    };
    let longer = |history: &[Transaction]| {
        cycles::told(history).into_iter().map(|(anomaly, len)| (anomaly, len.max(3))).collect()
    };
    let invents = |history: &[Transaction]| {
        let mut told = cycles::told(history);
        let more = Anomaly::Cycle(Cycle::G2Item, Order::Data);
        if !told.is_empty() && told.iter().all(|(anomaly, _)| *anomaly != more) {
            told.push((more, 2));
        }
        told
    };
    assert_eq!(all_plans(&forgets), [true, false]);
    assert_eq!(all_plans(&invents), [false, true]);
    assert_eq!(all_plans(&longer), [true, true]);
}

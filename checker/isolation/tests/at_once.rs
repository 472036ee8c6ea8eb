//! An order that is found at once spares the search for cycles: that search must not find any.

use checker_testing::isolation::compare::plans;
use checker_testing::isolation::stores;
use history::Verdict;
use isolation::{Consistency, History, Options, check};

#[test]
fn where_an_order_is_found_at_once_the_search_finds_nothing() {
    const SEEDS: u64 = 60;
    let asking = |consistency| Options { consistency, ..Options::default() };
    let (mut at_once, mut searched) = (0, 0);
    for plan in [4, 8, 30].into_iter().flat_map(plans) {
        for seed in 0..SEEDS {
            let transactions = stores::history(plan, seed);
            let history = History::from_transactions(plan.datatype, &transactions).unwrap();
            let quick = check(&history, &asking(Consistency::StrictSerializable));
            // Only the search looks at dependencies.
            if quick.verdict != Verdict::Valid || quick.statistics.edges > 0 {
                searched += 1;
                continue;
            }
            // The quick try is for the strongest level alone.
            let full = check(&history, &asking(Consistency::Serializable));
            assert_eq!(full.verdict, Verdict::Valid, "{plan}, seed {seed}");
            assert!(full.anomalies.is_empty(), "{plan}, seed {seed}: {:?}", full.anomalies);
            assert!(quick.anomalies.is_empty(), "{plan}, seed {seed}: {:?}", quick.anomalies);
            at_once += usize::from(full.statistics.edges > 0);
        }
    }
    println!("{at_once} at once, {searched} searched");
    assert!(at_once > 1_000 && searched > 1_000, "{at_once} at once, {searched} searched");
}

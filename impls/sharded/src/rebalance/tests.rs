//! Tests of the policy.

use contract::Operation;
use node::Application;
use proptest::prelude::*;

use super::*;

fn rates(text: &str) -> Rates {
    let mut shard = 0;
    let groups = (1..).zip(text.split('|'));
    let group = |(number, rates): (usize, &str)| {
        let rates = rates.split_whitespace().map(|rate| {
            shard += 1;
            (shard - 1, rate.parse().unwrap())
        });
        (format!("g{number}"), rates.collect())
    };
    groups.map(group).collect()
}

fn proposal(text: &str) -> Result<(usize, String), String> {
    let assessment = Policy::default().assess(&rates(text), &BTreeSet::new());
    assessment.proposal.map(|proposal| (proposal.shard, proposal.to))
}

#[test]
fn the_shard_goes_that_brings_the_hottest_group_nearest_to_the_mean() {
    assert_eq!(proposal("10 30 20 | 0"), Ok((1, "g2".to_owned())));
    assert_eq!(proposal("5 10 | 90 20 15 | 40 | 10"), Ok((3, "g4".to_owned())));
    // The hot shard would only make another group hot: what else is there makes room.
    assert_eq!(proposal("60 13 | 13 14"), Ok((1, "g2".to_owned())));
    // Of two that are as hot, one after the other.
    assert!(proposal("50 50 | 50 50 | 0").is_ok());
}

#[test]
fn who_proposes_nothing_says_why() {
    for (text, why) in [
        ("100", "skew 1.00 is not above 1.25"),
        ("10 10 | 8 8", "skew 1.11 is not above 1.25"),
        ("3 3 | 0", "6.0 requests a second are below 10.0"),
        ("0 0 | 0", "nothing is asked of any group"),
        ("", "nothing is asked of any group"),
        ("100 0 | 1", "no shard that may leave g1"),
        ("100 4 | 1", "no shard that may leave g1"),
    ] {
        let error = proposal(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn what_is_pinned_stays() {
    let rates = rates("30 20 10 | 0");
    let without = |pinned: &[usize]| {
        let assessment = Policy::default().assess(&rates, &pinned.iter().copied().collect());
        assessment.proposal.map(|proposal| proposal.shard)
    };
    assert_eq!((without(&[]), without(&[0]), without(&[0, 1])), (Ok(0), Ok(1), Ok(2)));
    assert!(without(&[0, 1, 2]).is_err());
}

fn changed(controller: &mut Controller, operation: &Operation) {
    let answer = controller.apply(operation);
    assert!(matches!(answer, contract::Answer::Ok(_)), "{operation:?}: {answer:?}");
}

#[test]
fn a_client_s_move_pins_its_shard_until_groups_come_or_go() {
    let join = |group: &str| Operation::Join { groups: [(group.to_owned(), Vec::new())].into() };
    let move_to = |shard, group: &str| Operation::Move { shard, group: group.to_owned() };
    let mut controller = Controller::new(4);
    assert_eq!(pinned(&controller, &BTreeSet::new()), BTreeSet::new());
    changed(&mut controller, &join("g1"));
    changed(&mut controller, &join("g2"));
    let shard_of_g1 =
        controller.latest().shards.iter().position(|owner| owner.as_deref() == Some("g1"));
    let shard = shard_of_g1.unwrap();
    changed(&mut controller, &move_to(shard as u64, "g2"));
    let own = BTreeSet::from([(shard, "g2".to_owned())]);
    assert_eq!(pinned(&controller, &BTreeSet::new()), BTreeSet::from([shard]));
    assert_eq!(pinned(&controller, &own), BTreeSet::new());
    // The last move counts.
    changed(&mut controller, &move_to(shard as u64, "g1"));
    assert_eq!(pinned(&controller, &own), BTreeSet::from([shard]));
    changed(&mut controller, &join("g3"));
    assert_eq!(pinned(&controller, &BTreeSet::new()), BTreeSet::new());
}

fn most(rates: &Rates) -> f64 {
    loads(rates).values().copied().fold(0.0, f64::max)
}

fn carry_out(rates: &mut Rates, proposal: &Move) {
    let rate = rates.get_mut(&proposal.from).unwrap().remove(&proposal.shard).unwrap();
    rates.get_mut(&proposal.to).unwrap().insert(proposal.shard, rate);
}

fn any_rates() -> impl Strategy<Value = Rates> {
    let owned = prop::collection::vec((0..5_usize, 0..1_000_u32), 1..12);
    (1..5_usize, owned).prop_map(|(groups, shards)| {
        let mut rates: Rates =
            (0..groups).map(|group| (format!("g{group}"), BTreeMap::new())).collect();
        for (shard, (group, rate)) in shards.into_iter().enumerate() {
            let its = rates.get_mut(&format!("g{}", group % groups)).unwrap();
            its.insert(shard, f64::from(rate) / 10.0);
        }
        rates
    })
}

proptest! {
    /// Whatever the rates are: no move raises the load of the hottest group, or makes the next owner hotter than the last one. Under
    /// constant rates each move brings the loads nearer to each other, so that no earlier state comes back and there is an end.
    #[test]
    fn moves_never_raise_the_maximum_and_come_to_an_end(mut rates in any_rates()) {
        let spread = |rates: &Rates| loads(rates).values().map(|load| load * load).sum::<f64>();
        for _ in 0..1_000 {
            let assessment = Policy::default().assess(&rates, &BTreeSet::new());
            let Ok(proposal) = assessment.proposal else { return Ok(()) };
            let before = (most(&rates), spread(&rates));
            carry_out(&mut rates, &proposal);
            let after = loads(&rates);
            prop_assert!(most(&rates) <= before.0);
            prop_assert!(spread(&rates) < before.1);
            prop_assert!(after[&proposal.to] <= after[&proposal.from] + 1e-9);
        }
        prop_assert!(false, "the moves do not come to an end");
    }

    /// Many shards of about the same load end evenly.
    #[test]
    fn small_shards_are_shared_out(owners in prop::collection::vec(0..3_usize, 24)) {
        let mut rates: Rates = (0..3).map(|group| (format!("g{group}"), BTreeMap::new())).collect();
        for (shard, owner) in owners.into_iter().enumerate() {
            rates.get_mut(&format!("g{owner}")).unwrap().insert(shard, 5.0);
        }
        while let Ok(proposal) = Policy::default().assess(&rates, &BTreeSet::new()).proposal {
            carry_out(&mut rates, &proposal);
        }
        prop_assert!(Policy::default().assess(&rates, &BTreeSet::new()).skew <= 1.25);
    }
}

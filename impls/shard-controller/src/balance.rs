//! Who owns what after groups came or went: shared out evenly, and as little as possible is moved.

use std::collections::{BTreeMap, BTreeSet};

use contract::GroupId;

/// Shares the shards out over `groups`: no group owns two more than another one, and as few shards as possible have another
/// owner than before. Deterministic, since replicas must agree: of groups that own the same number the smaller id comes first.
/// Without groups nobody owns anything.
pub fn balance(shards: &mut [Option<GroupId>], groups: &BTreeSet<&GroupId>) {
    let mut owned: BTreeMap<&GroupId, Vec<usize>> =
        groups.iter().map(|group| (*group, Vec::new())).collect();
    let mut homeless = Vec::new();
    for (shard, owner) in shards.iter().enumerate() {
        match owner.as_ref().and_then(|owner| owned.get_mut(owner)) {
            Some(its) => its.push(shard),
            None => homeless.push(shard),
        }
    }
    if owned.is_empty() {
        return shards.fill(None);
    }
    // Some groups own one shard more than others: those that own the most now, so that they give the least away.
    let (least, more) = (shards.len() / owned.len(), shards.len() % owned.len());
    let mut groups: Vec<(&GroupId, Vec<usize>)> = owned.into_iter().collect();
    groups.sort_by_key(|(_, its)| std::cmp::Reverse(its.len()));
    let share = |place: usize| least + usize::from(place < more);
    for (place, (_, its)) in groups.iter_mut().enumerate() {
        homeless.extend(its.drain(share(place).min(its.len())..));
    }
    for (place, (_, its)) in groups.iter_mut().enumerate() {
        let lacking = share(place) - its.len();
        its.extend(homeless.drain(..lacking));
    }
    let owners = groups
        .into_iter()
        .flat_map(|(group, its)| its.into_iter().map(move |shard| (shard, group.clone())));
    let owners: Vec<(usize, GroupId)> = owners.collect();
    for (shard, owner) in owners {
        shards[shard] = Some(owner);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn balanced(before: &[Option<GroupId>], groups: &[&str]) -> Vec<Option<GroupId>> {
        let groups: Vec<GroupId> = groups.iter().map(|group| (*group).to_owned()).collect();
        let mut after = before.to_vec();
        balance(&mut after, &groups.iter().collect());
        after
    }

    fn owners(text: &str) -> Vec<Option<GroupId>> {
        let owner = |group: &str| (group != "-").then(|| group.to_owned());
        text.split(' ').map(owner).collect()
    }

    #[test]
    fn the_first_group_owns_all_and_the_last_leaves_nothing() {
        assert_eq!(balanced(&owners("- - -"), &["a"]), owners("a a a"));
        assert_eq!(balanced(&owners("a a a"), &[]), owners("- - -"));
    }

    #[test]
    fn what_has_its_owner_stays_there_as_far_as_it_can() {
        assert_eq!(balanced(&owners("a a a a a"), &["a", "b"]), owners("a a a b b"));
        // Whoever has three keeps them, whatever its name.
        assert_eq!(balanced(&owners("b b b a c"), &["a", "b"]), owners("b b b a a"));
        assert_eq!(balanced(&owners("a b c"), &["a", "b", "c", "d", "e"]), owners("a b c"));
    }

    /// The fewest moves, by trying all ways to share out.
    fn fewest(before: &[Option<GroupId>], groups: &[&str]) -> usize {
        let ways = groups.len().pow(u32::try_from(before.len()).unwrap());
        let way = |mut number: usize| -> Vec<&str> {
            let mut next = || {
                let group = groups[number % groups.len()];
                number /= groups.len();
                group
            };
            before.iter().map(|_| next()).collect()
        };
        let is_even = |way: &Vec<&str>| {
            let counts =
                groups.iter().map(|group| way.iter().filter(|owner| *owner == group).count());
            let counts: Vec<usize> = counts.collect();
            counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1
        };
        let moves = |way: Vec<&str>| {
            way.iter().zip(before).filter(|(now, then)| then.as_deref() != Some(*now)).count()
        };
        (0..ways).map(way).filter(is_even).map(moves).min().unwrap()
    }

    proptest! {
        #[test]
        fn shares_differ_by_one_at_most_and_no_way_moves_less(
            before in prop::collection::vec(prop::option::of(0..5_usize), 1..7),
            count in 1..5_usize,
        ) {
            let names = ["a", "b", "c", "d", "e"];
            let before: Vec<Option<GroupId>> =
                before.iter().map(|owner| owner.map(|owner| names[owner].to_owned())).collect();
            let groups = &names[..count];
            let after = balanced(&before, groups);
            let counts: Vec<usize> = groups
                .iter()
                .map(|group| after.iter().filter(|owner| owner.as_deref() == Some(group)).count())
                .collect();
            prop_assert_eq!(counts.iter().sum::<usize>(), after.len());
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
            let moved = after.iter().zip(&before).filter(|(now, then)| now != then).count();
            prop_assert_eq!(moved, fewest(&before, groups));
        }
    }
}

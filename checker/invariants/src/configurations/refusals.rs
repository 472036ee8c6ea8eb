//! Changes that had to be refused, whatever the configurations between them were.

use history::{
    Findings, Operation,
    words::{counted, who},
};
use rustc_hash::FxHashMap;

use super::reading::{Attempt, Change, named};
use crate::shape::returned;

/// How many operations of each sort a violation names.
const SUSPECTS: usize = 4;

/// Changes by when they began, and the acknowledged ones by when that was.
#[derive(Default)]
struct Changes<'a> {
    begun: Vec<(u64, &'a Operation)>,
    done: Vec<(u64, &'a Operation)>,
}

impl<'a> Changes<'a> {
    fn add(&mut self, operation: &'a Operation) {
        self.begun.push((operation.call, operation));
        self.done.extend(returned(operation).map(|end| (end, operation)));
    }

    fn sort(&mut self) {
        self.done.sort_unstable_by_key(|(end, _)| *end);
    }
}

fn before<'c, 'a>(changes: &'c [(u64, &'a Operation)], event: u64) -> &'c [(u64, &'a Operation)] {
    &changes[..changes.partition_point(|(at, _)| *at < event)]
}

/// The joins and the leaves of one group.
#[derive(Default)]
struct Group<'a> {
    joins: Changes<'a>,
    leaves: Changes<'a>,
}

/// The joins and leaves of a group take turns. So a group that leaves, or gets a shard, must have joined once more than it
/// left, and one that joins must have left as often as it joined.
pub(super) fn report(attempts: &[Attempt<'_>], findings: &mut Findings) {
    let mut groups: FxHashMap<&String, Group<'_>> = FxHashMap::default();
    for Attempt { operation, change } in attempts {
        match change {
            Change::Join(joined) => {
                joined.keys().for_each(|id| groups.entry(id).or_default().joins.add(operation));
            }
            Change::Leave(left) => {
                left.iter().for_each(|id| groups.entry(id).or_default().leaves.add(operation));
            }
            Change::Move(..) => {}
        }
    }
    for group in groups.values_mut() {
        group.joins.sort();
        group.leaves.sort();
    }
    let unknown = Group::default();
    for attempt in attempts.iter().filter(|attempt| returned(attempt.operation).is_some()) {
        let (ids, must_be_there): (Vec<&String>, bool) = match &attempt.change {
            Change::Join(joined) => (joined.keys().collect(), false),
            Change::Leave(left) => (left.iter().collect(), true),
            Change::Move(_, group) => (vec![group], true),
        };
        for id in ids {
            check(attempt, id, groups.get(id).unwrap_or(&unknown), must_be_there, findings);
        }
    }
}

/// What had begun before the change ended may have come before it; what was acknowledged before it began has.
fn check(
    attempt: &Attempt<'_>,
    id: &String,
    Group { joins, leaves }: &Group<'_>,
    must_be_there: bool,
    findings: &mut Findings,
) {
    let (operation, end) = (attempt.operation, attempt.end());
    let (needed, against) = if must_be_there { (joins, leaves) } else { (leaves, joins) };
    let (possible, certain) = (before(&needed.begun, end), before(&against.done, operation.call));
    if possible.len() >= certain.len() + usize::from(must_be_there) {
        return;
    }
    let some = [possible, certain].into_iter().flat_map(|all| all.iter().rev().take(SUSPECTS));
    let proof = std::iter::once(operation).chain(some.map(|(_, operation)| *operation));
    findings.add("change not refused", proof.map(|operation| operation.call), || {
        let (needed, against) = if must_be_there { ("join", "leave") } else { ("leave", "join") };
        format!(
            "{}, which {}, was acknowledged, but {} was {} then: {} of it had been acknowledged before that began, and \
             only {} can have happened before it ended",
            who(operation),
            attempt.change.in_words(),
            named([id]),
            if must_be_there { "not there" } else { "there already" },
            counted(certain.len(), against),
            counted(possible.len(), needed),
        )
    });
}

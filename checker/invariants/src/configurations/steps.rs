//! What one change may make of a configuration.

use super::reading::{Change, Configuration, named};

/// What is wrong with a step.
pub(super) struct Wrong {
    pub(super) kind: &'static str,
    /// A clause.
    pub(super) why: String,
}

impl Wrong {
    fn impossible(why: String) -> Self {
        Self { kind: "impossible change", why }
    }
}

/// The shards that found another owner.
pub(super) fn moved(before: &Configuration, after: &Configuration) -> Vec<usize> {
    let owners = before.shards.iter().zip(&after.shards).enumerate();
    owners.filter(|(_, (before, after))| before != after).map(|(shard, _)| shard).collect()
}

/// The one change between two configurations.
pub(super) fn step(before: &Configuration, after: &Configuration) -> Result<Change, Wrong> {
    let added = after.groups.iter().filter(|(id, _)| !before.groups.contains_key(*id));
    let removed = before.groups.keys().filter(|id| !after.groups.contains_key(*id));
    let mut kept =
        before.groups.iter().filter_map(|(id, was)| Some((id, was, after.groups.get(id)?)));
    if let Some((id, ..)) = kept.find(|(_, was, is)| was != is) {
        let id = named([id]);
        return Err(Wrong::impossible(format!(
            "the servers of {id} changed, which no change does"
        )));
    }
    let (mut added, mut removed) = (added.peekable(), removed.peekable());
    match (added.peek().is_some(), removed.peek().is_some()) {
        (true, true) => {
            let (added, removed) = (named(added.map(|(id, _)| id)), named(removed));
            let why = format!("{added} came and {removed} went, which no change does at once");
            Err(Wrong::impossible(why))
        }
        (true, false) => {
            Ok(Change::Join(added.map(|(id, servers)| (id.clone(), servers.clone())).collect()))
        }
        (false, true) => Ok(Change::Leave(removed.cloned().collect())),
        (false, false) => one_move(before, after),
    }
}

fn one_move(before: &Configuration, after: &Configuration) -> Result<Change, Wrong> {
    match moved(before, after)[..] {
        [] => {
            Err(Wrong::impossible("nothing changed, but each change changes something".to_owned()))
        }
        [shard] => after.shards[shard].as_ref().map_or_else(
            || Err(Wrong::impossible(format!("shard {shard} lost its owner, but no group left"))),
            |group| Ok(Change::Move(shard, group.clone())),
        ),
        [first, second, ..] => Err(Wrong {
            kind: "too many shards moved",
            why: format!(
                "{} shards, {first} and {second} among them, found another owner, but no group joined or left, and a \
                 move is of one",
                moved(before, after).len()
            ),
        }),
    }
}

/// After a join or a leave the shards are spread evenly, and no more of them moved than that takes.
pub(super) fn balance(
    change: &Change,
    before: &Configuration,
    after: &Configuration,
) -> Option<Wrong> {
    if matches!(change, Change::Move(..)) || after.groups.is_empty() {
        return None;
    }
    let change = change.in_words();
    let owned = owned(after, after);
    let least = owned.iter().min_by_key(|(_, shards)| *shards)?;
    let most = owned.iter().max_by_key(|(_, shards)| *shards)?;
    if most.1 - least.1 > 1 {
        let ((rich, most), (poor, least)) =
            ((named([most.0]), most.1), (named([least.0]), least.1));
        let why = format!(
            "which {change}, the shards are not spread evenly: {rich} owns {most} of them, {poor} {least}"
        );
        return Some(Wrong { kind: "unbalanced", why });
    }
    let (moved, fewest) = (moved(before, after), fewest_moves(before, after));
    (moved.len() > fewest).then(|| Wrong {
        kind: "too many shards moved",
        why: format!(
            "which {change}, {} shards found another owner, where {fewest} would have been enough",
            moved.len()
        ),
    })
}

/// How many of the shards of a configuration each group of another owns.
fn owned<'a>(shards: &Configuration, groups: &'a Configuration) -> Vec<(&'a String, usize)> {
    let mut counts: Vec<(&String, usize)> = groups.groups.keys().map(|id| (id, 0)).collect();
    for owner in shards.shards.iter().flatten() {
        // Those of a group that left are nobody's.
        if let Ok(at) = counts.binary_search_by(|(id, _)| (*id).cmp(owner)) {
            counts[at].1 += 1;
        }
    }
    counts
}

/// The fewest moves that spread the shards evenly over the groups of `after`.
///
/// A group keeps no more than its share. Those that own most get the shares that are larger by one, so that most is kept.
fn fewest_moves(before: &Configuration, after: &Configuration) -> usize {
    let mut counts: Vec<usize> = owned(before, after).into_iter().map(|(_, count)| count).collect();
    counts.sort_unstable_by(|one, other| other.cmp(one));
    let (share, larger) = (before.shards.len() / counts.len(), before.shards.len() % counts.len());
    let quotas = (0..).map(|at| share + usize::from(at < larger));
    let kept: usize = counts.into_iter().zip(quotas).map(|(count, quota)| count.min(quota)).sum();
    before.shards.len() - kept
}

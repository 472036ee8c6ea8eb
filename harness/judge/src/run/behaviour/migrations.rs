//! How long shards were not served while they went from one group to another, and how long operations on others took meanwhile.
//!
//! A shard has moved when its operations are answered by another group than before. It was not served from the last answer of
//! the group that had it, or from when somebody asked after that, to the first answer of the next one.

use std::collections::BTreeMap;

use contract::{Operation as Asked, launch::SHARDS, shard_of};
use history::Operation;
use record::RunFile;

/// An operation on keys of one shard that a group answered.
struct Served<'a> {
    group: &'a [String],
    call_ns: u64,
    return_ns: u64,
}

/// A shard that went to another group.
struct Move {
    shard: usize,
    from_ns: u64,
    to_ns: u64,
}

/// Of each shard that moved, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Migrations {
    /// For how long it was not served.
    pub(super) paused_ns: Vec<u64>,
    /// The longest that an operation on a shard took which stayed where it was; left out where there was none.
    pub(super) beside_ns: Vec<u64>,
}

impl Migrations {
    pub(super) fn of(run: &RunFile, main: &[&Operation]) -> Self {
        let by_shard = served(&run.groups, main);
        let moves: Vec<Move> =
            by_shard.iter().flat_map(|(shard, served)| moves(*shard, served)).collect();
        let beside =
            moves.iter().filter_map(|of_shard| longest_beside(of_shard, &moves, &by_shard));
        Self {
            paused_ns: moves.iter().map(|of_shard| of_shard.to_ns - of_shard.from_ns).collect(),
            beside_ns: beside.collect(),
        }
    }
}

/// The operations on each shard that succeeded, in the order of their answers.
fn served<'a>(groups: &'a [Vec<String>], main: &[&Operation]) -> BTreeMap<usize, Vec<Served<'a>>> {
    let mut by_shard: BTreeMap<usize, Vec<Served<'a>>> = BTreeMap::new();
    for operation in main.iter().filter(|operation| operation.result().is_some()) {
        let group = groups
            .iter()
            .find(|group| operation.node.as_ref().is_some_and(|node| group.contains(node)));
        if let (Some(group), Some(return_ns), Some(shard)) =
            (group, operation.return_ns, only_shard(operation))
        {
            let served = Served { group, call_ns: operation.call_ns, return_ns };
            by_shard.entry(shard).or_default().push(served);
        }
    }
    for served in by_shard.values_mut() {
        served.sort_by_key(|one| one.return_ns);
    }
    by_shard
}

/// The shard of all its keys; `None` where there are several.
fn only_shard(operation: &Operation) -> Option<usize> {
    let asked = Asked::from_parts(&operation.f, &operation.arguments).ok()?;
    let mut shards = asked.keys().into_iter().map(|key| shard_of(key, SHARDS));
    let first = shards.next()?;
    shards.all(|shard| shard == first).then_some(first)
}

fn moves(shard: usize, served: &[Served<'_>]) -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    let Some(mut last) = served.first() else { return moves };
    for one in &served[1..] {
        if one.group != last.group {
            let moved_ns = moves.last().map_or(0, |earlier| earlier.to_ns);
            if one.call_ns < moved_ns {
                // Served before the last move; its answer was only late.
                continue;
            }
            let asked_ns = served
                .iter()
                .filter(|other| other.return_ns > last.return_ns && other.call_ns < one.return_ns)
                .filter(|other| other.group == one.group && other.call_ns >= moved_ns)
                .map(|other| other.call_ns)
                .min();
            let from_ns = last.return_ns.max(asked_ns.unwrap_or(one.call_ns));
            moves.push(Move { shard, from_ns, to_ns: one.return_ns });
        }
        last = one;
    }
    moves
}

fn longest_beside(
    moved: &Move,
    moves: &[Move],
    by_shard: &BTreeMap<usize, Vec<Served<'_>>>,
) -> Option<u64> {
    let overlaps =
        |call_ns: u64, return_ns: u64, of: &Move| call_ns < of.to_ns && return_ns > of.from_ns;
    let stayed = by_shard.iter().flat_map(|(shard, served)| {
        let others = served.iter().filter(move |_| *shard != moved.shard);
        let meanwhile = others.filter(|one| overlaps(one.call_ns, one.return_ns, moved));
        meanwhile.filter(move |one| {
            let mut own = moves.iter().filter(|own| own.shard == *shard);
            !own.any(|own| overlaps(one.call_ns, one.return_ns, own))
        })
    });
    stayed.map(|one| one.return_ns - one.call_ns).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::behaviour::tests::{MS, put};

    fn on(key: &str, node: &str, times_ms: (u64, u64)) -> Operation {
        Operation { arguments: json!({ "key": key, "value": "1" }), ..put(node, times_ms) }
    }

    fn migrations(operations: &[Operation]) -> Migrations {
        let run: RunFile = serde_json::from_value(json!({
            "version": 1, "harness": "", "target": "", "target_folder": "", "workload": "register", "seed": 7,
            "nodes": ["n1", "n2", "n3", "n4"], "groups": [["n1", "n2"], ["n3", "n4"]], "clients": 1, "rate": null,
            "faults": [], "fault_interval_ms": 1, "time_limit_ms": 1, "started": "", "command": "", "machine": {},
        }))
        .unwrap();
        Migrations::of(&run, &operations.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_shard_is_not_served_from_when_it_was_asked_in_vain_until_the_next_owner_answers() {
        let before = [on("x1", "n1", (0, 10)), on("x1", "n2", (10, 20))];
        let after = [on("x1", "n3", (30, 95)), on("x1", "n4", (95, 99))];
        let moved = |operations: &[&[Operation]]| migrations(&operations.concat());
        assert_eq!(moved(&[&before, &after]).paused_ns, [65 * MS]);
        // Somebody had asked while the first group still answered.
        let asked_early = [on("x1", "n3", (15, 98))];
        assert_eq!(moved(&[&before, &after, &asked_early]).paused_ns, [75 * MS]);
        assert_eq!(moved(&[&before]), Migrations::default());
        let and_back = [on("x1", "n2", (200, 210))];
        assert_eq!(moved(&[&before, &after, &and_back]).paused_ns, [65 * MS, 10 * MS]);
    }

    #[test]
    fn a_late_answer_of_the_last_owner_is_no_move() {
        let operations = [
            on("x1", "n1", (0, 10)),
            on("x1", "n3", (20, 60)),
            on("x1", "n1", (5, 70)),
            on("x1", "n3", (70, 80)),
            on("x1", "n1", (200, 210)),
        ];
        assert_eq!(migrations(&operations).paused_ns, [40 * MS, 10 * MS]);
    }

    #[test]
    fn beside_it_only_what_stays_counts() {
        let mut operations = vec![
            on("x1", "n1", (0, 10)),
            on("x1", "n3", (20, 60)),
            on("x2", "n1", (30, 45)),
            on("x2", "n1", (58, 64)),
            on("x2", "n1", (70, 170)),
        ];
        let stays = Migrations { paused_ns: vec![40 * MS], beside_ns: vec![15 * MS] };
        assert_eq!(migrations(&operations), stays);
        // Now the other shard moves, too, just then.
        operations.extend([on("x2", "n3", (46, 65))]);
        operations.retain(|operation| operation.return_ns != Some(64 * MS));
        operations.retain(|operation| operation.return_ns != Some(170 * MS));
        let both = migrations(&operations);
        assert_eq!(both.paused_ns, [40 * MS, 19 * MS]);
        assert_eq!(both.beside_ns, [15 * MS]);
    }
}

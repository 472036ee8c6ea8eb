//! Shards: they are moved from group to group, or a whole group leaves and joins again. Nothing breaks by that; but whatever breaks
//! meanwhile meets a store whose data is on its way.

use contract::{GroupId, NodeId, Operation};
use rand::{RngExt, rngs::ChaCha8Rng};

use crate::{
    clients::attempts::Performed,
    environment::{Environment, build::group_id},
    nemesis::fault::{Fault, Hits, Members, Work},
};

/// A change of the configuration, and the one that follows when it is healed.
#[derive(Debug)]
enum Shards {
    /// Some shards go to another group, each by itself, and others when it is over.
    Move { group: GroupId, first: u64, then: u64 },
    /// A group leaves, and joins again with its servers.
    Leave { group: GroupId, servers: Vec<NodeId> },
}

/// The forms.
const MOVE: &str = "move";
const LEAVE: &str = "leave-and-join";

/// For a sharded store: moves or, in one of three cases, a whole group.
pub(in crate::nemesis) fn plan(
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let groups = members.groups.len();
    if groups < 2 {
        return None;
    }
    let place = rng.random_range(0..groups);
    let group = group_id(place);
    let shards = contract::launch::SHARDS as u64;
    let fault = if rng.random_ratio(1, 3) {
        Shards::Leave { group, servers: members.groups[place].clone() }
    } else {
        Shards::Move {
            group,
            first: rng.random_range(0..shards),
            then: rng.random_range(0..shards),
        }
    };
    Some(Box::new(fault))
}

/// The same as was recorded of one: its form, and what it was aimed at.
pub(in crate::nemesis) fn again(
    form: &str,
    targets: &[String],
    members: Members<'_>,
) -> Option<Box<dyn Fault>> {
    if form == LEAVE {
        let place = (0..members.groups.len()).find(|place| targets.contains(&group_id(*place)))?;
        let servers = members.groups[place].clone();
        return Some(Box::new(Shards::Leave { group: group_id(place), servers }));
    }
    let moves: Vec<(u64, &str)> = targets.iter().filter_map(|target| read_move(target)).collect();
    let (&(first, group), &(then, _)) = (moves.first()?, moves.last()?);
    Some(Box::new(Shards::Move { group: group.to_owned(), first, then }))
}

/// `shard 3 to g1`.
fn told(shard: u64, group: &str) -> String {
    format!("shard {shard} to {group}")
}

fn read_move(target: &str) -> Option<(u64, &str)> {
    let (shard, group) = target.strip_prefix("shard ")?.split_once(" to ")?;
    Some((shard.parse().ok()?, group))
}

/// Asks for it; why it did not happen, where it did not.
async fn ask(environment: &Environment, operation: Operation) -> Result<(), String> {
    match environment.change_configuration(&operation).await {
        Performed::Ok(_) => Ok(()),
        Performed::Fail => Err("it was refused".to_owned()),
        Performed::Info => Err("nobody knows whether it happened".to_owned()),
    }
}

impl Fault for Shards {
    fn form(&self) -> String {
        let form = match self {
            Self::Move { .. } => MOVE,
            Self::Leave { .. } => LEAVE,
        };
        form.to_owned()
    }

    fn targets(&self) -> Vec<String> {
        match self {
            Self::Move { group, first, then } => vec![told(*first, group), told(*then, group)],
            Self::Leave { group, .. } => vec![group.clone()],
        }
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        Box::pin(async move {
            let mut hits = Hits::default();
            match self {
                Self::Move { group, first, .. } => {
                    let operation = Operation::Move { shard: *first, group: group.clone() };
                    let moved = ask(environment, operation).await;
                    hits.add(told(*first, group), moved);
                }
                Self::Leave { group, .. } => {
                    let operation = Operation::Leave { groups: vec![group.clone()] };
                    hits.add(group.clone(), ask(environment, operation).await);
                }
            }
            hits
        })
    }

    fn heal<'a>(&'a self, environment: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        Box::pin(async move {
            match self {
                // It may be refused, because the group owns that shard already.
                Self::Move { group, then, .. } => {
                    let operation = Operation::Move { shard: *then, group: group.clone() };
                    let _ = ask(environment, operation).await;
                    Vec::new()
                }
                Self::Leave { group, servers } => {
                    let groups = [(group.clone(), servers.clone())].into();
                    let joined = ask(environment, Operation::Join { groups }).await;
                    joined
                        .err()
                        .map(|why| format!("{group} did not join: {why}"))
                        .into_iter()
                        .collect()
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn shards_move_and_groups_leave_only_where_there_are_groups() {
        let groups: Vec<Vec<String>> =
            [["n1", "n2"], ["n3", "n4"]].map(|group| group.map(str::to_owned).to_vec()).to_vec();
        let nodes = groups.concat();
        let members = |groups| Members {
            nodes: &nodes,
            groups,
            controllers: &[],
            view_service: None,
            can_restart: true,
            can_restart_all: true,
            exactly_once: true,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!(plan(members(&[]), &mut rng).is_none());
        let planned = (0..100).filter_map(|_| plan(members(&groups), &mut rng));
        let planned: Vec<_> = planned.collect();
        let forms: BTreeSet<String> = planned.iter().map(|fault| fault.form()).collect();
        assert_eq!(forms, BTreeSet::from([MOVE.to_owned(), LEAVE.to_owned()]));
        for fault in planned {
            let again = again(&fault.form(), &fault.targets(), members(&groups)).unwrap();
            assert_eq!(format!("{again:?}"), format!("{fault:?}"));
        }
        assert!(again(MOVE, &["g1".to_owned()], members(&groups)).is_none());
    }
}

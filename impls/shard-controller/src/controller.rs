//! The sequence of configurations, as an application.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Answer, Configuration, ErrorCode, GroupId, NodeId, Operation, Outcome, Refusal};
use node::Application;

use crate::balance::balance;

/// All configurations there were, the latest one last. A configuration never changes, and none is ever forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    configurations: Vec<Configuration>,
}

impl Controller {
    /// A controller of so many shards, in configuration 0.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        Self { configurations: vec![Configuration::first(shards)] }
    }

    /// The latest configuration.
    #[must_use]
    pub fn latest(&self) -> &Configuration {
        &self.configurations[self.configurations.len() - 1]
    }

    /// The configuration of this number; where it is negative or past the latest one, the latest.
    #[must_use]
    pub fn configuration(&self, num: i64) -> &Configuration {
        let place = usize::try_from(num).ok();
        place.and_then(|place| self.configurations.get(place)).unwrap_or_else(|| self.latest())
    }

    /// Carries out a change: what the next configuration is.
    fn changed(&self, operation: &Operation) -> Result<Configuration, Refusal> {
        let latest = self.latest();
        let mut next = Configuration { num: latest.num + 1, ..latest.clone() };
        match operation {
            Operation::Join { groups } => join(&mut next, groups)?,
            Operation::Leave { groups } => leave(&mut next, groups)?,
            Operation::Move { shard, group } => move_shard(&mut next, *shard, group)?,
            other => {
                let message = format!("a shard controller knows no `{}`", other.name());
                return Err(Refusal::new(ErrorCode::Unsupported, message));
            }
        }
        Ok(next)
    }
}

fn join(next: &mut Configuration, joining: &BTreeMap<GroupId, Vec<NodeId>>) -> Result<(), Refusal> {
    if joining.is_empty() {
        return Err(Refusal::new(ErrorCode::NoChange, "no group was named"));
    }
    if let Some(group) = joining.keys().find(|group| next.groups.contains_key(*group)) {
        return Err(Refusal::new(ErrorCode::Exists, format!("{group} is there already")));
    }
    next.groups.extend(joining.clone());
    rebalance(next);
    Ok(())
}

fn leave(next: &mut Configuration, leaving: &[GroupId]) -> Result<(), Refusal> {
    if leaving.is_empty() {
        return Err(Refusal::new(ErrorCode::NoChange, "no group was named"));
    }
    for group in leaving.iter().collect::<BTreeSet<_>>() {
        next.groups.remove(group).ok_or_else(|| unknown(group))?;
    }
    rebalance(next);
    Ok(())
}

fn move_shard(next: &mut Configuration, shard: u64, group: &GroupId) -> Result<(), Refusal> {
    let shards = next.shards.len();
    let Some(owner) = usize::try_from(shard).ok().and_then(|shard| next.shards.get_mut(shard))
    else {
        let message = format!("there are shards 0 to {}, and no {shard}", shards - 1);
        return Err(Refusal::new(ErrorCode::BadShard, message));
    };
    if !next.groups.contains_key(group) {
        return Err(unknown(group));
    }
    if owner.as_ref() == Some(group) {
        return Err(Refusal::new(
            ErrorCode::NoChange,
            format!("{group} owns shard {shard} already"),
        ));
    }
    *owner = Some(group.clone());
    Ok(())
}

fn rebalance(next: &mut Configuration) {
    balance(&mut next.shards, &next.groups.keys().collect());
}

fn unknown(group: &GroupId) -> Refusal {
    Refusal::new(ErrorCode::UnknownGroup, format!("there is no group {group}"))
}

impl Application for Controller {
    type Command = Operation;
    type Output = Answer;

    fn apply(&mut self, operation: &Operation) -> Answer {
        if let Some(answer) = self.query(operation) {
            return answer;
        }
        match self.changed(operation) {
            Ok(next) => {
                self.configurations.push(next);
                Answer::Ok(Outcome::Done {})
            }
            Err(refusal) => Answer::Error(refusal),
        }
    }

    fn query(&self, operation: &Operation) -> Option<Answer> {
        let Operation::Query { num } = operation else { return None };
        Some(Answer::Ok(Outcome::Configuration(self.configuration(*num).clone())))
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.configurations).expect("configurations have a JSON form")
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        let configurations: Vec<Configuration> = serde_json::from_slice(bytes)
            .map_err(|error| format!("this is no snapshot of a shard controller: {error}"))?;
        if configurations.is_empty() {
            return Err("this snapshot of a shard controller has no configuration".to_owned());
        }
        self.configurations = configurations;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join_of(groups: &[&str]) -> Operation {
        let groups = groups.iter().map(|group| ((*group).to_owned(), vec![format!("{group}n1")]));
        Operation::Join { groups: groups.collect() }
    }

    fn leave_of(groups: &[&str]) -> Operation {
        Operation::Leave { groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    fn move_to(shard: u64, group: &str) -> Operation {
        Operation::Move { shard, group: group.to_owned() }
    }

    fn refusal(controller: &mut Controller, operation: &Operation) -> Option<ErrorCode> {
        match controller.apply(operation) {
            Answer::Ok(_) => None,
            Answer::Error(refusal) => Some(refusal.code),
        }
    }

    fn owned(controller: &Controller, group: &str) -> usize {
        let shards = &controller.latest().shards;
        shards.iter().filter(|owner| owner.as_deref() == Some(group)).count()
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_makes_no_configuration() {
        let mut controller = Controller::new(10);
        assert_eq!(refusal(&mut controller, &move_to(0, "g1")), Some(ErrorCode::UnknownGroup));
        assert_eq!(refusal(&mut controller, &leave_of(&["g1"])), Some(ErrorCode::UnknownGroup));
        assert_eq!(refusal(&mut controller, &join_of(&["g1", "g2"])), None);
        for (operation, code) in [
            (join_of(&["g3", "g2"]), ErrorCode::Exists),
            (join_of(&[]), ErrorCode::NoChange),
            (leave_of(&["g1", "g3"]), ErrorCode::UnknownGroup),
            (leave_of(&[]), ErrorCode::NoChange),
            (move_to(10, "g1"), ErrorCode::BadShard),
            (move_to(0, "g3"), ErrorCode::UnknownGroup),
            (move_to(0, "g1"), ErrorCode::NoChange),
            (Operation::Get { key: "x".to_owned() }, ErrorCode::Unsupported),
        ] {
            assert_eq!(refusal(&mut controller, &operation), Some(code), "{operation:?}");
        }
        assert_eq!(controller.latest().num, 1);
    }

    #[test]
    fn a_group_that_is_named_twice_leaves_once() {
        let mut controller = Controller::new(4);
        assert_eq!(refusal(&mut controller, &join_of(&["g1", "g2"])), None);
        assert_eq!(refusal(&mut controller, &leave_of(&["g1", "g1"])), None);
        assert_eq!(owned(&controller, "g2"), 4);
    }

    #[test]
    fn a_move_stands_until_the_next_change_balances_anew() {
        let mut controller = Controller::new(10);
        controller.apply(&join_of(&["g1", "g2"]));
        let from = controller.latest().shards.clone();
        controller.apply(&move_to(0, "g2"));
        assert_eq!((owned(&controller, "g1"), owned(&controller, "g2")), (4, 6));
        assert_eq!(controller.latest().shards[1..], from[1..]);
        controller.apply(&join_of(&["g3"]));
        let shares = ["g1", "g2", "g3"].map(|group| owned(&controller, group));
        assert_eq!((shares.iter().min(), shares.iter().max()), (Some(&3), Some(&4)));
    }

    #[test]
    fn old_configurations_never_change_and_numbers_past_the_latest_are_the_latest() {
        let mut controller = Controller::new(10);
        let mut seen = vec![controller.latest().clone()];
        for operation in
            [join_of(&["g1"]), join_of(&["g2", "g3"]), move_to(0, "g3"), leave_of(&["g1"])]
        {
            controller.apply(&operation);
            seen.push(controller.latest().clone());
        }
        for (num, then) in (0..).zip(&seen) {
            assert_eq!(controller.configuration(num), then);
        }
        for num in [-1, -7, 5, i64::MAX] {
            assert_eq!(controller.configuration(num), controller.latest());
        }
        let mut copy = Controller::new(10);
        copy.restore(&controller.snapshot()).unwrap();
        assert_eq!(copy, controller);
        assert!(copy.restore(b"[]").is_err() && copy.restore(b"{").is_err());
        assert_eq!(copy, controller);
    }
}

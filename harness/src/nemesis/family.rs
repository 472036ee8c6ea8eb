//! The families of faults: the table, and how they are named on the command line.

use std::{fmt, str::FromStr};

use rand::rngs::ChaCha8Rng;

use super::{
    fault::{Fault, Members},
    faults::{client, kill, network, partition, pause, shards},
};

/// Makes a fault that takes away exactly these nodes.
type TakeAway = fn(&[String], Members<'_>, &mut ChaCha8Rng) -> Box<dyn Fault>;

/// A row of the table of families.
struct Row {
    /// The name on the command line and in `faults.jsonl`.
    name: &'static str,
    /// What is broken, in a few words.
    about: &'static str,
    /// A fault for one turn in a plan; `None` where they offer nothing to break.
    plan: fn(Members<'_>, &mut ChaCha8Rng) -> Option<Box<dyn Fault>>,
    /// A fault that takes away exactly these nodes, where the family can do so.
    take_away: Option<TakeAway>,
    /// Whether such a fault cannot be healed.
    is_permanent: fn(Members<'_>) -> bool,
}

/// Every family. The place of a row is part of what a seed means: new rows go to the end.
const TABLE: [Row; 6] = [
    Row {
        name: "partition",
        about: "links between nodes are cut",
        plan: partition::plan,
        take_away: Some(partition::take_away),
        is_permanent: |_| false,
    },
    Row {
        name: "kill",
        about: "processes are killed and started again on their data",
        plan: kill::plan,
        take_away: Some(kill::take_away),
        is_permanent: |members| !members.can_restart,
    },
    Row {
        name: "pause",
        about: "processes stand still and then go on",
        plan: pause::plan,
        take_away: Some(pause::take_away),
        is_permanent: |_| false,
    },
    Row {
        name: "network",
        about: "messages are lost, delayed, doubled or arrive out of order; or each link, or each kind of them, has a delay of its own",
        plan: network::plan,
        take_away: None,
        is_permanent: |_| false,
    },
    Row {
        name: "client",
        about: "clients lose replies and, if the store has `exactly-once`, send requests twice",
        plan: client::plan,
        take_away: None,
        is_permanent: |_| false,
    },
    Row {
        name: "shards",
        about: "in a sharded store, shards are moved from group to group, and groups leave and join again",
        plan: shards::plan,
        take_away: None,
        is_permanent: |_| false,
    },
];

/// A family of faults: a row of the table. Each keeps its own schedule, so families overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Family(usize);

impl Family {
    /// Every family, in the order of the plan.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).map(Self)
    }

    /// The family of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|family| family.name() == name)
    }

    /// Its name on the command line and in `faults.jsonl`.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self.0].name
    }

    /// What is broken, in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        TABLE[self.0].about
    }

    /// A fault for one turn in a plan; `None` where they offer nothing to break.
    pub(super) fn plan(self, members: Members<'_>, rng: &mut ChaCha8Rng) -> Option<Box<dyn Fault>> {
        (TABLE[self.0].plan)(members, rng)
    }

    /// A fault that takes away exactly these nodes; `None` where the family cannot.
    pub(super) fn take_away(
        self,
        nodes: &[String],
        members: Members<'_>,
        rng: &mut ChaCha8Rng,
    ) -> Option<Box<dyn Fault>> {
        TABLE[self.0].take_away.map(|take_away| take_away(nodes, members, rng))
    }

    /// Whether it can take away the nodes that it is told to.
    pub(super) fn can_take_away(self) -> bool {
        TABLE[self.0].take_away.is_some()
    }

    /// Whether such a fault cannot be healed: then it is planned once and stays until the end of the main phase.
    pub(super) fn is_permanent(self, members: Members<'_>) -> bool {
        (TABLE[self.0].is_permanent)(members)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The fault families of a run, each once, in the order of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Families(pub Vec<Family>);

impl FromStr for Families {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        let family = |word: &str| {
            Family::by_name(word.trim()).ok_or_else(|| {
                let names = names(Family::all(), ", ");
                format!("`{word}` is no fault family; choose from {names}, or `none` alone")
            })
        };
        let mut families = text.split(',').map(family).collect::<Result<Vec<_>, _>>()?;
        families.sort_unstable();
        families.dedup();
        Ok(Self(families))
    }
}

impl fmt::Display for Families {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("none");
        }
        formatter.write_str(&names(self.0.iter().copied(), ","))
    }
}

fn names(families: impl Iterator<Item = Family>, separator: &str) -> String {
    families.map(Family::name).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_read_and_written_alike() {
        assert_eq!("none".parse(), Ok(Families::default()));
        assert_eq!("pause,kill,kill".parse::<Families>().unwrap().to_string(), "kill,pause");
        assert!("kill,none".parse::<Families>().unwrap_err().contains("partition, kill, pause"));
        assert!("".parse::<Families>().is_err());
    }
}

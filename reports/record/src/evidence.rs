//! How much a run must have seen before it may be called valid.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Something that is counted of the operations of the main phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Operations that succeeded.
    Succeeded,
    /// Operations that succeeded of the client with the fewest.
    EachClient,
    /// Operations that succeeded after this node was asked first, of the node with the fewest; only nodes that were asked
    /// often.
    EachNode,
    /// Operations that succeeded after the first fault, of the kind with the fewest; only kinds without which the
    /// workload means nothing.
    EachKind,
    /// Of a hundred operations that were called while nothing was broken, those that succeeded.
    PercentUnbroken,
    /// Nodes that were away while enough of the others were up and connected: until these had shown that they go on, or for
    /// two seconds.
    NodesAway,
    /// How often another node came to lead. Asked where the store says who leads and each node was away for a while.
    LeaderChanges,
    /// Of a hundred bytes that were overwritten in the phase for it, those that the nodes' data folders, or their logs, do
    /// not keep; a majority of the nodes gave up at least as many. Asked where the store promises that its log compacts.
    PercentCompacted,
}

/// A node that was away for less at once says nothing: to find a new leader takes time.
pub const ABSENCE_MIN_NS: u64 = 1_000_000_000;
/// Whoever serves so many operations while a node is away has gone on without it, if writes are among them.
pub const GONE_ON_MIN: usize = 20;

impl Evidence {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::EachClient,
        Self::EachNode,
        Self::EachKind,
        Self::PercentUnbroken,
        Self::NodesAway,
        Self::LeaderChanges,
        Self::PercentCompacted,
    ];

    /// The name on the command line and in `run.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::EachClient => "each-client",
            Self::EachNode => "each-node",
            Self::EachKind => "each-kind",
            Self::PercentUnbroken => "percent-unbroken",
            Self::NodesAway => "nodes-away",
            Self::LeaderChanges => "leader-changes",
            Self::PercentCompacted => "percent-compacted",
        }
    }

    /// What is counted, for people.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Succeeded => "operations that succeeded",
            Self::EachClient => "operations that succeeded of each client",
            Self::EachNode => "operations that succeeded and asked each node first",
            Self::EachKind => {
                "operations that succeeded after the first fault, of each needed kind"
            }
            Self::PercentUnbroken => {
                "successes among a hundred operations called while nothing was broken"
            }
            Self::NodesAway => {
                "nodes without which the others showed that they go on, or had two seconds for it"
            }
            Self::LeaderChanges => "changes of the leader, if each node was away once",
            Self::PercentCompacted => {
                "bytes no longer kept among a hundred that were overwritten at the end"
            }
        }
    }

    /// What is asked for unless something else is said. Right stores see far more: the reference store thousands of
    /// operations in 30 s, of which 99 % succeed.
    #[must_use]
    pub fn default_minimum(self) -> u64 {
        match self {
            Self::Succeeded => 100,
            Self::EachClient | Self::EachNode => 5,
            Self::EachKind | Self::PercentUnbroken => 10,
            Self::NodesAway => 0,
            Self::LeaderChanges => 1,
            Self::PercentCompacted => 50,
        }
    }

    fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|evidence| evidence.name() == name)
    }
}

/// What a run must have seen at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Required(BTreeMap<Evidence, u64>);

impl Default for Required {
    fn default() -> Self {
        Self(Evidence::ALL.map(|evidence| (evidence, evidence.default_minimum())).into())
    }
}

impl Required {
    /// At least so much of this; 0: it does not matter. Something must succeed, whatever is said: else nothing was tested.
    #[must_use]
    pub fn of(&self, evidence: Evidence) -> u64 {
        let said = self.0.get(&evidence).copied().unwrap_or(evidence.default_minimum());
        if evidence == Evidence::Succeeded { said.max(1) } else { said }
    }
}

impl FromStr for Required {
    type Err = String;

    /// `succeeded=1000,each-client=0`; what is not named keeps its default. `none`: one success, else nothing.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Evidence::ALL.map(|evidence| (evidence, 0)).into()));
        }
        let part = |part: &str| {
            let (name, minimum) = part.split_once('=').unwrap_or((part, ""));
            let evidence = Evidence::by_name(name.trim()).ok_or_else(|| {
                let names = Evidence::ALL.map(Evidence::name).join(", ");
                format!(
                    "`{name}` is nothing that can be required; choose from {names}, or `none` alone"
                )
            })?;
            let minimum = minimum.trim().parse();
            let minimum = minimum.map_err(|_| {
                format!(
                    "`{part}` lacks its number; write it as {}={}",
                    name.trim(),
                    evidence.default_minimum()
                )
            })?;
            Ok((evidence, minimum))
        };
        let named: BTreeMap<_, _> = text.split(',').map(part).collect::<Result<_, String>>()?;
        let Self(mut required) = Self::default();
        required.extend(named);
        Ok(Self(required))
    }
}

impl fmt::Display for Required {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |evidence: Evidence| format!("{}={}", evidence.name(), self.of(evidence));
        formatter.write_str(&Evidence::ALL.map(part).join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_keeps_its_default() {
        let required: Required = "succeeded=7, each-client=0".parse().unwrap();
        assert_eq!(required.of(Evidence::Succeeded), 7);
        assert_eq!(required.of(Evidence::EachClient), 0);
        assert_eq!(required.of(Evidence::EachKind), Evidence::EachKind.default_minimum());
        let none: Required = "none".parse().unwrap();
        let asked = Evidence::ALL.map(|evidence| none.of(evidence));
        assert_eq!(asked, [1, 0, 0, 0, 0, 0, 0, 0], "without a success nothing was tested");
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let required: Required = "each-kind=3".parse().unwrap();
        let again: Required = required.to_string().parse().unwrap();
        assert_eq!(again, required);
        assert_eq!(Required::default().to_string().parse(), Ok(Required::default()));
        let json = serde_json::to_string(&required).unwrap();
        assert_eq!(serde_json::from_str::<Required>(&json).unwrap(), required);
    }

    #[test]
    fn nonsense_is_refused_with_the_way_out() {
        for (text, way_out) in [
            ("succeded=7", "choose from succeeded"),
            ("succeeded", "succeeded=100"),
            ("succeeded=-1", "succeeded=100"),
            ("", "choose from"),
        ] {
            let refused = text.parse::<Required>().unwrap_err();
            assert!(refused.contains(way_out), "{text}: {refused}");
        }
    }
}

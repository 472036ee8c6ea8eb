//! The nemesis: what is broken, when, and how it is healed.
//!
//! `plan` decides everything from a seed; `partition` knows the shapes of partitions; `execute` carries a plan out, by what
//! `act` does and undoes and `effect` sees of it.

pub mod act;
mod effect;
pub mod execute;
pub mod partition;
pub mod plan;

use std::{fmt, str::FromStr};

/// A family of faults; each keeps its own schedule, so families overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Links between nodes are cut.
    Partition,
    /// Processes are killed and started again on their data.
    Kill,
    /// Processes are stopped and continued.
    Pause,
    /// Messages are lost, late, doubled, overtaken.
    Network,
    /// Clients lose replies and send requests twice.
    Client,
}

impl Family {
    /// Every family, in the order of the plan.
    pub const ALL: [Self; 5] =
        [Self::Partition, Self::Kill, Self::Pause, Self::Network, Self::Client];

    /// Its name on the command line and in `faults.jsonl`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Network => "network",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The fault families of a run, each once, in the order of [`Family::ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Families(pub Vec<Family>);

impl FromStr for Families {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        let family = |word: &str| {
            Family::ALL.into_iter().find(|family| family.name() == word.trim()).ok_or_else(|| {
                let names = Family::ALL.map(Family::name).join(", ");
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
        formatter
            .write_str(&self.0.iter().map(|family| family.name()).collect::<Vec<_>>().join(","))
    }
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

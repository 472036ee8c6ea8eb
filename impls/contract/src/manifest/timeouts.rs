//! How long the bench waits for a store.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The table `[timeouts]`: how long the bench waits for a store. What a manifest leaves out has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// For the answer to one request of a client.
    pub attempt_ms: u64,
    /// For one operation, all its requests together.
    pub operation_ms: u64,
    /// For a node that was started to answer at all.
    pub bind_ms: u64,
    /// For the nodes to be ready then.
    pub ready_ms: u64,
    /// For the store to serve again after the last fault.
    pub recovery_ms: u64,
    /// For a node to end after SIGTERM.
    pub stop_ms: u64,
}

/// One row of the registry of timeouts.
#[derive(Clone, Copy, Debug)]
pub struct TimeoutEntry {
    /// Its key in the table.
    pub name: &'static str,
    /// Used where the manifest says nothing.
    pub default_ms: u64,
    /// The least that is accepted.
    pub min_ms: u64,
    /// The most that is accepted.
    pub max_ms: u64,
    /// What is waited for, in one sentence.
    pub meaning: &'static str,
    /// Its value.
    of: fn(&Timeouts) -> u64,
}

/// Every timeout. Of the first three none may be longer than the next.
pub const TIMEOUTS: [TimeoutEntry; 6] = [
    TimeoutEntry {
        name: "attempt_ms",
        // Shorter than most faults last, so that runs hold operations whose outcome nobody knows.
        default_ms: 500,
        min_ms: 10,
        max_ms: 60_000,
        meaning: "How long a client waits for the answer to one request.",
        of: |timeouts| timeouts.attempt_ms,
    },
    TimeoutEntry {
        name: "operation_ms",
        default_ms: 2000,
        min_ms: 10,
        max_ms: 120_000,
        meaning: "How long a client goes on with one operation, all its requests together.",
        of: |timeouts| timeouts.operation_ms,
    },
    TimeoutEntry {
        name: "recovery_ms",
        default_ms: 8000,
        min_ms: 1000,
        max_ms: 300_000,
        meaning: "How long after the last fault, once its nodes answer again, the store may take to serve reads and writes.",
        of: |timeouts| timeouts.recovery_ms,
    },
    TimeoutEntry {
        name: "bind_ms",
        default_ms: 10_000,
        min_ms: 100,
        max_ms: 300_000,
        meaning: "How long after its start a node may take to answer `GET /healthz`.",
        of: |timeouts| timeouts.bind_ms,
    },
    TimeoutEntry {
        name: "ready_ms",
        default_ms: 15_000,
        min_ms: 100,
        max_ms: 300_000,
        meaning: "How long the nodes may then take to answer `GET /readyz` with 200.",
        of: |timeouts| timeouts.ready_ms,
    },
    TimeoutEntry {
        name: "stop_ms",
        default_ms: 2000,
        min_ms: 100,
        max_ms: 10_000,
        meaning: "How long a node may take to end after SIGTERM, before it gets SIGKILL.",
        of: |timeouts| timeouts.stop_ms,
    },
];

impl Default for Timeouts {
    fn default() -> Self {
        let [attempt_ms, operation_ms, recovery_ms, bind_ms, ready_ms, stop_ms] =
            TIMEOUTS.map(|entry| entry.default_ms);
        Self { attempt_ms, operation_ms, bind_ms, ready_ms, recovery_ms, stop_ms }
    }
}

impl Timeouts {
    /// Whether the values make sense.
    ///
    /// # Errors
    /// Which one does not, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        for TimeoutEntry { name, min_ms, max_ms, of, .. } in &TIMEOUTS {
            let ms = of(self);
            if !(*min_ms..=*max_ms).contains(&ms) {
                return Err(format!(
                    "`timeouts.{name}` is {ms}; it must be between {min_ms} and {max_ms}"
                ));
            }
        }
        for pair in TIMEOUTS[..3].windows(2) {
            let (shorter, longer) = (&pair[0], &pair[1]);
            let [short_ms, long_ms] = [shorter, longer].map(|entry| (entry.of)(self));
            if short_ms > long_ms {
                return Err(format!(
                    "`timeouts.{}` is {short_ms}, which is longer than the {long_ms} of `timeouts.{}`: raise the \
                     second or lower the first",
                    shorter.name, longer.name
                ));
            }
        }
        Ok(())
    }

    /// [`Self::attempt_ms`].
    #[must_use]
    pub fn attempt(&self) -> Duration {
        Duration::from_millis(self.attempt_ms)
    }

    /// [`Self::operation_ms`].
    #[must_use]
    pub fn operation(&self) -> Duration {
        Duration::from_millis(self.operation_ms)
    }

    /// [`Self::bind_ms`].
    #[must_use]
    pub fn bind(&self) -> Duration {
        Duration::from_millis(self.bind_ms)
    }

    /// [`Self::ready_ms`].
    #[must_use]
    pub fn ready(&self) -> Duration {
        Duration::from_millis(self.ready_ms)
    }

    /// [`Self::recovery_ms`].
    #[must_use]
    pub fn recovery(&self) -> Duration {
        Duration::from_millis(self.recovery_ms)
    }

    /// [`Self::stop_ms`].
    #[must_use]
    pub fn stop(&self) -> Duration {
        Duration::from_millis(self.stop_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Timeouts, String> {
        let timeouts: Timeouts = toml::from_str(text).map_err(|error| error.to_string())?;
        timeouts.check().map(|()| timeouts)
    }

    #[test]
    fn the_registry_is_the_table_and_its_defaults_make_sense() {
        let default = Timeouts::default();
        assert_eq!(parse(""), Ok(default.clone()));
        let values = serde_json::to_value(&default).unwrap();
        assert_eq!(values.as_object().unwrap().len(), TIMEOUTS.len());
        for entry in &TIMEOUTS {
            assert_eq!(values[entry.name], entry.default_ms, "{}", entry.name);
            let all_long = TIMEOUTS.map(|other| format!("{} = {}\n", other.name, other.max_ms));
            assert_eq!((entry.of)(&parse(&all_long.concat()).unwrap()), entry.max_ms);
        }
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let slow = parse("attempt_ms = 2000").unwrap();
        assert_eq!(slow, Timeouts { attempt_ms: 2000, ..Timeouts::default() });
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_and_named() {
        for (text, words) in [
            ("attempt_ms = 0", "`timeouts.attempt_ms` is 0; it must be between 10 and 60000"),
            ("stop_ms = 3600000", "`timeouts.stop_ms` is 3600000"),
            ("attempt_ms = 2001", "longer than the 2000 of `timeouts.operation_ms`"),
            ("operation_ms = 9000", "longer than the 8000 of `timeouts.recovery_ms`"),
            ("bind_ms = -1", "bind_ms"),
            ("bind_ms = 1.5", "bind_ms"),
            ("bind_ms = \"10s\"", "bind_ms"),
            ("bind_s = 10", "bind_s"),
        ] {
            let refused = parse(text).unwrap_err();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}

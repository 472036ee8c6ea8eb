//! `introspection.jsonl`: what the nodes of a store with the capability `log` said of themselves when the bench asked.

use serde::{Deserialize, Serialize};

/// So much is written, each line and each entry counted as one; the run notes how much was left out.
pub const SIZE_MAX: u64 = 2_000_000;
/// A longer value is replaced by its digest.
const VALUE_BYTES_MAX: usize = 64;
/// A longer role is cut.
const ROLE_CHARS_MAX: usize = 32;
/// So is a longer name of a node.
const NODE_CHARS_MAX: usize = 64;
/// What was wrong with an answer is cut after this.
const COMPLAINT_CHARS_MAX: usize = 60;

/// One line of `introspection.jsonl`: one question to a node, and its answer. A node that did not answer in time has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntrospectionRecord {
    /// The node.
    pub node: String,
    /// Nanoseconds since the start of the run, just before it was asked.
    #[serde(rename = "asked")]
    pub asked_ns: u64,
    /// When its answer had been read.
    #[serde(rename = "answered")]
    pub answered_ns: u64,
    /// What it said.
    pub said: Said,
}

/// What a node said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// What it acts as: recorded only where that is not what it said last.
    Status {
        /// Its role.
        role: String,
        /// Its term; `None` where it said none.
        term: Option<u64>,
    },
    /// What it promised: recorded where that is not what it said last, and always of a node that was killed since.
    Promised {
        /// No term, view or ballot round below this counts with it any more.
        term: u64,
        /// Who has its vote in that term: empty where nobody has yet; `None` where it does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voted: Option<String>,
    },
    /// What it knows to be chosen in the slots from `from` up to, but not including, `to`. What it had said shortly before, and
    /// says again, is left out.
    Log {
        /// The first slot that was asked for.
        from: u64,
        /// The slot after the last one.
        to: u64,
        /// Slots with their values.
        entries: Vec<(u64, String)>,
    },
    /// Something that the contract does not provide for; what was wrong with it. Recorded once in a row.
    Unusable(String),
}

impl Said {
    /// A role and a term, bounded.
    #[must_use]
    pub fn status(role: &str, term: Option<u64>) -> Self {
        Self::Status { role: role.chars().take(ROLE_CHARS_MAX).collect(), term }
    }

    /// A promise, bounded.
    #[must_use]
    pub fn promised(term: u64, voted: Option<&str>) -> Self {
        let voted = voted.map(|node| node.chars().take(NODE_CHARS_MAX).collect());
        Self::Promised { term, voted }
    }

    /// A complaint about an answer, bounded.
    #[must_use]
    pub fn unusable(complaint: &str) -> Self {
        Self::Unusable(complaint.chars().take(COMPLAINT_CHARS_MAX).collect())
    }

    /// How much it counts against [`SIZE_MAX`].
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Log { entries, .. } => 1 + entries.len() as u64,
            Self::Status { .. } | Self::Promised { .. } | Self::Unusable(_) => 1,
        }
    }
}

/// The value of a slot, or its digest and length where it is long: equal where the values are.
#[must_use]
pub fn bounded_value(value: String) -> String {
    if value.len() <= VALUE_BYTES_MAX {
        return value;
    }
    format!("{} ({} bytes)", contract::digest(&value), value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_equal_where_their_digests_are() {
        let long = |end: &str| bounded_value(format!("{}{end}", "v".repeat(100)));
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").ends_with(" (101 bytes)") && long("a").len() <= VALUE_BYTES_MAX);
        assert_eq!(bounded_value("short".to_owned()), "short");
    }

    /// The largest line of each kind, so many times, is a file that is read.
    #[test]
    fn what_is_written_is_not_too_large_to_be_read() {
        let bytes_each = |said: Said| {
            let (node, size) = ("n1000".to_owned(), said.size());
            let line =
                IntrospectionRecord { node, asked_ns: u64::MAX, answered_ns: u64::MAX, said };
            let bytes = serde_json::to_vec(&line).unwrap().len() as u64 + 1;
            assert_eq!(
                serde_json::from_slice::<IntrospectionRecord>(&serde_json::to_vec(&line).unwrap())
                    .unwrap(),
                line
            );
            bytes.div_ceil(size)
        };
        let worst = "\u{1}".repeat(1000);
        let value = bounded_value(worst[..VALUE_BYTES_MAX].to_owned());
        let log = Said::Log { from: u64::MAX, to: u64::MAX, entries: vec![(u64::MAX, value); 50] };
        let promised = Said::promised(u64::MAX, Some(&worst));
        for said in [Said::status(&worst, Some(u64::MAX)), promised, Said::unusable(&worst), log] {
            let bytes = bytes_each(said.clone()) * SIZE_MAX;
            assert!(bytes <= crate::bytes_max::INTROSPECTION, "{said:?}: {bytes}");
        }
    }
}

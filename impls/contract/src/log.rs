//! The answer of `GET /v1/log`.

use serde::{Deserialize, Serialize};

/// No answer holds more entries.
pub const ENTRIES_MAX: usize = 1000;
/// Nor is it longer than this many bytes.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The whole answer: chosen entries, in the order of their slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAnswer {
    /// One a slot.
    pub entries: Vec<LogEntry>,
}

/// What was chosen in one slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The place in the log.
    pub slot: u64,
    /// Any text that is equal at two nodes if and only if the entry is the same: a digest does.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_travels_as_the_contract_writes_it() {
        let text = r#"{"entries":[{"slot":12,"value":"3f"}]}"#;
        let answer: LogAnswer = serde_json::from_str(text).unwrap();
        let entry = LogEntry { slot: 12, value: "3f".to_owned() };
        assert_eq!(answer, LogAnswer { entries: vec![entry] });
        assert_eq!(serde_json::to_string(&answer).unwrap(), text);
    }

    #[test]
    fn an_answer_that_makes_no_sense_is_refused() {
        for bad in [
            json!({}),
            json!({"entries": {}}),
            json!({"entries": [{"slot": -1, "value": "a"}]}),
            json!({"entries": [{"slot": 1.5, "value": "a"}]}),
            json!({"entries": [{"slot": 1, "value": 2}]}),
            json!({"entries": [{"slot": 1}]}),
        ] {
            assert!(serde_json::from_value::<LogAnswer>(bad.clone()).is_err(), "{bad}");
        }
    }
}

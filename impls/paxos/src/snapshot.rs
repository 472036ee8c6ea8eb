//! Snapshots: the state that stands for a prefix of the log ("Paxos Made Live" §5.5).

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::slot::Slot;

/// The application's state, its exactly-once table included, after every slot up to `slot`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last slot applied.
    pub slot: Slot,
    /// What the application wrote.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub state: Arc<Vec<u8>>,
}

/// Hexadecimal: in JSON a list of numbers would take twice the room.
fn to_hex<S: Serializer>(bytes: &Arc<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let text: String =
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect();
    serializer.serialize_str(&text)
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Vec<u8>>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    bytes.map(Arc::new).ok_or_else(|| de::Error::custom("a snapshot that is not hexadecimal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_comes_back_from_json() {
        let snapshot = Snapshot { slot: 7, state: Arc::new((0..=255).collect()) };
        let text = serde_json::to_string(&snapshot).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
    }

    #[test]
    fn what_is_not_hexadecimal_is_an_error() {
        for state in ["0", "0g", "é1"] {
            let text = format!(r#"{{"slot":1,"state":"{state}"}}"#);
            assert!(serde_json::from_str::<Snapshot>(&text).is_err(), "{state}");
        }
    }
}

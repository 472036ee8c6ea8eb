//! The steps of a transaction.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One step of a transaction: `["r",k]`, `["w",k,v]` or `["append",k,v]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MicroOperation {
    /// Reads a key.
    Read(String),
    /// Overwrites a key.
    Write(String, String),
    /// Appends to a key's value.
    Append(String, String),
}

impl MicroOperation {
    /// The key that it touches.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Read(key) | Self::Write(key, _) | Self::Append(key, _) => key,
        }
    }
}

impl Serialize for MicroOperation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(key) => ("r", key).serialize(serializer),
            Self::Write(key, value) => ("w", key, value).serialize(serializer),
            Self::Append(key, value) => ("append", key, value).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for MicroOperation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts: Vec<String> = Vec::deserialize(deserializer)?;
        let words: Vec<&str> = parts.iter().map(String::as_str).collect();
        match words[..] {
            ["r", key] => Ok(Self::Read(key.to_owned())),
            ["w", key, value] => Ok(Self::Write(key.to_owned(), value.to_owned())),
            ["append", key, value] => Ok(Self::Append(key.to_owned(), value.to_owned())),
            _ => Err(de::Error::custom(format!(
                "{parts:?} is no micro-operation; expected [\"r\",key], [\"w\",key,value] or [\"append\",key,value]"
            ))),
        }
    }
}

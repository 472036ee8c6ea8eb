//! Bytes as hexadecimal text, for `#[serde(with = "node::hex")]`: in JSON a list of numbers would take twice the room.

use std::borrow::Borrow;

use serde::{Deserialize, Deserializer, Serializer, de};

/// Writes the bytes.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(
    bytes: &impl Borrow<Vec<u8>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let bytes = bytes.borrow();
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xF));
    }
    serializer.serialize_str(&text)
}

/// Reads them back.
///
/// # Errors
/// The text is not hexadecimal.
pub fn deserialize<'de, D: Deserializer<'de>, T: From<Vec<u8>>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    bytes.map(T::from).ok_or_else(|| de::Error::custom("bytes that are not hexadecimal"))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Bytes(#[serde(with = "crate::hex")] Vec<u8>);

    #[test]
    fn bytes_come_back_from_json() {
        let bytes = Bytes((0..=255).collect());
        let text = serde_json::to_string(&bytes).unwrap();
        assert!(text.starts_with("\"000102") && text.len() == 2 + 2 * 256, "{text}");
        assert_eq!(serde_json::from_str::<Bytes>(&text).unwrap(), bytes);
    }

    #[test]
    fn what_is_not_hexadecimal_is_an_error() {
        for text in ["\"0\"", "\"0g\"", "\"é1\""] {
            assert!(serde_json::from_str::<Bytes>(text).is_err(), "{text}");
        }
    }
}

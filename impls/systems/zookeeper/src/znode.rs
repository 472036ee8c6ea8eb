//! How keys and values are kept in znodes.
//!
//! A znode that once was there is never deleted: one that is made anew counts its versions from 0 again, so that a write could
//! mistake it for the former one. A key that was removed has a znode that says so.

use std::fmt::Write;

/// The path of a key: what could mean something in a path is written as its bytes.
pub(crate) fn path(key: &str) -> String {
    let mut path = String::from("/key-");
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            path.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02x}");
        }
    }
    path
}

/// The data of a znode whose key has this value.
pub(crate) fn data(value: Option<&str>) -> Vec<u8> {
    match value {
        Some(value) => [b"+", value.as_bytes()].concat(),
        None => b"-".to_vec(),
    }
}

/// The value that this data stands for. Bytes that are no text are none of ours: they are shown as they can be.
pub(crate) fn value(data: &[u8]) -> Option<String> {
    let value = data.strip_prefix(b"+")?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_part_of_a_path_and_no_two_keys_share_it() {
        assert_eq!(path("k1_a-B"), "/key-k1_a-B");
        assert_eq!(path("a/../b"), "/key-a%2f%2e%2e%2fb");
        assert_eq!(path("%2f"), "/key-%252f");
        assert_eq!(path(""), "/key-");
    }

    #[test]
    fn values_come_back_and_the_empty_one_is_one() {
        for expected in [None, Some(""), Some("-"), Some("+"), Some("é")] {
            assert_eq!(value(&data(expected)).as_deref(), expected);
        }
    }
}

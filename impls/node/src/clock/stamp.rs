//! What a message carries of its sender's clocks.

use contract::NodeId;

use super::VectorTime;

/// The header with the Lamport clock.
pub(crate) const LAMPORT: &str = "x-ds-lamport";
/// The header with the vector clock.
pub(crate) const VECTOR: &str = "x-ds-vector";

/// A header with a vector is never longer; of more nodes than fit in here none is told.
const VECTOR_BYTES_MAX: usize = 2048;
/// No clock gets so far by itself: a peer that says so would leave no room to count on.
const TIME_MAX: u64 = 1 << 62;

/// The clocks of a message at its sending. What a message lacks, or tells in another form, is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stamp {
    /// `X-DS-Lamport`, a decimal number.
    pub lamport: Option<u64>,
    /// `X-DS-Vector`, a JSON object from id to count.
    pub vector: Option<VectorTime>,
}

impl Stamp {
    /// Reads the headers of a message, as far as they are clocks. Only nodes that `is_known` knows count.
    pub(crate) fn of_headers<'h>(
        header: impl Fn(&str) -> Option<&'h [u8]>,
        is_known: impl Fn(&NodeId) -> bool,
    ) -> Self {
        let lamport = header(LAMPORT).and_then(|value| serde_json::from_slice(value).ok());
        let vector = header(VECTOR).filter(|value| value.len() <= VECTOR_BYTES_MAX);
        let vector = vector.and_then(|value| serde_json::from_slice::<VectorTime>(value).ok());
        Self {
            lamport: lamport.filter(|lamport| *lamport <= TIME_MAX),
            vector: vector.filter(|vector| vector.is_within(TIME_MAX)).map(|mut vector| {
                vector.retain(is_known);
                vector
            }),
        }
    }

    /// The value of [`VECTOR`], if it is not too long.
    pub(crate) fn vector_header(&self) -> Option<String> {
        let text = serde_json::to_string(self.vector.as_ref()?).ok()?;
        (text.len() <= VECTOR_BYTES_MAX).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lamport: &[u8], vector: &[u8]) -> Stamp {
        let (lamport, vector) = (lamport.to_vec(), vector.to_vec());
        let header = |name: &str| match name {
            LAMPORT => Some(lamport.as_slice()),
            VECTOR => Some(vector.as_slice()),
            _ => None,
        };
        Stamp::of_headers(header, |node| node.starts_with('n'))
    }

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let stamp = read(b"17", br#"{"n1":3,"n2":0}"#);
        assert_eq!(stamp.lamport, Some(17));
        let written = stamp.vector_header().unwrap();
        assert_eq!(read(b"17", written.as_bytes()), stamp);
    }

    #[test]
    fn what_is_no_clock_is_ignored() {
        let long = format!(r#"{{"n1":1{}}}"#, " ".repeat(VECTOR_BYTES_MAX));
        let deep = format!(r#"{{"n1":{}"#, "[".repeat(500));
        for (lamport, vector) in [
            ("", ""),
            ("-1", "{"),
            ("1.5", r#"{"n1":-1}"#),
            ("x", r#"{"n1":"1"}"#),
            ("18446744073709551615", r#"{"n1":18446744073709551615}"#),
            ("18446744073709551616", r#"["n1"]"#),
            ("[1]", &long),
            ("\u{fe}", &deep),
        ] {
            assert_eq!(read(lamport.as_bytes(), vector.as_bytes()), Stamp::default(), "{vector}");
        }
        assert_eq!(read(b"\xFF\xFE", b"\xFF\xFE{}"), Stamp::default());
    }

    #[test]
    fn strangers_do_not_count() {
        let stamp = read(b"1", br#"{"n1":3,"client-7":5}"#);
        assert_eq!(stamp.vector_header().unwrap(), r#"{"n1":3}"#);
    }
}

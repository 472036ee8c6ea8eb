//! A string that grows at its end and shares its beginning with the strings it grew from.
//!
//! A search over appends meets thousands of states that are each other's prefixes; whole copies would be
//! quadratic in memory. Equality is exact; the hash only finds candidates.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Multiplier of the rolling hash: any odd number with well mixed bits.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
const FNV_OFFSET: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// An immutable string with cheap append.
#[derive(Clone, Debug)]
pub(super) struct Text(Arc<Node>);

#[derive(Debug)]
struct Node {
    parent: Option<Text>,
    tail: Box<str>,
    length: usize,
    /// Depends on the content alone, not on how it was cut into appends.
    hash: u64,
    fnv: u32,
}

impl Text {
    /// The text of a string.
    pub(super) fn new(content: &str) -> Self {
        Self::node(None, content)
    }

    /// This text with more at its end.
    pub(super) fn append(&self, more: &str) -> Self {
        if more.is_empty() { self.clone() } else { Self::node(Some(self.clone()), more) }
    }

    fn node(parent: Option<Text>, tail: &str) -> Self {
        let (length, mut hash, mut fnv) =
            parent.as_ref().map_or((0, 0, FNV_OFFSET), |p| (p.0.length, p.0.hash, p.0.fnv));
        for &byte in tail.as_bytes() {
            hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(byte) + 1);
            fnv = (fnv ^ u32::from(byte)).wrapping_mul(FNV_PRIME);
        }
        let length = length + tail.len();
        Self(Arc::new(Node { parent, tail: tail.into(), length, hash, fnv }))
    }

    /// The decimal FNV-1a-32 hash of this text followed by `more`.
    pub(super) fn fnv1a_with(&self, more: &str) -> String {
        let step = |hash: u32, &byte: &u8| (hash ^ u32::from(byte)).wrapping_mul(FNV_PRIME);
        more.as_bytes().iter().fold(self.0.fnv, step).to_string()
    }

    /// Is this exactly `content`? Unequal lengths or ends, the usual case, are seen at once.
    pub(super) fn is(&self, content: &str) -> bool {
        if self.0.length != content.len() {
            return false;
        }
        let mut rest = content.as_bytes();
        let mut node = Some(self);
        while let Some(Text(part)) = node {
            let Some(before) = rest.strip_suffix(part.tail.as_bytes()) else { return false };
            rest = before;
            node = part.parent.as_ref();
        }
        rest.is_empty()
    }

    /// Bytes that this text adds to those it grew from.
    pub(super) fn own_bytes(&self) -> usize {
        size_of::<Node>() + 2 * size_of::<usize>() + self.0.tail.len()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&Text> =
            std::iter::successors(Some(self), |text| text.0.parent.as_ref()).collect();
        parts.iter().rev().try_for_each(|text| f.write_str(&text.0.tail))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        if self.0.length != other.0.length || self.0.hash != other.0.hash {
            return false;
        }
        // Backwards over both, cut wherever either is cut, until they share the rest.
        let (mut a, mut b) = (self, other);
        let (mut tail_a, mut tail_b) = (a.0.tail.as_bytes(), b.0.tail.as_bytes());
        loop {
            if Arc::ptr_eq(&a.0, &b.0) && tail_a.len() == tail_b.len() {
                return true;
            }
            let common = tail_a.len().min(tail_b.len());
            let (rest_a, end_a) = tail_a.split_at(tail_a.len() - common);
            let (rest_b, end_b) = tail_b.split_at(tail_b.len() - common);
            if end_a != end_b {
                return false;
            }
            (tail_a, tail_b) = (rest_a, rest_b);
            let mut moved = common > 0;
            if tail_a.is_empty()
                && let Some(parent) = &a.0.parent
            {
                (a, tail_a, moved) = (parent, parent.0.tail.as_bytes(), true);
            }
            if tail_b.is_empty()
                && let Some(parent) = &b.0.parent
            {
                (b, tail_b, moved) = (parent, parent.0.tail.as_bytes(), true);
            }
            if !moved {
                return true;
            }
        }
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash);
        state.write_usize(self.0.length);
    }
}

impl Drop for Text {
    /// Frees a long chain in a loop: the derived drop would recurse once per append.
    fn drop(&mut self) {
        let mut next = Arc::get_mut(&mut self.0).and_then(|node| node.parent.take());
        while let Some(mut text) = next {
            next = Arc::get_mut(&mut text.0).and_then(|node| node.parent.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_does_not_depend_on_how_a_text_was_cut() {
        let cuts = [vec!["abcdef"], vec!["a", "bcdef"], vec!["abc", "d", "ef"], vec!["ab", "cdef"]];
        let texts: Vec<Text> = cuts
            .iter()
            .map(|parts| parts.iter().skip(1).fold(Text::new(parts[0]), |t, p| t.append(p)))
            .collect();
        for a in &texts {
            assert!(a.is("abcdef") && !a.is("abcdeg") && !a.is("bbcdef") && !a.is("abcde"));
            assert_eq!(a.fnv1a_with(""), Text::new("abcdef").fnv1a_with(""));
            assert!(texts.iter().all(|b| a == b));
        }
        assert_ne!(Text::new("ab").append("c"), Text::new("ab").append("d"));
        assert_ne!(Text::new("xb").append("c"), Text::new("ab").append("c"));
        assert_eq!(Text::new("").append("a"), Text::new("a"));
        assert_eq!(Text::new(""), Text::new("").append(""));
    }

    #[test]
    fn fnv1a_matches_the_published_vectors() {
        assert_eq!(Text::new("").fnv1a_with(""), 0x811c_9dc5_u32.to_string());
        assert_eq!(Text::new("").fnv1a_with("a"), 0xe40c_292c_u32.to_string());
        assert_eq!(Text::new("foo").fnv1a_with("bar"), 0xbf9c_f968_u32.to_string());
    }

    #[test]
    fn a_million_appends_are_freed_without_recursion() {
        let mut text = Text::new("");
        for _ in 0..1_000_000 {
            text = text.append("x");
        }
        assert_eq!(text.0.length, 1_000_000);
    }
}

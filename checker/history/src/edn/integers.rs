//! Lists of small integers in one go: most of the text of a history whose reads show lists.

use crate::datum::INTEGERS_MIN;

/// So many digits fit into 64 bits, whatever they are.
pub(super) const DIGITS_MAX: usize = 18;

/// The most items that a list gets room for before they are there.
pub(super) const LENGTH_MAX: usize = 1 << 16;

/// The integers up to the closing bracket, and how long they are with it. Nothing where they are fewer than
/// [`INTEGERS_MIN`], or where something else than one space is between two or anything else among them: that is left to
/// whoever reads all lists.
pub(super) fn of_list(text: &[u8], close: u8) -> Option<(Vec<i64>, usize)> {
    if !matches!(text.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let flat = &text[..memchr::memchr(close, text)?];
    let length = memchr::memchr_iter(b' ', flat).count() + 1;
    if length < INTEGERS_MIN {
        return None;
    }
    let mut values = Vec::with_capacity(length.min(LENGTH_MAX));
    for integer in flat.split(|&byte| byte == b' ') {
        values.push(small(integer)?);
    }
    Some((values, flat.len() + 1))
}

/// The integer that this is, if it has no more than a few digits, perhaps with a minus sign.
#[inline]
fn small(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > DIGITS_MAX || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if digits.len() < text.len() { -value } else { value })
}

//! Durations as people write them: `20s`, `1m30s`, `250ms`.

use std::time::Duration;

/// Reads a duration: numbers with the units `h`, `m`, `s`, `ms`, largest first.
///
/// # Errors
/// Says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is no duration; write it as 20s, 1m30s or 250ms");
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let number: u64 = rest[..digits].parse().map_err(|_| expected())?;
        let unit_end =
            rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| digits + n);
        let unit_ms: u64 = match &rest[digits..unit_end] {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return Err(expected()),
        };
        let part = Duration::from_millis(number.checked_mul(unit_ms).ok_or_else(expected)?);
        total = total.checked_add(part).ok_or_else(expected)?;
        rest = &rest[unit_end..];
    }
    if total.is_zero() {
        return Err(expected());
    }
    if total > LONGEST { Err(format!("`{text}` is too long; at most 720h")) } else { Ok(total) }
}

/// Thirty days: longer is a typing error, and clocks need not be feared to overflow.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Writes a duration so that [`parse_duration`] reads it back, to the millisecond.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    let mut text = String::new();
    for (value, unit) in [(seconds / 60, "m"), (seconds % 60, "s"), (u64::from(millis), "ms")] {
        if value > 0 {
            text.push_str(&format!("{value}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [("20s", 20_000), ("1m30s", 90_000), ("250ms", 250), ("1h", 3_600_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
            assert_eq!(
                parse_duration(&format_duration(Duration::from_millis(ms))),
                Ok(Duration::from_millis(ms))
            );
        }
        for text in [
            "",
            "20",
            "s",
            "-1s",
            "0s",
            "5 s",
            "1x",
            "99999999999999999999s",
            "18446744073709551615h",
            "721h",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}

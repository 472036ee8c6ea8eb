//! Durations as people write them: `20s`, `1m30s`, `250ms`.

use std::time::Duration;

use jiff::{
    SignedDuration,
    fmt::friendly::{Designator, Spacing, SpanParser, SpanPrinter},
};

/// Thirty days: longer is a typing error, and clocks need not be feared to overflow.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads a duration: numbers with units such as `h`, `m`, `s` and `ms`, largest first.
///
/// # Errors
/// Says what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is no duration; write it as 20s, 1m30s or 250ms");
    if text.contains(char::is_whitespace) {
        return Err(expected());
    }
    let parsed = SpanParser::new().parse_duration(text).map_err(|_| expected())?;
    let duration = Duration::try_from(parsed).map_err(|_| expected())?;
    match duration {
        _ if duration.is_zero() => Err(expected()),
        _ if duration > LONGEST => Err(format!("`{text}` is too long; at most 720h")),
        _ => Ok(duration),
    }
}

/// Writes a duration so that [`parse_duration`] reads it back.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let printer = SpanPrinter::new().designator(Designator::Compact).spacing(Spacing::None);
    printer.duration_to_string(&SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [("20s", 20_000), ("1m30s", 90_000), ("250ms", 250), ("1h", 3_600_000)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
            assert_eq!(format_duration(Duration::from_millis(ms)), text);
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

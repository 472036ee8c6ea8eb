//! The logs of the nodes: each line begins with its time of arrival.

/// When a line arrived, in nanoseconds since the start of the run, and the line itself; `None` for one without a stamp such
/// as `12.345678`.
#[must_use]
pub fn stamped(line: &str) -> Option<(u64, &str)> {
    let (stamp, text) = line.split_once(' ')?;
    let (seconds, micros) = stamp.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if micros.len() != 6 || !is_number(seconds) || !is_number(micros) {
        return None;
    }
    let micros: u64 = micros.parse().ok()?;
    let seconds: u64 = seconds.parse().ok()?;
    Some((seconds.checked_mul(1_000_000_000)?.checked_add(1_000 * micros)?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_and_nothing_else_is_one() {
        assert_eq!(stamped("12.345678 text 1"), Some((12_345_678_000, "text 1")));
        assert_eq!(stamped("0.000000 "), Some((0, "")));
        let huge = "99999999999999999999.000000 x";
        for line in
            ["", "hello", "12.345678", "12.3 x", "-1.000000 x", "1.00000x x", ".000000 x", huge]
        {
            assert_eq!(stamped(line), None, "{line}");
        }
    }
}

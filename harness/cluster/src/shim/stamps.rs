//! The time of arrival before each line of a log: `12.345678 text`, in seconds since the zero of the launch.
//!
//! ```text
//! 12.345678 became leader of term 3
//! ```

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::logs::BoundedLog;

/// Puts a stamp before each line of one log.
pub(super) struct Stamps {
    zero: Instant,
    at_line_start: bool,
}

/// What the system's monotonic clock shows, in nanoseconds: the same for all processes.
pub(crate) fn monotonic_ns() -> Option<u64> {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).ok()?);
    u64::try_from(now.as_nanos()).ok()
}

impl Stamps {
    /// Stamps count from the moment at which the monotonic clock showed `zero_ns`.
    pub(super) fn since(zero_ns: u64) -> Option<Self> {
        let age_ns = monotonic_ns()?.checked_sub(zero_ns)?;
        let zero = Instant::now().checked_sub(Duration::from_nanos(age_ns))?;
        Some(Self { zero, at_line_start: true })
    }

    /// Adds what arrived just now.
    pub(super) fn append(&mut self, log: &mut BoundedLog, bytes: &[u8]) {
        let stamp = stamp(self.zero.elapsed());
        // One write for all: a node that prints short lines must not cost one each.
        let mut stamped = Vec::with_capacity(bytes.len() + 4 * stamp.len());
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.at_line_start {
                stamped.extend_from_slice(stamp.as_bytes());
            }
            stamped.extend_from_slice(part);
            self.at_line_start = part.ends_with(b"\n");
        }
        log.append(&stamped);
    }
}

fn stamp(age: Duration) -> String {
    format!("{}.{:06} ", age.as_secs(), age.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in the log, without the stamps; each line that begins one must have its own.
    fn logged(pieces: &[&[u8]]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout.log");
        let mut log = BoundedLog::open(&path).unwrap();
        let mut stamps = Stamps::since(monotonic_ns().unwrap()).unwrap();
        for piece in pieces {
            stamps.append(&mut log, piece);
        }
        log.flush();
        let text = std::fs::read(path).unwrap();
        let mut plain = Vec::new();
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let end = line.iter().position(|&byte| byte == b' ').unwrap();
            let seconds: f64 = std::str::from_utf8(&line[..end]).unwrap().parse().unwrap();
            assert!((0.0..60.0).contains(&seconds), "{seconds}");
            plain.extend_from_slice(&line[end + 1..]);
        }
        plain
    }

    #[test]
    fn each_line_has_one_stamp_however_it_arrives() {
        for pieces in [
            &[b"one\ntwo\n".as_slice()] as &[&[u8]],
            &[b"on", b"e\ntw", b"o", b"\nno end"],
            &[b"\n\n", b"", b"\n"],
            &[b"\0\x1b[2J\xff\r\n", b"1.5 looks like a stamp\n"],
            &[],
        ] {
            assert_eq!(logged(pieces), pieces.concat());
        }
        let huge = vec![b'x'; 300_000];
        assert_eq!(logged(&[&huge, &huge]), [&huge[..], &huge].concat());
    }

    #[test]
    fn a_stamp_is_seconds_and_microseconds() {
        assert_eq!(stamp(Duration::from_nanos(12_000_345_999)), "12.000345 ");
    }

    #[test]
    fn a_zero_that_is_yet_to_come_gives_no_stamps() {
        assert!(Stamps::since(u64::MAX).is_none());
    }
}

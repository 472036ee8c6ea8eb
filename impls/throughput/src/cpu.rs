//! Processor time of a process.

use std::{fs, time::Duration};

use nix::unistd::{SysconfVar, sysconf};

/// What a process has used so far, with its threads; `None` where the system does not say (`/proc`, Linux).
pub fn used(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let ticks_a_second = u32::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    Some(Duration::from_secs(1) * ticks(&stat)? / ticks_a_second)
}

/// `utime` and `stime`, fields 14 and 15 of proc(5). The second field, a name in brackets, may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_moves_nothing() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 900 0 0 0 250 17 0 0 20 0 3 0 100 9000 300";
        assert_eq!(ticks(stat), Some(267));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}

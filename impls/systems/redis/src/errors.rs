//! Which errors of Redis say that nothing happened.
//!
//! Read in the source of Redis 7.0: `server.c` (`processCommand`) refuses a command with one of these before it is executed. A
//! script meets them before its first write, in `script.c` (`scriptPrepareForRun` and `scriptCall`), and ours can meet them
//! nowhere else: they do not change while a script runs.
//!
//! | error | meaning |
//! |---|---|
//! | `LOADING` | the server still reads its data from disk |
//! | `READONLY` | the server is a replica |
//! | `MASTERDOWN` | a replica without its master, which must not serve stale data |
//! | `MISCONF` | snapshots on disk fail, so that writes are refused |
//! | `OOM` | the memory limit is reached |
//! | `NOREPLICAS` | fewer replicas than `min-replicas-to-write` are connected |
//! | `BUSY` | another script runs for too long |
//! | `CLUSTERDOWN`, `MOVED`, `ASK`, `TRYAGAIN`, `CROSSSLOT` | the key is not served here |
//! | `NOAUTH`, `NOPERM` | the client may not |
//!
//! All others are indefinite: a lost connection tells nothing, and `ERR` is said of too much. `NOSCRIPT` is none of them: the
//! client library then sends the script and asks again.

use adapter::refusals;
use contract::Refusal;
use redis::RedisError;

/// With these a command was not executed.
const DEFINITE: [&str; 14] = [
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "MISCONF",
    "OOM",
    "NOREPLICAS",
    "BUSY",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "CROSSSLOT",
    "NOAUTH",
    "NOPERM",
];

/// What a failed command means for the operation.
pub(crate) fn refusal(error: &RedisError) -> Refusal {
    match error.code() {
        Some(code) if DEFINITE.contains(&code) => refusals::aborted(error),
        _ => refusals::unknown(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// The error that the client makes of this line from the server.
    fn said(line: &str) -> RedisError {
        let reply = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        reply.extract_error().unwrap_err()
    }

    #[test]
    fn only_what_the_server_refused_beforehand_is_definite() {
        for (line, definite) in [
            ("LOADING Redis is loading the dataset in memory", true),
            ("READONLY You can't write against a read only replica.", true),
            ("MISCONF Redis is configured to save RDB snapshots", true),
            ("OOM command not allowed when used memory > 'maxmemory'.", true),
            ("NOREPLICAS Not enough good replicas to write.", true),
            ("BUSY Redis is busy running a script.", true),
            ("CLUSTERDOWN The cluster is down", true),
            ("MOVED 3999 127.0.0.1:6381", true),
            ("ERR something", false),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", false),
            ("UNBLOCKED force unblock from blocking operation", false),
            ("NEWCODE nobody knows", false),
        ] {
            assert_eq!(refusal(&said(line)).code.is_definite(), definite, "{line}");
        }
    }

    #[test]
    fn a_lost_connection_is_indefinite() {
        for kind in [
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::TimedOut,
        ] {
            let refusal = refusal(&RedisError::from(io::Error::from(kind)));
            assert!(!refusal.code.is_definite(), "{kind}");
        }
    }
}

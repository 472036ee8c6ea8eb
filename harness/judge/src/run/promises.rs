//! What the store promises, by the rungs that it serves: how each promise was checked, and what was seen.

use history::words::counted;
use history::{CheckResult, Operation, Verdict};
use record::{FaultRecord, FaultStep, Promise, RunFile};

use super::by_hand;
use super::compaction::{COMPACTION, Compaction};

/// What became of a run.
pub(super) struct Outcome<'a> {
    /// What was asked.
    pub(super) run: &'a RunFile,
    /// What the workload found.
    pub(super) of_workload: &'a [CheckResult],
    /// What the bench itself found.
    pub(super) of_bench: &'a [CheckResult],
    /// The operations of the main phase.
    pub(super) main: &'a [&'a Operation],
    /// What was broken, and when.
    pub(super) faults: &'a [FaultRecord],
    /// What was overwritten so that the log compacts.
    pub(super) compaction: Option<&'a Compaction<'a>>,
}

impl Outcome<'_> {
    /// The table; empty for a store that serves nothing this bench knows.
    pub(super) fn promises(&self) -> Vec<Promise> {
        let serves = |rung: &str| self.run.serves.iter().any(|served| served == rung);
        if serves("replicated-kv") {
            vec![
                self.consistency(),
                self.progress(
                    "progress in the majority",
                    "operations succeed without each node that is down or cut off for a while",
                ),
                self.of_check(
                    "no progress in the minority",
                    "no node acknowledges a write while it is cut off from every majority",
                    "minority",
                    "add `partition` to --faults",
                ),
                self.recovery(),
                self.durability(),
                self.at_most_once(),
                self.compaction(),
            ]
        } else if serves("sharded-kv") || serves("sharded-txn") {
            vec![
                self.consistency(),
                self.progress(
                    "each group goes on with its majority",
                    "operations succeed in a group without each of its nodes that is down or cut off for a while",
                ),
                self.of_check(
                    "no progress in the minority",
                    "no node acknowledges a write while it is cut off from every majority of its group",
                    "minority",
                    "add `partition` to --faults",
                ),
                self.migration(),
                self.of_check(
                    "configurations keep the controllers' rules",
                    "each configuration that was seen was made by a change that a client asked for, and is balanced",
                    "configurations",
                    "a `query` must succeed, of a store without `rebalance` in its caps: nobody records what such a one changes by itself",
                ),
                self.recovery(),
                self.durability(),
                self.at_most_once(),
            ]
        } else if serves("shard-controller") {
            vec![
                self.consistency(),
                self.progress(
                    "progress in the majority",
                    "operations succeed without each node that is down or cut off for a while",
                ),
                self.recovery(),
                self.durability(),
                self.at_most_once(),
            ]
        } else if serves("primary-backup") {
            vec![
                self.consistency(),
                self.progress(
                    "goes on without each node",
                    "operations succeed without each node that is down or cut off for a while, while all others reach each \
                     other and the view service, which itself does not fail",
                ),
                self.of_check(
                    "one primary at a time",
                    "no node acknowledges a write while it is cut off from all others and another node does",
                    "minority",
                    "add `partition` to --faults",
                ),
                self.recovery(),
                self.durability(),
                self.at_most_once(),
            ]
        } else if serves("exactly-once-kv") {
            vec![
                self.consistency(),
                self.at_most_once(),
                self.recovery(),
                self.durability(),
                Self::memory(),
            ]
        } else {
            Vec::new()
        }
    }

    fn consistency(&self) -> Promise {
        let names: Vec<&str> =
            self.of_workload.iter().map(|check| check.checker.as_str()).collect();
        let succeeded = self.main.iter().filter(|operation| operation.result().is_some()).count();
        Promise {
            promise: "right answers".to_owned(),
            how: format!("what `{}` checks: {}", self.run.workload, names.join(", ")),
            verdict: Some(self.of_answers()),
            seen: format!("{} that succeeded", counted(succeeded, "operation")),
        }
    }

    fn of_answers(&self) -> Verdict {
        let verdicts = self.of_workload.iter().map(|check| check.verdict);
        verdicts.fold(Verdict::Valid, Verdict::merge)
    }

    fn progress(&self, promise: &str, how: &str) -> Promise {
        self.of_check(
            promise,
            how,
            "majority",
            "give the run more time, and `partition`, `kill` or `pause` to --faults",
        )
    }

    fn recovery(&self) -> Promise {
        self.of_check(
            "serves again after faults",
            "reads and writes succeed once every fault is healed",
            "recovery",
            "let the run come to its end",
        )
    }

    fn durability(&self) -> Promise {
        let mut promise = self.of_check(
            "durable through restarts",
            "all nodes are killed at once and started again, then read",
            "restart",
            "add `kill` to --faults, and `restart` to the caps of a store that survives it",
        );
        // The answers after the restart are among all answers.
        if promise.verdict == Some(Verdict::Valid) && self.of_answers() != Verdict::Valid {
            promise.verdict = Some(Verdict::Inconclusive);
            promise.seen.push_str(" See above whether answers are wrong.");
        }
        if promise.verdict.is_some() {
            let reads = self.of_bench.iter().find(|check| check.checker == "final-reads");
            promise.seen.extend(reads.map(|reads| format!(" {}", reads.summary)));
        }
        promise
    }

    /// That shards move is seen in the faults; whether anything is lost by it, in the answers.
    fn migration(&self) -> Promise {
        let promise = "nothing is lost when shards move".to_owned();
        let how =
            "what the workload checks, while shards are moved and groups leave and join again";
        let moved =
            |fault: &&FaultRecord| fault.step == FaultStep::Started && fault.family == "shards";
        let count = self.faults.iter().filter(moved).count();
        if count == 0 {
            let how = self.not_asked(how, "add `shards` to --faults");
            return Promise { promise, how, verdict: None, seen: String::new() };
        }
        let (verdict, more) = match self.of_answers() {
            Verdict::Valid => (Verdict::Valid, ""),
            _ => (Verdict::Inconclusive, "; see above whether answers are wrong"),
        };
        let seen = format!("{} took place{more}", counted(count, "change"));
        Promise { promise, how: how.to_owned(), verdict: Some(verdict), seen }
    }

    fn at_most_once(&self) -> Promise {
        let doubled = |fault: &&FaultRecord| {
            fault.step == FaultStep::Started && fault.form == "lost-replies-and-duplicates"
        };
        let client_faults = self.faults.iter().filter(doubled).count();
        let promise = "each operation at most once".to_owned();
        let how = "what the workload checks, while replies are lost and requests are sent twice";
        if client_faults == 0 {
            let needed = "`client` in --faults and `exactly-once` in the store's caps";
            let how = self.not_asked(how, needed);
            return Promise { promise, how, verdict: None, seen: String::new() };
        }
        let took_hold = format!("{} of the clients took hold", counted(client_faults, "fault"));
        // Wrong answers may have another cause.
        let (verdict, seen) = match self.of_answers() {
            Verdict::Valid => (Verdict::Valid, took_hold),
            _ => {
                (Verdict::Inconclusive, format!("{took_hold}; see above whether answers are wrong"))
            }
        };
        Promise { promise, how: how.to_owned(), verdict: Some(verdict), seen }
    }

    fn compaction(&self) -> Promise {
        let mut promise = self.of_check(
            "the log compacts",
            "one key is written over and over, then the data folders are measured",
            COMPACTION,
            "a store that serves 64 writes in the time for it and shows a data folder or its `log_bytes`",
        );
        promise.seen = self.compaction.map_or(String::new(), Compaction::seen);
        promise
    }

    /// Nothing is decided: memory that is free may still be held, by a garbage collector for one.
    fn memory() -> Promise {
        Promise {
            promise: "bounded memory".to_owned(),
            how: "the nodes' memory is measured (see how the store behaved), not judged".to_owned(),
            verdict: None,
            seen: String::new(),
        }
    }

    /// A promise that a check of the bench stands for; where there was none, `needed` says how to get it.
    fn of_check(&self, promise: &str, how: &str, checker: &str, needed: &str) -> Promise {
        let check = self.of_bench.iter().find(|check| check.checker == checker);
        Promise {
            promise: promise.to_owned(),
            how: if check.is_some() { how.to_owned() } else { self.not_asked(how, needed) },
            verdict: check.map(|check| check.verdict),
            seen: check.map_or(String::new(), |check| check.summary.clone()),
        }
    }

    /// How a promise is checked, and what this run lacked for it.
    fn not_asked(&self, how: &str, needed: &str) -> String {
        match by_hand::is(self.run) {
            true => {
                format!("{how}; not asked of a session that is played by hand, `harness run` does")
            }
            false => format!("{how}; for that, {needed}"),
        }
    }
}

//! Whether the controllers of a sharded store kept their rules.

use contract::manifest::Capability;
use history::{CheckResult, Operation};
use invariants::Invariant;
use record::RunFile;

/// Whether the record can tell. Controllers that move shards by themselves make configurations that nobody asked for, and the
/// record has only what was asked for.
fn is_told(run: &RunFile) -> bool {
    !run.caps.iter().any(|cap| cap == Capability::Rebalance.name())
}

/// The check of the configurations, where groups were told any.
pub(super) fn check(run: &RunFile, operations: &[Operation]) -> Option<CheckResult> {
    let is_asked = !run.groups.is_empty() && is_told(run);
    is_asked.then(|| workloads::check_configurations(operations)).flatten()
}

/// What a workload found of configurations decides nothing where the record cannot tell.
pub(super) fn undecided_if_untold(run: &RunFile, checks: &mut [CheckResult]) {
    let is_of_configurations =
        |check: &&mut CheckResult| check.checker == Invariant::Configurations.name();
    for check in checks.iter_mut().filter(is_of_configurations).filter(|_| !is_told(run)) {
        let why = "The controllers move shards by themselves (`rebalance` in the caps), which the record does not have: nothing \
                   can be said of their configurations.";
        *check = CheckResult::inconclusive(&check.checker, why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use history::{Completion, Verdict};
    use serde_json::json;

    use super::*;

    fn run(caps: &[&str]) -> RunFile {
        let run = json!({
            "version": 1, "harness": "", "target": "", "target_folder": "", "workload": "register", "seed": 1, "caps": caps,
            "nodes": ["n1", "n2"], "clients": 5, "rate": null, "faults": [], "fault_interval_ms": null, "time_limit_ms": 1000,
            "started": "", "command": "", "machine": {}, "groups": [["n1"], ["n2"]],
        });
        serde_json::from_value(run).unwrap()
    }

    /// Somebody saw a configuration that nobody had asked for.
    fn seen() -> Operation {
        let found = json!({ "num": 1, "shards": ["g1"], "groups": { "g1": ["n1"] } });
        Operation {
            call: 0,
            process: 0,
            f: "query".into(),
            arguments: json!({ "num": -1 }),
            completion: Completion::Ok(1, found),
            call_ns: 0,
            return_ns: Some(1),
            node: None,
            phase: String::new(),
        }
    }

    #[test]
    fn a_configuration_that_nobody_asked_for_is_wrong_unless_controllers_move_shards_by_themselves()
    {
        let found = check(&run(&["txn"]), &[seen()]).expect("a check");
        assert_eq!(found.verdict, Verdict::Violation);
        assert!(check(&run(&["txn", "rebalance"]), &[seen()]).is_none());
        let mut checks = vec![found];
        undecided_if_untold(&run(&[]), &mut checks);
        assert_eq!(checks[0].verdict, Verdict::Violation);
        undecided_if_untold(&run(&["rebalance"]), &mut checks);
        assert_eq!(checks[0].verdict, Verdict::Inconclusive);
    }
}

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

/// Takes out what a workload found of configurations, where the record cannot tell.
pub(super) fn leave_out_untold(run: &RunFile, checks: &mut Vec<CheckResult>) {
    let is_of_configurations =
        |check: &CheckResult| check.checker == Invariant::Configurations.name();
    checks.retain(|check| is_told(run) || !is_of_configurations(check));
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
        leave_out_untold(&run(&[]), &mut checks);
        assert_eq!(checks.len(), 1);
        leave_out_untold(&run(&["rebalance"]), &mut checks);
        assert!(checks.is_empty());
    }
}

//! Whether a node acknowledged a write though it was cut off from every majority; or, where a view service decides who
//! serves, though it was cut off from all others while another one acknowledged writes, too.
//!
//! A replicated store cannot: so either it does not replicate, or its nodes talk to each other around the links that
//! the bench cuts. In neither case do the cuts of this run show anything.

use std::collections::{BTreeMap, BTreeSet};

use history::words::{counted, seconds};
use history::{CheckResult, Operation};
use record::{FaultRecord, FaultStep};
use serde_json::json;

use super::faults::over_ns;
use super::members::Members;
use super::writes::is_acknowledged_write;

/// The check; `None` where nobody was cut off so far. `operations` are those of the main phase.
pub(super) fn check(
    members: Members<'_>,
    faults: &[FaultRecord],
    operations: &[&Operation],
) -> Option<CheckResult> {
    let cuts: Vec<Cut<'_>> =
        faults.iter().filter_map(|fault| Cut::of(fault, members, faults)).collect();
    if cuts.is_empty() {
        return None;
    }
    let unreplicated = cuts.iter().flat_map(|cut| cut.unreplicated(members, operations));
    let unreplicated: BTreeMap<u64, &Operation> =
        unreplicated.map(|operation| (operation.call, operation)).collect();
    let (from, meanwhile) = match members.view_service {
        None => ("every majority", ""),
        Some(_) => ("all others", " while another one did"),
    };
    let mut result = match unreplicated.values().next() {
        None => CheckResult::valid(
            "minority",
            format!("No node that was cut off from {from} acknowledged a write{meanwhile}."),
        ),
        Some(first) => CheckResult::inconclusive(
            "minority",
            format!(
                "{} acknowledged by nodes that were cut off from {from}{meanwhile}, the first by {} (`{}` at {} s). Either \
                 the store does not replicate its writes, or its nodes talk to each other around the links of the \
                 bench (DS_PEERS), so that the cuts show nothing.",
                counted(unreplicated.len(), "write"),
                first.node.as_deref().unwrap_or("?"),
                first.f,
                seconds(first.call_ns, 3),
            ),
        ),
    };
    result.statistics = json!({ "cuts": cuts.len(), "writes_acknowledged": unreplicated.len() });
    Some(result)
}

/// A time in which some nodes could reach no majority, not even by way of others; or nobody at all, where a view service
/// decides who serves.
struct Cut<'a> {
    nodes: BTreeSet<&'a str>,
    from_ns: u64,
    to_ns: u64,
}

impl<'a> Cut<'a> {
    fn of(fault: &FaultRecord, members: Members<'a>, faults: &[FaultRecord]) -> Option<Self> {
        if fault.family != "partition" || fault.step != FaultStep::Started {
            return None;
        }
        let to_ns = over_ns(faults, fault.fault)?;
        let linked = members.linked();
        let is_cut_off = |node: &&String| {
            let reached = reachable(node, &linked, &fault.targets).len();
            match members.view_service {
                None => 2 * reached <= linked.len(),
                Some(_) => reached == 1,
            }
        };
        let nodes: BTreeSet<&str> =
            members.nodes.iter().filter(is_cut_off).map(String::as_str).collect();
        (!nodes.is_empty()).then_some(Self { nodes, from_ns: fault.time_ns, to_ns })
    }

    /// The writes that its nodes acknowledged and that no other node can have.
    fn unreplicated<'o>(
        &self,
        members: Members<'_>,
        operations: &[&'o Operation],
    ) -> Vec<&'o Operation> {
        let within = |operation: &&&Operation| {
            let ends_within = operation.return_ns.is_some_and(|end_ns| end_ns <= self.to_ns);
            operation.call_ns >= self.from_ns && ends_within && is_acknowledged_write(operation)
        };
        let written = operations.iter().filter(within).copied();
        let (its, others): (Vec<&Operation>, Vec<&Operation>) = written.partition(|operation| {
            operation.node.as_deref().is_some_and(|node| self.nodes.contains(node))
        });
        // A primary that nobody can follow may serve alone, but then nobody else serves.
        let is_shared = !others.is_empty() || its.iter().any(|one| one.node != its[0].node);
        if members.view_service.is_none() || is_shared { its } else { Vec::new() }
    }
}

/// The nodes that this one can exchange anything with, itself included: one open direction is taken to suffice.
fn reachable<'a>(from: &'a str, nodes: &'a [String], cut: &[String]) -> BTreeSet<&'a str> {
    let is_open = |one: &str, other: &str| !cut.contains(&format!("{one}>{other}"));
    let mut reached = BTreeSet::from([from]);
    let mut to_visit = vec![from];
    while let Some(node) = to_visit.pop() {
        for other in nodes {
            if (is_open(node, other) || is_open(other, node)) && reached.insert(other) {
                to_visit.push(other);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Completion, Verdict};
    use serde_json::Value;

    const S: u64 = 1_000_000_000;

    fn cut(links: &[&str], from: u64, to: u64) -> Vec<FaultRecord> {
        let record = |step, time_ns| FaultRecord {
            fault: 0,
            time_ns,
            family: "partition".to_owned(),
            form: String::new(),
            step,
            targets: links.iter().map(ToString::to_string).collect(),
            ..FaultRecord::default()
        };
        // It takes a while until the record says that the links are open again.
        vec![
            record(FaultStep::Started, from),
            record(FaultStep::Healing, to),
            record(FaultStep::Healed, to + S),
        ]
    }

    fn operation(f: &str, arguments: Value, result: Value, node: &str, call_ns: u64) -> Operation {
        Operation {
            call: 0,
            process: 0,
            f: f.into(),
            arguments,
            completion: Completion::Ok(1, result),
            call_ns,
            return_ns: Some(call_ns + S / 10),
            node: Some(node.to_owned()),
            phase: "main".to_owned(),
        }
    }

    fn put(node: &str, call_ns: u64) -> Operation {
        operation("put", json!({"key": "x", "value": "1"}), json!({}), node, call_ns)
    }

    fn of(
        view_service: Option<&str>,
        faults: &[FaultRecord],
        operations: &[&Operation],
    ) -> Option<CheckResult> {
        let nodes = ["n1", "n2", "n3"].map(str::to_owned);
        check(Members { nodes: &nodes, view_service, is_one_of_several: false }, faults, operations)
    }

    fn verdict(faults: &[FaultRecord], operation: &Operation) -> Option<Verdict> {
        of(None, faults, &[operation]).map(|result| result.verdict)
    }

    const N1_ALONE: [&str; 4] = ["n1>n2", "n2>n1", "n1>n3", "n3>n1"];

    /// Nodes that shared one file were once called valid under partitions.
    #[test]
    fn a_write_that_a_node_acknowledges_alone_was_not_replicated_over_the_links() {
        let faults = cut(&N1_ALONE, 2 * S, 4 * S);
        assert_eq!(verdict(&faults, &put("n1", 3 * S)), Some(Verdict::Inconclusive));
        let second = Operation { call: 1, ..put("n1", 3 * S + 1) };
        let result = of(None, &faults, &[&put("n1", 3 * S), &second]);
        let summary = result.unwrap().summary;
        assert!(summary.starts_with("2 writes acknowledged"), "{summary}");
        assert!(summary.contains("the first by n1 (`put` at 3.000 s)"), "{summary}");
    }

    #[test]
    fn what_a_majority_may_have_known_of_says_nothing() {
        let faults = cut(&N1_ALONE, 2 * S, 4 * S);
        for (what, operation) in [
            ("a node of the majority", put("n2", 3 * S)),
            ("asked before the cut", put("n1", 2 * S - 1)),
            ("answered as the links opened", put("n1", 4 * S - S / 20)),
            ("a read", operation("get", json!({"key": "x"}), json!({"value": null}), "n1", 3 * S)),
            (
                "changed nothing",
                operation(
                    "cas",
                    json!({"key": "x", "expect": "1", "value": "2"}),
                    json!({"swapped": false}),
                    "n1",
                    3 * S,
                ),
            ),
        ] {
            assert_eq!(verdict(&faults, &operation), Some(Verdict::Valid), "{what}");
        }
        let mut failed = put("n1", 3 * S);
        failed.completion = Completion::Info(None);
        assert_eq!(verdict(&faults, &failed), Some(Verdict::Valid));
    }

    #[test]
    fn nothing_is_said_where_nobody_was_cut_off_from_every_majority() {
        let one_way = cut(&["n1>n2", "n1>n3"], 2 * S, 4 * S);
        assert_eq!(verdict(&one_way, &put("n1", 3 * S)), None);
        let bridge = cut(&["n1>n2", "n2>n1"], 2 * S, 4 * S);
        assert_eq!(verdict(&bridge, &put("n1", 3 * S)), None, "n3 sees both");
        let never_healed = &cut(&N1_ALONE, 2 * S, 4 * S)[..1];
        assert_eq!(verdict(never_healed, &put("n1", 3 * S)), None);
        assert_eq!(verdict(&[], &put("n1", 3 * S)), None);
    }

    /// Servers that shared one file under a view service were once called valid under partitions.
    #[test]
    fn of_a_node_alone_and_another_one_only_one_may_acknowledge_writes() {
        let links = ["n1>n2", "n2>n1", "n1>n3", "n3>n1", "n1>v1", "v1>n1"];
        let (faults, reaches_v1) = (cut(&links, 2 * S, 4 * S), cut(&links[..4], 2 * S, 4 * S));
        let (alone, other) = (put("n1", 3 * S), Operation { call: 1, ..put("n2", 3 * S) });
        let verdict = |faults: &[FaultRecord], operations: &[&Operation]| {
            of(Some("v1"), faults, operations).map(|result| result.verdict)
        };
        assert_eq!(verdict(&faults, &[&alone, &other]), Some(Verdict::Inconclusive));
        // A primary without a backup serves on, and so does one that the cut leaves with its backup.
        assert_eq!(verdict(&faults, &[&alone]), Some(Verdict::Valid));
        assert_eq!(verdict(&faults, &[&other]), Some(Verdict::Valid));
        let before = put("n2", S);
        assert_eq!(verdict(&faults, &[&alone, &before]), Some(Verdict::Valid));
        assert_eq!(verdict(&reaches_v1, &[&alone, &other]), None);
    }
}

//! Whether the rest of the store went on without a node: what a store of several nodes is for.
//!
//! Each node is looked at by itself, over all the time in which it was down or cut off while enough of the others were
//! up and connected: a majority, or what else the rung says. A store that never did anything then hangs on this node,
//! whatever stands around it.

use std::collections::BTreeMap;

use history::words::seconds;
use history::{CheckResult, Operation};
use record::{FaultRecord, evidence::GONE_ON_MIN};
use serde_json::{Map, Value};

use super::absences::{Span, Troubles, absences};
use super::members::Members;
use super::writes::{is_acknowledged_write, is_write};

/// That the others did not go on is said of no node that was absent for less in all: they may need longer.
const ABSENT_MIN_NS: u64 = 2_000_000_000;

/// Writes that were tried so often say something by failing.
const OFTEN: usize = 20;

/// What happened while each node was away.
pub(super) struct Majority<'a> {
    members: Members<'a>,
    without: BTreeMap<&'a str, Without>,
    /// Who was away for long, but only when that says nothing.
    not_tested: Vec<&'a str>,
}

impl<'a> Majority<'a> {
    /// `operations` are those of the main phase, which began at `begin_ns`.
    pub(super) fn of(
        members: Members<'a>,
        (faults, begin_ns): (&[FaultRecord], u64),
        operations: &[&Operation],
    ) -> Self {
        let troubles = Troubles::of(faults, begin_ns);
        let absences = absences(members, &troubles);
        let mut not_tested = Vec::new();
        let without = |(node, mut spans): (&'a str, Vec<Span>)| {
            let all = Without::of(node, &spans, operations);
            if members.view_service.is_none() {
                return (node, all);
            }
            // Right after other faults the node may have been the only one with the state.
            spans.retain(|span| {
                troubles.was_calm_before(span.0, begin_ns)
                    || Without::of(node, &[*span], operations).succeeded > 0
            });
            let told = Without::of(node, &spans, operations);
            if all.is_long() && !told.is_long() {
                not_tested.push(node);
            }
            (node, told)
        };
        let without = absences.into_iter().map(without).collect();
        Self { members, without, not_tested }
    }

    /// The check; `None` where no majority was ever tested.
    pub(super) fn check(&self) -> Option<CheckResult> {
        let tested: Vec<(&str, &Without)> = self.tested().collect();
        if tested.is_empty() {
            return None;
        }
        let needed = tested.iter().filter(|(_, without)| without.is_nothing());
        let others = self.members.others();
        let needed: Vec<String> =
            needed.map(|(node, without)| without.nothing(node, others)).collect();
        let mut result = if needed.is_empty() {
            let names: Vec<&str> = tested.iter().map(|(node, _)| *node).collect();
            let not_tested = match &self.not_tested[..] {
                [] => String::new(),
                nodes => format!(
                    " Not tested without {}: whenever it was away, something else had just been broken.",
                    nodes.join(", nor without ")
                ),
            };
            let without = names.join(", and without ");
            CheckResult::valid(
                "majority",
                format!("The others went on serving without {without}.{not_tested}"),
            )
        } else {
            CheckResult::inconclusive(
                "majority",
                format!(
                    "{} A store of several nodes should go on. If it only needs more time for that, \
                     `--fault-interval 20s` gives longer faults.",
                    needed.join(" ")
                ),
            )
        };
        let row = |(node, without): (&&str, &Without)| {
            let absent = seconds(without.absent_ns, 1);
            let text = format!("{} succeeded in {absent} s", without.succeeded);
            (format!("without {node}"), Value::String(text))
        };
        result.statistics = Value::Object(self.without.iter().map(row).collect::<Map<_, _>>());
        Some(result)
    }

    /// How many nodes were away for long. Where all were, whoever led, another one had to.
    pub(super) fn nodes_away(&self) -> usize {
        self.tested().count()
    }

    fn tested(&self) -> impl Iterator<Item = (&'a str, &Without)> {
        let may_be_idle = self.members.is_one_of_several;
        let long = move |(_, without): &(&&'a str, &Without)| {
            without.is_long() && !(may_be_idle && without.asked == 0)
        };
        self.without.iter().filter(long).map(|(node, without)| (*node, without))
    }
}

/// What happened without a node.
struct Without {
    /// How many operations began meanwhile, and asked another node last.
    asked: usize,
    absent_ns: u64,
    absences: usize,
    succeeded: usize,
    writes_tried: usize,
    written: usize,
}

impl Without {
    /// Clients may still reach a node that the others do not: what it answers itself does not count.
    fn of(node: &str, spans: &[Span], operations: &[&Operation]) -> Self {
        let within = |operation: &&&Operation| {
            let (call, end) = (operation.call_ns, operation.return_ns.unwrap_or(operation.call_ns));
            operation.node.as_deref() != Some(node)
                && spans.iter().any(|&(from, to)| call >= from && end <= to)
        };
        let began = |operation: &&&Operation| {
            let call = operation.call_ns;
            operation.node.as_deref() != Some(node)
                && spans.iter().any(|&(from, to)| (from..to).contains(&call))
        };
        let tried: Vec<&&Operation> = operations.iter().filter(within).collect();
        let writes = tried.iter().filter(|operation| is_write(operation));
        Self {
            asked: operations.iter().filter(began).count(),
            absent_ns: spans.iter().map(|(from, to)| to - from).sum(),
            absences: spans.len(),
            succeeded: tried.iter().filter(|operation| operation.result().is_some()).count(),
            writes_tried: writes.count(),
            written: tried.iter().filter(|operation| is_acknowledged_write(operation)).count(),
        }
    }

    /// Long enough to say something. That the others go on shows sooner than that they do not.
    fn is_long(&self) -> bool {
        let wrote = self.written > 0 || self.writes_tried == 0;
        let have_gone_on = self.succeeded >= GONE_ON_MIN && wrote;
        self.absent_ns >= ABSENT_MIN_NS || have_gone_on
    }

    /// Reads alone may come from copies that nobody can change any more.
    fn is_nothing(&self) -> bool {
        self.succeeded == 0 || (self.written == 0 && self.writes_tried >= OFTEN)
    }

    fn nothing(&self, node: &str, others: &str) -> String {
        let (absent, count) = (seconds(self.absent_ns, 1), self.absences);
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let what = if self.succeeded == 0 {
            "Nothing succeeded without"
        } else {
            "No write succeeded without"
        };
        format!(
            "{what} {node}, which was down or cut off {times}, for {absent} s in all, while {others}."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Completion, Verdict};
    use record::FaultStep;

    const S: u64 = 1_000_000_000;

    fn fault(number: u64, family: &str, targets: &[&str], from: u64, to: u64) -> [FaultRecord; 4] {
        let record = |step, time_ns| FaultRecord {
            fault: number,
            time_ns,
            family: family.to_owned(),
            form: String::new(),
            step,
            targets: targets.iter().map(ToString::to_string).collect(),
            ..FaultRecord::default()
        };
        [
            record(FaultStep::Planned, from),
            record(FaultStep::Started, from),
            record(FaultStep::Healing, to),
            record(FaultStep::Healed, to),
        ]
    }

    /// One operation every tenth of a second for twenty seconds, in which succeed those for whose second this is true.
    fn operations(succeeds: impl Fn(u64) -> bool) -> Vec<Operation> {
        let operation = |number: u64| {
            let call_ns = number * S / 10;
            let is_ok = succeeds(call_ns / S);
            Operation {
                call: number,
                process: 0,
                f: "get".into(),
                arguments: Value::Null,
                completion: if is_ok {
                    Completion::Ok(number + 1, Value::Null)
                } else {
                    Completion::Fail(number + 1, None)
                },
                call_ns,
                return_ns: Some(call_ns + S / 20),
                node: None,
                phase: "main".to_owned(),
            }
        };
        (0..200).map(operation).collect()
    }

    fn checked(faults: &[FaultRecord], succeeds: impl Fn(u64) -> bool) -> Option<CheckResult> {
        checked_with(None, faults, succeeds)
    }

    fn checked_with(
        view_service: Option<&str>,
        faults: &[FaultRecord],
        succeeds: impl Fn(u64) -> bool,
    ) -> Option<CheckResult> {
        let nodes = ["n1", "n2", "n3"].map(str::to_owned);
        let operations = operations(succeeds);
        let members = Members { nodes: &nodes, view_service, is_one_of_several: false };
        Majority::of(members, (faults, 0), &operations.iter().collect::<Vec<_>>()).check()
    }

    fn verdict(faults: &[FaultRecord], succeeds: impl Fn(u64) -> bool) -> Option<Verdict> {
        checked(faults, succeeds).map(|result| result.verdict)
    }

    /// n1 down, then cut off, then n2 down.
    fn faults() -> Vec<FaultRecord> {
        let cut_off = ["n1>n2", "n2>n1", "n1>n3", "n3>n1"];
        let all = [
            fault(0, "kill", &["n1"], 2 * S, 4 * S),
            fault(1, "partition", &cut_off, 6 * S, 8 * S),
            fault(2, "pause", &["n2"], 10 * S, 13 * S),
        ];
        all.concat()
    }

    #[test]
    fn a_store_that_goes_on_without_each_node_is_one_of_several_nodes() {
        let result = checked(&faults(), |_| true).unwrap();
        assert_eq!(result.verdict, Verdict::Valid, "{result:?}");
        // A second to find a leader each time.
        let elects = |second: u64| ![2, 6, 10].contains(&second);
        assert_eq!(verdict(&faults(), elects), Some(Verdict::Valid));
    }

    /// One server behind three fronts was once called a valid replicated store.
    #[test]
    fn a_single_server_behind_fronts_hangs_on_its_node() {
        let result =
            checked(&faults(), |second| !(2..4).contains(&second) && !(6..8).contains(&second));
        let result = result.unwrap();
        assert_eq!(result.verdict, Verdict::Inconclusive, "{result:?}");
        assert!(
            result.summary.contains("without n1, which was down or cut off 2 times, for 4.0 s")
        );
    }

    #[test]
    fn that_others_go_on_shows_in_less_time_than_that_they_do_not() {
        let short = fault(0, "kill", &["n1"], 2 * S, 4 * S - 1);
        assert_eq!(verdict(&short, |_| true), Some(Verdict::Valid));
        assert_eq!(verdict(&short, |second| second == 2), None, "ten successes are too few");
        // Twice as many operations, of which every second is a write that fails.
        let mut operations = operations(|_| true);
        operations.extend(operations.clone().into_iter().map(|read| Operation {
            f: "put".into(),
            arguments: serde_json::json!({ "key": "x", "value": "1" }),
            completion: Completion::Fail(read.call + 1, None),
            ..read
        }));
        let nodes = ["n1", "n2", "n3"].map(str::to_owned);
        let members = Members { nodes: &nodes, view_service: None, is_one_of_several: false };
        let operations: Vec<&Operation> = operations.iter().collect();
        assert!(Majority::of(members, (&short, 0), &operations).check().is_none(), "reads alone");
        let long = fault(0, "kill", &["n1"], 2 * S, 4 * S);
        let told = Majority::of(members, (&long, 0), &operations).check().unwrap();
        assert!(told.summary.contains("No write succeeded without n1"), "{}", told.summary);
    }

    #[test]
    fn what_the_absent_node_answers_itself_does_not_count() {
        let cut_off = fault(0, "partition", &["n1>n2", "n2>n1", "n1>n3", "n3>n1"], 2 * S, 8 * S);
        let nodes: Vec<String> = ["n1", "n2", "n3"].map(str::to_owned).into();
        let verdict = |answers: &str| {
            let mut operations = operations(|_| true);
            operations.iter_mut().for_each(|operation| operation.node = Some(answers.to_owned()));
            let members = Members { nodes: &nodes, view_service: None, is_one_of_several: false };
            Majority::of(members, (&cut_off, 0), &operations.iter().collect::<Vec<_>>())
                .check()
                .unwrap()
                .verdict
        };
        assert_eq!(verdict("n1"), Verdict::Inconclusive);
        assert_eq!(verdict("n2"), Verdict::Valid);
    }

    /// A process that was killed while it was paused, and started again, once counted as paused until the pause ended.
    #[test]
    fn a_kill_ends_a_pause() {
        let faults =
            [fault(0, "pause", &["n1"], 2 * S, 9 * S), fault(1, "kill", &["n1"], 3 * S, 6 * S)];
        let back = |second: u64| second >= 6;
        assert_eq!(verdict(&faults.concat(), back), Some(Verdict::Inconclusive));
    }

    #[test]
    fn a_node_that_is_coming_back_is_neither_there_nor_away() {
        let mut comes_back = fault(0, "kill", &["n2"], S, 2 * S);
        comes_back[3].time_ns = 8 * S;
        let n1_paused = fault(1, "pause", &["n1"], 3 * S, 7 * S);
        let faults = [comes_back.clone(), n1_paused.clone()].concat();
        assert_eq!(verdict(&faults, |_| false), None, "perhaps n3 is alone");
        comes_back.iter_mut().for_each(|record| record.targets = vec!["n1".to_owned()]);
        let faults = [comes_back, n1_paused].concat();
        let result = checked(&faults, |_| false).unwrap();
        assert!(
            result.summary.contains("without n1, which was down or cut off 2 times, for 5.0 s")
        );
    }

    #[test]
    fn nothing_is_said_where_no_majority_was_up_and_connected_for_long() {
        let none = |_| false;
        let two = fault(0, "kill", &["n1", "n2"], 2 * S, 8 * S);
        assert_eq!(verdict(&two, none), None);
        let short = fault(0, "kill", &["n1"], 2 * S, 4 * S - 1);
        assert_eq!(verdict(&short, none), None);
        let nobody = fault(0, "partition", &["n1>n2", "n2>n3", "n3>n1"], 2 * S, 8 * S);
        assert_eq!(verdict(&nobody, none), None);
        let half_connected = fault(0, "partition", &["n1>n2"], 2 * S, 8 * S);
        assert_eq!(verdict(&half_connected, none), None);
        let meanwhile = [
            fault(0, "kill", &["n1"], 2 * S, 8 * S),
            fault(1, "network", &["every link"], 2 * S + 1, 8 * S - 1),
        ];
        assert_eq!(verdict(&meanwhile.concat(), none), None);
        assert_eq!(verdict(&[], none), None);
    }

    /// A primary and a backup go on without each node, but not without two, nor without the view service.
    #[test]
    fn with_a_view_service_all_others_must_be_there_and_reach_it() {
        let without_n1 = ["n1>n2", "n2>n1", "n1>n3", "n3>n1", "n1>v1", "v1>n1"];
        let verdict = |links: &[&str], succeeds: bool| {
            let cut = fault(0, "partition", links, 2 * S, 8 * S);
            checked_with(Some("v1"), &cut, |_| succeeds).map(|result| result.verdict)
        };
        assert_eq!(verdict(&without_n1, true), Some(Verdict::Valid));
        assert_eq!(verdict(&without_n1, false), Some(Verdict::Inconclusive));
        assert_eq!(verdict(&without_n1[..4], false), None, "n1 still serves, by the view service");
        let without_v1 = ["v1>n1", "n1>v1", "v1>n2", "n2>v1", "v1>n3", "n3>v1"];
        assert_eq!(verdict(&without_v1, false), None);
        let cut_and_n1_killed = [
            fault(0, "kill", &["n1"], 2 * S, 8 * S),
            fault(1, "partition", &without_v1, 2 * S, 8 * S),
        ];
        assert!(checked_with(Some("v1"), &cut_and_n1_killed.concat(), |_| false).is_none());
        let two = fault(0, "kill", &["n1", "n2"], 2 * S, 8 * S);
        assert!(checked_with(Some("v1"), &two, |_| false).is_none());
        // Whoever comes back last may be the only one with the state.
        let at_once =
            [fault(0, "kill", &["n2"], S, 2 * S), fault(1, "kill", &["n1"], 2 * S + 1, 8 * S)];
        assert!(checked_with(Some("v1"), &at_once.concat(), |_| false).is_none());
        let goes_on = checked_with(Some("v1"), &at_once.concat(), |_| true).unwrap();
        assert_eq!(goes_on.statistics["without n1"], "59 succeeded in 5.9 s");
        let later = [&at_once.concat()[..], &fault(2, "kill", &["n3"], 12 * S, 16 * S)].concat();
        let result = checked_with(Some("v1"), &later, |second| second >= 8).unwrap();
        assert_eq!(result.verdict, Verdict::Valid);
        assert!(result.summary.contains("Not tested without n1: "), "{result:?}");
        let one = fault(0, "kill", &["n1"], 2 * S, 8 * S);
        let result = checked_with(Some("v1"), &one, |_| false).unwrap();
        assert!(result.summary.contains("with the view service, too"), "{result:?}");
    }

    #[test]
    fn what_was_tried_before_it_was_seen_is_unclear() {
        let mut late = fault(1, "partition", &["n2>n3"], 5 * S, 9 * S);
        late[0].time_ns = 2 * S;
        late[1].step = FaultStep::Missed;
        let faults = [fault(0, "kill", &["n1"], 2 * S, 8 * S).to_vec(), late.to_vec()].concat();
        assert_eq!(verdict(&faults, |_| false), None);
        // Without a healing it was never tried: such a fault once hid all that came after it.
        let faults =
            [fault(0, "kill", &["n1"], 2 * S, 8 * S).to_vec(), late[..2].to_vec()].concat();
        assert_eq!(verdict(&faults, |_| false), Some(Verdict::Inconclusive));
    }
}

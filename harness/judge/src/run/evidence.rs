//! Whether enough was seen to call a run valid: what never succeeded was never tested.

use std::collections::BTreeMap;

use history::{CheckResult, Operation};
use record::evidence::{Evidence, Required};
use record::{FaultRecord, FaultStep, Measured};

use super::faults::time_ns;

/// A kind of operation that was asked for so often must have succeeded once.
const OFTEN: u64 = 20;

/// A store may need so long after a fault to find a leader again.
const AFTER_FAULT_NS: u64 = 1_000_000_000;

/// A share of fewer operations says nothing.
const SHARE_OF_AT_LEAST: usize = 20;

/// No run has more clients, whatever its `run.json` says.
const CLIENTS_MAX: u32 = 1000;

/// What was seen, and what it is measured by.
pub(super) struct Seen<'a> {
    /// The operations of the main phase.
    pub(super) main: &'a [&'a Operation],
    /// The functions without which the workload means nothing.
    pub(super) must_succeed: &'static [&'static str],
    /// How many clients there were.
    pub(super) clients: u32,
    /// How many more ask one node only, when the faults want it.
    pub(super) probers: u32,
    /// The node that an operation asked first.
    pub(super) asked_first: &'a dyn Fn(&Operation) -> Option<&'a str>,
    /// How many nodes were away for long, while a majority of the others was there.
    pub(super) nodes_away: u64,
    /// How often another node came to lead; `None` where it did not have to, or the store does not say who leads.
    pub(super) leader_changes: Option<u64>,
    /// What was broken, and when.
    pub(super) faults: &'a [FaultRecord],
    /// Whether a person was the only client: as many processes as operations overlapped, and as long as it took.
    pub(super) by_hand: bool,
}

/// How much of everything there was.
pub(super) fn measure(seen: &Seen<'_>, required: &Required) -> Vec<Measured> {
    let measured = |evidence| {
        let (what, count) = seen.measure(evidence)?;
        Some(Measured { what, asked: required.of(evidence), seen: count })
    };
    Evidence::ALL.into_iter().filter_map(measured).collect()
}

/// The check.
pub(super) fn check(seen: &Seen<'_>, measured: &[Measured]) -> CheckResult {
    let lacking: Vec<String> = measured
        .iter()
        .filter(|found| found.seen < found.asked)
        .map(|found| format!("{}: {} of at least {}", found.what, found.seen, found.asked))
        .collect();
    let too_little = (!lacking.is_empty()).then(|| {
        format!("Too little was seen: {}. `--require` sets these figures.", lacking.join("; "))
    });
    let reasons: Vec<String> = seen.never().into_iter().chain(too_little).collect();
    if reasons.is_empty() {
        let needed = seen.must_succeed.join("`, `");
        let sentence = format!("Enough succeeded, also after the first fault: `{needed}`.");
        CheckResult::valid("evidence", sentence)
    } else {
        CheckResult::inconclusive("evidence", reasons.join(" "))
    }
}

impl Seen<'_> {
    /// Kinds of operations that were asked for often and never succeeded.
    fn never(&self) -> Option<String> {
        let mut asked: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
        for operation in self.main {
            let (count, succeeded) = asked.entry(&operation.f).or_default();
            *count += 1;
            *succeeded |= operation.result().is_some();
        }
        let never = asked.iter().filter(|(_, (count, succeeded))| *count >= OFTEN && !succeeded);
        let names: Vec<&str> = never.map(|(name, _)| *name).collect();
        (!names.is_empty())
            .then(|| format!("No `{}` succeeded, so it was not tested.", names.join("`, `")))
    }

    /// What was counted, with the client, node or kind that had the fewest, and how much there was; `None` where there
    /// was nothing to count.
    fn measure(&self, evidence: Evidence) -> Option<(String, u64)> {
        use Evidence::{EachClient, LeaderChanges, NodesAway};
        if self.by_hand && matches!(evidence, EachClient | LeaderChanges | NodesAway) {
            return None;
        }
        let about = evidence.about().to_owned();
        match evidence {
            Evidence::Succeeded => Some((about, self.succeeded().count() as u64)),
            Evidence::EachClient => {
                let (client, count) = fewest(self.by_client())?;
                Some((format!("operations that succeeded of client {client}"), count))
            }
            Evidence::EachNode => {
                let (node, count) = fewest(self.by_node())?;
                Some((format!("operations that succeeded and asked {node} first"), count))
            }
            Evidence::EachKind => {
                let (kind, count) = fewest(self.by_kind())?;
                Some((format!("`{kind}` that succeeded after the first fault"), count))
            }
            Evidence::PercentUnbroken => Some((about, self.percent_unbroken())),
            Evidence::NodesAway => Some((about, self.nodes_away)),
            Evidence::LeaderChanges => Some((about, self.leader_changes?)),
            // A promise of its own (`compaction`).
            Evidence::PercentCompacted => None,
        }
    }

    fn succeeded(&self) -> impl Iterator<Item = &Operation> {
        self.main.iter().copied().filter(|operation| operation.result().is_some())
    }

    fn by_client(&self) -> BTreeMap<u64, u64> {
        // One more client sets up and reads last, others ask one node now and then; and a client whose operation is in doubt
        // goes on as another process.
        let processes = u64::from(self.clients) + 1 + u64::from(self.probers);
        let clients = u64::from(self.clients.min(CLIENTS_MAX));
        let mut counts: BTreeMap<u64, u64> = (0..clients).map(|client| (client, 0)).collect();
        for operation in self.succeeded() {
            if let Some(count) = counts.get_mut(&(operation.process % processes)) {
                *count += 1;
            }
        }
        counts
    }

    /// Of the nodes that were asked often.
    fn by_node(&self) -> BTreeMap<&str, u64> {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for operation in self.main {
            if let Some(node) = (self.asked_first)(operation) {
                let (asked, succeeded) = counts.entry(node).or_default();
                *asked += 1;
                *succeeded += u64::from(operation.result().is_some());
            }
        }
        let often = counts.into_iter().filter(|(_, (asked, _))| *asked >= OFTEN);
        often.map(|(node, (_, succeeded))| (node, succeeded)).collect()
    }

    fn by_kind(&self) -> BTreeMap<&str, u64> {
        let first = self.started().map(|fault| fault.time_ns).min().unwrap_or(0);
        let mut counts: BTreeMap<&str, u64> =
            self.must_succeed.iter().map(|kind| (*kind, 0)).collect();
        for operation in self.succeeded().filter(|operation| operation.call_ns >= first) {
            if let Some(count) = counts.get_mut(operation.f.as_str()) {
                *count += 1;
            }
        }
        counts
    }

    fn percent_unbroken(&self) -> u64 {
        let broken: Vec<(u64, u64)> =
            self.started().map(|fault| (fault.time_ns, self.served_again_ns(fault))).collect();
        let is_unbroken = |operation: &&&Operation| {
            !broken.iter().any(|&(from, to)| (from..to).contains(&operation.call_ns))
        };
        let unbroken: Vec<&Operation> = self.main.iter().filter(is_unbroken).copied().collect();
        // Where something was always broken, all of them have to do.
        let all = if unbroken.len() >= SHARE_OF_AT_LEAST { &unbroken } else { self.main };
        let succeeded = all.iter().filter(|operation| operation.result().is_some()).count();
        (100 * succeeded).checked_div(all.len()).unwrap_or(0) as u64
    }

    fn started(&self) -> impl Iterator<Item = &FaultRecord> {
        self.faults.iter().filter(|fault| fault.step == FaultStep::Started)
    }

    /// When the store should serve again after a fault; never, where nobody healed it.
    fn served_again_ns(&self, started: &FaultRecord) -> u64 {
        let healed_ns = time_ns(self.faults, started.fault, FaultStep::Healed);
        healed_ns.map_or(u64::MAX, |healed_ns| healed_ns.saturating_add(AFTER_FAULT_NS))
    }
}

fn fewest<K>(counts: BTreeMap<K, u64>) -> Option<(K, u64)> {
    counts.into_iter().min_by_key(|(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Completion, Verdict};
    use record::Phase;
    use serde_json::Value;

    const MS: u64 = 1_000_000;
    const CLIENTS: u32 = 4;
    const NODES: [&str; 2] = ["n1", "n2"];

    /// One operation every ten milliseconds, by one client after the other; a put and a get in turn.
    fn operations(count: u64, succeeds: impl Fn(&Operation) -> bool) -> Vec<Operation> {
        let operation = |number: u64| {
            let call_ns = number * 10 * MS;
            let mut operation = Operation {
                call: number,
                process: number / 2 % u64::from(CLIENTS),
                f: if number.is_multiple_of(2) { "put" } else { "get" }.into(),
                arguments: Value::Null,
                completion: Completion::Info(None),
                call_ns,
                return_ns: None,
                node: None,
                phase: Phase::Main.name().to_owned(),
            };
            if succeeds(&operation) {
                operation.completion = Completion::Ok(number + 1, Value::Null);
            }
            operation
        };
        (0..count).map(operation).collect()
    }

    fn fault(step: FaultStep, ms: u64) -> FaultRecord {
        FaultRecord {
            fault: 0,
            time_ns: ms * MS,
            family: "kill".to_owned(),
            form: "kill-all".to_owned(),
            step,
            targets: Vec::new(),
            ..FaultRecord::default()
        }
    }

    fn checked(operations: &[Operation], required: &str) -> CheckResult {
        checked_with(operations, None, required)
    }

    fn checked_with(
        operations: &[Operation],
        leader_changes: Option<u64>,
        required: &str,
    ) -> CheckResult {
        let main: Vec<&Operation> = operations.iter().collect();
        let faults = [fault(FaultStep::Started, 2_000), fault(FaultStep::Healed, 3_000)];
        let must_succeed = &["get", "put"];
        let node =
            |operation: &Operation| Some(NODES[usize::try_from(operation.process).unwrap() % 2]);
        let seen = Seen {
            main: &main,
            must_succeed,
            clients: CLIENTS,
            probers: 2,
            asked_first: &node,
            nodes_away: 0,
            leader_changes,
            faults: &faults,
            by_hand: false,
        };
        check(&seen, &measure(&seen, &required.parse().unwrap()))
    }

    #[track_caller]
    fn lacks(operations: &[Operation], sentence: &str) {
        let result = checked(operations, "succeeded=100");
        assert_eq!(result.verdict, Verdict::Inconclusive, "{result:?}");
        assert!(result.summary.contains(sentence), "{}", result.summary);
    }

    #[test]
    fn a_store_that_serves_except_under_faults_was_tested() {
        let broken = |operation: &Operation| (2_000..3_900).contains(&(operation.call_ns / MS));
        let result = checked(&operations(1_000, |operation| !broken(operation)), "succeeded=100");
        assert_eq!(result.verdict, Verdict::Valid, "{result:?}");
    }

    #[test]
    fn a_lazy_store_was_not_tested() {
        lacks(&operations(6, |_| true), "operations that succeeded: 6 of at least 100");
        lacks(&operations(1_000, |operation| operation.call < 8), "that succeeded: 8 of");
        let refuses = operations(20_000, |operation| operation.call % 100 < 2);
        lacks(&refuses, "while nothing was broken: 2 of");
        let early = operations(20_000, |operation| operation.call_ns < 2_000 * MS);
        lacks(&early, "`get` that succeeded after the first fault: 0 of");
        let until_healed = operations(20_000, |operation| operation.call_ns < 2_900 * MS);
        lacks(&until_healed, "while nothing was broken: 1 of");
        lacks(
            &operations(1_000, |operation| operation.process == 2),
            "of client 0: 0 of at least 5",
        );
        lacks(
            &operations(1_000, |operation| operation.process % 2 == 0),
            "asked n2 first: 0 of at least 5",
        );
        lacks(
            &operations(1_000, |operation| operation.f == "put"),
            "`get` that succeeded after the first fault: 0 of",
        );
        lacks(&[], "operations that succeeded: 0 of");
    }

    #[test]
    fn a_kind_that_the_workload_can_do_without_must_succeed_once_where_it_is_asked_for_often() {
        let mut all = operations(1_000, |_| true);
        all.iter_mut().filter(|operation| operation.call % 50 == 0).for_each(|operation| {
            operation.f = "cas".into();
            operation.completion = Completion::Info(None);
        });
        lacks(&all, "No `cas` succeeded");
    }

    #[test]
    fn a_store_whose_leader_never_changes_though_each_node_was_away_was_not_tested() {
        let operations = operations(1_000, |_| true);
        let verdict = |changes| checked_with(&operations, changes, "succeeded=100").verdict;
        assert_eq!(verdict(Some(0)), Verdict::Inconclusive);
        assert_eq!([Some(1), None].map(verdict), [Verdict::Valid; 2]);
    }

    #[test]
    fn what_is_required_is_for_the_caller_to_say() {
        let few = operations(60, |_| true);
        assert_eq!(checked(&few, "succeeded=61").verdict, Verdict::Inconclusive);
        let enough = "succeeded=60,each-kind=0";
        assert_eq!(checked(&few, enough).verdict, Verdict::Valid);
        assert_eq!(checked(&operations(1, |_| true), "none").verdict, Verdict::Valid);
        assert_eq!(checked(&[], "none").verdict, Verdict::Inconclusive, "nothing was tested");
    }
}

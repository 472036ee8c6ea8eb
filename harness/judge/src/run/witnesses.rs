//! What the record says about the operations that prove a violation: who answered, when, and what was broken then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use history::words::{cut, seconds, who};
use history::{Operation, Violation};
use record::{FaultRecord, FaultStep, LeaderChange};

use super::faults::time_ns;
use super::sentence_case;
use super::writes::is_write;

/// Foreign names are shown to this length.
const NAME_CHARS_MAX: usize = 30;
/// So many targets of a fault are named.
const TARGETS_MAX: usize = 3;
/// So many faults are named that were in force at once.
const FAULTS_MAX: usize = 2;
/// So many operations are named that were sent more than once.
const SENT_AGAIN_MAX: usize = 2;
/// A new leader may not yet be known for so long.
const LEADER_MARGIN_NS: u64 = 1_000_000_000;

/// The operations and faults of a run.
pub(super) struct Witnesses<'a> {
    /// By the index of the invocation.
    operations: HashMap<u64, &'a Operation>,
    /// Those that took hold, in order.
    faults: Vec<Fault<'a>>,
    /// How many nodes there are.
    nodes: usize,
    /// Who said that it leads, in order, and until when that was asked.
    leaders: Vec<LeaderChange>,
    leaders_until_ns: u64,
    /// How often a request may have been executed, by operation, where that is more than once.
    sent: BTreeMap<u64, usize>,
}

/// A fault that took hold.
struct Fault<'a> {
    record: &'a FaultRecord,
    from_ns: u64,
    /// `None`: it was never healed.
    to_ns: Option<u64>,
    /// How many nodes there are.
    nodes: usize,
}

impl<'a> Witnesses<'a> {
    /// Of a store of so many nodes.
    pub(super) fn new(
        nodes: usize,
        operations: &'a [Operation],
        faults: &'a [FaultRecord],
    ) -> Self {
        let started = faults.iter().filter(|fault| fault.step == FaultStep::Started);
        let fault = |record: &'a FaultRecord| Fault {
            record,
            from_ns: record.time_ns,
            to_ns: time_ns(faults, record.fault, FaultStep::Healed),
            nodes,
        };
        let mut faults: Vec<Fault<'a>> = started.map(fault).collect();
        faults.sort_by_key(|fault| fault.from_ns);
        let operations = operations.iter().map(|operation| (operation.call, operation)).collect();
        Self {
            operations,
            faults,
            nodes,
            leaders: Vec::new(),
            leaders_until_ns: 0,
            sent: BTreeMap::new(),
        }
    }

    /// With what the nodes said about who leads, as long as they were asked.
    pub(super) fn led_by(self, leaders: Vec<LeaderChange>, leaders_until_ns: u64) -> Self {
        Self { leaders, leaders_until_ns, ..self }
    }

    /// With how often requests were sent.
    pub(super) fn sent(self, sent: BTreeMap<u64, usize>) -> Self {
        Self { sent, ..self }
    }

    /// Who led all through this time, and since when, if the node had led before that. What the nodes say is asked only
    /// now and then, so the time must have a margin.
    pub(super) fn successor_of(&self, node: &str, (from, to): (u64, u64)) -> Option<(&str, u64)> {
        let begun = self.leaders.partition_point(|change| change.time_ns <= from);
        let (before, after) = self.leaders.split_at(begun);
        let known_until = after.first().map_or(self.leaders_until_ns, |next| next.time_ns);
        let lasts = known_until > to.saturating_add(LEADER_MARGIN_NS);
        let leader = before.last().filter(|_| lasts)?.node.as_deref()?;
        let is_other = |change: &&LeaderChange| change.node.as_deref() != Some(node);
        let since: Vec<&LeaderChange> = before.iter().rev().take_while(is_other).collect();
        let first = since.iter().rev().find(|change| change.node.as_deref() == Some(leader))?;
        (since.len() < before.len()).then_some((leader, first.time_ns))
    }

    /// Whether a request of it may have been executed a second time, by its attempts.
    pub(super) fn may_have_come_twice(&self, operation: &Operation) -> bool {
        self.sent.contains_key(&operation.call)
    }

    /// Who came to lead between two moments, if another had led before; the last of them.
    pub(super) fn new_leader_between(&self, (from, to): (u64, u64)) -> Option<&str> {
        let known = |change: &'_ &LeaderChange| change.node.is_some();
        let before = self.leaders.iter().rfind(|change| known(change) && change.time_ns < from)?;
        let within = |change: &&LeaderChange| (from..to).contains(&change.time_ns);
        let last = self.leaders.iter().filter(known).rfind(within)?;
        (last.node != before.node).then_some(last.node.as_deref()).flatten()
    }

    /// The operations of a violation, as far as the record has them.
    pub(super) fn of(&self, violation: &Violation) -> impl Iterator<Item = &'a Operation> {
        violation.operations.iter().filter_map(|call| self.operations.get(call).copied())
    }

    /// When the last of them had ended.
    pub(super) fn complete_ns(&self, violation: &Violation) -> u64 {
        let end_ns = |operation: &Operation| operation.return_ns.unwrap_or(operation.call_ns);
        self.of(violation).map(end_ns).max().unwrap_or(u64::MAX)
    }

    /// The sentence, with each operation that it calls by its event named as others are.
    pub(super) fn with_names(&self, violation: &Violation) -> String {
        let mut sentence = violation.sentence.clone();
        for operation in self.of(violation) {
            let by_event = format!("that of event {}", operation.call);
            let parts: Vec<&str> = sentence.split(&by_event).collect();
            let mut named = parts[0].to_owned();
            for part in &parts[1..] {
                // The number of another event may begin with this one.
                let is_whole = !part.starts_with(|c: char| c.is_ascii_digit());
                named.push_str(&if is_whole { who(operation) } else { by_event.clone() });
                named.push_str(part);
            }
            sentence = named;
        }
        sentence
    }

    /// Who answered the operations, what was broken when the wrong one was answered, or last before, and what was sent
    /// more than once; `None` where none of them was answered.
    pub(super) fn context(&self, violation: &Violation) -> Option<String> {
        let answered = || self.of(violation).filter(|operation| operation.result().is_some());
        // Checkers name the one that is wrong; others only explain it.
        let wrong = answered().max_by_key(|operation| {
            (violation.sentence.contains(&by_whom(operation)), operation.return_ns)
        })?;
        let others: Vec<&Operation> =
            answered().filter(|operation| operation.call != wrong.call).collect();
        let faults = self.faults_around(wrong);
        let faults = faults.unwrap_or_else(|| "before any fault".to_owned());
        let mut context = match wrong.node.as_deref().map(|node| cut(node, NAME_CHARS_MAX)) {
            Some(node) => {
                let is_answered = others.len() + 1 == violation.operations.len();
                let all_there = is_answered && others.iter().all(|other| other.node == wrong.node);
                let is_last = others.iter().all(|other| other.return_ns <= wrong.return_ns);
                let which = match which(others.len(), all_there, is_last) {
                    which if all_there && !others.is_empty() => which.to_owned(),
                    which => with_request(which, wrong, &violation.sentence),
                };
                if all_there && !others.is_empty() {
                    let one = if is_last { "the last one" } else { "one of them" };
                    format!("{node} answered {which}, {one} {faults}.")
                } else {
                    let others = answered_others(&node, &others);
                    format!("{node} answered {which}, {faults}{others}.")
                }
            }
            None => format!("That was {faults}."),
        };
        context.push_str(&self.sent_again(violation).unwrap_or_default());
        Some(context)
    }

    /// Which of the writes may have been executed more than once, a few of them.
    fn sent_again(&self, violation: &Violation) -> Option<String> {
        let writes = self.of(violation).filter(|operation| is_write(operation));
        let again = writes.filter_map(|operation| {
            let times = self.sent.get(&operation.call)?;
            Some(format!(" {} may have arrived {times} times.", sentence_case(&who(operation))))
        });
        let again: Vec<String> = again.take(SENT_AGAIN_MAX).collect();
        (!again.is_empty()).then(|| again.concat())
    }

    /// The kills, pauses and cuts that began between two moments; of many only how often a majority was killed.
    pub(super) fn destroyed_between(&self, (from, to): (u64, u64)) -> Option<String> {
        let harmed = |fault: &&Fault<'_>| ["kill", "pause", "partition"].contains(&fault.family());
        let between = self.faults.iter().filter(|fault| (from..to).contains(&fault.from_ns));
        let between: Vec<&Fault<'_>> = between.filter(harmed).collect();
        if between.len() <= FAULTS_MAX {
            let words: Vec<String> = between.into_iter().map(Fault::words).collect();
            return (!words.is_empty()).then(|| words.join(" and "));
        }
        let of_majority = |fault: &&&Fault<'_>| {
            fault.family() == "kill" && 2 * fault.record.targets.len() > self.nodes
        };
        match between.iter().filter(of_majority).count() {
            0 => None,
            1 => Some("a majority of the nodes was killed at once".to_owned()),
            times => Some(format!("a majority of the nodes was killed at once, {times} times")),
        }
    }

    /// Was every way between the two nodes cut by one fault all the time from one moment to another?
    pub(super) fn are_cut_off(&self, (one, other): (&str, &str), (from, to): (u64, u64)) -> bool {
        let links = [format!("{one}>{other}"), format!("{other}>{one}")];
        let mut cuts = self.faults.iter().filter(|fault| {
            let is_over = fault.to_ns.is_some_and(|healed| healed < to);
            fault.family() == "partition" && fault.from_ns <= from && !is_over
        });
        cuts.any(|fault| links.iter().all(|link| fault.record.targets.contains(link)))
    }

    /// `while n1 was paused (from 3.900 s on)`, `after n1 was killed (3.200–4.100 s)`.
    fn faults_around(&self, operation: &Operation) -> Option<String> {
        let (begin, end) = (operation.call_ns, operation.return_ns?);
        let begun = || self.faults.iter().rev().filter(|fault| fault.from_ns <= end);
        let in_force = begun().filter(|fault| fault.to_ns.is_none_or(|to| to >= begin));
        let in_force: Vec<&Fault<'_>> = in_force.collect();
        if !in_force.is_empty() {
            let shown = &in_force[..in_force.len().min(FAULTS_MAX)];
            // A node that was killed may serve again before the bench knows it, be it that it was paused before.
            let words = |kills: bool| {
                let some = shown.iter().filter(|fault| (fault.family() == "kill") == kills);
                let some: Vec<String> = some.map(|fault| fault.words()).collect();
                let when = if kills { "after" } else { "while" };
                (!some.is_empty()).then(|| format!("{when} {}", some.join(" and ")))
            };
            let more = match in_force.len().saturating_sub(FAULTS_MAX) {
                0 => String::new(),
                more => format!(", and {more} more faults in force"),
            };
            let words: Vec<String> = [words(true), words(false)].into_iter().flatten().collect();
            return Some(format!("{}{more}", words.join(", ")));
        }
        let last = begun().max_by_key(|fault| fault.to_ns)?;
        Some(format!("after {}", last.words()))
    }
}

impl Fault<'_> {
    /// How many of the nodes it hit, where there are several.
    fn share(&self) -> &'static str {
        let hit = self.record.targets.len();
        match self.nodes {
            0 | 1 => "",
            nodes if hit >= nodes => " (all nodes)",
            nodes if 2 * hit > nodes => " (a majority)",
            nodes if 2 * hit == nodes => " (half of the nodes)",
            _ => " (a minority)",
        }
    }
}

/// `it`, or which of the operations beside so many others.
fn which(others: usize, all_there: bool, is_last: bool) -> &'static str {
    match others {
        0 => "it",
        1 if all_there => "both",
        _ if all_there => "all of these operations",
        _ if is_last => "the last of these operations",
        _ => "one of these operations",
    }
}

/// With what the client sent, where the sentence calls it something else.
fn with_request(which: &str, wrong: &Operation, sentence: &str) -> String {
    match sent(wrong).filter(|_| !sentence.contains(wrong.f.as_str())) {
        Some(sent) => format!("{which} ({sent})"),
        None => which.to_owned(),
    }
}

/// `; n3 the others`: who answered these, if they are few.
fn answered_others(node: &str, others: &[&Operation]) -> String {
    let nodes: BTreeSet<String> = others
        .iter()
        .filter_map(|other| other.node.as_deref())
        .map(|node| cut(node, NAME_CHARS_MAX))
        .collect();
    let the_others = if others.len() == 1 { "the other" } else { "the others" };
    let nodes: Vec<String> = nodes.into_iter().collect();
    match &nodes[..] {
        [] => String::new(),
        [same] if same == node => String::new(),
        nodes if nodes.len() <= TARGETS_MAX => {
            format!("; {} answered {the_others}", nodes.join(" and "))
        }
        _ => String::new(),
    }
}

/// ` of process 3 (10.203–10.207 s)`: how a sentence names an operation, whatever it calls it.
fn by_whom(operation: &Operation) -> String {
    let name = who(operation);
    name.split_once(" of process").map_or(String::new(), |(_, by)| format!(" of process{by}"))
}

/// What the client sent, where a checker may call it something else: the request's name, and whether it did nothing.
fn sent(operation: &Operation) -> Option<String> {
    let result = operation.result()?;
    let name = cut(&operation.f, NAME_CHARS_MAX);
    let is_refused = result["swapped"] == false || result["committed"] == false;
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let refused = if is_refused { " that was refused" } else { "" };
    Some(format!("{article} {name}{refused}"))
}

impl Fault<'_> {
    fn family(&self) -> &str {
        &self.record.family
    }

    fn words(&self) -> String {
        let FaultRecord { family, form, targets, .. } = self.record;
        let (form, targets) = (cut(form, NAME_CHARS_MAX), named(targets));
        let were = if self.record.targets.len() == 1 { "was" } else { "were" };
        let what = match family.as_str() {
            "kill" => format!("{targets}{} {were} killed", self.share()),
            "pause" => format!("{targets}{} {were} paused", self.share()),
            "partition" => format!("links were cut ({form}: {targets})"),
            "network" => format!("messages between nodes were disturbed ({form})"),
            "client" => format!("requests of clients were disturbed ({form})"),
            other => format!("{} {form} was in force", cut(other, NAME_CHARS_MAX)),
        };
        let from = seconds(self.from_ns, 3);
        match self.to_ns {
            Some(to) => format!("{what} ({from}–{} s)", seconds(to, 3)),
            None => format!("{what} (from {from} s on)"),
        }
    }
}

/// `n1, n2 and 3 more`.
fn named(targets: &[String]) -> String {
    let first = targets.iter().take(TARGETS_MAX).map(|target| cut(target, NAME_CHARS_MAX));
    let first = first.collect::<Vec<_>>().join(", ");
    match targets.len().saturating_sub(TARGETS_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use history::Completion;
    use record::Phase;
    use serde_json::{Value, json};

    pub(in crate::run) const MS: u64 = 1_000_000;

    /// From `at` seconds on, for half a second, at `n1`.
    pub(in crate::run) fn operation(
        at: u64,
        f: &str,
        arguments: Value,
        result: Value,
    ) -> Operation {
        Operation {
            call: at,
            process: at,
            f: f.into(),
            arguments,
            completion: Completion::Ok(at, result),
            call_ns: at * 1000 * MS,
            return_ns: Some(at * 1000 * MS + 500 * MS),
            node: Some("n1".to_owned()),
            phase: Phase::Main.name().to_owned(),
        }
    }

    pub(in crate::run) fn put(at: u64, key: &str, value: &str) -> Operation {
        operation(at, "put", json!({ "key": key, "value": value }), json!({}))
    }

    pub(in crate::run) fn get(at: u64, key: &str, value: &str) -> Operation {
        operation(at, "get", json!({ "key": key }), json!({ "value": value }))
    }

    pub(in crate::run) fn fault(
        number: u64,
        (family, form): (&str, &str),
        targets: &[&str],
        (from_ms, to_ms): (u64, u64),
    ) -> [FaultRecord; 2] {
        let record = |step, ms: u64| FaultRecord {
            fault: number,
            time_ns: ms * MS,
            family: family.to_owned(),
            form: form.to_owned(),
            step,
            targets: targets.iter().map(|target| (*target).to_owned()).collect(),
            ..FaultRecord::default()
        };
        [record(FaultStep::Started, from_ms), record(FaultStep::Healed, to_ms)]
    }

    pub(in crate::run) fn violation(kind: &str, operations: &[u64]) -> Violation {
        Violation {
            kind: kind.to_owned(),
            sentence: "The get is wrong.".to_owned(),
            operations: operations.to_vec(),
        }
    }

    fn context(operations: &[Operation], faults: &[FaultRecord], proof: &[u64]) -> Option<String> {
        Witnesses::new(3, operations, faults).context(&violation("stale read", proof))
    }

    #[test]
    fn the_node_that_answered_last_is_named_and_what_was_broken_then_or_before() {
        let operations =
            [put(1, "x", "1"), Operation { node: Some("n2".into()), ..get(5, "x", "0") }];
        let kill = fault(0, ("kill", "kill-one"), &["n1"], (3200, 4100));
        let pause = fault(1, ("pause", "pause-all"), &["n2", "n3"], (5100, 6000));
        let later = fault(2, ("kill", "kill-one"), &["n3"], (5600, 6000));
        let all = [kill.clone(), pause, later.clone()].concat();
        assert_eq!(
            context(&operations, &all, &[1, 5]).unwrap(),
            "n2 answered the last of these operations, while n2, n3 (a majority) were paused (5.100–6.000 s); n1 answered the \
             other."
        );
        assert_eq!(
            context(&operations, &[kill.clone(), later].concat(), &[5]).unwrap(),
            "n2 answered it, after n1 (a minority) was killed (3.200–4.100 s)."
        );
        assert_eq!(
            context(&operations, &[], &[1, 5]).unwrap(),
            "n2 answered the last of these operations, before any fault; n1 answered the other."
        );
        let nowhere = [Operation { node: None, ..get(5, "x", "0") }];
        assert_eq!(
            context(&nowhere, &kill, &[5]).unwrap(),
            "That was after n1 (a minority) was killed (3.200–4.100 s)."
        );
        assert_eq!(context(&nowhere, &[], &[5]).unwrap(), "That was before any fault.");
        let mixed =
            [kill[0].clone(), fault(3, ("network", "disorder"), &[], (5200, 6000))[0].clone()];
        assert_eq!(
            context(&nowhere, &mixed, &[5]).unwrap(),
            "That was after n1 (a minority) was killed (from 3.200 s on), while messages between nodes were \
             disturbed (disorder) (from 5.200 s on)."
        );
    }

    /// A checker of counters calls it a read.
    #[test]
    fn a_request_that_a_checker_calls_something_else_is_named() {
        let refused = operation(5, "cas", json!({ "key": "x" }), json!({ "swapped": false }));
        assert_eq!(
            context(&[refused], &[], &[5]).unwrap(),
            "n1 answered it (a cas that was refused), before any fault."
        );
    }

    #[test]
    fn what_a_sentence_calls_by_its_event_is_named_as_others_are() {
        let operations = [put(1, "x", "1"), get(12, "x", "0")];
        let sentence = "T1 is that of event 12, T2 is that of event 1, T3 is that of event 120";
        let violation = Violation { sentence: sentence.to_owned(), ..violation("G2", &[1, 12]) };
        assert_eq!(
            Witnesses::new(3, &operations, &[]).with_names(&violation),
            "T1 is the get of process 12 (12.000–12.500 s), T2 is the put of process 1 (1.000–1.500 s), T3 is that of event \
             120"
        );
    }

    #[test]
    fn what_was_never_answered_has_no_context() {
        let unknown = Operation { completion: Completion::Info(None), ..put(1, "x", "1") };
        assert_eq!(context(&[unknown], &[], &[1]), None);
        assert_eq!(context(&[], &[], &[1]), None);
    }

    #[test]
    fn names_from_elsewhere_are_harmless_and_short() {
        let long = "n\u{1b}[2J".repeat(1000);
        let operations = [Operation { node: Some(long.clone()), ..get(5, "x", "0") }];
        let targets: Vec<&str> = vec![&long; 500];
        let mut faults = fault(0, ("partition", &long), &targets, (5000, 6000)).to_vec();
        faults.extend(fault(1, (&long, &long), &targets, (5000, 6000)));
        let words = context(&operations, &faults, &[5]).unwrap();
        assert!(words.chars().count() < 500 && !words.contains('\u{1b}'), "{words}");
        assert!(words.contains("and 497 more"), "{words}");
    }
}

//! Correct clocks of several styles on random executions whose messages pass in any order: nothing may be found. And each
//! kind of wrong clock: something must.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use record::{Clocks as Headers, Fate, MessageRecord};

use super::*;

const NODES: usize = 4;
const EXECUTIONS: u64 = 300;
const STEPS: u64 = 300;

/// How a store divides its work into events, and what it makes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// A sending and a receipt are an event each.
    Usual,
    /// Only sendings are counted.
    SendingsOnly,
    /// A receipt and the sendings up to the next one are one event, with a Lamport time each.
    Steps,
    /// A message tells the clock before its own event.
    Before,
    /// Wrong: a receipt takes nothing in.
    TakesNothingIn,
    /// Wrong: receipts take in, and nothing is counted.
    CountsNothing,
    /// Wrong: a restart begins at nothing.
    Forgets,
    /// Wrong: the counts of others grow by themselves.
    Invents,
    /// Wrong: the Lamport clock takes nothing in.
    LamportAlone,
}

#[derive(Clone)]
struct Node {
    lamport: u64,
    counts: [u64; NODES],
}

impl Node {
    const NEW: Self = Self { lamport: 1, counts: [0; NODES] };

    fn tick(&mut self, own: usize) {
        self.lamport += 1;
        self.counts[own] += 1;
    }

    fn send(&mut self, own: usize, style: Style, to: usize) -> Self {
        match style {
            Style::Before => {
                let told = self.clone();
                self.tick(own);
                return told;
            }
            Style::Steps => self.lamport += 1,
            Style::CountsNothing => {}
            _ => self.tick(own),
        }
        let mut told = self.clone();
        if style == Style::Invents {
            told.counts[to] += 1;
        }
        told
    }

    fn receive(&mut self, own: usize, style: Style, told: &Self) {
        if style != Style::LamportAlone {
            self.lamport = self.lamport.max(told.lamport);
        }
        if style != Style::TakesNothingIn {
            for (count, sent) in self.counts.iter_mut().zip(told.counts) {
                *count = sent.max(*count);
            }
        }
        match style {
            Style::SendingsOnly | Style::CountsNothing => self.lamport += 1,
            _ => self.tick(own),
        }
    }
}

fn name(node: usize) -> String {
    format!("n{}", node + 1)
}

fn nodes() -> Vec<String> {
    (0..NODES).map(name).collect()
}

fn record(time_ns: u64, (from, to): (usize, usize), told: &Node) -> MessageRecord {
    let vector = nodes().into_iter().zip(told.counts).filter(|(_, count)| *count > 0).collect();
    let (lamport, vector) = (Some(told.lamport), Some(vector));
    MessageRecord {
        time_ns,
        from: name(from),
        to: name(to),
        method: "POST".to_owned(),
        path: "/".to_owned(),
        kind: Some("Test".to_owned()),
        clocks: Some(Headers { lamport, vector, ..Headers::default() }),
        bytes: 1,
        fate: Fate::Delivered,
    }
}

/// What becomes of a random execution: its trace, and from when on that does not show all.
fn execution(style: Style, seed: u64) -> (Vec<MessageRecord>, BTreeMap<String, u64>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut nodes = vec![Node::NEW; NODES];
    if matches!(style, Style::Steps | Style::CountsNothing) {
        (0..NODES).for_each(|own| nodes[own].tick(own));
    }
    // In the sender's own queues: these pass the proxy in any order. Then on their way behind it.
    let mut leaving: Vec<(usize, usize, Node)> = Vec::new();
    let mut arriving: Vec<(usize, usize, Node)> = Vec::new();
    let (mut trace, mut unseen) = (Vec::new(), BTreeMap::new());
    for time_ns in 0..STEPS {
        let at = random.random_range(0..NODES);
        match random.random_range(0..100) {
            0..30 => {
                let to = (at + random.random_range(1..NODES)) % NODES;
                let told = nodes[at].send(at, style, to);
                leaving.push((at, to, told));
            }
            30..60 if !leaving.is_empty() => {
                let (from, to, told) = leaving.swap_remove(random.random_range(0..leaving.len()));
                let mut passed = record(time_ns, (from, to), &told);
                match random.random_range(0..20) {
                    0 => passed.fate = Fate::RequestDropped,
                    1 => passed.fate = Fate::Duplicated,
                    // The sender sends it once more by itself.
                    2 => leaving.push((from, to, told.clone())),
                    _ => {}
                }
                let times = match passed.fate {
                    Fate::RequestDropped => 0,
                    Fate::Duplicated => 2,
                    _ => 1,
                };
                arriving.extend(std::iter::repeat_n((from, to, told), times));
                if random.random_range(0..60) == 0 {
                    unseen.entry(name(from)).or_insert(time_ns);
                } else {
                    trace.push(passed);
                }
            }
            60..95 if !arriving.is_empty() => {
                let (_, to, told) = arriving.swap_remove(random.random_range(0..arriving.len()));
                nodes[to].receive(to, style, &told);
            }
            95..97 if style == Style::Forgets => nodes[at] = Node::NEW,
            _ => {}
        }
    }
    // Written by several tasks.
    for place in 1..trace.len() {
        if random.random_range(0..4) == 0 {
            trace.swap(place - 1, place);
        }
    }
    (trace, unseen)
}

/// In how many of the executions something is found, and what first.
fn found(style: Style) -> (u64, Option<String>) {
    let (mut found, mut first) = (0, None);
    for seed in 0..EXECUTIONS {
        let (trace, unseen) = execution(style, seed);
        let Some(clocks) = Clocks::of_messages(trace, &nodes(), Some(&unseen)) else { continue };
        if let Some(note) = clocks.note() {
            found += 1;
            first.get_or_insert(note);
        }
    }
    (found, first)
}

#[test]
fn nothing_is_found_where_the_clocks_are_right() {
    for style in [Style::Usual, Style::SendingsOnly, Style::Steps, Style::Before] {
        assert_eq!(found(style), (0, None), "{style:?}");
    }
}

#[test]
fn wrong_clocks_are_found() {
    for (style, words) in [
        (Style::CountsNothing, "both count"),
        (Style::Forgets, "both count"),
        (Style::Invents, "no message of"),
        (Style::LamportAlone, "its Lamport clock is"),
    ] {
        let (found, first) = found(style);
        let first = first.unwrap_or_default();
        assert!(found > EXECUTIONS * 8 / 10, "{style:?}: {found} of {EXECUTIONS}");
        assert!(first.starts_with("The clocks of the nodes are wrong: "), "{first}");
        assert!(first.contains(words), "{style:?}: {first}");
    }
}

/// A trace of three nodes, of (from, to, Lamport clock, counts of n1 to n4), a second apart.
fn told(messages: &[(usize, usize, u64, [u64; NODES])]) -> Vec<MessageRecord> {
    let record =
        |(at, (from, to, lamport, counts)): (usize, &(usize, usize, u64, [u64; NODES]))| {
            let node = Node { lamport: *lamport, counts: *counts };
            record((at as u64 + 1) * 1_000_000_000, (*from, *to), &node)
        };
    messages.iter().enumerate().map(record).collect()
}

fn clocks(messages: Vec<MessageRecord>, unseen: Option<&BTreeMap<String, u64>>) -> Clocks {
    Clocks::of_messages(messages, &nodes(), unseen).unwrap()
}

#[track_caller]
fn finds(messages: Vec<MessageRecord>, expected: &str) {
    let clocks = clocks(messages, Some(&BTreeMap::new()));
    let note = clocks.note().unwrap();
    assert_eq!(clocks.promise().verdict, Some(Verdict::Violation));
    let sentence = note.strip_prefix("The clocks of the nodes are wrong: ").unwrap();
    assert!(sentence.starts_with(expected), "{sentence}");
}

#[test]
fn each_contradiction_is_told() {
    finds(
        told(&[(0, 1, 1, [1, 0, 0, 0]), (1, 2, 3, [1, 2, 0, 0]), (0, 2, 2, [1, 2, 0, 0])]),
        "Test from n1 to n2 (1.000000 s) and Test from n1 to n3 (3.000000 s) both count 1 of n1's events, but not the same \
         of the others'; either a sending was not counted, or the clock was forgotten in a restart. That says nothing",
    );
    finds(
        told(&[(2, 0, 1, [0, 0, 1, 0]), (0, 1, 3, [2, 0, 1, 0]), (1, 2, 5, [2, 2, 0, 0])]),
        "Test from n2 to n3 (3.000000 s) counts 2 of n1's events, so it comes after Test from n1 to n2 (2.000000 s), which \
         counts 1 of n3's events, but counts only 0 of these itself. That says nothing",
    );
    finds(
        told(&[(0, 1, 5, [1, 0, 0, 0]), (0, 1, 6, [2, 0, 0, 0]), (1, 2, 4, [2, 2, 0, 0])]),
        "by its vector Test from n2 to n3 (3.000000 s) comes after Test from n1 to n2 (1.000000 s), but its Lamport clock \
         is 4, which is not above 5. That says nothing",
    );
    finds(
        told(&[(0, 1, 1, [1, 0, 0, 0]), (2, 1, 9, [7, 0, 1, 0])]),
        "Test from n3 to n2 (2.000000 s) counts 7 of n1's events, but no message of n1 had passed by then that counted more \
         than 1; either the count is wrong, or nodes talk to each other around the bench. That says nothing",
    );
}

#[test]
fn what_was_thrown_away_told_nobody() {
    let mut messages = told(&[(0, 1, 1, [1, 0, 0, 0]), (1, 2, 3, [1, 2, 0, 0])]);
    assert!(clocks(messages.clone(), Some(&BTreeMap::new())).note().is_none());
    messages[0].fate = Fate::RequestDropped;
    finds(messages, "Test from n2 to n3 (2.000000 s) counts 1 of n1's events, but no message");
}

#[test]
fn a_head_may_be_read_before_the_rest_has_come() {
    let mut messages = told(&[(0, 1, 1, [1, 0, 0, 0]), (1, 2, 3, [1, 2, 0, 0])]);
    messages[0].time_ns = 5_000_000_000;
    finds(
        messages.clone(),
        "Test from n2 to n3 (2.000000 s) counts 1 of n1's events, but no message",
    );
    messages[0].clocks.as_mut().unwrap().head_ns = Some(2_000_000_000);
    assert!(clocks(messages, Some(&BTreeMap::new())).note().is_none());
}

#[test]
fn where_the_trace_has_gaps_knowledge_may_come_from_there() {
    let messages = told(&[(0, 1, 1, [1, 0, 0, 0]), (2, 1, 9, [7, 0, 1, 0])]);
    let unseen = |node: &str, since_ns| BTreeMap::from([(node.to_owned(), since_ns)]);
    finds_only(&messages, Some(&unseen("n1", 2_000_000_001)), true);
    finds_only(&messages, Some(&unseen("n1", 2_000_000_000)), false);
    finds_only(&messages, Some(&unseen("n2", 0)), true);
    finds_only(&messages, None, false);
    // A message without a vector may tell it in its body.
    let mut messages =
        told(&[(0, 1, 1, [1, 0, 0, 0]), (0, 1, 2, [2, 0, 0, 0]), (2, 1, 9, [7, 0, 1, 0])]);
    finds_only(&messages, Some(&BTreeMap::new()), true);
    messages[1].clocks = None;
    finds_only(&messages, Some(&BTreeMap::new()), false);
}

#[track_caller]
fn finds_only(messages: &[MessageRecord], unseen: Option<&BTreeMap<String, u64>>, finds: bool) {
    let clocks = clocks(messages.to_vec(), unseen);
    assert_eq!(clocks.note().is_some(), finds, "{:?}", clocks.note());
}

#[test]
fn clocks_that_say_nothing_are_not_called_right() {
    let seen = |messages: &[MessageRecord]| {
        let clocks = clocks(messages.to_vec(), Some(&BTreeMap::new()));
        let promise = clocks.promise();
        (promise.verdict, promise.seen, clocks.note())
    };
    let mut messages = told(&[(0, 1, 1, [1, 0, 0, 0]), (1, 2, 3, [1, 2, 0, 0])]);
    let kept = "2 messages with a vector, 1 of them know of others".to_owned();
    assert_eq!(seen(&messages), (Some(Verdict::Valid), kept, None));
    let (verdict, _, _) = seen(&told(&[(0, 1, 1, [1, 0, 0, 0]), (1, 2, 3, [0, 2, 0, 0])]));
    assert_eq!(verdict, Some(Verdict::Inconclusive), "nobody knows anybody");
    messages[0].clocks = Some(Headers { malformed: true, ..Headers::default() });
    let (verdict, told, note) = seen(&messages);
    assert_eq!(verdict, Some(Verdict::Inconclusive));
    assert!(told.contains("1 message with a header that holds no clock"), "{told}");
    assert!(told.contains("could be checked until 1.000 s only"), "{told}");
    assert!(note.unwrap().starts_with("1 message between the nodes with an X-DS- header"));
    for message in &mut messages {
        message.clocks = Some(Headers { lamport: Some(1), ..Headers::default() });
    }
    let (verdict, told, _) = seen(&messages);
    assert_eq!(verdict, None);
    assert!(told.contains("2 messages with a Lamport clock alone"), "{told}");
    for message in &mut messages {
        message.clocks = None;
    }
    assert!(Clocks::of_messages(messages, &nodes(), None).is_none(), "no clocks, no row");
}

//! Proofs in words.

use super::circle::Circle;
use super::order::{NoSource, Orders, Origin, Seen, Why};
use crate::describe::{describe, describe_briefly, elided};
use crate::refutation::Refutation;
use crate::{Anomaly, Model};

/// `x = 3`, or only the value where the object is one part.
fn shown(seen: Seen<'_>) -> String {
    match seen.part.name().as_str() {
        "" => elided(&seen.value.to_string()),
        part => elided(&format!("{part} = {}", seen.value)),
    }
}

struct Words<'o, 'a, M: Model> {
    orders: &'o Orders<'a, M>,
    /// The operations that the text needs.
    needed: Vec<usize>,
    /// It names several.
    brief: bool,
}

impl<M: Model> Words<'_, '_, M> {
    fn name(&mut self, op: usize) -> String {
        self.needed.push(op);
        let describe = if self.brief { describe_briefly } else { describe };
        describe(self.orders.model, &self.orders.calls[op])
    }

    fn refutation(self, kind: Anomaly, text: &str) -> Refutation {
        let operations = self.needed.iter().map(|&op| op as u32);
        Refutation::new(self.orders.calls, kind, text, operations)
    }
}

/// A value that cannot have been seen.
pub(super) fn of_impossible<M: Model>(
    orders: &Orders<'_, M>,
    (reader, seen, why): (usize, Seen<'_>, NoSource),
) -> Refutation {
    let mut words = Words { orders, needed: Vec::new(), brief: false };
    let reader = words.name(reader);
    let seen = shown(seen);
    let (kind, text) = match why {
        NoSource::Nobody => {
            (Anomaly::PhantomValue, format!("{reader} saw {seen}, which nobody ever wrote"))
        }
        NoSource::Failed(writer) => (
            Anomaly::AbortedRead,
            format!("{reader} saw {seen}, written only by {}", words.name(writer)),
        ),
        NoSource::Later(writer) => (
            Anomaly::FutureRead,
            format!(
                "{reader} had finished before {} began, yet saw its {seen}",
                words.name(writer)
            ),
        ),
    };
    words.refutation(kind, &text)
}

/// Operations that must each come before the next.
pub(super) fn of_circle<M: Model>(orders: &Orders<'_, M>, circle: &Circle<'_>) -> Refutation {
    let mut words = Words { orders, needed: Vec::new(), brief: false };
    words.need_sources(circle);
    // With the source of what was gone they are four or more.
    words.brief = circle.len() > 2;
    let (kind, text) = match *circle.as_slice() {
        [(a, Why::Gone(seen, origin)), (b, Why::Earlier)]
        | [(b, Why::Earlier), (a, Why::Gone(seen, origin))] => words.stale(a, b, seen, origin),
        [(a, Why::Gone(seen, origin)), (b, Why::Source(of_b))]
        | [(b, Why::Source(of_b)), (a, Why::Gone(seen, origin))] => {
            words.torn(a, b, of_b, seen, origin)
        }
        [(a, Why::Gone(of_a, _)), (b, Why::Gone(of_b, _))] => words.both(a, b, of_a, of_b),
        [(a, Why::Gone(older, origin)), (b, Why::Source(newer)), (c, Why::Earlier)]
            if older.part == newer.part =>
        {
            words.overtaken(a, older, b, newer, c, origin)
        }
        _ => words.longer(circle),
    };
    words.refutation(kind, &text)
}

impl<M: Model> Words<'_, '_, M> {
    fn stale(
        &mut self,
        reader: usize,
        writer: usize,
        seen: Seen<'_>,
        origin: Origin<'_>,
    ) -> (Anomaly, String) {
        let (kind, saw) = if self.orders.changes(reader, seen.part) {
            (Anomaly::LostUpdate, "replaced")
        } else if self.orders.is_lost(writer, seen.part) {
            (Anomaly::LostWrite, "saw")
        } else {
            (Anomaly::StaleRead, "saw")
        };
        let before = self.before(origin);
        let (reader, writer) = (self.name(reader), self.name(writer));
        let age = if origin == Origin::Initial { "the initial" } else { "an older" };
        let text = format!(
            "{reader} {saw} {age} {}: it began after {writer} had finished{before}",
            shown(seen)
        );
        (kind, text)
    }

    /// Why a value is older than the operation that was named just before.
    fn before(&mut self, origin: Origin<'_>) -> String {
        match origin {
            Origin::Earlier(1, source) => {
                format!(", and that began after {} had finished", self.name(source))
            }
            Origin::Earlier(count, source) => format!(
                ", and that began after all {count} that may have left it had finished, the last of them {}",
                self.name(source)
            ),
            Origin::Initial | Origin::Torn(..) | Origin::SeenByBoth => String::new(),
        }
    }

    fn torn(
        &mut self,
        reader: usize,
        writer: usize,
        of_writer: Seen<'_>,
        older: Seen<'_>,
        origin: Origin<'_>,
    ) -> (Anomaly, String) {
        let which = self.gone(writer, older, "that");
        let (reader, writer) = (self.name(reader), self.name(writer));
        let (new, old) = (shown(of_writer), shown(older));
        let text = match origin {
            Origin::Torn(other, _) => format!(
                "{reader} saw {new} of {writer} and {old} of {}, although each of them wrote both",
                self.name(other)
            ),
            Origin::Initial => {
                format!("{reader} saw {new} of {writer}, but the initial {old}, {which}")
            }
            Origin::Earlier(1, source) => format!(
                "{reader} saw {new} of {writer}, but {old}, {which}: {} had finished before it began",
                self.name(source)
            ),
            Origin::Earlier(count, source) => format!(
                "{reader} saw {new} of {writer}, but {old}, {which}: all {count} that may have left it had finished \
                 before that began, the last of them {}",
                self.name(source)
            ),
            Origin::SeenByBoth => {
                format!(
                    "{reader} saw {new} of {writer}, but also {old}, which that had seen and replaced"
                )
            }
        };
        (Anomaly::TornRead, text)
    }

    /// How the value ended that was gone at this operation.
    fn gone(&self, at: usize, seen: Seen<'_>, name: &str) -> String {
        let verb = if self.orders.replaces(at, seen) { "replaced" } else { "no longer found" };
        format!("which {name} {verb}")
    }

    /// Who left what was gone belongs to the proof, named or not.
    fn need_sources(&mut self, circle: &Circle<'_>) {
        self.needed.extend(circle.iter().filter_map(|(_, why)| match why {
            Why::Gone(_, Origin::Earlier(_, source) | Origin::Torn(source, _)) => Some(*source),
            _ => None,
        }));
    }

    /// Two that each must come first.
    fn both(&mut self, a: usize, b: usize, of_a: Seen<'_>, of_b: Seen<'_>) -> (Anomaly, String) {
        let (name_a, name_b) = (self.name(a), self.name(b));
        if of_a == of_b {
            let seen = shown(of_a);
            let text = format!(
                "{name_a} and {name_b} both saw {seen} and replaced it, so that one of them is lost"
            );
            return (Anomaly::LostUpdate, text);
        }
        let kind = match (self.orders.only_looks(a), self.orders.only_looks(b)) {
            (true, true) if of_a.part != of_b.part => Anomaly::LongFork,
            (false, false) => Anomaly::WriteSkew,
            _ => Anomaly::StaleRead,
        };
        let which_a = self.gone(b, of_a, &name_b);
        let which_b = self.gone(a, of_b, "the first");
        let (of_a, of_b) = (shown(of_a), shown(of_b));
        let text = format!(
            "{name_a} saw {of_a}, {which_a}, and that saw {of_b}, {which_b}: neither can come first"
        );
        (kind, text)
    }

    /// Somebody had seen the newer value already.
    fn overtaken(
        &mut self,
        reader: usize,
        older: Seen<'_>,
        writer: usize,
        newer: Seen<'_>,
        witness: usize,
        origin: Origin<'_>,
    ) -> (Anomaly, String) {
        let reader = self.name(reader);
        let witness = self.name(witness);
        let (old, new) = (shown(older), shown(newer));
        let (writer, before) = (self.name(writer), self.before(origin));
        let text = format!(
            "{reader} saw an older {old}: it began after {witness} had finished, which saw {new} of {writer}{before}"
        );
        (Anomaly::StaleRead, text)
    }

    /// Each of several before the next.
    fn longer(&mut self, circle: &Circle<'_>) -> (Anomaly, String) {
        let letter = |place: usize| char::from(b'A' + (place % circle.len()) as u8);
        let operations: Vec<String> = (0..)
            .zip(circle)
            .map(|(i, &(op, _))| format!("{} = {}", letter(i), self.name(op)))
            .collect();
        let step = |(i, &(_, why)): (usize, &(usize, Why<'_>))| {
            let (first, second) = (letter(i), letter(i + 1));
            let why = match why {
                Why::Earlier => format!("it had finished when {second} began"),
                Why::Source(seen) => format!("{second} saw its {}", shown(seen)),
                Why::Gone(seen, _) => {
                    let at = circle[(i + 1) % circle.len()].0;
                    format!("it saw {}, {}", shown(seen), self.gone(at, seen, &second.to_string()))
                }
            };
            format!("{first} comes before {second} ({why})")
        };
        let steps: Vec<String> = (0..).zip(circle).map(step).collect();
        (kind_of(circle), format!("{}: {}", operations.join("; "), steps.join(", ")))
    }
}

fn kind_of(circle: &Circle<'_>) -> Anomaly {
    let replaced = |at: usize| matches!(circle[at % 4].1, Why::Gone(..));
    let source = |at: usize| matches!(circle[at % 4].1, Why::Source(..));
    let fork =
        |first| replaced(first) && source(first + 1) && replaced(first + 2) && source(first + 3);
    if circle.len() == 4 && (fork(0) || fork(1)) {
        Anomaly::LongFork
    } else {
        Anomaly::CircularOrder
    }
}

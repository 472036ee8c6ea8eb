//! Two values of one key that cannot both have come about: a key that is only appended to has one past.

use std::collections::HashSet;

use contract::Operation as Asked;
use history::Operation;
use history::words::{cut, who};

use super::done::Done;
use super::{COMPARED_BYTES_MAX, Diagnosis, PIECE_BYTES_MIN, ended, is_before, node};

/// So much of a piece is shown.
const PIECE_CHARS_MAX: usize = 30;

/// Two values of a key, in pieces, that part.
struct Fork<'d, 'a> {
    key: &'d str,
    /// Who was answered the one value, and its pieces.
    one: (&'d Done<'a>, Vec<&'d str>),
    /// Who was answered the other one, and its pieces.
    other: (&'d Done<'a>, Vec<&'d str>),
    /// The first place in which they differ.
    at: usize,
}

impl<'a> Diagnosis<'a> {
    /// This operation was answered with a value that goes on differently from one that another was answered with.
    pub(super) fn forked(&self, shower: &Done<'a>) -> Option<String> {
        shower.shown().into_iter().find_map(|(key, value)| {
            let fork = self.fork(shower, key, value)?;
            self.told(&fork)
        })
    }

    /// Where a key is only appended to, each of its values goes on from the one before.
    fn fork<'d>(
        &'d self,
        shower: &'d Done<'a>,
        key: &'d str,
        value: &'d str,
    ) -> Option<Fork<'d, 'a>> {
        if self.all.iter().any(|done| done.may_replace(key)) {
            return None;
        }
        let known = self.pieces_of(key);
        let shown = pieces(value, &known)?;
        let most = COMPARED_BYTES_MAX / value.len().max(1);
        let others = self.values_of(key).take(most);
        let mut parted: Vec<Fork<'d, 'a>> = others
            .filter(|(_, other)| !other.starts_with(value) && !value.starts_with(*other))
            .filter_map(|(done, other)| {
                let other = pieces(other, &known)?;
                let at = other.iter().zip(&shown).position(|(one, other)| one != other)?;
                let (one, other) = ((done, other), (shower, shown.clone()));
                let is_first = done.operation.return_ns <= shower.operation.return_ns;
                let (one, other) = if is_first { (one, other) } else { (other, one) };
                Some(Fork { key, one, other, at })
            })
            .collect();
        // What an append was answered says where it stands.
        parted.sort_by_key(|fork| {
            let (done, pieces) = &fork.one;
            let is_its_own =
                done.added(key).contains(&pieces[fork.at]) && pieces.len() == fork.at + 1;
            (fork.at, !is_its_own, done.operation.return_ns)
        });
        parted.into_iter().next()
    }

    /// What the two come to, by the longest values that go on from them.
    fn told(&self, fork: &Fork<'_, 'a>) -> Option<String> {
        let Fork { key, one: (one, _), other: (other, _), at } = fork;
        let [long, other_long] =
            [&fork.one.1, &fork.other.1].map(|pieces| self.longest(key, &pieces[..=*at]));
        let (first, second) = (long[*at], other_long[*at]);
        let (author, other_author) = (self.author(key, first)?, self.author(key, second)?);
        let behind = at.checked_sub(1).map_or("nothing".to_owned(), |before| quoted(long[before]));
        let (here, there) = (one.operation.node.as_deref()?, other.operation.node.as_deref()?);
        let (has_both, other_has_both) = (long.contains(&second), other_long.contains(&first));
        let is_twice = |pieces: &[&str]| pieces.iter().collect::<HashSet<_>>().len() < pieces.len();
        if is_twice(&long) || is_twice(&other_long) {
            return None;
        }
        let (first, second) = (quoted(first), quoted(second));
        let (by, other_by) = (who(author.operation), who(other_author.operation));
        let known = self.known(author, &first, one);
        let shows = format!("{} at {} s", node(there), ended(other));
        Some(match (has_both, other_has_both) {
            (true, true) => format!(
                "Carried out in two orders: {key} has {first} before {second} in what {} answered at {} s, and {second} \
                 before {first} in what {shows} answered",
                node(here),
                ended(one)
            ),
            (true, false) => format!(
                "A write left out: {known}, and {second} came behind it; {shows} answered with {second} right behind \
                 {behind}, without {first} of {by}"
            ),
            (false, true) => format!(
                "A write put before one that was there already: {known}, right behind {behind}; {shows} answered with {second} of \
                 {other_by} in between"
            ),
            (false, false) => {
                let kept = long[*at + 1..].iter().zip(&other_long[*at + 1..]);
                let kept = kept.take_while(|(one, other)| one == other).count();
                let (name, rest) = match kept {
                    0 => ("Acknowledged write lost, another one in its place", String::new()),
                    _ => (
                        "One write replaced by another",
                        format!(
                            "; behind it stands {} as before: one place among the operations was given to two of them",
                            quoted(long[*at + 1])
                        ),
                    ),
                };
                let order =
                    if is_before(author, other_author) { ", which had begun later," } else { "" };
                let faults = self.between(author.operation, other.operation);
                format!(
                    "{name}: {known}, right behind {behind}; {shows} answered with {second} of {other_by}{order} in \
                     that place{rest}{faults}"
                )
            }
        })
    }

    /// How it is known that an append took place.
    fn known(&self, author: &Done<'a>, piece: &str, seen_by: &Done<'a>) -> String {
        let who = who(author.operation);
        match author.operation.node.as_deref().filter(|_| author.answer.is_some()) {
            Some(own) => format!("{} acknowledged {who} of {piece}", node(own)),
            None => {
                let seer = seen_by.operation.node.as_deref().map_or(String::new(), node);
                format!("{who} of {piece} was seen through {seer} at {} s", ended(seen_by))
            }
        }
    }

    /// What was broken between two operations, and who came to lead.
    fn between(&self, first: &Operation, last: &Operation) -> String {
        let span =
            (first.return_ns.unwrap_or(first.call_ns), last.return_ns.unwrap_or(last.call_ns));
        let faults = self.witnesses.destroyed_between(span);
        let leader = self.witnesses.new_leader_between(span);
        let leader = leader.map(|leader| format!("{} came to lead", node(leader)));
        let all: Vec<String> = faults.into_iter().chain(leader).collect();
        if all.is_empty() { String::new() } else { format!("; in between, {}", all.join(", and ")) }
    }

    /// An append was answered with its piece behind one value, and somebody saw the same piece behind another one.
    pub(super) fn parted(&self, shower: &Done<'a>) -> Option<String> {
        shower.shown().into_iter().find_map(|(key, value)| self.parted_at(shower, key, value))
    }

    fn parted_at(&self, shower: &Done<'a>, key: &str, value: &str) -> Option<String> {
        let of_key = self.all.iter().filter(|done| {
            let is_other = done.operation.call != shower.operation.call;
            is_other && done.appended().is_some_and(|(_, (of, _))| of == key)
        });
        let is_there = |append: &&Done<'a>| {
            append.appended().is_some_and(|(piece, (_, answered))| {
                piece.len() >= PIECE_BYTES_MIN
                    && answered.ends_with(piece)
                    && value.contains(piece)
                    && !value.starts_with(answered)
                    && !self.witnesses.may_have_come_twice(append.operation)
                    && self.is_sole_author(append, piece)
            })
        };
        let most = COMPARED_BYTES_MAX / value.len().max(1);
        let append = of_key.take(most).find(is_there)?;
        let (piece, (_, answered)) = append.appended()?;
        let before = answered.strip_suffix(piece)?;
        let (there, _) = value.split_once(piece)?;
        let (own, other) = (append.operation.node.as_deref()?, shower.operation.node.as_deref()?);
        let refused =
            self.refused_author(key, there).map_or_else(String::new, |(refused, text)| {
                let by = refused.operation.node.as_deref().map_or_else(String::new, node);
                format!(
                    ", although {} had been refused by {by}, which alone writes {}",
                    who(refused.operation),
                    quoted(text)
                )
            });
        Some(format!(
            "Copies of {key} that differ: {} carried out {} of {} behind {}, and {} shows it behind {}{refused}: as if they \
             had not carried out the same operations in the same order{}",
            node(own),
            who(append.operation),
            quoted(piece),
            quoted(before),
            node(other),
            quoted(there),
            self.between(append.operation, shower.operation)
        ))
    }

    /// The refused operation that alone would have written what stands in this text, and what that is.
    fn refused_author<'d>(&'d self, key: &str, text: &str) -> Option<(&'d Done<'a>, &'d str)> {
        self.all.iter().find_map(|done| {
            let Asked::Cas { key: of, value, .. } = &done.asked else { return None };
            done.refused_for(key)?;
            let is_there = of == key && value.len() >= PIECE_BYTES_MIN && text.contains(value);
            (is_there && self.is_sole_author(done, value)).then_some((done, value.as_str()))
        })
    }

    /// The longest value that begins with these pieces.
    fn longest<'d>(&'d self, key: &str, start: &[&'d str]) -> Vec<&'d str> {
        let known = self.pieces_of(key);
        let start = start.concat();
        let values = self.values_of(key).map(|(_, value)| value);
        let longest =
            values.filter(|value| value.starts_with(&start)).max_by_key(|value| value.len());
        longest.and_then(|value| pieces(value, &known)).unwrap_or_default()
    }

    /// Everything that was answered of a key.
    fn values_of<'d>(&'d self, key: &str) -> impl Iterator<Item = (&'d Done<'a>, &'d str)> {
        self.all.iter().flat_map(move |done| {
            let shown = done.shown().into_iter().filter(move |(of, _)| *of == key);
            shown.map(move |(_, value)| (done, value)).collect::<Vec<_>>()
        })
    }

    /// What was appended to a key.
    fn pieces_of<'d>(&'d self, key: &str) -> HashSet<&'d str> {
        let added = self.all.iter().flat_map(|done| done.added(key));
        added.filter(|piece| !piece.is_empty()).collect()
    }

    /// The only one that appended this.
    fn author<'d>(&'d self, key: &str, piece: &str) -> Option<&'d Done<'a>> {
        let mut authors = self.all.iter().filter(|done| done.added(key).contains(&piece));
        authors.next().filter(|_| authors.next().is_none())
    }
}

/// The value as a run of known pieces.
fn pieces<'v>(value: &'v str, known: &HashSet<&str>) -> Option<Vec<&'v str>> {
    let most = known.iter().map(|piece| piece.len()).max()?;
    let mut pieces = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let ends = (1..=most.min(rest.len())).filter(|&end| rest.is_char_boundary(end));
        let end = ends.into_iter().find(|&end| known.contains(&rest[..end]))?;
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    Some(pieces)
}

fn quoted(text: &str) -> String {
    let chars = text.chars().count();
    // The end tells more than the beginning.
    let end: String = text.chars().skip(chars.saturating_sub(PIECE_CHARS_MAX)).collect();
    let gap = if chars > PIECE_CHARS_MAX { "…" } else { "" };
    if text.is_empty() {
        "nothing".to_owned()
    } else {
        format!("\"{gap}{}\"", cut(&end, PIECE_CHARS_MAX))
    }
}

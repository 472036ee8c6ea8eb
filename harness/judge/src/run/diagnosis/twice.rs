//! An operation that took effect twice, by what was answered.

use contract::{Operation as Asked, Outcome, puthash};

use super::done::{Done, mentions};
use super::{COMPARED_BYTES_MAX, Diagnosis, PIECE_BYTES_MIN};

/// So many values are tried.
const NEAR_MAX: usize = 1000;

impl<'a> Diagnosis<'a> {
    /// Of all operations one alone appended this piece, and a value holds it twice.
    pub(super) fn appended_twice(&self, read: &Done<'a>) -> Option<String> {
        let (key, value) = read.whole_value()?;
        let of_key = self.all.iter().filter_map(|done| match &done.asked {
            Asked::Append { key: of, value: piece } if of == key => Some((done, piece)),
            _ => None,
        });
        let of_key = of_key.take(COMPARED_BYTES_MAX / value.len().max(1));
        let is_twice = |(_, piece): &(&Done<'a>, &String)| {
            piece.len() >= PIECE_BYTES_MIN && value.matches(piece.as_str()).count() > 1
        };
        let (append, _) =
            of_key.filter(is_twice).find(|(append, piece)| self.is_sole_author(append, piece))?;
        let process = append.operation.process;
        Some(format!(
            "One operation applied twice: the append of process {process} alone added what is there twice"
        ))
    }

    /// Somebody found what a `puthash` makes of what it had itself made, or the `puthash` itself what it makes of what
    /// others found.
    pub(super) fn hashed_twice(&self, read: &Done<'a>) -> Option<String> {
        let (key, Some(value)) = *read.found().first()? else { return None };
        let makes_it = |found: &str, piece: &str| puthash(found, piece) == value;
        let is_twice = |done: &&Done<'a>| match (&done.asked, &done.answer) {
            (Asked::PutHash { key: of, value: piece }, Some(Outcome::Previous { previous })) => {
                let is_own = done.operation.call == read.operation.call;
                of == key
                    && if is_own {
                        self.found_near(key, read).any(|found| makes_it(found, piece))
                    } else {
                        makes_it(&puthash(previous, piece), piece)
                    }
            }
            _ => false,
        };
        let hash = self.all.iter().find(is_twice)?;
        let Asked::PutHash { value: piece, .. } = &hash.asked else { return None };
        let is_other = |done: &&Done<'a>| done.operation.call != hash.operation.call;
        let mut others = self.all.iter().filter(is_other);
        let may_be_of_another = |done: &Done<'a>| {
            mentions(&done.operation.arguments, piece)
                || (!done.is_puthash() && done.may_leave(key, value))
        };
        if others.any(may_be_of_another) {
            return None;
        }
        let process = hash.operation.process;
        Some(format!(
            "One operation applied twice: the value is what the puthash of process {process} makes of its own result"
        ))
    }

    /// What others found at the key in the operations before and beside this one.
    fn found_near(&self, key: &str, done: &Done<'a>) -> impl Iterator<Item = &str> {
        let until = done.operation.return_ns.unwrap_or(u64::MAX);
        let before = self.all.iter().rev().filter(move |other| {
            other.operation.call != done.operation.call && other.operation.call_ns < until
        });
        before
            .flat_map(move |other| {
                let left = other.whole_value().map(|(of, value)| (of, Some(value)));
                let at_key = other.found().into_iter().chain(left).filter(|(of, _)| *of == key);
                at_key.filter_map(|(_, found)| found).collect::<Vec<_>>()
            })
            .take(NEAR_MAX)
    }
}

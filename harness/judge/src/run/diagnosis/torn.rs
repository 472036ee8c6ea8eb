//! Several keys that were read, or written, at different moments.

use contract::Operation as Asked;
use history::words::who;

use super::done::Done;
use super::{Diagnosis, PIECE_BYTES_MIN, is_before, node};

impl<'a> Diagnosis<'a> {
    /// One value of what was written together was seen, beside one that was there before.
    pub(super) fn torn(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let (written, found) = (write.wrote(), read.found());
        let find = |key: &str| found.iter().find(|(of, _)| *of == key).map(|(_, found)| *found);
        let is_new = |&(key, value): &(&str, &str)| {
            find(key) == Some(Some(value)) && self.sole_writer(key, value).is_some()
        };
        let is_old = |&(key, _): &(&str, &str)| {
            let writer = find(key).flatten().and_then(|old| self.sole_writer(key, old));
            writer.is_some_and(|writer| is_before(writer, write))
        };
        let proven = written.iter().any(is_new) && written.iter().any(is_old);
        proven.then(|| "Torn multi-key read: a part of what was written together, beside what was there before".to_owned())
    }

    /// Of two writes to two keys, one after the other, the later one was seen and the earlier one was not.
    pub(super) fn torn_in_time(&self, read: &Done<'a>, proof: &[&Done<'a>]) -> Option<String> {
        if !read.asked.is_read_only() || read.found().len() < 2 {
            return None;
        }
        let shows = |write: &Done<'a>| {
            let mut wrote = write.wrote().into_iter();
            wrote.any(|(key, value)| {
                let is_there = read.found_at(key).flatten().is_some_and(|all| all.contains(value));
                is_there && value.len() >= PIECE_BYTES_MIN && self.is_sole_author(write, value)
            })
        };
        let lacks = |write: &Done<'a>| {
            write.wrote().into_iter().any(|(key, _)| {
                let old = read.found_at(key).flatten();
                let writer = old.and_then(|old| self.sole_writer(key, old));
                writer.is_some_and(|writer| is_before(writer, write))
            })
        };
        let pairs =
            proof.iter().flat_map(|first| proof.iter().map(move |second| (*first, *second)));
        let (first, second) = pairs
            .filter(|(first, second)| is_before(first, second))
            .find(|(first, second)| lacks(first) && shows(second))?;
        Some(format!(
            "Torn multi-key read: {} shows what {} wrote, but not what {} had written before",
            who(read.operation),
            who(second.operation),
            who(first.operation)
        ))
    }

    /// A value that was written to one key alone is at two keys at once. A swap moves values and doubles none.
    pub(super) fn in_two_places(&self, read: &Done<'a>, proof: &[&Done<'a>]) -> Option<String> {
        let found = read.found();
        let pairs = found.iter().flat_map(|one| found.iter().map(move |other| (one, other)));
        let doubled = pairs.filter(|((key, _), (other, _))| key < other).find_map(
            |((key, value), (other, there))| {
                let value = value.filter(|_| value == there)?;
                self.is_written_once(value).then_some((*key, *other, value))
            },
        );
        let (key, other, value) = doubled?;
        let is_swapped = self.all.iter().any(|done| matches!(done.asked, Asked::Swap { .. }));
        let swap = if is_swapped { "; only a swap moves values, and it doubles none" } else { "" };
        let why = self.in_time.then(|| self.in_two_steps(proof)).flatten();
        let why = why.map_or_else(String::new, |why| format!(". {why}"));
        let [key, other, value] = [key, other, value].map(node);
        Some(format!(
            "One value in two places: {} saw \"{value}\" at {key} and at {other}, and it was written to one key, \
             once{swap}{why}",
            who(read.operation)
        ))
    }

    /// Whether one operation alone may have written this text, certainly did, and to one key.
    fn is_written_once(&self, value: &str) -> bool {
        let mut writers = self.all.iter().filter(|done| done.may_write(value));
        let Some(writer) = writers.next() else { return false };
        let keys = writer.wrote().iter().filter(|(_, of)| *of == value).count();
        keys == 1 && writers.next().is_none()
    }
}

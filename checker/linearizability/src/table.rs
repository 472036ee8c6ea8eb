//! Values by number, each kept once, for several threads at once: what makes a memo key a few words whatever the model's
//! state is.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// Parts of the table that are locked one by one.
const SHARDS: usize = 8;

/// An interning table.
pub(crate) struct Table<T> {
    values: Values<T>,
    /// Numbers, by what they stand for; a value's hash tells in which of these it is.
    shards: [Mutex<HashTable<u32>>; SHARDS],
    bytes: AtomicU64,
}

impl<T: Eq + Hash> Table<T> {
    pub(crate) fn new() -> Self {
        let shards = std::array::from_fn(|_| Mutex::new(HashTable::new()));
        Self { values: Values::new(), shards, bytes: AtomicU64::new(0) }
    }

    /// The number of a value; `bytes` tells what a new one holds on to.
    pub(crate) fn number(&self, value: T, bytes: impl FnOnce(&T) -> usize) -> u32 {
        let hash_of = |value: &T| FxBuildHasher.hash_one(value);
        let hash = hash_of(&value);
        let shard = &self.shards[(hash >> 32) as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&number) = shard.find(hash, |&number| *self.get(number) == value) {
            return number;
        }
        // With the value's place, its number's, and the room that both keep free.
        let needed = bytes(&value) + size_of::<OnceLock<T>>() + 16;
        self.bytes.fetch_add(needed as u64, Ordering::Relaxed);
        let number = self.values.push(value);
        shard.insert_unique(hash, number, |&number| hash_of(self.get(number)));
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len.load(Ordering::Relaxed) as usize
    }

    /// Every value, by number.
    pub(crate) fn into_values(self) -> Vec<T> {
        let chunks = self.values.chunks.into_iter().filter_map(OnceLock::into_inner);
        chunks.flatten().filter_map(OnceLock::into_inner).collect()
    }

    /// The value with this number, which came from here.
    pub(crate) fn get(&self, number: u32) -> &T {
        self.values.get(number).expect("a number is given out when its value is there")
    }

    /// About how much memory the table takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// How many values the first chunk has room for; each has room for twice as many as the one before.
const FIRST_CHUNK: u32 = 16;

/// Chunks enough for 2^32 values.
const CHUNKS: usize = 29;

type Chunk<T> = Box<[OnceLock<T>]>;

/// A list that grows while others read it.
struct Values<T> {
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    len: AtomicU32,
}

impl<T> Values<T> {
    fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], len: AtomicU32::new(0) }
    }

    /// Adds a value; its number.
    fn push(&self, value: T) -> u32 {
        let number = self.len.fetch_add(1, Ordering::Relaxed);
        let (chunk, place, room) = place(number);
        let chunk = self.chunks[chunk].get_or_init(|| (0..room).map(|_| OnceLock::new()).collect());
        // Nobody else has this number.
        let _ = chunk[place].set(value);
        number
    }

    fn get(&self, number: u32) -> Option<&T> {
        let (chunk, place, _) = place(number);
        self.chunks[chunk].get()?.get(place)?.get()
    }
}

/// The chunk of a number, its place there, and how many have room in it.
fn place(number: u32) -> (usize, usize, usize) {
    let shifted = u64::from(number) + u64::from(FIRST_CHUNK);
    let log = shifted.ilog2();
    ((log - FIRST_CHUNK.ilog2()) as usize, (shifted - (1 << log)) as usize, 1 << log)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number_whichever_thread_comes_first() {
        let table = Table::new();
        let numbered =
            || (0..1_000_u32).map(|n| table.number(n.to_string(), String::len)).collect();
        let (one, other): (Vec<u32>, Vec<u32>) = std::thread::scope(|scope| {
            let other = scope.spawn(numbered);
            (numbered(), other.join().expect("it does not panic"))
        });
        assert_eq!(one, other);
        assert_eq!(table.len(), 1_000);
        for (value, &number) in (0..1_000).zip(&one) {
            assert_eq!(*table.get(number), u32::to_string(&value));
        }
        let mut values = table.into_values();
        values.sort_by_key(|value| value.parse::<u32>().expect("they are numbers"));
        assert_eq!(values, (0..1_000).map(|n: u32| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn every_number_has_a_place_of_its_own() {
        assert_eq!(
            [0, 15, 16, 47, 48].map(place),
            [(0, 0, 16), (0, 15, 16), (1, 0, 32), (1, 31, 32), (2, 0, 64)]
        );
        let (chunk, place, room) = place(u32::MAX);
        assert!(chunk < CHUNKS && place < room);
    }
}

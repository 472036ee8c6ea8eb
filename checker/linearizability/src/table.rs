//! Values by number, each kept once: what makes a memo key a few words whatever the model's state is.

use std::hash::Hash;
use std::rc::Rc;

use rustc_hash::FxHashMap;

/// An interning table.
pub(crate) struct Table<T> {
    numbers: FxHashMap<Rc<T>, u32>,
    values: Vec<Rc<T>>,
    bytes: u64,
}

impl<T: Eq + Hash> Table<T> {
    pub(crate) fn new() -> Self {
        Self { numbers: FxHashMap::default(), values: Vec::new(), bytes: 0 }
    }

    /// The number of a value; `bytes` tells what a new one holds on to.
    pub(crate) fn number(&mut self, value: T, bytes: impl FnOnce(&T) -> usize) -> u32 {
        if let Some(&number) = self.numbers.get(&value) {
            return number;
        }
        // Two entries of pointers, the counts beside the value, and the tables' spare room.
        self.bytes += bytes(&value) as u64 + 80;
        let number = u32::try_from(self.values.len()).expect("memory ends long before 2^32 states");
        let value = Rc::new(value);
        self.values.push(Rc::clone(&value));
        self.numbers.insert(value, number);
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Every value, by number.
    pub(crate) fn into_values(self) -> Vec<T>
    where
        T: Clone,
    {
        let Self { numbers, values, .. } = self;
        drop(numbers);
        values.into_iter().map(Rc::unwrap_or_clone).collect()
    }

    pub(crate) fn get(&self, number: u32) -> &Rc<T> {
        &self.values[number as usize]
    }

    /// About how much memory the table takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

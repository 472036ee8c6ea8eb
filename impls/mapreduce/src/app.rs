//! What an application of MapReduce is, and the table of those that a program knows.

use std::collections::BTreeMap;

use crate::apps;

/// Takes one pair of key and value from a map function.
pub type Emit<'a> = dyn FnMut(&str, &str) + 'a;

/// The values of one key, in the order of their bytes. They are read from disk as they are asked for.
pub type Values<'a> = dyn Iterator<Item = String> + 'a;

/// Makes one value of some values of a key, before they travel to the reduce function (section 4.3 of the paper).
pub type Combiner = fn(key: &str, values: &mut Values) -> Result<String, String>;

/// A program for MapReduce. An error of its functions is told to whoever waits for the job.
pub trait App: Sync {
    /// Takes a piece of a document and emits pairs. A piece ends after a line break where the document has one within
    /// 16 MiB, else between two words.
    ///
    /// # Errors
    /// Why this text cannot be mapped.
    fn map(&self, document: &str, text: &str, emit: &mut Emit) -> Result<(), String>;

    /// Makes the result of one key of all its values. The output gets the line `key result`, so that neither should
    /// have a line break in it. If the results of both functions depend on nothing but what they are given, so do the
    /// outputs, whatever happens to workers (section 3.3).
    ///
    /// # Errors
    /// Why there is no result.
    fn reduce(&self, key: &str, values: &mut Values) -> Result<String, String>;

    /// A function that may be applied to some of a key's values, any number of times, before `reduce` gets the rest.
    fn combiner(&self) -> Option<Combiner> {
        None
    }
}

/// An application under its name.
pub type Entry = (&'static str, &'static dyn App);

/// The applications that a program knows, by name. Coordinator and workers must know the same ones.
#[derive(Clone)]
pub struct Apps(BTreeMap<&'static str, &'static dyn App>);

impl Apps {
    /// Those that come with the crate, and `own` ones; an own one takes the place of another of its name.
    #[must_use]
    pub fn with(own: &[Entry]) -> Self {
        Self(apps::BUILT_IN.iter().chain(own).copied().collect())
    }

    /// The application of this name.
    ///
    /// # Errors
    /// There is none; the message names those there are.
    pub fn get(&self, name: &str) -> Result<&'static dyn App, String> {
        let found = self.0.get(name).copied();
        found.ok_or_else(|| format!("there is no app \"{name}\": use one of {}", self.names()))
    }

    /// All names, with commas between them.
    #[must_use]
    pub fn names(&self) -> String {
        self.0.keys().copied().collect::<Vec<_>>().join(", ")
    }
}

//! Where elements come from: who tried to add each of them.

use history::{
    Findings, Operation,
    words::{shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::shape::{collection, failed, misfit, only, succeeded};

/// The attempts to add each element, in the order in which they began.
#[derive(Default)]
pub(crate) struct Attempts<'a> {
    /// Those that happened or may have.
    possible: FxHashMap<&'a Value, Vec<&'a Operation>>,
    /// The first that failed.
    failed: FxHashMap<&'a Value, &'a Operation>,
}

impl<'a> Attempts<'a> {
    /// The operations with this function; what each adds is its argument. The history holds nothing else but `others`.
    pub(crate) fn new(
        operations: &'a [Operation],
        function: &str,
        others: &[&str],
    ) -> Result<Self, String> {
        only(operations, &[&[function], others].concat())?;
        let mut attempts = Self::default();
        for operation in operations.iter().filter(|operation| operation.f == function) {
            let element = &operation.arguments;
            if failed(operation) {
                attempts.failed.entry(element).or_insert(operation);
            } else {
                attempts.possible.entry(element).or_default().push(operation);
            }
        }
        Ok(attempts)
    }

    /// Those of one element that happened or may have.
    pub(crate) fn of(&self, element: &Value) -> &[&'a Operation] {
        self.possible.get(element).map_or(&[], Vec::as_slice)
    }

    /// Every element with its attempts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Value, &[&'a Operation])> {
        self.possible.iter().map(|(element, attempts)| (*element, attempts.as_slice()))
    }

    /// Reports it where nobody can have added this element so often by the time its observer returned; whether it did.
    pub(crate) fn explain(
        &self,
        observer: &Operation,
        element: &Value,
        copies: usize,
        findings: &mut Findings,
    ) -> bool {
        /// So many of the attempts prove that there were not enough.
        const SHOWN: usize = 7;
        let attempts = self.of(element);
        let end = observer.return_index().unwrap_or(u64::MAX);
        let begun = attempts.partition_point(|attempt| attempt.call < end);
        if copies <= begun {
            return false;
        }
        let saw = || format!("{} saw {}", who(observer), shown(element));
        if begun > 0 {
            let adds = attempts[..begun].iter().map(|add| add.call).take(SHOWN);
            findings.add("duplicated element", std::iter::once(observer.call).chain(adds), || {
                format!(
                    "{} for the {} time, though at most {begun} can have been added",
                    saw(),
                    nth(copies)
                )
            });
        } else if let Some(later) = attempts.first() {
            findings.add("read from the future", [observer.call, later.call], || {
                format!("{} before {}, which adds it, had begun", saw(), who(later))
            });
        } else if let Some(failed) = self.failed.get(element) {
            findings.add("aborted read", [observer.call, failed.call], || {
                format!("{} of {}, which failed and never happened", saw(), who(failed))
            });
        } else {
            findings.add("phantom element", [observer.call], || {
                format!("{}, which nobody ever added", saw())
            });
        }
        true
    }
}

fn nth(count: usize) -> String {
    match count {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        more => format!("{more}th"),
    }
}

/// The successful operations with this function, with the elements that each gave; one that gave nil told nothing.
pub(crate) fn collections<'a>(
    operations: &'a [Operation],
    function: &'a str,
) -> impl DoubleEndedIterator<Item = Result<(&'a Operation, &'a [Value]), String>> {
    let given = succeeded(operations, function).filter(|(_, value)| !value.is_null());
    given.map(|(operation, value)| {
        let elements = collection(value);
        let shape = || misfit(operation, value, "a collection of elements");
        Ok((operation, elements.ok_or_else(shape)?))
    })
}

/// The elements that a read saw, each with its number of copies, in the order of their first copy.
pub(crate) fn copies(elements: &[Value]) -> Vec<(&Value, usize)> {
    let mut copies: Vec<(&Value, usize)> = Vec::with_capacity(elements.len());
    let mut places: FxHashMap<&Value, usize> = FxHashMap::default();
    for element in elements {
        let place = *places.entry(element).or_insert(copies.len());
        match copies.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => copies.push((element, 1)),
        }
    }
    copies
}

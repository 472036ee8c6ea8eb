//! `GET /v1/log`: which slots are asked for, and as much of them as fits into an answer.

use std::ops::Range;

use contract::{
    LogAnswer, LogEntry,
    log::{ANSWER_BYTES_MAX, ENTRIES_MAX},
};

/// The first of these entries, as many as fit.
pub(super) fn answer(entries: impl Iterator<Item = LogEntry>) -> LogAnswer {
    let mut bytes = 0;
    let fits = |entry: &LogEntry| {
        bytes += bytes_at_most(entry);
        bytes <= ANSWER_BYTES_MAX
    };
    LogAnswer { entries: entries.take(ENTRIES_MAX).take_while(fits).collect() }
}

/// An entry takes no more than this in the answer, whatever has to be escaped.
fn bytes_at_most(entry: &LogEntry) -> usize {
    const AROUND_THE_VALUE: usize = 64;
    AROUND_THE_VALUE + 6 * entry.value.len()
}

/// The slots that `from=…&to=…` asks for.
///
/// # Errors
/// Says what is missing or no number.
pub(super) fn slots(query: Option<&str>) -> Result<Range<u64>, String> {
    let number = |name: &str| {
        let parameters = query.unwrap_or_default().split('&');
        let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
        let value = named.find(|(key, _)| *key == name).map(|(_, value)| value);
        let value = value.ok_or_else(|| format!("`{name}` is missing in the query"))?;
        value.parse().map_err(|error| format!("`{name}` is no slot: {error}"))
    };
    Ok(number("from")?..number("to")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_two_numbers() {
        assert_eq!(slots(Some("from=3&to=9")), Ok(3..9));
        assert_eq!(slots(Some("to=18446744073709551615&from=0")), Ok(0..u64::MAX));
        for bad in [None, Some(""), Some("from=3"), Some("from=3&to=-1"), Some("from=x&to=9")] {
            assert!(slots(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_answer_holds_the_first_entries_that_fit() {
        let entries =
            |value: &'static str| (1..).map(move |slot| LogEntry { slot, value: value.to_owned() });
        assert_eq!(answer(entries("a").take(3)).entries.len(), 3);
        let full = answer(entries("a")).entries;
        assert_eq!((full.len(), full[0].slot, full[999].slot), (1000, 1, 1000));
        // Every character takes six bytes once it is escaped.
        let long: &'static str = Box::leak("\u{1}".repeat(1000).into_boxed_str());
        let full = answer(entries(long));
        let bytes = serde_json::to_vec(&full).unwrap().len();
        assert!(full.entries.len() > 100 && bytes <= ANSWER_BYTES_MAX, "{bytes}");
    }
}

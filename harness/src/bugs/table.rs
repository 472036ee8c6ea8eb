//! The table of what became of each planted bug: one row a run, kept in a file, so that a long campaign can go on where
//! it was stopped.

use std::{
    fmt,
    io::Write,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Serialize;

/// The names of the columns.
const COLUMNS: &str = "bug\tseed\toutcome\tafter_s\tfound_by";
/// What a table says of its runs, before the columns.
const OPTIONS: &str = "# options of each run: ";
/// No table that anybody makes is larger.
const BYTES_MAX: u64 = 64 << 20;

/// What is seen to be broken without any fault.
pub const UNHEALTHY: &str = "unhealthy";

/// One run of a planted bug.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BugRun {
    /// The bug, as `paxos/reads-from-any-node`.
    pub bug: String,
    /// The seed of the run.
    pub seed: u64,
    /// How it ended: `violation`, `valid`, `inconclusive`, `broken`, or [`UNHEALTHY`].
    pub outcome: String,
    /// Seconds from the start of the main phase until the violation was there to see; `None` of other outcomes, and where
    /// no operation shows it.
    pub after_s: Option<f64>,
    /// The checks that found it.
    pub found_by: Vec<String>,
}

impl BugRun {
    /// Whether the bug was caught.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.outcome == "violation"
    }
}

impl fmt::Display for BugRun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after_s.map_or(String::new(), |seconds| format!("{seconds:.1}"));
        let Self { bug, seed, outcome, .. } = self;
        write!(formatter, "{bug}\t{seed}\t{outcome}\t{after}\t{}", self.found_by.join(","))
    }
}

impl FromStr for BugRun {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let columns: Vec<&str> = line.split('\t').collect();
        let [bug, seed, outcome, after, found_by] = columns[..] else {
            return Err(format!("expected 5 columns, found {}", columns.len()));
        };
        let number = |what: &str, text: &str| format!("`{text}` is no {what}");
        Ok(Self {
            bug: bug.to_owned(),
            seed: seed.parse().map_err(|_| number("seed", seed))?,
            outcome: outcome.to_owned(),
            after_s: match after {
                "" => None,
                after => Some(after.parse().map_err(|_| number("number of seconds", after))?),
            },
            found_by: found_by
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// All runs so far, and the file that keeps them, if there is one.
#[derive(Debug)]
pub struct Table {
    file: Option<PathBuf>,
    runs: Vec<BugRun>,
}

impl Table {
    /// An empty table that is not kept.
    #[must_use]
    pub fn unkept() -> Self {
        Self { file: None, runs: Vec::new() }
    }

    /// The table in this file, which is made if it is not there. `options` are those of every run in it.
    ///
    /// # Errors
    /// A file that is no such table, was made with other options, or cannot be read or written.
    pub fn open(path: &Path, options: &str) -> Result<Self, String> {
        let complain = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
        let first = format!("{OPTIONS}{options}");
        if !path.exists() {
            std::fs::write(path, format!("{first}\n{COLUMNS}\n"))
                .map_err(|error| complain(&error))?;
        }
        let bytes = plain_file::read(path, BYTES_MAX).map_err(|error| complain(&error))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        match lines.next().and_then(|line| line.strip_prefix(OPTIONS)) {
            None => return Err(complain(&"this is no table of planted bugs")),
            Some(before) if before != options => {
                let why = format!("its runs had the options `{before}`, not `{options}`");
                return Err(complain(&why));
            }
            Some(_) => {}
        }
        let rows = (2..).zip(lines).filter(|(_, line)| *line != COLUMNS && !line.is_empty());
        let read = |(number, line): (usize, &str)| {
            line.parse().map_err(|error: String| complain(&format!("line {number}: {error}")))
        };
        let runs = rows.map(read).collect::<Result<_, _>>()?;
        Ok(Self { file: Some(path.to_owned()), runs })
    }

    /// The run of this bug with this seed, if there was one.
    #[must_use]
    pub fn run(&self, bug: &str, seed: u64) -> Option<&BugRun> {
        self.runs.iter().find(|run| run.bug == bug && run.seed == seed)
    }

    /// Adds a run, in the file, too.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, run: BugRun) -> std::io::Result<()> {
        if let Some(path) = &self.file {
            let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
            file.write_all(format!("{run}\n").as_bytes())?;
            file.sync_data()?;
        }
        self.runs.push(run);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64) -> BugRun {
        BugRun {
            bug: "paxos/x".to_owned(),
            seed,
            outcome: "violation".to_owned(),
            after_s: Some(2.5),
            found_by: vec!["linearizability".to_owned(), "set-full".to_owned()],
        }
    }

    #[test]
    fn a_table_goes_on_where_it_was_stopped() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("caught.tsv");
        let mut table = Table::open(&path, "--clients 5").unwrap();
        assert_eq!(table.run("paxos/x", 1), None);
        table.add(run(1)).unwrap();
        let missed =
            BugRun { outcome: "valid".to_owned(), after_s: None, found_by: Vec::new(), ..run(2) };
        table.add(missed.clone()).unwrap();
        let again = Table::open(&path, "--clients 5").unwrap();
        assert_eq!((again.run("paxos/x", 1), again.run("paxos/x", 3)), (Some(&run(1)), None));
        assert_eq!(again.run("paxos/x", 2), Some(&missed));
        let other = Table::open(&path, "").unwrap_err();
        assert!(other.contains("`--clients 5`"), "{other}");
    }

    #[test]
    fn what_is_no_table_is_said_to_be_none_and_stays_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("notes.txt");
        std::fs::write(&path, "hello\n").unwrap();
        assert!(Table::open(&path, "").unwrap_err().contains("no table"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello\n");
        std::fs::write(&path, format!("{OPTIONS}\n{COLUMNS}\npaxos/x\tone\tvalid\t\t\n")).unwrap();
        let error = Table::open(&path, "").unwrap_err();
        assert!(error.contains("line 3") && error.contains("`one` is no seed"), "{error}");
    }
}

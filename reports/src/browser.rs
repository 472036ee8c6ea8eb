//! The operations for the page's browser: one JSON document of columns, which a script turns into rows as they scroll
//! into sight.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::folder::{Folder, VIOLATIONS_MAX, WITNESSES_MAX};
use crate::markup::visible;
use crate::operations::{LABELLED_ROWS_MAX, Operations, Outcome, Row};

/// Where the record is longer than [`LABELLED_ROWS_MAX`]: so many from its start, the rest around the violations.
pub const FIRST_ROWS_MAX: usize = 80_000;

/// The columns: the same position in each is one operation.
#[derive(Debug, Default, Serialize)]
pub struct Columns {
    index: Vec<u64>,
    process: Vec<u64>,
    /// Positions in `functions`.
    f: Vec<usize>,
    /// Positions in `nodes`, from 1; 0 is none.
    node: Vec<usize>,
    /// Positions in `phases`.
    phase: Vec<usize>,
    /// One letter each: ok, fail, info, and pending for those whose end is not recorded.
    outcome: String,
    start_us: Vec<u64>,
    /// -1 where the end is not recorded.
    duration_us: Vec<i64>,
    label: Vec<String>,
    functions: Vec<String>,
    nodes: Vec<String>,
    phases: Vec<String>,
    /// The index of an operation and the numbers of the violations it proves.
    witnesses: BTreeMap<u64, Vec<usize>>,
}

impl Columns {
    /// The operations to embed: all, or those [`FIRST_ROWS_MAX`] and around the violations.
    pub fn new(folder: &Folder) -> Self {
        let operations = &folder.operations;
        let names = |names: &[String]| names.iter().map(|name| visible(name)).collect();
        let mut columns = Self {
            functions: names(operations.functions.all()),
            nodes: names(operations.nodes.all()),
            phases: names(operations.phases.all()),
            ..Self::default()
        };
        for (position, (_, violation)) in folder.violations().take(VIOLATIONS_MAX).enumerate() {
            for index in violation.operations.iter().take(WITNESSES_MAX) {
                columns.witnesses.entry(*index).or_default().push(position + 1);
            }
        }
        let witnesses: BTreeSet<u64> = columns.witnesses.keys().copied().collect();
        let is_whole = operations.rows.len() <= LABELLED_ROWS_MAX;
        let mut room = LABELLED_ROWS_MAX - FIRST_ROWS_MAX;
        for (position, row) in operations.rows.iter().enumerate() {
            let is_first = is_whole || position < FIRST_ROWS_MAX;
            if is_first {
                columns.take(row);
            } else if room > 0 && Operations::is_near_witness(&witnesses, row.index) {
                room -= 1;
                columns.take(row);
            }
        }
        columns
    }

    /// How many are embedded.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    fn take(&mut self, row: &Row) {
        self.index.push(row.index);
        self.process.push(row.process);
        self.f.push(row.f);
        self.node.push(row.node.map_or(0, |node| node + 1));
        self.phase.push(row.phase);
        self.outcome.push(match row.outcome {
            Outcome::Ok => 'o',
            Outcome::Fail => 'f',
            Outcome::Info => 'i',
            Outcome::Open => 'p',
        });
        self.start_us.push(row.start_ns / 1000);
        let duration_us = row.end_ns.map(|end_ns| end_ns.saturating_sub(row.start_ns) / 1000);
        self.duration_us.push(duration_us.and_then(|us| i64::try_from(us).ok()).unwrap_or(-1));
        self.label.push(visible(&row.label));
    }
}

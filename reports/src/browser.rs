//! The operations for the page's browser: one JSON document of columns, which a script turns into rows as they scroll
//! into sight.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::markup::visible;
use crate::operations::{Ending, LABELLED_ROWS_MAX, Operations, Row};
use crate::page::{Page, WITNESSES_MAX};

/// Of the [`LABELLED_ROWS_MAX`] operations embedded from a longer record, at most so many are around its violations; the
/// others are its first.
const AROUND_ROWS_MAX: usize = 20_000;

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
    /// How many are here because they are the first.
    #[serde(skip)]
    pub first: usize,
}

impl Columns {
    /// The operations to embed: all, or the first and those around the violations.
    pub fn new(page: &Page) -> Self {
        let operations = &page.operations;
        let names = |names: &[String]| names.iter().map(|name| visible(name)).collect();
        let mut columns = Self {
            functions: names(operations.functions.all()),
            nodes: names(operations.nodes.all()),
            phases: names(operations.phases.all()),
            ..Self::default()
        };
        for (position, violation) in page.shown_violations().enumerate() {
            for index in violation.operations.iter().take(WITNESSES_MAX) {
                columns.witnesses.entry(*index).or_default().push(position + 1);
            }
        }
        let witnesses: BTreeSet<u64> = columns.witnesses.keys().copied().collect();
        let is_near = |row: &Row| Operations::is_near_witness(&witnesses, row.index);
        let mut room = 0;
        if operations.rows.len() > LABELLED_ROWS_MAX {
            room = operations.rows.iter().filter(|row| is_near(row)).take(AROUND_ROWS_MAX).count();
        }
        let (first, others) =
            operations.rows.split_at(operations.rows.len().min(LABELLED_ROWS_MAX - room));
        columns.first = first.len();
        for row in first.iter().chain(others.iter().filter(|row| is_near(row)).take(room)) {
            columns.take(row);
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
        self.outcome.push(match row.ending {
            Ending::Ok => 'o',
            Ending::Fail => 'f',
            Ending::Info => 'i',
            Ending::Open => 'p',
        });
        self.start_us.push(row.start_ns / 1000);
        let duration_us = row.end_ns.map(|end_ns| end_ns.saturating_sub(row.start_ns) / 1000);
        self.duration_us.push(duration_us.and_then(|us| i64::try_from(us).ok()).unwrap_or(-1));
        self.label.push(visible(&row.label));
    }
}

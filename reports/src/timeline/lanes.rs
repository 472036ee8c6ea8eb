//! Which row of which lane an operation is drawn in.

use crate::chart::CHAR_WIDTH;
use crate::markup::cut;
use crate::operations::{Ending, WitnessRow};

use super::scale::Scale;
use super::{LEFT, WIDTH};

/// A row of a lane: the label and its bar.
pub const ROW_HEIGHT: f64 = 38.0;
const LABEL_CHARS_MAX: usize = 46;

/// A process's operations, each with the row of the lane it is drawn in.
pub struct Lane<'a> {
    /// The process.
    pub process: u64,
    /// Its operations: position in the witness, operation, row.
    pub bars: Vec<(usize, &'a WitnessRow, usize)>,
    /// How many rows it has.
    pub rows: usize,
}

/// The number and the words over a bar.
pub fn label(position: usize, witness: &WitnessRow) -> (String, String) {
    ((position + 1).to_string(), cut(&witness.row.label, LABEL_CHARS_MAX))
}

/// From where to where a bar is drawn.
pub fn extent(witness: &WitnessRow, scale: &Scale) -> (f64, f64) {
    let left = scale.x(witness.row.start_ns);
    match witness.row.ending {
        Ending::Ok | Ending::Fail => (left, scale.x(witness.last_moment_ns()).max(left + 3.0)),
        Ending::Info | Ending::Open => (left, WIDTH - 4.0),
    }
}

/// Where a label begins: over its bar's beginning, or as far left of it as the right edge demands.
pub fn label_left(position: usize, witness: &WitnessRow, scale: &Scale) -> (f64, f64) {
    let (number, text) = label(position, witness);
    let width = (number.chars().count() + text.chars().count() + 2) as f64 * CHAR_WIDTH * 1.1;
    let left = extent(witness, scale).0.min(WIDTH - 6.0 - width).max(LEFT);
    (left, left + width)
}

/// The lanes, in order of their first operations.
pub fn lanes<'a>(witnesses: &[&'a WitnessRow], scale: &Scale) -> Vec<Lane<'a>> {
    let mut lanes: Vec<Lane<'a>> = Vec::new();
    for (position, witness) in witnesses.iter().enumerate() {
        let process = witness.row.process;
        let at = lanes.iter().position(|lane| lane.process == process).unwrap_or_else(|| {
            lanes.push(Lane { process, bars: Vec::new(), rows: 0 });
            lanes.len() - 1
        });
        lanes[at].bars.push((position, *witness, 0));
    }
    for lane in &mut lanes {
        // First row in which neither bar nor label touches what is there.
        let mut ends: Vec<f64> = Vec::new();
        for (position, witness, row) in &mut lane.bars {
            let (left, right) = extent(witness, scale);
            let (label_left, label_right) = label_left(*position, witness, scale);
            let (left, right) = (left.min(label_left), right.max(label_right));
            *row = ends.iter().position(|end| *end + 4.0 <= left).unwrap_or(ends.len());
            match ends.get_mut(*row) {
                Some(end) => *end = right,
                None => ends.push(right),
            }
        }
        lane.rows = ends.len();
    }
    lanes
}

/// How high a lane is.
pub fn height(lane: &Lane<'_>) -> f64 {
    lane.rows as f64 * ROW_HEIGHT + 8.0
}

/// Where a row of a lane begins.
pub fn row_top(lane_top: f64, row: usize) -> f64 {
    lane_top + 6.0 + row as f64 * ROW_HEIGHT
}

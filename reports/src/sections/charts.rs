//! Latency and throughput over time.

use crate::axis::duration;
use crate::chart::Chart;
use crate::folder::{Folder, VIOLATIONS_MAX};
use crate::markup::Markup;
use crate::statistics::Series;
use crate::timeline;

/// The section.
pub fn render(folder: &Folder) -> Markup {
    let mut out = Markup::new();
    if folder.operations.rows.is_empty() || !folder.is_timed() {
        return out;
    }
    let series = Series::new(&folder.operations);
    let violations: Vec<(usize, u64)> = folder
        .violations()
        .take(VIOLATIONS_MAX)
        .enumerate()
        .filter_map(|(position, (_, violation))| {
            let (_, end) = timeline::window_ns(&folder.witnesses_of(violation))?;
            Some((position + 1, end))
        })
        .collect();
    let chart = Chart {
        end_ns: folder.end_ns.max(1),
        faults: &folder.faults,
        phases: &folder.operations.phase_starts,
        violations: &violations,
    };
    out.push("<p class='hint'>All of the record, in steps of {}.", &[&duration(series.width_ns)]);
    if folder.is_run() {
        out.raw(" The rows above each chart are the faults: filled where one took hold, dashed where it was planned but missed.");
    }
    if !violations.is_empty() {
        out.raw(" <span class='key mark'></span>marks where a violation was complete.");
    }
    out.raw("</p><h3>Latency of successful operations <span class='legend'><span class='key p50'></span>p50 <span class='key p95'></span>p95 <span class='key p99'></span>p99 <span class='key slowest'></span>slowest</span></h3>");
    out.append(&chart.latency(&series));
    out.raw("<h3>Completed operations a second <span class='legend'><span class='key ok'></span>ok <span class='key fail'></span>fail <span class='key info'></span>info</span></h3>");
    out.append(&chart.throughput(&series));
    out
}

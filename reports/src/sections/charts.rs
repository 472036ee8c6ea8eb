//! Latency and throughput over time.

use crate::axis::duration;
use crate::chart::Chart;
use crate::faults::Faults;
use crate::markup::Markup;
use crate::page::Page;
use crate::statistics::Series;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    if page.operations.rows.is_empty() || !page.is_timed {
        return out;
    }
    let series = Series::new(&page.operations);
    let ends = page.shown_violations().map(|violation| page.window_ns(violation));
    let violations: Vec<(usize, u64)> =
        (1..).zip(ends).filter_map(|(number, window)| Some((number, window?.1))).collect();
    let no_faults = Faults::default();
    let chart = Chart {
        end_ns: page.end_ns.max(1),
        faults: page.cluster.as_ref().map_or(&no_faults, |cluster| &cluster.faults),
        phases: &page.operations.phase_starts,
        violations: &violations,
    };
    out.push("<p class='hint'>All of the record, in steps of {}.", &[&duration(series.width_ns)]);
    if page.cluster.is_some() {
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

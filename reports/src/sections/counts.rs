//! How many operations ended how, and how long they took.

use record::{Counts, Quantiles};

use crate::axis::milliseconds;
use crate::markup::{Markup, grouped};
use crate::page::Page;
use crate::statistics;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let mut functions = statistics::functions(&page.operations);
    let mut latency = statistics::latency(&page.operations);
    if let Some(judgement) = &page.judgement {
        // What was judged is what is shown, should the record say otherwise by now.
        for (name, counts) in &judgement.operations {
            functions.entry(name.clone()).or_default().counts = *counts;
        }
        latency = judgement.latency_ms.or(latency);
    }
    if functions.is_empty() {
        return out;
    }
    if !page.is_timed {
        latency = None;
        functions.values_mut().for_each(|function| function.latency_ms = None);
    }
    let mut total = Counts::default();
    let phase = if page.cluster.is_some() { "Operations of the main phase. " } else { "" };
    out.push("<p class='hint'>{}", &[&phase]);
    out.raw("<em>ok</em>: happened; <em>fail</em>: certainly did not; <em>info</em>: nobody knows. Latency in milliseconds, of successful operations.</p>");
    out.raw("<div class='scroll' tabindex='0' role='group' aria-label='Operations by function'><table class='numbers'><thead><tr><th>Function<th class='n'>ok<th class='n'>fail<th class='n'>info<th class='n'>p50<th class='n'>p95<th class='n'>p99<th class='n'>max</tr></thead><tbody>");
    for (name, function) in functions.iter().take(100) {
        total.ok += function.counts.ok;
        total.fail += function.counts.fail;
        total.info += function.counts.info;
        row_into(&mut out, name, function.counts, function.latency_ms);
    }
    out.raw("</tbody><tfoot>");
    row_into(&mut out, "all", total, latency);
    out.raw("</tfoot></table></div>");
    out
}

fn row_into(out: &mut Markup, name: &str, counts: Counts, latency_ms: Option<Quantiles>) {
    out.push("<tr><th scope='row'>{}", &[&name]);
    for (count, class) in [(counts.ok, "ok"), (counts.fail, "fail"), (counts.info, "info")] {
        let zero = if count == 0 { " dim" } else { "" };
        out.push("<td class='n {}{}'>{}", &[&class, &zero, &grouped(count)]);
    }
    let figures = latency_ms.map(|q| [q.p50, q.p95, q.p99, q.max].map(milliseconds));
    for figure in figures.unwrap_or_else(|| ["–"; 4].map(str::to_owned)) {
        out.push("<td class='n'>{}", &[&figure]);
    }
    out.raw("</tr>");
}

//! The faults that were planned, and what became of each.

use crate::axis::{duration, seconds};
use crate::markup::{Markup, counted, cut};
use crate::page::Page;

const ROWS_MAX: usize = 500;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let Some(faults) = page.cluster.as_ref().map(|cluster| &cluster.faults) else { return out };
    if faults.list.is_empty() {
        return out;
    }
    out.raw("<div class='scroll tall' tabindex='0' role='group' aria-label='Faults'><table><thead><tr><th>#<th>Family<th>Form<th>Targets<th>Took hold<th class='n'>Planned<th class='n'>Started<th class='n'>Healed<th class='n'>Lasted<th>Notes</tr></thead><tbody>");
    let at = |ns: Option<u64>| ns.map_or("–".into(), |ns| format!("{:.3} s", seconds(ns)));
    for fault in faults.list.iter().take(ROWS_MAX) {
        let hold = match fault.started_ns {
            Some(_) => "yes",
            None if fault.is_missed() => "no, missed",
            None => "only planned",
        };
        let lasted = match (fault.started_ns, fault.healed_ns) {
            (Some(start), Some(end)) => duration(end.saturating_sub(start)),
            (Some(_), None) => "not healed".into(),
            (None, _) => "–".into(),
        };
        let missed = if fault.started_ns.is_none() { "missed" } else { "" };
        out.push(
            "<tr class='{}'><td class='n'>{}<td class='name'><span class='key family {}'></span>{}<td>{}<td class='value'>{}<td>",
            &[&missed, &fault.number, &fault.class(), &fault.family, &fault.form, &cut(&fault.targets.join(" "), 300)],
        );
        out.push(
            "{}<td class='n'>{}<td class='n'>{}<td class='n'>{}<td class='n'>{}<td class='wide'>{}</tr>",
            &[&hold, &at(fault.planned_ns), &at(fault.started_ns), &at(fault.healed_ns), &lasted, &cut(&fault.notes.join("; "), 600)],
        );
    }
    out.raw("</tbody></table></div>");
    let more = faults.left_out + faults.list.len().saturating_sub(ROWS_MAX) as u64;
    if more > 0 {
        out.push("<p class='hint'>{} more in faults.jsonl.</p>", &[&counted(more, "fault")]);
    }
    out
}

//! The messages between the nodes, by link and by kind.

use crate::markup::{Markup, counted, grouped};
use crate::messages::{FATES, Tally};
use crate::page::Page;

const LINKS_MAX: usize = 200;
const KINDS_MAX: usize = 60;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let Some(messages) = page.cluster.as_ref().map(|cluster| &cluster.messages) else { return out };
    if messages.total.messages == 0 {
        return out;
    }
    let links: Vec<(String, &Tally)> = messages
        .links
        .iter()
        .map(|((from, to), tally)| (format!("{from} → {to}"), tally))
        .collect();
    let mut kinds: Vec<(String, &Tally)> =
        messages.kinds.iter().map(|(kind, tally)| (kind.clone(), tally)).collect();
    kinds.sort_by(|a, b| b.1.messages.cmp(&a.1.messages).then_with(|| a.0.cmp(&b.0)));
    out.push("<p class='hint'>{} passed the fault proxy. A request that was dropped never arrived; where the response was dropped, the request was carried out.</p>", &[&counted(messages.total.messages, "message")]);
    table_into(&mut out, "Link", &links, LINKS_MAX, Some(&messages.total));
    table_into(&mut out, "Kind", &kinds, KINDS_MAX, None);
    out
}

fn table_into(
    out: &mut Markup,
    heading: &'static str,
    rows: &[(String, &Tally)],
    rows_max: usize,
    total: Option<&Tally>,
) {
    out.push("<div class='scroll tall' tabindex='0' role='group' aria-label='Messages by {}'><table class='numbers'><thead><tr><th>{}<th class='n'>messages<th class='n'>bytes", &[&heading.to_lowercase(), &heading]);
    for (_, word) in FATES {
        out.push("<th class='n'>{}", &[&word]);
    }
    out.raw("</tr></thead><tbody>");
    for (name, tally) in rows.iter().take(rows_max) {
        row_into(out, name, tally);
    }
    out.raw("</tbody>");
    if let Some(total) = total {
        out.raw("<tfoot>");
        row_into(out, "all", total);
        out.raw("</tfoot>");
    }
    out.raw("</table></div>");
    if rows.len() > rows_max {
        out.push(
            "<p class='hint'>{} more rows in messages.jsonl.</p>",
            &[&grouped((rows.len() - rows_max) as u64)],
        );
    }
}

fn row_into(out: &mut Markup, name: &str, tally: &Tally) {
    out.push(
        "<tr><th scope='row'>{}<td class='n'>{}<td class='n'>{}",
        &[&name, &grouped(tally.messages), &grouped(tally.bytes)],
    );
    for count in tally.fates {
        let zero = if count == 0 { " dim" } else { "" };
        out.push("<td class='n{}'>{}", &[&zero, &grouped(count)]);
    }
    out.raw("</tr>");
}

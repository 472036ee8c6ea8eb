//! What the verdict rests on: how much was seen, and what became of each promise.

use record::{Measured, Promise};

use crate::markup::{Markup, cut, grouped};
use crate::page::Page;
use crate::sections::verdict::Shown;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let Some(judgement) = &page.judgement else { return out };
    if !judgement.promises.is_empty() {
        promises_into(&mut out, &judgement.promises);
    }
    if !judgement.evidence.is_empty() {
        measured_into(&mut out, &judgement.evidence);
    }
    out
}

fn promises_into(out: &mut Markup, promises: &[Promise]) {
    out.raw("<div class='scroll' tabindex='0' role='group' aria-label='Promises'><table><thead><tr><th>Promised<th>Kept?<th>How it was checked<th>What was seen</tr></thead><tbody>");
    for promise in promises.iter().take(50) {
        let badge = match promise.verdict {
            Some(verdict) => Shown::verdict(verdict).badge(),
            None => Shown::UNCHECKED.badge(),
        };
        out.push(
            "<tr><th scope='row'>{}<td>{}<td class='wide'>{}<td class='wide'>{}</tr>",
            &[
                &cut(&promise.promise, 80),
                &badge,
                &cut(&promise.how, 300),
                &cut(&promise.seen, 600),
            ],
        );
    }
    out.raw("</tbody></table></div>");
}

fn measured_into(out: &mut Markup, evidence: &[Measured]) {
    out.raw("<p class='hint'>Below what is asked for, a run is inconclusive. <code>--require</code> sets these figures.</p>");
    out.raw("<div class='scroll' tabindex='0' role='group' aria-label='Evidence'><table class='numbers'><thead><tr><th>Counted in the main phase<th class='n'>asked<th class='n'>seen</tr></thead><tbody>");
    for measured in evidence.iter().take(50) {
        let lacks = if measured.seen < measured.asked { "info" } else { "" };
        out.push(
            "<tr><th scope='row'>{}<td class='n'>{}<td class='n {}'>{}</tr>",
            &[&cut(&measured.what, 160), &grouped(measured.asked), &lacks, &grouped(measured.seen)],
        );
    }
    out.raw("</tbody></table></div>");
}

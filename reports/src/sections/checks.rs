//! What each checker found.

use serde_json::Value;

use crate::label;
use crate::markup::{Markup, cut};
use crate::page::Page;
use crate::sections::verdict::Shown;

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let Some(judgement) = page.judgement.as_ref().filter(|judgement| !judgement.checks.is_empty())
    else {
        return out;
    };
    out.raw("<div class='scroll' tabindex='0' role='group' aria-label='Checks'><table><thead><tr><th>Checker<th>Verdict<th>What was found<th>Figures</tr></thead><tbody>");
    for check in judgement.checks.iter().take(200) {
        let badge = Shown::verdict(check.verdict).badge();
        out.push(
            "<tr><th scope='row'>{}<td>{}<td class='wide'>{}<td>",
            &[&cut(&check.checker, 80), &badge, &check.summary],
        );
        statistics_into(&mut out, &check.statistics);
        out.raw("</tr>");
    }
    out.raw("</tbody></table></div>");
    out
}

fn statistics_into(out: &mut Markup, statistics: &Value) {
    match statistics {
        Value::Null => {}
        Value::Object(figures) => {
            out.raw("<ul class='figures'>");
            let known = figures.iter().filter(|(_, figure)| !figure.is_null());
            for (name, figure) in known.take(40) {
                let name = cut(&name.replace('_', " "), 60);
                let figure = match figure {
                    Value::String(text) => cut(text, 200),
                    other => label::fields(other, 200),
                };
                out.push("<li><span class='dim'>{}</span> {}</li>", &[&name, &figure]);
            }
            out.raw("</ul>");
        }
        other => out.push("{}", &[&label::fields(other, 400)]),
    }
}

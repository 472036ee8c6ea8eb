//! The page as HTML: head, sections in reading order, script.

use crate::markup::{Markup, cut};
use crate::page::{Page, Subject};
use crate::sections;

/// Nothing is fetched and nothing but our own style and script runs, even if an escape were forgotten somewhere.
const HEAD: &str = "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\
<meta name='viewport' content='width=device-width, initial-scale=1'><meta name='color-scheme' content='light dark'>\
<meta name='referrer' content='no-referrer'>";

/// Hatches and fades that bars refer to; colours come from the style sheet.
const PATTERNS: &str = "<svg class='patterns' width='0' height='0' aria-hidden='true'><defs>\
<pattern id='hatch' width='6' height='6' patternUnits='userSpaceOnUse' patternTransform='rotate(45)'><rect class='hatch-ground' width='6' height='6'/><rect class='hatch-line' width='2.6' height='6'/></pattern>\
<linearGradient id='fade'><stop class='fade' offset='0'/><stop class='fade' offset='.35'/><stop class='fade clear' offset='1'/></linearGradient>\
</defs></svg>";

type Section = (&'static str, &'static str, fn(&Page) -> Markup);

/// Anchor, heading, content; a section without content is left out.
const SECTIONS: [Section; 10] = [
    ("violations", "Violations", sections::violations::render),
    ("evidence", "What the verdict rests on", sections::evidence::render),
    ("behaviour", "How the store behaved", sections::behaviour::render),
    ("checks", "Checks", sections::checks::render),
    ("counts", "Operations", sections::counts::render),
    ("charts", "Over time", sections::charts::render),
    ("faults", "Faults", sections::faults::render),
    ("messages", "Messages", sections::messages::render),
    ("browser", "All operations", sections::browser::render),
    ("logs", "Node logs", sections::logs::render),
];

/// The whole page.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    out.raw(HEAD);
    out.push("<title>{}</title>", &[&title(page)]);
    out.raw("<style>");
    out.raw(include_str!("../assets/report.css"));
    out.raw("</style></head><body>");
    out.raw(PATTERNS);
    out.raw("<main>");
    out.append(&sections::verdict::render(page));

    let rendered = SECTIONS.map(|(anchor, heading, render)| (anchor, heading, render(page)));
    let present = || rendered.iter().filter(|(_, _, content)| !content.is_empty());
    out.raw("<nav aria-label='Sections'>");
    for (anchor, heading, _) in present() {
        out.push("<a href='#{}'>{}</a>", &[anchor, heading]);
    }
    out.raw("</nav>");
    for (anchor, heading, content) in present() {
        out.push(
            "<section id='{}' aria-labelledby='{}-heading'><h2 id='{}-heading'>{}</h2>{}</section>",
            &[anchor, anchor, anchor, heading, content],
        );
    }
    out.raw("</main><script>");
    out.raw(include_str!("../assets/report.js"));
    out.raw("</script></body></html>\n");
    out
}

fn title(page: &Page) -> String {
    let word = sections::verdict::Shown::of(page).word;
    let (asked, target) = match &page.subject {
        Some(Subject::Run(run)) => (&run.workload, &run.target),
        Some(Subject::History(history)) => (&history.model, &history.file),
        None => return word.to_owned(),
    };
    cut(&format!("{word}: {asked} on {target}"), 120)
}

//! The page: head, sections in reading order, script.

use crate::folder::Folder;
use crate::markup::{Markup, cut};
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

type Section = (&'static str, &'static str, fn(&Folder) -> Markup);

/// Anchor, heading, content; a section without content is left out.
const SECTIONS: [Section; 8] = [
    ("violations", "Violations", sections::violations::render),
    ("checks", "Checks", sections::checks::render),
    ("counts", "Operations", sections::counts::render),
    ("charts", "Over time", sections::charts::render),
    ("faults", "Faults", sections::faults::render),
    ("messages", "Messages", sections::messages::render),
    ("browser", "All operations", sections::browser::render),
    ("logs", "Node logs", sections::logs::render),
];

/// The whole page.
pub fn render(folder: &Folder) -> Markup {
    let mut page = Markup::new();
    page.raw(HEAD);
    page.push("<title>{}</title>", &[&title(folder)]);
    page.raw("<style>");
    page.raw(include_str!("../assets/report.css"));
    page.raw("</style></head><body>");
    page.raw(PATTERNS);
    page.raw("<main>");
    page.append(&sections::verdict::render(folder));

    let rendered = SECTIONS.map(|(anchor, heading, render)| (anchor, heading, render(folder)));
    let present = || rendered.iter().filter(|(_, _, content)| !content.is_empty());
    page.raw("<nav aria-label='Sections'>");
    for (anchor, heading, _) in present() {
        page.push("<a href='#{}'>{}</a>", &[anchor, heading]);
    }
    page.raw("</nav>");
    for (anchor, heading, content) in present() {
        page.push(
            "<section id='{}' aria-labelledby='{}-heading'><h2 id='{}-heading'>{}</h2>{}</section>",
            &[anchor, anchor, anchor, heading, content],
        );
    }
    page.raw("</main><script>");
    page.raw(include_str!("../assets/report.js"));
    page.raw("</script></body></html>\n");
    page
}

fn title(folder: &Folder) -> String {
    let word = sections::verdict::Shown::of(folder).word;
    match &folder.run {
        Some(run) => cut(&format!("{word}: {} on {}", run.workload, run.target), 120),
        None => word.to_owned(),
    }
}

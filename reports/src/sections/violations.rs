//! Each violation: the sentence, the timeline, the operations, the logs around it.

use history::{Picture, Violation};

use crate::attempts::{OfOne, end_in_words};
use crate::axis::{duration, moment};
use crate::faults::Fault;
use crate::logs::{Line, NEAR_LINES_MAX};
use crate::markup::{Markup, Svg, counted, cut};
use crate::operations::{self, Ending, WitnessRow};
use crate::page::{Cluster, Page, VIOLATIONS_MAX, WITNESSES_MAX};
use crate::{picture, timeline};

/// So many are open when the page opens.
const OPEN_MAX: usize = 3;

/// A picture larger than this is left out.
const PICTURE_BYTES_MAX: usize = 256 << 10;
/// So many lines of an explanation are shown.
const EXPLANATION_LINES_MAX: usize = 60;
/// So much of an operation's requests stands in one line.
const ATTEMPTS_CHARS_MAX: usize = 160;

const HOW_TO_READ_A_CYCLE: &str = "<p class='hint'>An arrow leads to what must have come later: <b>wr</b> read what the first wrote, <b>ww</b> overwrote it, \
<b>rw</b> wrote what the first did not see yet; dashed: began after the first had ended, or followed it in its process. \
Arrows in a circle leave no order in which all this can have happened.</p>";

const HOW_TO_READ_NODES: &str = "<p class='hint'>Above the processes: what each node was doing. \
<span class='key leads'></span>said that it leads <span class='key paused'></span>paused <span class='key killed'></span>killed or ended</p>";

const HOW_TO_READ: &str = "<p class='hint'>Each lane is one client process; a bar begins when the request was sent and ends when the answer was read. \
An operation takes effect at one instant somewhere inside its bar, so one that ended before another began must come first. \
<span class='key ok'></span>succeeded <span class='key fail'></span>failed <span class='key info'></span>unknown: may take effect at any later time</p>";

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let total = page.violations().count();
    if total == 0 {
        return out;
    }
    out.raw(HOW_TO_READ);
    if page.cluster.is_some() {
        out.raw(HOW_TO_READ_NODES);
    }
    let pictured = page.violations().zip(page.pictures()).take(VIOLATIONS_MAX);
    for (position, ((checker, violation), picture)) in pictured.enumerate() {
        violation_into(&mut out, page, position + 1, checker, violation, picture);
    }
    if total > VIOLATIONS_MAX {
        out.push(
            "<p class='hint'>{} more in results.json; the first {} are shown.</p>",
            &[&counted((total - VIOLATIONS_MAX) as u64, "violation"), &VIOLATIONS_MAX],
        );
    }
    out
}

fn violation_into(
    out: &mut Markup,
    page: &Page,
    number: usize,
    checker: &str,
    violation: &Violation,
    picture: Option<&Picture>,
) {
    let witnesses = page.witnesses_of(violation);
    let open = if number <= OPEN_MAX { " open" } else { "" };
    out.push(
        "<details class='card' id='violation-{}'{}><summary><span class='ordinal'>{}</span> <strong>{}</strong> <span class='dim'>found by {}</span></summary><p class='sentence'>{}</p>",
        &[&number, &open, &number, &cut(&violation.kind, 80), &cut(checker, 80), &violation.sentence],
    );
    if let Some(picture) = picture {
        picture_into(out, violation, picture);
    }
    if let Some(window) = operations::window_ns(&witnesses) {
        let faults = faults_within(page, window);
        let states = page.cluster.as_ref().map_or(&[][..], |cluster| &cluster.states);
        out.append(&timeline::render(number, &witnesses, &faults, states, page.end_ns));
        if page.is_timed {
            context_into(out, page, window, &faults);
        }
        table_into(out, page, number, &witnesses);
    }
    missing_into(out, violation, witnesses.len());
    let cluster = page.cluster.as_ref();
    let near = cluster.and_then(|cluster| cluster.logs.near.get(number - 1));
    // Without operations there is no time around which to look.
    if let Some(lines) = near.filter(|_| !violation.operations.is_empty()) {
        logs_into(out, lines);
    }
    out.raw("</details>");
}

/// The faults that were in force between two moments.
fn faults_within(page: &Page, (start, end): (u64, u64)) -> Vec<&Fault> {
    let faults = page.cluster.iter().flat_map(|cluster| &cluster.faults.list);
    let touches = |fault: &&Fault| {
        let span = fault.span(page.end_ns);
        !fault.is_missed() && span.is_some_and(|(from, to)| from <= end && to >= start)
    };
    faults.filter(touches).collect()
}

/// The picture as an image, in which nothing runs and from which nothing is fetched, whatever is in it; and its
/// explanation.
fn picture_into(out: &mut Markup, violation: &Violation, picture: &Picture) {
    let kind = cut(&violation.kind, 80);
    let svg = picture::render(picture, &kind).into_string();
    if (1..=PICTURE_BYTES_MAX).contains(&svg.len()) {
        out.push(
            "<div class='figure picture'><img alt='{}, drawn' src='{}'></div>",
            &[&kind, &Svg(&svg)],
        );
        out.raw(HOW_TO_READ_A_CYCLE);
    }
    out.raw("<ol class='explanation'>");
    for line in picture.explanation.iter().take(EXPLANATION_LINES_MAX) {
        out.push("<li>{}</li>", &[line]);
    }
    out.raw("</ol>");
    if picture.explanation.len() > EXPLANATION_LINES_MAX {
        out.push(
            "<p class='hint'>{} more in results.json.</p>",
            &[&counted((picture.explanation.len() - EXPLANATION_LINES_MAX) as u64, "line")],
        );
    }
}

/// When it was, and which faults were in force meanwhile, or last before.
fn context_into(out: &mut Markup, page: &Page, (start, end): (u64, u64), faults: &[&Fault]) {
    out.push(
        "<p>These operations span {}, from {} to {}. ",
        &[&duration(end - start), &moment(start), &moment(end)],
    );
    if let Some(cluster) = &page.cluster {
        faults_into(out, cluster, start, faults);
    }
    out.raw("</p>");
}

fn faults_into(out: &mut Markup, cluster: &Cluster, start: u64, faults: &[&Fault]) {
    let in_force: Vec<String> = faults
        .iter()
        .take(12)
        .map(|fault| {
            format!(
                "{} (fault {}, {})",
                fault.name(),
                fault.number,
                cut(&fault.targets.join(" "), 60)
            )
        })
        .collect();
    if in_force.is_empty() {
        out.raw("No fault was in force meanwhile.");
    } else {
        out.push("In force meanwhile: {}.", &[&in_force.join("; ")]);
    }
    let before = cluster.faults.list.iter().filter(|fault| !fault.is_missed());
    let last = before
        .filter_map(|fault| {
            fault.healed_ns.filter(|healed| *healed < start).map(|healed| (healed, fault))
        })
        .max_by_key(|(healed, _)| *healed);
    if let Some((healed, fault)) = last {
        out.push(
            " The last fault before was {} (fault {}), healed {} earlier.",
            &[&fault.name(), &fault.number, &duration(start - healed)],
        );
    }
}

fn table_into(out: &mut Markup, page: &Page, number: usize, witnesses: &[&WitnessRow]) {
    out.raw("<div class='scroll' tabindex='0' role='group' aria-label='The operations that prove it'><table><thead><tr><th>#<th>Index<th>Process");
    if page.cluster.is_some() {
        out.raw("<th>Node");
    }
    out.raw("<th>Function<th>Arguments<th>Outcome<th>Result");
    if page.is_timed {
        out.raw("<th class='n'>Start<th class='n'>End");
    }
    out.raw("</tr></thead><tbody>");
    for (position, witness) in witnesses.iter().enumerate() {
        row_into(out, page, (number, position + 1), witness);
    }
    out.raw("</tbody></table></div>");
    if witnesses.len() > timeline::OPERATIONS_MAX {
        out.push(
            "<p class='hint'>The timeline shows the first {} of these.</p>",
            &[&timeline::OPERATIONS_MAX],
        );
    }
}

/// One operation of a violation; both are numbered.
fn row_into(
    out: &mut Markup,
    page: &Page,
    (violation, number): (usize, usize),
    witness: &WitnessRow,
) {
    let row = &witness.row;
    out.push(
        "<tr id='violation-{}-row-{}'><td class='n'>{}<td class='n'><a href='#violation-{}-bar-{}' data-operation='{}'>{}</a><td class='n'>{}",
        &[&violation, &row.index, &number, &violation, &row.index, &row.index, &row.index, &row.process],
    );
    if page.cluster.is_some() {
        out.push("<td>{}", &[&witness.node]);
    }
    let outcome = row.ending.name();
    out.push(
        "<td>{}<td class='value'>{}<td><span class='outcome {}'>{}</span><td class='value'>{}",
        &[&witness.f, &witness.arguments, &outcome, &outcome, &witness.result],
    );
    if page.is_timed {
        let end = match (row.ending, row.end_ns) {
            (Ending::Ok | Ending::Fail, Some(end)) => moment(end),
            (Ending::Info, Some(end)) => format!("unknown (given up {})", moment(end)),
            _ => "unknown".into(),
        };
        out.push("<td class='n'>{}<td class='n'>{}", &[&moment(row.start_ns), &end]);
    }
    out.raw("</tr>");
    let attempts = page.cluster.as_ref().and_then(|cluster| cluster.attempts.get(&row.index));
    if let Some(attempts) = attempts {
        attempts_into(out, attempts);
    }
}

/// The requests behind an operation: one line, which opens.
fn attempts_into(out: &mut Markup, attempts: &OfOne) {
    let total = attempts.requests.len() as u64 + attempts.left_out;
    out.push(
        "<tr class='attempts'><td><td colspan='9'><details><summary>{}: {}</summary><ol>",
        &[&counted(total, "request"), &cut(&attempts.summary(), ATTEMPTS_CHARS_MAX)],
    );
    for request in &attempts.requests {
        let copy = if request.copy { " (a copy that the bench sent)" } else { "" };
        out.push(
            "<li><b>{}</b>{}, {} to {}: {}",
            &[
                &request.node,
                &copy,
                &moment(request.sent_ns),
                &moment(request.ended_ns),
                &end_in_words(request.end),
            ],
        );
        if !request.reason.is_empty() {
            out.push(" – <code>{}</code>", &[&request.reason]);
        }
    }
    out.raw("</ol>");
    if attempts.left_out > 0 {
        out.push("<p>{} more in attempts.jsonl.</p>", &[&attempts.left_out]);
    }
    out.raw("</details>");
}

fn missing_into(out: &mut Markup, violation: &Violation, shown: usize) {
    let asked = violation.operations.len();
    if asked == 0 {
        out.raw("<p class='hint'>No single operation proves this: it follows from the whole record, or from what nodes said of themselves.</p>");
    } else if asked > WITNESSES_MAX {
        out.push(
            "<p class='hint'>The first {} of {} are shown.</p>",
            &[&WITNESSES_MAX, &counted(asked as u64, "operation")],
        );
    } else if shown < asked {
        out.push(
            "<p class='hint'>{} of the witness not in the record: it may be incomplete.</p>",
            &[&counted((asked - shown) as u64, "operation")],
        );
    }
}

fn logs_into(out: &mut Markup, lines: &[Line]) {
    if lines.is_empty() {
        out.raw("<p class='hint'>The nodes printed nothing around these operations; the ends of their logs are <a href='#logs'>below</a>.</p>");
        return;
    }
    out.push(
        "<details class='log'><summary>Node logs around these operations ({})</summary><pre>",
        &[&counted(lines.len() as u64, "line")],
    );
    for line in lines.iter().take(4 * NEAR_LINES_MAX) {
        out.push(
            "<span class='dim'>{} {}</span> {}\n",
            &[&moment(line.at_ns), &line.node, &line.text],
        );
    }
    out.raw("</pre></details>");
}

//! How the store behaved: what was measured and decides nothing.

use record::{Behaviour, Extent, Occupied, Orders, Stretch, Times, Traffic};

use crate::axis::duration;
use crate::markup::{Markup, cut, grouped};
use crate::page::Page;

/// What was measured, the figure, and what it means.
type Row = (&'static str, String, String);

/// The section.
pub fn render(page: &Page) -> Markup {
    let mut out = Markup::new();
    let behaviour = page.judgement.as_ref().and_then(|judgement| judgement.behaviour.as_ref());
    let rows: Vec<Row> = behaviour.map_or_else(Vec::new, rows);
    if rows.is_empty() {
        return out;
    }
    out.raw("<p class='hint'>Measured, not judged: none of these figures decides the verdict. Times and messages are those of the main phase.</p>");
    out.raw("<div class='scroll' tabindex='0' role='group' aria-label='Behaviour'><table><thead><tr><th>Measured<th>Figure<th>What that is</tr></thead><tbody>");
    for (name, figure, meaning) in rows {
        out.push(
            "<tr><th scope='row'>{}<td class='wide'>{}<td class='wide'>{}</tr>",
            &[&name, &figure, &meaning],
        );
    }
    out.raw("</tbody></table></div>");
    out
}

fn rows(behaviour: &Behaviour) -> Vec<Row> {
    let Behaviour { recovery_ms, longest_outage, longest_wait, traffic, nodes, .. } = behaviour;
    // Where no times were measured at all, as when somebody asks by hand, nothing is said about this one either.
    let takes_over = nodes.len() > 1 && longest_outage.is_some();
    let fail_over = takes_over.then(|| fail_over(behaviour));
    let recovery = recovery_ms.as_ref().map(|recovery| {
        let meaning = "From when a fault was healed (the nodes run, the links are open) until a write succeeded that was \
                       called afterwards.";
        ("Recovery", recovery.words("fault"), meaning.to_owned())
    });
    let stretch = |name, stretch: &Option<Stretch>, meaning: &str| {
        let Stretch { from_ms, lasted_ms } = (*stretch)?;
        let figure = format!("{}, from {} on", duration(ns(lasted_ms)), at(from_ms));
        Some((name, figure, meaning.to_owned()))
    };
    let outage = stretch(
        "Longest outage",
        longest_outage,
        "In this time no operation succeeded. Perhaps none could: see what was broken then.",
    );
    let wait = stretch(
        "Longest wait",
        longest_wait,
        "The successful operation that took longest, from its call to its answer, with all its requests.",
    );
    let moves = moves(behaviour);
    let occupied = occupied(behaviour);
    let messages = traffic.as_ref().map(messages);
    let orders = behaviour.orders.as_ref().map(orders);
    let measured = [fail_over, recovery, outage, wait, messages, orders];
    measured.into_iter().flatten().chain(moves).chain(occupied).collect()
}

fn moves(behaviour: &Behaviour) -> impl Iterator<Item = Row> {
    let row = |name, times: &Option<Times>, meaning: &str| {
        Some((name, times.as_ref()?.words("move"), meaning.to_owned()))
    };
    let paused = row(
        "Pause of a shard that moves",
        &behaviour.shards_paused_ms,
        "From the last answer of the group that had it, or from when somebody asked after that, to the first answer of the next \
         group. Whatever was broken meanwhile counts, too.",
    );
    let beside = row(
        "Wait beside a move",
        &behaviour.beside_moves_ms,
        "Meanwhile, the operation that took longest on a shard that stayed where it was.",
    );
    paused.into_iter().chain(beside)
}

fn fail_over(behaviour: &Behaviour) -> Row {
    let Some(fail_over) = &behaviour.fail_over_ms else {
        let why = "No fault took away a node that was known to lead (the store says so if it has `introspect`) while \
                   enough of the others were up and connected.";
        return ("Fail-over", "not measured".to_owned(), why.to_owned());
    };
    let mut meaning = "The leader was killed, paused or cut off, while enough of the others were up and connected: from \
                       the last write that it acknowledged to the first that was called afterwards and that a node \
                       acknowledged which was not away."
        .to_owned();
    if behaviour.fail_over_healed_before > 0 {
        meaning.push_str(&format!(
            " {} of these faults ended before another node served, such as a pause that is shorter than the election \
             time-out; then any node counts from there on.",
            grouped(behaviour.fail_over_healed_before)
        ));
    }
    ("Fail-over", fail_over.words("time"), meaning)
}

fn messages(traffic: &Traffic) -> Row {
    let Traffic { messages_per_operation, bytes_per_operation, until_ms } = *traffic;
    let figure = format!(
        "{messages_per_operation:.1} messages and {} a successful operation",
        size(bytes_per_operation)
    );
    let until = until_ms.map(|ms| format!(" Until {}, where the trace is full.", at(ms)));
    let meaning = "All requests that passed from node to node, heartbeats included, divided by the number of operations \
                   that succeeded meanwhile. Answers are not counted.";
    ("Messages", figure, format!("{meaning}{}", until.unwrap_or_default()))
}

fn orders(orders: &Orders) -> Row {
    let Orders { different, by_tenth, next_is_new } = orders;
    let late = match by_tenth[..] {
        [.., before, end] => {
            format!(", {} of them only in the last tenth of the run", grouped(end - before))
        }
        _ => String::new(),
    };
    let figure = format!("{} different{late}", grouped(*different));
    let meaning = format!(
        "An order is three messages in a row at a node, by their kinds and by whether the network had touched them. The next \
         message would have shown a new one with {:.2} %: the less, the more of what these faults can show was seen.",
        100.0 * next_is_new
    );
    ("Orders of messages", figure, meaning)
}

/// Of the node with the most of each.
fn occupied(behaviour: &Behaviour) -> impl Iterator<Item = Row> {
    let Behaviour { nodes, snapshot_limit_bytes, .. } = behaviour;
    let compacts = match snapshot_limit_bytes {
        Some(limit) => {
            let limit = size(*limit as f64);
            format!(
                "A log beyond {limit} is to be compacted (DS_SNAPSHOT_BYTES at the first start)."
            )
        }
        None => {
            "The log need not be compacted (DS_SNAPSHOT_BYTES is -1 at the first start).".to_owned()
        }
    };
    let row = |name, of: fn(&Occupied) -> Option<Extent>, meaning: String| {
        let seen = || nodes.iter().filter_map(|(node, its)| Some((node.as_str(), of(its)?)));
        let (most_at, most) = seen().max_by_key(|(_, extent)| extent.most)?;
        let (end_at, end) = seen().max_by_key(|(_, extent)| extent.end)?;
        let figure = format!(
            "at most {} ({}), at the end {} ({})",
            size(most.most as f64),
            cut(most_at, 30),
            size(end.end as f64),
            cut(end_at, 30)
        );
        Some((name, figure, meaning))
    };
    [
        row(
            "Data folder",
            |its| its.data_bytes.filter(|data| data.most > 0),
            format!("All files of the node that has most: log and snapshots. {compacts}"),
        ),
        row("Log", |its| its.log_bytes, format!("As the node says itself. {compacts}")),
        row(
            "Memory",
            |its| its.memory_bytes,
            "Of the processes of the node that has most. At the end one key has been overwritten many times, so that what \
             is not needed can be gone."
                .to_owned(),
        ),
    ]
    .into_iter()
    .flatten()
}

/// A moment since the start of the run.
fn at(ms: f64) -> String {
    format!("{:.1} s", ms / 1e3)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ns(ms: f64) -> u64 {
    // Saturates, also where the figure is none.
    (ms * 1e6) as u64
}

/// `812 bytes`, `64 KiB`, `1.5 MiB`.
fn size(bytes: f64) -> String {
    const KIB: f64 = 1024.0;
    let (number, unit) = match bytes {
        _ if bytes < KIB => return format!("{bytes:.0} bytes"),
        _ if bytes < KIB * KIB => (bytes / KIB, "KiB"),
        _ => (bytes / (KIB * KIB), "MiB"),
    };
    if number < 10.0 { format!("{number:.1} {unit}") } else { format!("{number:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_digits() {
        let sizes = [812.0, 2_150.0, 65_536.0, 1_572_864.0].map(size);
        assert_eq!(sizes, ["812 bytes", "2.1 KiB", "64 KiB", "1.5 MiB"]);
    }
}

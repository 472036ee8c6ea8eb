//! The text of a log: the regular expression by which ShiViz parses it, the one that separates executions (none), then two
//! lines an event.

use std::fmt::Write as _;

use history::words::{cut, seconds};
use record::Fate;

use super::{
    events::{Event, Sent},
    order::Placed,
};

/// The first line.
pub(super) const PARSER: &str = r"(?<time>\S*) (?<event>.*)\n(?<host>\S*) (?<clock>{.*})";
/// So much of a message's type is shown.
const KIND_CHARS_MAX: usize = 60;

pub(super) fn text(nodes: &[String], sent: &[Sent], events: &[Placed]) -> String {
    let hosts: Vec<String> = nodes.iter().map(|node| host(node)).collect();
    let mut text = format!("{PARSER}\n\n");
    for Placed { node, event, clock } in events {
        let message = &sent[event.message()];
        let time = seconds(message.time_ns, 6);
        let counts = hosts.iter().zip(clock).filter(|(_, count)| **count > 0);
        let counts = counts.map(|(host, count)| (host.clone(), (*count).into()));
        let clock = serde_json::Value::Object(counts.collect());
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "{time} {}\n{} {clock}", words(*event, message, &hosts), hosts[*node]);
    }
    text
}

/// `send Accept to n2, term 7 (doubled)`.
fn words(event: Event, message: &Sent, hosts: &[String]) -> String {
    let kind =
        message.kind.as_deref().map_or("message".to_owned(), |kind| cut(kind, KIND_CHARS_MAX));
    let term = message.term.map_or(String::new(), |term| format!(", term {term}"));
    match event {
        Event::Receive(_) => format!("receive {kind} from {}{term}", hosts[message.from]),
        Event::Send(_) => {
            let fate = match message.fate {
                Fate::Delivered => "",
                Fate::RequestDropped => " (dropped)",
                Fate::ResponseDropped => " (its answer dropped)",
                Fate::Delayed => " (delayed)",
                Fate::Duplicated => " (doubled)",
                Fate::Reordered => " (overtaken)",
                Fate::Stalled => " (held at a cut link)",
            };
            format!("send {kind} to {}{term}{fate}", hosts[message.to])
        }
    }
}

/// An id as one word.
fn host(node: &str) -> String {
    node.chars().map(|c| if c.is_whitespace() || c.is_control() { '_' } else { c }).collect()
}

//! The messages of a run as a log for ShiViz, which draws who sent what to whom and what happened before what
//! (Beschastnikh, Wang, Brun, Ernst, "Debugging Distributed Systems", CACM 2016).
//!
//! ```text
//! events  which sendings and receipts there are, and in which order on each node
//! order   what happened before what, and each event's vector clock
//! log     the text that ShiViz reads
//! ```
//! ShiViz wants a clock of its own kind: on each host the events count 1, 2, 3…, without a gap. The vectors that a store
//! sends count events that nobody recorded, so new ones are made from what the old ones prove. Without them there is no log:
//! that a message passed the proxy before another one left a node does not say that the node knew of it.

mod events;
mod log;
mod order;

use record::MessageRecord;

use events::{Lines, Sent};

/// Which messages are shown: those that passed in a span of time, the earliest of them.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// In nanoseconds since the start of the run.
    pub from_ns: u64,
    /// The end, in nanoseconds since the start of the run; inclusive.
    pub to_ns: u64,
    /// At most so many messages.
    pub messages_max: usize,
}

/// Collects the messages of a run.
#[derive(Debug)]
pub struct Shiviz {
    nodes: Vec<String>,
    selection: Selection,
    sent: Vec<Sent>,
    /// Messages between nodes, whether they can be shown or not.
    all: usize,
    without_vector: usize,
}

/// A log for ShiViz.
#[derive(Debug)]
pub struct Log {
    /// What goes into the file.
    pub text: String,
    /// What is shown and what is not, in sentences.
    pub remarks: Vec<String>,
}

/// Why there is no log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLog {
    /// No message between nodes was recorded.
    #[error("There are no messages between nodes in this run.")]
    NoMessages,
    /// No message has a vector clock.
    #[error(
        "None of the {0} messages between the nodes has a vector clock (X-DS-Vector), so nobody can tell what happened \
         before what: that a message passed before another one left a node does not mean that the node knew of it."
    )]
    NoClocks(usize),
    /// All messages are outside of the selection.
    #[error("No message with a vector clock passed in this span of time.")]
    NothingSelected,
    /// The clocks are wrong.
    #[error(
        "The vector clocks contradict each other: there are events each of which is said to have happened before the \
         other. `harness check` says where."
    )]
    Contradiction,
}

impl Shiviz {
    /// Nothing yet.
    #[must_use]
    pub fn new(nodes: &[String], selection: Selection) -> Self {
        Self { nodes: nodes.to_vec(), selection, sent: Vec::new(), all: 0, without_vector: 0 }
    }

    /// Takes in a message. One to or from the clients is passed over: they have no clock.
    pub fn take(&mut self, message: MessageRecord) {
        let index = |id: &str| self.nodes.iter().position(|node| node == id);
        let Some(link) = index(&message.from).zip(index(&message.to)) else { return };
        self.all += 1;
        match Sent::of(message, link, &self.nodes) {
            Some(sent) => self.sent.push(sent),
            None => self.without_vector += 1,
        }
    }

    /// The log of what was taken in and selected.
    ///
    /// # Errors
    /// Why there is none.
    pub fn log(self) -> Result<Log, NoLog> {
        let Self { nodes, selection, mut sent, all, without_vector } = self;
        match (all, sent.len()) {
            (0, _) => return Err(NoLog::NoMessages),
            (_, 0) => return Err(NoLog::NoClocks(all)),
            _ => {}
        }
        let with_vector = sent.len();
        sent.retain(|sent| (selection.from_ns..=selection.to_ns).contains(&sent.time_ns));
        sent.sort_by_key(|sent| sent.time_ns);
        sent.truncate(selection.messages_max);
        if sent.is_empty() {
            return Err(NoLog::NothingSelected);
        }
        let shown = sent.len();
        let lines = Lines::of(nodes.len(), &sent);
        let events = order::ordered(&lines, &sent).ok_or(NoLog::Contradiction)?;
        let mut remarks = Vec::new();
        if shown < with_vector {
            remarks.push(format!(
                "{shown} of {with_vector} messages are shown: the earliest of those from --from-ms to --to-ms, as many as \
                 --limit allows."
            ));
        }
        if without_vector > 0 {
            remarks
                .push(format!("{without_vector} messages have no vector clock and are left out."));
        }
        if lines.not_received > 0 {
            remarks.push(format!(
                "{} messages are shown without their receipt: nothing that the receiver sent after it is shown.",
                lines.not_received
            ));
        }
        Ok(Log { text: log::text(&nodes, &sent, &events), remarks })
    }
}

#[cfg(test)]
mod tests;

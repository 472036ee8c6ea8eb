//! Whether the clocks that a store sends with the messages between its nodes tell the truth, as far as the trace of
//! messages can show that.
//!
//! What is wrong with them is told and changes no verdict: clocks are what a store says of itself, and the verdict is on
//! what it answers. A store that sends none promises nothing.

mod contradiction;
mod told;

use std::collections::BTreeMap;

use history::Verdict;
use history::words::counted;
use record::{Promise, files};

use contradiction::{Contradiction, contradictions};
pub(super) use told::Trace;

/// What the messages of a run tell of the clocks of the nodes.
pub(super) struct Clocks {
    trace: Trace,
    contradictions: Vec<Contradiction>,
}

impl Clocks {
    #[cfg(test)]
    fn of_messages(
        messages: impl IntoIterator<Item = record::MessageRecord>,
        nodes: &[String],
        unseen: Option<&BTreeMap<String, u64>>,
    ) -> Option<Self> {
        let mut trace = Trace::new(nodes);
        messages.into_iter().for_each(|message| trace.take(message));
        Self::of(trace, unseen)
    }

    /// Of this trace; `None` where no message tells of a clock. `unseen`: from when on a node may have told something that
    /// the trace does not show; `None`: the trace may lack anything.
    pub(super) fn of(mut trace: Trace, unseen: Option<&BTreeMap<String, u64>>) -> Option<Self> {
        if !trace.tells_of_clocks() {
            return None;
        }
        trace.unseen(unseen);
        let contradictions = contradictions(&trace);
        Some(Self { trace, contradictions })
    }

    /// The row among the promises.
    pub(super) fn promise(&self) -> Promise {
        let Trace { told, lamport_only, without_sender, malformed, .. } = &self.trace;
        let knowing = told.iter().filter(|told| told.knows_of_others()).count();
        let verdict = if !self.contradictions.is_empty() {
            Some(Verdict::Violation)
        } else if told.is_empty() {
            None
        } else if *malformed > 0 || knowing == 0 {
            Some(Verdict::Inconclusive)
        } else {
            Some(Verdict::Valid)
        };
        let with_vector = counted(told.len(), "message");
        let mut seen =
            vec![format!("{with_vector} with a vector, {knowing} of them know of others")];
        for (count, what) in [
            (*lamport_only, "with a Lamport clock alone, which nothing can contradict"),
            (*without_sender, "with a vector that does not count its own sender"),
            (*malformed, "with a header that holds no clock, or too large a one"),
        ] {
            if count > 0 {
                seen.push(format!("{} {what}", counted(count, "message")));
            }
        }
        let until = self.trace.seen_until().map(|until| format!(". {until}")).unwrap_or_default();
        Promise {
            promise: "clocks".to_owned(),
            how: "each message's clocks are after all that they know of: the vectors against each other, against the \
                  Lamport clocks, and against what had passed. Says nothing about answers, so it changes no verdict"
                .to_owned(),
            verdict,
            seen: format!("{}{until}", seen.join("; ")),
        }
    }

    /// What is wrong, for a person to know.
    pub(super) fn note(&self) -> Option<String> {
        let Trace { told, malformed, .. } = &self.trace;
        let file = files::MESSAGES;
        let Some(first) = self.contradictions.iter().min_by_key(|found| found.rank()) else {
            return (*malformed > 0).then(|| {
                format!(
                    "{} between the nodes with an X-DS- header that holds no clock, or too large a one (see {file}).",
                    counted(*malformed, "message")
                )
            });
        };
        let wrong = self.contradictions.len();
        let others = match wrong {
            1 => String::new(),
            _ => format!(
                " {wrong} of {} contradict what is known so.",
                counted(told.len(), "message")
            ),
        };
        Some(format!(
            "The clocks of the nodes are wrong: {}.{others} That says nothing about the answers: the verdict is not \
             about clocks.",
            first.sentence(&self.trace)
        ))
    }
}

#[cfg(test)]
mod tests;

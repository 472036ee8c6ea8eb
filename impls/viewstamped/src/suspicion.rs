//! When to start a view change (§4.2: "a replica that notices the need").
//!
//! In the paper a backup whose timer fires starts a view change at once, and takes all others with it. Then one that only
//! does not *hear* a healthy primary, behind a link that is cut in one direction, replaces it again and again. So here it
//! asks first: `Suspect` promises nothing, and only if a quorum misses the primary at the same time does anyone leave the
//! view (Ongaro's dissertation, §9.6, calls this a pre-vote). From there on everything is as in the paper. Needed for
//! progress only; it costs one message delay.

use std::collections::BTreeSet;

use contract::{Answer, ErrorCode, NodeId, Refusal, Request};
use node::Application;

use crate::{
    message::{Message, ViewNumber},
    replica::{Effects, Replica},
};

/// What a replica believes of its primary, or a primary of its backups.
#[derive(Debug, Default)]
pub struct Suspicion {
    /// Whether it was heard in this view, and not missed since.
    pub is_in_touch: bool,
    /// Since when nothing was heard.
    pub quiet_since_ms: u64,
    /// While it is missed: who else misses it.
    shared_by: Option<BTreeSet<NodeId>>,
}

impl Suspicion {
    /// Whether the primary is missed.
    #[must_use]
    pub fn is_suspecting(&self) -> bool {
        self.shared_by.is_some()
    }

    /// It was heard.
    pub fn calm(&mut self, now_ms: u64) {
        *self = Self { is_in_touch: true, quiet_since_ms: now_ms, shared_by: None };
    }

    /// Begins to wait for somebody to be heard.
    pub fn wait(&mut self, now_ms: u64) {
        *self = Self { is_in_touch: false, quiet_since_ms: now_ms, shared_by: None };
    }
}

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// The primary of this view lives.
    pub(crate) fn hear_primary(&mut self, effects: &Effects<A>) {
        self.suspicion.calm(effects.now_ms());
    }

    /// Asks the others, again and again, once it has been quiet for too long.
    pub(crate) fn suspect_if_quiet(&mut self, effects: &mut Effects<A>) {
        if effects.now_ms() >= self.suspicion.quiet_since_ms + self.config.patience_ms {
            self.suspect(effects);
        }
    }

    /// Asks the others whether they miss the primary, too.
    pub(crate) fn suspect(&mut self, effects: &mut Effects<A>) {
        self.suspicion.is_in_touch = false;
        self.suspicion.shared_by.get_or_insert_default();
        self.let_clients_go(effects);
        self.broadcast(&Message::Suspect { view_number: self.view_number }, effects);
    }

    /// Somebody misses the primary of its view. Whoever is in a later view knows that this one is over, or will be.
    pub(crate) fn on_suspect(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        effects: &mut Effects<A>,
    ) {
        if view_number > self.view_number {
            return self.start_view_change(view_number, effects);
        }
        let Some(shared_by) = &mut self.suspicion.shared_by else { return };
        if view_number < self.view_number {
            return;
        }
        shared_by.insert(from.clone());
        if shared_by.len() + 1 < self.config.quorum() {
            return;
        }
        // The next view whose primary is known to be there.
        let is_there = |node: &NodeId| *node == self.config.node || shared_by.contains(node);
        let next = (view_number + 1..).find(|view| is_there(self.config.primary(*view)));
        self.start_view_change(next.unwrap_or(view_number + 1), effects);
    }

    /// A primary without a quorum, or one that leaves its view, can do nothing for those who wait.
    pub(crate) fn let_clients_go(&mut self, effects: &mut Effects<A>) {
        let Some(primary) = &mut self.primary else { return };
        let (refused, unknown) = (primary.take_refused(), primary.take_unknown());
        refused.into_iter().for_each(|token| self.refuse(token, effects));
        for token in unknown {
            let why = "the primary lost its backups before the outcome was known";
            effects.reply(token, Answer::Error(Refusal::new(ErrorCode::Timeout, why)));
        }
    }
}

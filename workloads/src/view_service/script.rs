//! What servers do in a round, and what they were told.

use std::collections::BTreeMap;

use contract::{View, view::Ping};

/// What servers do, one round after the other; the next one follows an interval of pings later.
pub trait Script: Send {
    /// The next round; `None`: the script is over.
    fn next(&mut self, heard: &Heard) -> Option<Round>;
}

/// One round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Who pings, in this order.
    pub pings: Vec<Ping>,
    /// Whether they do so at once, rather than one after the other's answer.
    pub at_once: bool,
    /// Whether they do so half an interval later than in other rounds.
    pub is_between: bool,
    /// Whether the view is asked for before that.
    pub looks: bool,
}

/// What the servers of a script were told so far.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The latest view that anybody was told.
    pub latest: View,
    by_server: BTreeMap<String, View>,
}

impl Heard {
    /// A server was told this view.
    pub fn told(&mut self, server: &str, view: View) {
        self.looked(&view);
        self.by_server.insert(server.to_owned(), view);
    }

    /// Somebody who is no server was told this view.
    pub fn looked(&mut self, view: &View) {
        if view.num >= self.latest.num {
            self.latest = view.clone();
        }
    }

    /// The last view that a server was told; view 0 where it was told none.
    #[must_use]
    pub fn view_of(&self, server: &str) -> View {
        self.by_server.get(server).cloned().unwrap_or_default()
    }

    /// The ping of a server that is in the view it was told.
    #[must_use]
    pub fn ping(&self, server: &str) -> Ping {
        Ping { node: server.to_owned(), view: self.view_of(server).num }
    }
}

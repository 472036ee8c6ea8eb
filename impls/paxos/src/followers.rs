//! Whom a leader has heard of lately.

use std::collections::BTreeMap;

use contract::NodeId;

/// The peers of a leader, and when each last showed that it follows.
#[derive(Debug)]
pub struct Followers {
    contact_ms: BTreeMap<NodeId, u64>,
    /// When the leader last looked at that.
    looked_ms: u64,
}

impl Followers {
    /// As if all had spoken at the election.
    #[must_use]
    pub fn new(peers: impl IntoIterator<Item = NodeId>, now_ms: u64) -> Self {
        let contact_ms = peers.into_iter().map(|peer| (peer, now_ms)).collect();
        Self { contact_ms, looked_ms: now_ms }
    }

    /// All of them, in order of their names.
    pub fn names(&self) -> impl Iterator<Item = &NodeId> {
        self.contact_ms.keys()
    }

    /// A peer shows that it follows.
    pub fn hear_from(&mut self, peer: &NodeId, now_ms: u64) {
        if let Some(last) = self.contact_ms.get_mut(peer) {
            *last = now_ms;
        }
    }

    /// To be called each `heartbeat_ms`. A leader that comes later than that stood still itself, perhaps the whole cluster did,
    /// and that was no silence of its followers.
    pub fn look_around(&mut self, now_ms: u64, heartbeat_ms: u64) {
        let late_ms = now_ms.saturating_sub(self.looked_ms + heartbeat_ms);
        self.looked_ms = now_ms;
        self.contact_ms.values_mut().for_each(|last| *last = now_ms.min(*last + late_ms));
    }

    /// How many members, the leader included, have followed within the last `patience_ms`.
    #[must_use]
    pub fn count(&self, now_ms: u64, patience_ms: u64) -> usize {
        1 + self.contact_ms.values().filter(|last| now_ms < **last + patience_ms).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followers() -> Followers {
        Followers::new(["n2", "n3"].map(str::to_owned), 0)
    }

    #[test]
    fn those_count_who_were_heard_of_lately() {
        let mut followers = followers();
        assert_eq!(followers.count(299, 300), 3);
        followers.hear_from(&"n2".to_owned(), 200);
        followers.hear_from(&"n9".to_owned(), 200);
        assert_eq!(followers.count(300, 300), 2);
        assert_eq!(followers.count(500, 300), 1);
    }

    #[test]
    fn a_leader_that_stood_still_missed_nobody() {
        let mut followers = followers();
        followers.look_around(50, 50);
        followers.look_around(1_000, 50); // 900 late
        assert_eq!(followers.count(1_199, 300), 3);
        assert_eq!(followers.count(1_200, 300), 1, "silence goes on where it was interrupted");
        followers.hear_from(&"n2".to_owned(), 2_000); // before it looks again
        followers.look_around(2_000, 50);
        assert_eq!(followers.count(2_300, 300), 1, "nobody was heard of later than now");
    }
}

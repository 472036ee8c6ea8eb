//! Shards come and go: a new configuration, an immutable copy at the last owner, its transfer in parts, one atomic step in which the
//! next owner begins to serve it, and the deletion of the copy.

use contract::{Configuration, GroupId};
use kv::{Clients, Store};
use serde::{Deserialize, Serialize};

use super::Group;
use crate::message::Origin;

/// A shard on its way here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arriving {
    /// Where it comes from.
    pub origin: Origin,
    /// What has come of it so far.
    pub text: String,
}

/// A shard as it was when this group lost it: its keys, and what its clients got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// In its form for the way.
    pub text: String,
}

#[derive(Serialize, Deserialize)]
struct Content {
    store: Store,
    clients: Clients,
}

impl Group {
    /// Follows the next configuration, if everything of this one is over: all its shards have come, and no transaction is under
    /// way. So no transaction spans two configurations.
    pub(super) fn configure(
        &mut self,
        next: Configuration,
        origins: &[Option<Origin>],
    ) -> Result<(), String> {
        if next.num != self.configuration.num + 1 {
            return Err(format!("configuration {} is not the next one", next.num));
        }
        if !self.arriving.is_empty() {
            return Err("shards are still on their way".to_owned());
        }
        if !self.locks.is_empty() {
            return Err("a transaction is under way".to_owned());
        }
        for (shard, owner) in next.shards.iter().enumerate() {
            match owner {
                Some(owner) if *owner == self.id => self.gain(shard, origins.get(shard)),
                _ => self.lose(shard, next.num),
            }
        }
        self.configuration = next;
        Ok(())
    }

    fn gain(&mut self, shard: usize, origin: Option<&Option<Origin>>) {
        if self.clients.contains_key(&shard) {
            return;
        }
        match origin.and_then(Option::as_ref) {
            // Nobody ever had it.
            None => drop(self.clients.insert(shard, Clients::default())),
            // It comes back, and nobody had it in between.
            Some(origin) if origin.group == self.id => {
                if let Some(kept) = self.kept.remove(&(shard, origin.lost_in)) {
                    self.install(shard, &kept.text);
                }
            }
            Some(origin) => {
                let arriving = Arriving { origin: origin.clone(), text: String::new() };
                self.arriving.insert(shard, arriving);
            }
        }
    }

    fn lose(&mut self, shard: usize, num: u64) {
        let Some(clients) = self.clients.remove(&shard) else { return };
        let shards = self.configuration.shards.len();
        let store = self.store.take(|key| contract::shard_of(key, shards) == shard);
        let text = serde_json::to_string(&Content { store, clients });
        let text = text.expect("a shard has a JSON form");
        self.kept.insert((shard, num), Kept { text });
    }

    /// The next part of a shard that arrives; with the last one it is served.
    pub(super) fn take_part(
        &mut self,
        shard: usize,
        lost_in: u64,
        offset: usize,
        text: &str,
        is_last: bool,
    ) -> Result<(), String> {
        let arriving = self.arriving.get_mut(&shard);
        let arriving = arriving
            .filter(|arriving| arriving.origin.lost_in == lost_in && arriving.text.len() == offset);
        let Some(arriving) = arriving else { return Err("not the next part".to_owned()) };
        arriving.text.push_str(text);
        if is_last && let Some(Arriving { origin, text }) = self.arriving.remove(&shard) {
            self.install(shard, &text);
            self.unsettled.insert((shard, lost_in), origin);
        }
        Ok(())
    }

    fn install(&mut self, shard: usize, text: &str) {
        let Content { store, clients } =
            serde_json::from_str(text).expect("a shard in the form that its last owner gave it");
        self.store.absorb(store);
        self.clients.insert(shard, clients);
    }

    /// Whether the shard's copy is gone, or was never made: asked for only once that configuration is known.
    #[must_use]
    pub fn keeps_nothing_of(&self, shard: usize, lost_in: u64) -> bool {
        self.configuration.num >= lost_in && !self.kept.contains_key(&(shard, lost_in))
    }

    /// The servers of a group, as this configuration has them.
    #[must_use]
    pub fn servers_of(&self, group: &GroupId) -> &[contract::NodeId] {
        self.configuration.groups.get(group).map_or(&[], Vec::as_slice)
    }
}

//! Shards come and go.
//!
//! 1. Who is to get a shard in the next configuration asks for it, and its owner makes a copy. Both still serve what they have.
//! 2. The copy is transferred in parts, each through the log of the group that gets it.
//! 3. Once all of it has come, both take the new configuration. The last owner keeps an immutable copy: that of before, and as
//!    its last part what was written since, and what clients got. So little is left to transfer while nobody serves the shard.
//! 4. With the last part, in one step, the next owner serves the shard.
//! 5. Then the last owner deletes what it kept.
//!
//! Nothing depends on the first two steps: without them all parts come in the third.

use std::collections::BTreeSet;

use contract::{Configuration, GroupId, shard_of};
use kv::{Clients, Store};
use serde::{Deserialize, Serialize};

use super::Group;
use crate::{message::Origin, transaction::Values};

/// A part has no more bytes in keys and values than this, unless it is one key; what clients got comes on top of the last part.
const PART_BYTES: usize = 64 << 10;

/// A part of a shard on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What keys hold; `None`: nothing any more.
    pub values: Values,
    /// What the shard's clients got: with its last part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Clients>,
}

/// A shard that is served here and was copied for its next owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// As it was then.
    pub parts: Vec<Part>,
    /// What was written since.
    written: BTreeSet<String>,
}

/// A shard as it was when this group lost it, in the parts in which it is given away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The last one has the clients.
    pub parts: Vec<Part>,
}

/// What has come of a shard so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// The configuration in which its last owner loses it.
    pub lost_in: u64,
    /// So many parts.
    pub parts: usize,
    store: Store,
    /// Known once it is whole.
    clients: Option<Clients>,
}

impl Incoming {
    fn new(lost_in: u64) -> Self {
        Self { lost_in, parts: 0, store: Store::default(), clients: None }
    }

    fn add(&mut self, part: Part) {
        self.parts += 1;
        for (key, value) in part.values {
            self.store.set(&key, value);
        }
        self.clients = part.clients;
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.clients.is_some()
    }
}

/// A shard that this group owns and that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arriving {
    /// Where it comes from.
    pub origin: Origin,
    /// What has come of it so far.
    pub incoming: Incoming,
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
        self.copies.clear();
        self.ahead.clear();
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
                    let mut incoming = Incoming::new(origin.lost_in);
                    kept.parts.into_iter().for_each(|part| incoming.add(part));
                    self.install(shard, incoming);
                }
            }
            Some(origin) => {
                let ahead = self.ahead.remove(&shard);
                let ahead = ahead.filter(|incoming| incoming.lost_in == origin.lost_in);
                let incoming = ahead.unwrap_or_else(|| Incoming::new(origin.lost_in));
                self.arriving.insert(shard, Arriving { origin: origin.clone(), incoming });
                self.serve_if_whole(shard);
            }
        }
    }

    /// Copies a shard for its next owner.
    pub(super) fn copy(&mut self, shard: usize, lost_in: u64) -> Result<(), String> {
        if lost_in != self.configuration.num + 1 || !self.clients.contains_key(&shard) {
            return Err("nothing to copy".to_owned());
        }
        if !self.copies.contains_key(&(shard, lost_in)) {
            let shards = self.configuration.shards.len();
            let is_of_it = |key: &str| shard_of(key, shards) == shard;
            let of_it = self.store.iter().filter(|(key, _)| is_of_it(key));
            let parts = parts(of_it.map(|(key, value)| (key, Some(value))));
            self.copies.insert((shard, lost_in), Copied { parts, written: BTreeSet::new() });
        }
        Ok(())
    }

    /// Notes that these keys are not as they were copied.
    pub(super) fn note_written<'k>(&mut self, keys: impl IntoIterator<Item = &'k str>) {
        if self.copies.is_empty() {
            return;
        }
        let shards = self.configuration.shards.len();
        for key in keys {
            for ((shard, _), copied) in &mut self.copies {
                if *shard == shard_of(key, shards) {
                    copied.written.insert(key.to_owned());
                }
            }
        }
    }

    fn lose(&mut self, shard: usize, num: u64) {
        let Some(clients) = self.clients.remove(&shard) else { return };
        let shards = self.configuration.shards.len();
        let store = self.store.take(|key| shard_of(key, shards) == shard);
        let mut all = match self.copies.remove(&(shard, num)) {
            Some(Copied { parts: mut copied, written }) => {
                copied.extend(parts(written.iter().map(|key| (key.as_str(), store.get(key)))));
                copied
            }
            None => parts(store.iter().map(|(key, value)| (key, Some(value)))),
        };
        all.push(Part { clients: Some(clients), ..Part::default() });
        self.kept.insert((shard, num), Kept { parts: all });
    }

    /// The next part of a shard that is on its way here, or will be in the next configuration.
    pub(super) fn take_part(
        &mut self,
        shard: usize,
        lost_in: u64,
        number: usize,
        part: Part,
    ) -> Result<(), String> {
        let incoming = match self.arriving.get_mut(&shard) {
            Some(arriving) => Some(&mut arriving.incoming),
            None if self.clients.contains_key(&shard) => None,
            None => {
                // A later transfer makes an earlier one void.
                let is_newer = self.ahead.get(&shard).is_none_or(|ahead| ahead.lost_in < lost_in);
                if is_newer && number == 0 {
                    self.ahead.insert(shard, Incoming::new(lost_in));
                }
                self.ahead.get_mut(&shard)
            }
        };
        let incoming = incoming.filter(|incoming| {
            (incoming.lost_in, incoming.parts, incoming.is_whole()) == (lost_in, number, false)
        });
        let Some(incoming) = incoming else { return Err("not the next part".to_owned()) };
        incoming.add(part);
        self.serve_if_whole(shard);
        Ok(())
    }

    fn serve_if_whole(&mut self, shard: usize) {
        let arriving = self.arriving.remove(&shard);
        match arriving {
            Some(Arriving { origin, incoming }) if incoming.is_whole() => {
                self.install(shard, incoming);
                self.unsettled.insert((shard, origin.lost_in), origin);
            }
            arriving => self.arriving.extend(arriving.map(|arriving| (shard, arriving))),
        }
    }

    fn install(&mut self, shard: usize, incoming: Incoming) {
        self.store.absorb(incoming.store);
        self.clients.extend(incoming.clients.map(|clients| (shard, clients)));
    }

    /// What there is to give away of a shard that this group loses, or lost, in that configuration.
    #[must_use]
    pub fn parts_of(&self, shard: usize, lost_in: u64) -> Option<&[Part]> {
        let kept = self.kept.get(&(shard, lost_in)).map(|kept| &kept.parts);
        let parts = kept.or_else(|| Some(&self.copies.get(&(shard, lost_in))?.parts))?;
        Some(parts)
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

fn parts<'a>(pairs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut bytes = PART_BYTES;
    for (key, value) in pairs {
        let more = key.len() + value.map_or(0, str::len);
        bytes += more;
        if bytes > PART_BYTES {
            parts.push(Part::default());
            bytes = more;
        }
        if let Some(last) = parts.last_mut() {
            last.values.insert(key.to_owned(), value.map(str::to_owned));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;
    use crate::command::Command;
    use node::Application;

    const SHARDS: usize = 2;

    fn configuration(num: u64, owners: [&str; SHARDS]) -> Configuration {
        let shards = owners.map(|owner| Some(owner.to_owned())).to_vec();
        let groups = ["g1", "g2"].map(|group| (group.to_owned(), vec![format!("{group}n")]));
        Configuration { num, shards, groups: groups.into() }
    }

    fn group(id: &str, owners: [&str; SHARDS]) -> Group {
        let mut group = Group::new(id.to_owned(), SHARDS);
        group.configure(configuration(1, owners), &[None, None]).unwrap();
        group
    }

    fn request(seq: u64, op: Operation) -> contract::Request {
        contract::Request { client: "c".to_owned(), seq, op }
    }

    fn put(group: &mut Group, seq: u64, key: &str, value: &str) {
        let op = Operation::Put { key: key.to_owned(), value: value.to_owned() };
        assert!(matches!(group.apply(&request(seq, op)), contract::Answer::Ok(_)));
    }

    fn origin(lost_in: u64) -> Vec<Option<Origin>> {
        vec![
            Some(Origin { group: "g1".to_owned(), servers: vec!["g1n".to_owned()], lost_in }),
            None,
        ]
    }

    /// All parts that there are from this one on, taken by the other group.
    fn transfer(from: &Group, to: &mut Group, first: usize) -> usize {
        let parts = from.parts_of(0, 2).unwrap();
        for (number, part) in parts.iter().enumerate().skip(first) {
            to.take_part(0, 2, number, part.clone()).unwrap();
        }
        parts.len()
    }

    #[test]
    fn what_is_written_while_the_copy_is_on_its_way_comes_with_the_last_part() {
        let (mut one, mut other) = (group("g1", ["g1", "g1"]), group("g2", ["g1", "g1"]));
        let large = "x".repeat(PART_BYTES / 2);
        for (seq, key) in ["k0", "k2", "k4", "k6"].into_iter().enumerate() {
            put(&mut one, seq as u64, key, &large);
        }
        one.copy(0, 2).unwrap();
        let ahead = transfer(&one, &mut other, 0);
        assert_eq!(ahead, 4);
        put(&mut one, 5, "k2", "new");
        put(&mut one, 6, "k8", "more");
        put(&mut one, 7, "k1", "of the other shard");
        let swap = Operation::Swap { a: "k4".to_owned(), b: "k10".to_owned() };
        one.apply(&request(8, swap));
        // The other one may be faster, or slower.
        let next = configuration(2, ["g2", "g1"]);
        let mut faster = other.clone();
        faster.configure(next.clone(), &origin(2)).unwrap();
        one.configure(next.clone(), &[None, None]).unwrap();
        // What was written since, and what clients got.
        assert_eq!(transfer(&one, &mut faster, ahead), ahead + 2);
        assert_eq!(transfer(&one, &mut other, ahead), ahead + 2);
        assert_eq!(other.served().count(), 0);
        other.configure(next, &origin(2)).unwrap();
        for there in [&faster, &other] {
            let keys: Vec<(&str, usize)> =
                there.store.iter().map(|(key, value)| (key, value.len())).collect();
            let half = PART_BYTES / 2;
            assert_eq!(keys, [("k0", half), ("k10", half), ("k2", 3), ("k6", half), ("k8", 4)]);
            assert_eq!(there.served().collect::<Vec<_>>(), [0]);
            assert!(there.clients[&0].answer("c", 8).is_some());
            assert_eq!(there.unsettled().len(), 1);
        }
        assert_eq!(one.store.len(), 1);
    }

    #[test]
    fn a_part_counts_once_and_of_its_own_move_only() {
        let (mut one, mut other) = (group("g1", ["g1", "g1"]), group("g2", ["g1", "g1"]));
        put(&mut one, 1, "k0", "a");
        one.copy(0, 2).unwrap();
        let part = one.parts_of(0, 2).unwrap()[0].clone();
        assert!(one.copy(0, 3).is_err(), "of a configuration that is not the next one");
        assert!(one.copy(1, 2).is_ok() && other.copy(0, 2).is_err(), "it is not there");
        other.take_part(0, 2, 0, part.clone()).unwrap();
        other.take_part(0, 2, 0, part.clone()).unwrap_err();
        other.take_part(0, 1, 1, part.clone()).unwrap_err();
        // A later move makes the earlier one void.
        other.take_part(0, 3, 0, part).unwrap();
        assert_eq!((other.ahead[&0].lost_in, other.ahead[&0].parts), (3, 1));
        other.configure(configuration(2, ["g2", "g1"]), &origin(2)).unwrap();
        assert_eq!(other.arriving()[&0].incoming.parts, 0);
        assert!(other.ahead.is_empty());
    }

    #[test]
    fn without_a_copy_all_parts_come_once_it_is_lost() {
        let (mut one, mut other) = (group("g1", ["g1", "g1"]), group("g2", ["g1", "g1"]));
        put(&mut one, 1, "k0", "a");
        let next = configuration(2, ["g2", "g1"]);
        one.configure(next.clone(), &[None, None]).unwrap();
        other.configure(next, &origin(2)).unwrap();
        assert_eq!(transfer(&one, &mut other, 0), 2);
        assert_eq!(other.store.get("k0"), Some("a"));
        let command = Command::Delete { shard: 0, lost_in: 2 }.into_request(&"g1n".to_owned());
        one.apply(&command);
        assert!(one.keeps_nothing_of(0, 2) && one.parts_of(0, 2).is_none());
    }
}

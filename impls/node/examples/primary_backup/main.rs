//! A store that looks right: n1 is the primary, the others are its backups, and a write is answered once all of them have
//! written it down. So each of them has every write that was acknowledged, and may as well answer reads. May it?
//!
//! - `cargo test -p node --example primary_backup -- --nocapture` shows in a second that it may not, and that the same store
//!   is right if only the primary answers.
//! - `harness run impls/node/examples/primary_backup --workload register` hands the same file to the bench, as three
//!   processes, and finds stale reads, too. With `"mended"` behind the program in `submission.toml` it finds none. The run is
//!   INCONCLUSIVE all the same: nothing works without n1, and the log only grows. `impls/primary-backup` goes on from there.

use std::{collections::BTreeMap, process::ExitCode};

use contract::{Answer, ErrorCode, NodeId, Refusal, Request};
use kv::{ExactlyOnce, Store};
use node::{Application, Effects, Protocol, Token};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How often the primary sends again what a backup has not confirmed.
const RETRY_MS: u64 = 50;

/// One node, which answers reads as a backup if `READS_AT_BACKUPS`.
struct Replica<const READS_AT_BACKUPS: bool> {
    name: NodeId,
    primary: NodeId,
    /// Every write, in the primary's order. All of it is in the write-ahead log.
    log: Vec<Request>,
    /// What the log makes of an empty store.
    store: ExactlyOnce<Store>,
    /// How many writes each backup has confirmed, as far as the primary knows.
    confirmed: BTreeMap<NodeId, usize>,
    /// Whom the primary has not answered yet, and how many writes all backups must have before.
    waiting: Vec<(usize, Token, Answer)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Message {
    /// Write this down, at this position.
    Append(usize, Request),
    /// So many writes are on my disk.
    Confirm(usize),
}

impl<const READS_AT_BACKUPS: bool> Replica<READS_AT_BACKUPS> {
    /// A node that comes up with what its earlier lives have written down.
    fn new(name: &NodeId, members: &[NodeId], log: Vec<Request>) -> Self {
        let mut store = ExactlyOnce::new(Store::default());
        log.iter().for_each(|write| drop(store.apply(write)));
        let backups = members.iter().skip(1).map(|backup| (backup.clone(), 0)).collect();
        let (name, primary) = (name.clone(), members[0].clone());
        Self { name, primary, log, store, confirmed: backups, waiting: Vec::new() }
    }

    fn is_primary(&self) -> bool {
        self.name == self.primary
    }

    fn append(&mut self, write: &Request, effects: &mut Effects<Self>) -> Answer {
        self.log.push(write.clone());
        effects.persist(write.clone());
        self.store.apply(write)
    }

    /// Sends a backup the first write that it has not confirmed.
    fn send_next(&self, backup: &NodeId, effects: &mut Effects<Self>) {
        let position = self.confirmed[backup];
        if let Some(write) = self.log.get(position) {
            effects.send(backup, Message::Append(position, write.clone()));
        }
    }
}

impl<const READS_AT_BACKUPS: bool> Protocol for Replica<READS_AT_BACKUPS> {
    type Message = Message;
    type Record = Request;
    type Timer = ();

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        effects.set_timer((), RETRY_MS);
    }

    fn on_timer(&mut self, (): (), effects: &mut Effects<Self>) {
        if self.is_primary() {
            self.confirmed.keys().for_each(|backup| self.send_next(backup, effects));
        }
        effects.set_timer((), RETRY_MS);
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<Self>) {
        match message {
            Message::Append(position, write) => {
                if position == self.log.len() {
                    self.append(&write, effects);
                }
                effects.send(from, Message::Confirm(self.log.len()));
            }
            Message::Confirm(count) => {
                let known = self.confirmed.entry(from.clone()).or_default();
                if count > *known {
                    *known = count;
                    self.send_next(from, effects);
                }
                let all = self.confirmed.values().min().copied().unwrap_or(count);
                for (_, token, answer) in self.waiting.extract_if(.., |(count, ..)| *count <= all) {
                    effects.reply(token, answer);
                }
            }
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        if request.op.is_read_only() && (self.is_primary() || READS_AT_BACKUPS) {
            return effects.reply(token, self.store.apply(&request));
        }
        if !self.is_primary() {
            let hint = Some(self.primary.clone());
            let refusal = Refusal { hint, ..Refusal::new(ErrorCode::NotLeader, "a backup") };
            return effects.reply(token, Answer::Error(refusal));
        }
        // A retry goes into the log once more: the store knows it, and gives the same answer.
        let answer = self.append(&request, effects);
        self.waiting.push((self.log.len(), token, answer));
        for backup in self.confirmed.keys() {
            effects.send(backup, Message::Append(self.log.len() - 1, request.clone()));
        }
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn status(&self) -> serde_json::Value {
        let role = if self.is_primary() { "leader" } else { "follower" };
        json!({ "role": role, "leader": self.primary, "applied": self.log.len() })
    }

    fn message_kind(message: &Message) -> &'static str {
        match message {
            Message::Append(..) => "Append",
            Message::Confirm(_) => "Confirm",
        }
    }
}

/// One node as a process: the broken store, or the mended one if the first argument says so.
fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == "mended") {
        arguments.remove(0);
        return node::main_from(&arguments, |launch, log| {
            Replica::<false>::new(&launch.node, &launch.members, log)
        });
    }
    node::main_from(&arguments, |launch, log| {
        Replica::<true>::new(&launch.node, &launch.members, log)
    })
}

#[cfg(test)]
mod simulation;

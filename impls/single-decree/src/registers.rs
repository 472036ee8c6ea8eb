//! A node of the store: acceptor of every register, and proposer of those that its clients ask for.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::Arc,
};

use contract::{Answer, ErrorCode, Launch, NodeId, Operation, Refusal, Request};
use node::{Application, Effects, LogSize, Protocol, Token, log_size::encoded_bytes};
use serde_json::{Value, json};

use crate::{
    Acceptor, Ballot, Choice, Proposer, Refused, Vote,
    message::{Key, Message, Record, State},
};

/// How large a register may grow. Its whole state, with an answer that may be as large as the value, must fit into a
/// record of the log as hexadecimal digits.
const STATE_BYTES_MAX: u64 = 3 << 20;

/// Who this node is, and its timing.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node.
    pub node: NodeId,
    /// Every member, this node included.
    pub members: Vec<NodeId>,
    /// After how long an unanswered message is sent again, and up to how long a refused proposer waits.
    pub retry_ms: u64,
    /// Compact the log past this size; `None`: never.
    pub snapshot_bytes: Option<u64>,
}

impl From<&Launch> for Config {
    fn from(launch: &Launch) -> Self {
        Self {
            node: launch.node.clone(),
            members: launch.members.clone(),
            retry_ms: u64::try_from(launch.heartbeat.as_millis()).unwrap_or(u64::MAX).max(1),
            snapshot_bytes: launch.snapshot_bytes,
        }
    }
}

impl Config {
    fn majority(&self) -> usize {
        self.members.len() / 2 + 1
    }

    fn peers(&self) -> impl Iterator<Item = &NodeId> {
        self.members.iter().filter(|member| **member != self.node)
    }
}

/// Makes the application in the state of a register that nobody has used.
pub type Initial<A> = Box<dyn Fn() -> A + Send>;

/// One register.
#[derive(Debug, Default)]
struct Register {
    acceptor: Acceptor<State>,
    /// The highest ballot heard of: the next one of this node goes above it.
    highest: Ballot,
    /// What clients ask for and no attempt under way holds.
    waiting: Vec<(Token, Request)>,
    attempt: Option<Attempt>,
}

/// This node proposes: everything that waited for the register, in one ballot.
#[derive(Debug)]
struct Attempt {
    proposer: Proposer<State>,
    asked: Vec<(Token, Request)>,
    /// What the clients get once the value is chosen.
    answers: Vec<Answer>,
}

/// Time to send the messages of an attempt again, or to try again after a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Retry(Key);

/// A node.
pub struct Registers<A> {
    config: Config,
    initial: Initial<A>,
    registers: BTreeMap<Key, Register>,
    log_size: LogSize,
}

impl<A> fmt::Debug for Registers<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Registers").field("registers", &self.registers).finish()
    }
}

impl<A: Application<Command = Request, Output = Answer> + 'static> Registers<A> {
    /// A node that comes up with what its earlier lives persisted.
    pub fn new(config: Config, initial: Initial<A>, records: Vec<Record>) -> Self {
        let mut node =
            Self { config, initial, registers: BTreeMap::new(), log_size: LogSize::default() };
        for record in records {
            node.log_size.add(&record);
            node.recover(record);
        }
        node
    }

    /// Records are in the order in which they were persisted, so that none is refused.
    fn recover(&mut self, record: Record) {
        let (key, ballot, vote) = match record {
            Record::Promised { key, ballot } => (key, ballot, None),
            Record::Accepted { key, vote } => (key, vote.ballot.clone(), Some(vote)),
        };
        let register = self.registers.entry(key).or_default();
        let _ = register.acceptor.prepare(&ballot);
        if let Some(vote) = vote {
            let _ = register.acceptor.accept(vote);
        }
        register.highest = ballot.max(register.highest.clone());
    }

    /// The acceptor of a register, if anybody has asked for it.
    #[must_use]
    pub fn acceptor(&self, key: &str) -> Option<&Acceptor<State>> {
        self.registers.get(key).map(|register| &register.acceptor)
    }

    fn register(&mut self, key: &Key) -> &mut Register {
        match self.registers.entry(key.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Register::default()),
        }
    }

    fn persist(&mut self, record: Record, effects: &mut Effects<Self>) {
        self.log_size.add(&record);
        effects.persist(record);
        self.compact_if_due(effects);
    }

    /// Phase 1a, in a ballot above all that this node has heard of.
    ///
    /// Its own promise is durable before any `Prepare` leaves, as the driver carries out effects: a proposer that lost
    /// it in a crash could run with the same ballot again, and propose a second value in it.
    fn prepare(&mut self, key: &Key, effects: &mut Effects<Self>) {
        let (node, majority) = (self.config.node.clone(), self.config.majority());
        let register = self.register(key);
        if register.waiting.is_empty() || register.attempt.is_some() {
            return;
        }
        let ballot = register.highest.next_for(&node);
        let asked = std::mem::take(&mut register.waiting);
        let proposer = Proposer::new(ballot.clone(), majority);
        register.attempt = Some(Attempt { proposer, asked, answers: Vec::new() });
        match self.promise(key, &ballot, effects) {
            Ok(vote) => self.on_promise(&node, key, &ballot, vote, effects),
            Err(Refused(promised)) => self.give_way(key, &ballot, promised, effects),
        }
        self.ask(key, effects);
    }

    /// Sends the message of the present phase to every peer that has not answered it, now and again later.
    fn ask(&mut self, key: &Key, effects: &mut Effects<Self>) {
        let Some(Attempt { proposer, .. }) =
            self.registers.get(key).and_then(|register| register.attempt.as_ref())
        else {
            return;
        };
        let ballot = proposer.ballot().clone();
        let message = match proposer.proposed().cloned() {
            None => Message::Prepare { key: key.clone(), ballot },
            Some(value) => Message::Accept { key: key.clone(), vote: Vote { ballot, value } },
        };
        for peer in self.config.peers().filter(|peer| !proposer.has_answer_of(peer)) {
            effects.send(peer, message.clone());
        }
        effects.set_timer(Retry(key.clone()), self.config.retry_ms);
    }

    /// Phase 1b.
    fn promise(
        &mut self,
        key: &Key,
        ballot: &Ballot,
        effects: &mut Effects<Self>,
    ) -> Result<Option<Vote<State>>, Refused> {
        let register = self.register(key);
        let is_news = register.acceptor.prepare(ballot)?;
        register.highest = register.highest.clone().max(ballot.clone());
        let vote = register.acceptor.vote().cloned();
        if is_news {
            self.persist(Record::Promised { key: key.clone(), ballot: ballot.clone() }, effects);
        }
        Ok(vote)
    }

    /// Phase 1b has come back, and with a majority phase 2a follows.
    fn on_promise(
        &mut self,
        from: &NodeId,
        key: &Key,
        ballot: &Ballot,
        vote: Option<Vote<State>>,
        effects: &mut Effects<Self>,
    ) {
        let Some(attempt) = self.attempt_in(key, ballot) else { return };
        let Some(choice) = attempt.proposer.on_promise(from, vote) else { return };
        let asked = std::mem::take(&mut attempt.asked);
        let (state, answers) = self.change(&choice, &asked);
        let Some(attempt) = self.attempt_in(key, ballot) else { return };
        attempt.proposer.propose(state.clone());
        (attempt.asked, attempt.answers) = (asked, answers);
        let node = self.config.node.clone();
        match self.vote(key, Vote { ballot: ballot.clone(), value: state }, effects) {
            Ok(()) => self.on_accepted(&node, key, ballot, effects),
            Err(Refused(promised)) => self.give_way(key, ballot, promised, effects),
        }
        self.ask(key, effects);
    }

    /// The register's next state, and the answers that come with it.
    fn change(&self, choice: &Choice<State>, asked: &[(Token, Request)]) -> (State, Vec<Answer>) {
        let mut application = (self.initial)();
        if let Choice::Bound(State(bytes)) = choice
            && let Err(error) = application.restore(bytes)
        {
            // Whatever stands there may be chosen: it is proposed again as it is.
            let refusal = Refusal::new(ErrorCode::Internal, format!("unreadable state: {error}"));
            let answers = vec![Answer::Error(refusal); asked.len()];
            return (State(bytes.clone()), answers);
        }
        let mut room = STATE_BYTES_MAX.saturating_sub(application.snapshot().len() as u64);
        let mut answer = |request: &Request| {
            let needed = encoded_bytes(request);
            let is_known = application.query(request);
            if is_known.is_none() && needed > room {
                let why = format!("the register is full: it holds {STATE_BYTES_MAX} bytes at most");
                return Answer::Error(Refusal::new(ErrorCode::BadRequest, why));
            }
            is_known.unwrap_or_else(|| {
                room -= needed;
                application.apply(request)
            })
        };
        let answers = asked.iter().map(|(_, request)| answer(request)).collect();
        (State(Arc::new(application.snapshot())), answers)
    }

    /// Phase 2b.
    fn vote(
        &mut self,
        key: &Key,
        vote: Vote<State>,
        effects: &mut Effects<Self>,
    ) -> Result<(), Refused> {
        let register = self.register(key);
        if register.acceptor.accept(vote.clone())? {
            register.highest = register.highest.clone().max(vote.ballot.clone());
            self.persist(Record::Accepted { key: key.clone(), vote }, effects);
        }
        Ok(())
    }

    /// Phase 2b has come back: with a majority the value is chosen, and everybody who asked gets the answer.
    fn on_accepted(
        &mut self,
        from: &NodeId,
        key: &Key,
        ballot: &Ballot,
        effects: &mut Effects<Self>,
    ) {
        let Some(attempt) = self.attempt_in(key, ballot) else { return };
        if !attempt.proposer.on_accepted(from) {
            return;
        }
        let Some(attempt) = self.register(key).attempt.take() else { return };
        effects.cancel_timer(Retry(key.clone()));
        for ((token, _), answer) in attempt.asked.into_iter().zip(attempt.answers) {
            effects.reply(token, answer);
        }
        self.prepare(key, effects);
    }

    /// A higher ballot stands in the way: tries again after a while, chosen at random, so that of two proposers one
    /// gets through ("Paxos Made Simple" §2.4).
    ///
    /// What was proposed may be chosen all the same; a second try finds the answers in the register then.
    fn give_way(
        &mut self,
        key: &Key,
        ballot: &Ballot,
        promised: Ballot,
        effects: &mut Effects<Self>,
    ) {
        let retry_ms = 1 + effects.random_below(self.config.retry_ms);
        let register = self.register(key);
        register.highest = promised.max(register.highest.clone());
        if register.attempt.as_ref().is_some_and(|attempt| attempt.proposer.ballot() == ballot) {
            let attempt = register.attempt.take();
            let asked = attempt.map(|attempt| attempt.asked).unwrap_or_default();
            register.waiting.splice(0..0, asked);
            effects.set_timer(Retry(key.clone()), retry_ms);
        }
    }

    /// The attempt under way, if it runs in this ballot: answers of earlier ones say nothing about it.
    fn attempt_in(&mut self, key: &Key, ballot: &Ballot) -> Option<&mut Attempt> {
        let attempt = self.register(key).attempt.as_mut()?;
        (attempt.proposer.ballot() == ballot).then_some(attempt)
    }

    /// Of every register only the promise and the latest vote count.
    fn compact_if_due(&mut self, effects: &mut Effects<Self>) {
        let is_due = self.config.snapshot_bytes.is_some_and(|limit| self.log_size.exceeds(limit));
        if !is_due || !self.log_size.has_doubled() {
            return;
        }
        let mut records = Vec::new();
        for (key, Register { acceptor, .. }) in &self.registers {
            if let Some(vote) = acceptor.vote().cloned() {
                records.push(Record::Accepted { key: key.clone(), vote });
            }
            let ballot = acceptor.promised().clone();
            records.push(Record::Promised { key: key.clone(), ballot });
        }
        self.log_size.reset(&records);
        effects.rewrite(records);
    }
}

impl<A: Application<Command = Request, Output = Answer> + 'static> Protocol for Registers<A> {
    type Message = Message;
    type Record = Record;
    type Timer = Retry;

    fn on_start(&mut self, _: &mut Effects<Self>) {}

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<Self>) {
        if !self.config.members.contains(from) {
            return;
        }
        match message {
            Message::Prepare { key, ballot } => {
                let answer = match self.promise(&key, &ballot, effects) {
                    Ok(vote) => Message::Promise { key, ballot, vote },
                    Err(Refused(promised)) => Message::Reject { key, ballot, promised },
                };
                effects.send(from, answer);
            }
            Message::Promise { key, ballot, vote } => {
                self.on_promise(from, &key, &ballot, vote, effects);
            }
            Message::Accept { key, vote } => {
                let ballot = vote.ballot.clone();
                let answer = match self.vote(&key, vote, effects) {
                    Ok(()) => Message::Accepted { key, ballot },
                    Err(Refused(promised)) => Message::Reject { key, ballot, promised },
                };
                effects.send(from, answer);
            }
            Message::Accepted { key, ballot } => self.on_accepted(from, &key, &ballot, effects),
            Message::Reject { key, ballot, promised } => {
                self.give_way(&key, &ballot, promised, effects);
            }
        }
    }

    fn on_timer(&mut self, Retry(key): Retry, effects: &mut Effects<Self>) {
        match self.register(&key).attempt {
            Some(_) => self.ask(&key, effects),
            None => self.prepare(&key, effects),
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        let Some(key) = key_of(&request.op) else {
            let why = "an operation on several keys would need one decree for all of them";
            let refusal = Refusal::new(ErrorCode::Unsupported, why);
            return effects.reply(token, Answer::Error(refusal));
        };
        // While an attempt waits to be made again, so does what comes after it.
        let register = self.register(&key);
        let is_idle = register.waiting.is_empty();
        register.waiting.push((token, request));
        if is_idle {
            self.prepare(&key, effects);
        }
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn status(&self) -> Value {
        json!({ "role": "proposer", "log_bytes": self.log_size.bytes })
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }

    fn message_term(message: &Message) -> Option<u64> {
        Some(message.ballot().round)
    }
}

/// The only key of an operation.
fn key_of(operation: &Operation) -> Option<Key> {
    match operation {
        Operation::Get { key }
        | Operation::Put { key, .. }
        | Operation::Append { key, .. }
        | Operation::PutHash { key, .. }
        | Operation::Cas { key, .. } => Some(key.clone()),
        _ => None,
    }
}

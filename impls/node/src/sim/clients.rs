//! Closed-loop clients: each has one operation outstanding and retries it until it knows, or gives up.

use std::collections::BTreeMap;

use contract::{Answer, ErrorCode, NodeId, Operation, Request};

use super::{
    Dice, Simulator, Ticket,
    history::{EventKind, History, client_of},
};
use crate::Protocol;

/// Chooses a client's next operation; the number is unique to this operation, for values that tell writes apart.
pub type Generator = Box<dyn FnMut(&mut Dice, u64) -> Operation>;

/// How the clients behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// How many there are.
    pub clients: u64,
    /// How long one attempt may take before the client asks another node.
    pub attempt_timeout_ms: u64,
    /// How long it tries in all before the operation is `info`.
    pub operation_timeout_ms: u64,
    /// The pause before it goes elsewhere after a refusal.
    pub backoff_ms: u64,
    /// The longest pause between two operations.
    pub think_ms_max: u64,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            clients: 4,
            attempt_timeout_ms: 500,
            operation_timeout_ms: 3_000,
            backoff_ms: 20,
            think_ms_max: 100,
        }
    }
}

/// Single-key operations on three keys, a third of them reads.
#[must_use]
pub fn single_key_operation(dice: &mut Dice, unique: u64) -> Operation {
    let key = ["x", "y", "z"][dice.index(3)].to_owned();
    let value = unique.to_string();
    match dice.index(6) {
        0 | 1 => Operation::Get { key },
        2 => Operation::Put { key, value },
        3 => Operation::Append { key, value: format!("{value},") },
        4 => Operation::PutHash { key, value },
        _ => {
            // A recent value, so that it succeeds now and then.
            let recent = unique.saturating_sub(dice.between(1, 8)).to_string();
            Operation::Cas { key, expect: dice.chance(800).then_some(recent), value }
        }
    }
}

/// The clients of a run and the history they write.
pub(super) struct Clients {
    options: ClientOptions,
    clients: Vec<Client>,
    generator: Generator,
    dice: Dice,
    history: History,
    /// Which client waits for which ticket. Late answers find nobody.
    tickets: BTreeMap<Ticket, usize>,
    /// Which client wakes at which alarm.
    alarms: BTreeMap<u64, usize>,
    alarm_next: u64,
    process_next: u64,
    unique: u64,
    closed: bool,
}

struct Client {
    process: u64,
    seq: u64,
    node: usize,
    state: State,
    alarm: u64,
    ticket: Ticket,
}

enum State {
    /// Until the next operation.
    Thinking,
    /// An attempt is under way, or its successor waits for the alarm.
    Trying(Attempts),
    /// No more operations.
    Done,
}

struct Attempts {
    operation: Operation,
    started_us: u64,
    /// Whether an attempt may have taken effect: then the operation must not be called failed.
    indefinite: bool,
    /// Whether an attempt is under way.
    in_flight: bool,
    reason: String,
}

impl Clients {
    /// Clients whose alarms are named `alarm_first` and up.
    pub(super) fn new(
        options: ClientOptions,
        generator: Generator,
        seed: u64,
        alarm_first: u64,
    ) -> Self {
        Self {
            options,
            clients: Vec::new(),
            generator,
            dice: Dice::new(seed, 2),
            history: History::default(),
            tickets: BTreeMap::new(),
            alarms: BTreeMap::new(),
            alarm_next: alarm_first,
            process_next: 0,
            unique: 0,
            closed: false,
        }
    }

    pub(super) fn start<P: Protocol>(&mut self, simulator: &mut Simulator<P>) {
        for _ in 0..self.options.clients {
            let process = self.new_process();
            let node = self.dice.index(simulator.names().len());
            let client =
                Client { process, seq: 0, node, state: State::Thinking, alarm: 0, ticket: 0 };
            self.clients.push(client);
            self.think(self.clients.len() - 1, simulator);
        }
    }

    /// Begins no more operations.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn all_done(&self) -> bool {
        self.clients.iter().all(|client| matches!(client.state, State::Done))
    }

    pub(super) fn into_history(self) -> History {
        self.history
    }

    pub(super) fn on_alarm<P: Protocol>(&mut self, alarm: u64, simulator: &mut Simulator<P>) {
        let Some(number) = self.alarms.remove(&alarm) else { return };
        if self.clients[number].alarm != alarm {
            return;
        }
        match &mut self.clients[number].state {
            State::Done => {}
            State::Thinking if self.closed => self.clients[number].state = State::Done,
            State::Thinking => self.invoke(number, simulator),
            State::Trying(attempts) => {
                if attempts.in_flight {
                    attempts.indefinite = true;
                    "no answer in time".clone_into(&mut attempts.reason);
                    self.move_on(number, None, simulator);
                }
                self.attempt(number, simulator);
            }
        }
    }

    pub(super) fn on_answer<P: Protocol>(
        &mut self,
        ticket: Ticket,
        answer: Answer,
        simulator: &mut Simulator<P>,
    ) {
        let Some(number) = self.tickets.remove(&ticket) else { return };
        let client = &mut self.clients[number];
        let State::Trying(attempts) = &mut client.state else { return };
        if client.ticket != ticket || !attempts.in_flight {
            return;
        }
        let refusal = match answer {
            Answer::Ok(outcome) => {
                return self.complete(number, EventKind::Ok(outcome), simulator);
            }
            Answer::Error(refusal) => refusal,
        };
        attempts.in_flight = false;
        attempts.indefinite |= !refusal.code.is_definite();
        attempts.reason = format!("{}: {}", refusal.code.name(), refusal.message);
        match refusal.code {
            ErrorCode::BadRequest
            | ErrorCode::NotFound
            | ErrorCode::Unsupported
            | ErrorCode::StaleSeq
            | ErrorCode::Aborted
            | ErrorCode::Exists
            | ErrorCode::UnknownGroup
            | ErrorCode::NoChange
            | ErrorCode::BadShard => self.give_up(number, simulator),
            ErrorCode::NotLeader
            | ErrorCode::WrongGroup
            | ErrorCode::NotReady
            | ErrorCode::Timeout
            | ErrorCode::Internal => {
                self.move_on(number, refusal.hint.as_ref(), simulator);
                self.set_alarm(number, self.options.backoff_ms * 1000, simulator);
            }
        }
    }

    fn invoke<P: Protocol>(&mut self, number: usize, simulator: &mut Simulator<P>) {
        self.unique += 1;
        let operation = (self.generator)(&mut self.dice, self.unique);
        let client = &mut self.clients[number];
        client.seq += 1;
        // Sometimes another node than the last one, so that not every client stays with the leader.
        if self.dice.chance(100) {
            client.node = self.dice.index(simulator.names().len());
        }
        client.state = State::Trying(Attempts {
            operation: operation.clone(),
            started_us: simulator.now_us(),
            indefinite: false,
            in_flight: false,
            reason: String::new(),
        });
        self.record(number, EventKind::Invoke(operation), simulator);
        self.attempt(number, simulator);
    }

    fn attempt<P: Protocol>(&mut self, number: usize, simulator: &mut Simulator<P>) {
        let client = &mut self.clients[number];
        let State::Trying(attempts) = &mut client.state else { return };
        let tried_us = simulator.now_us() - attempts.started_us;
        if tried_us > self.options.operation_timeout_ms * 1000 {
            return self.give_up(number, simulator);
        }
        attempts.in_flight = true;
        let request = Request {
            client: client_of(client.process),
            seq: client.seq,
            op: attempts.operation.clone(),
        };
        let node = simulator.names()[client.node].clone();
        client.ticket = simulator.submit(&node, &request);
        self.tickets.insert(client.ticket, number);
        self.set_alarm(number, self.options.attempt_timeout_ms * 1000, simulator);
    }

    /// Turns to the hinted node, else to the next one.
    fn move_on<P: Protocol>(
        &mut self,
        number: usize,
        hint: Option<&NodeId>,
        simulator: &Simulator<P>,
    ) {
        let names = simulator.names();
        let client = &mut self.clients[number];
        let hinted = hint.and_then(|hint| names.iter().position(|name| name == hint));
        client.node = match hinted {
            Some(node) if node != client.node => node,
            _ => (client.node + 1) % names.len(),
        };
    }

    fn give_up<P: Protocol>(&mut self, number: usize, simulator: &mut Simulator<P>) {
        let State::Trying(attempts) = &self.clients[number].state else { return };
        let reason = attempts.reason.clone();
        let harmless = !attempts.indefinite || attempts.operation.is_read_only();
        let kind = if harmless { EventKind::Fail(reason) } else { EventKind::Info(reason) };
        self.complete(number, kind, simulator);
    }

    fn complete<P: Protocol>(
        &mut self,
        number: usize,
        kind: EventKind,
        simulator: &mut Simulator<P>,
    ) {
        let open_for_ever = matches!(kind, EventKind::Info(_));
        self.record(number, kind, simulator);
        if open_for_ever {
            // The operation stays open, so its process can do nothing more: the client goes on as another one.
            self.clients[number].process = self.new_process();
            self.clients[number].seq = 0;
        }
        self.think(number, simulator);
    }

    fn think<P: Protocol>(&mut self, number: usize, simulator: &mut Simulator<P>) {
        self.clients[number].state = State::Thinking;
        let pause_us = self.dice.between(0, self.options.think_ms_max * 1000);
        self.set_alarm(number, pause_us, simulator);
    }

    fn set_alarm<P: Protocol>(
        &mut self,
        number: usize,
        after_us: u64,
        simulator: &mut Simulator<P>,
    ) {
        let alarm = self.alarm_next;
        self.alarm_next += 1;
        self.clients[number].alarm = alarm;
        self.alarms.insert(alarm, number);
        simulator.alarm(after_us, alarm);
    }

    fn record<P: Protocol>(&mut self, number: usize, kind: EventKind, simulator: &Simulator<P>) {
        let client = &self.clients[number];
        let node = &simulator.names()[client.node];
        self.history.record(simulator.now_us(), client.process, node, kind);
    }

    fn new_process(&mut self) -> u64 {
        self.process_next += 1;
        self.process_next - 1
    }
}

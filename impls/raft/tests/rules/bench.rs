//! One server, n1 of three, driven by hand.

use std::sync::Arc;

use contract::{Answer, ErrorCode, Operation, Request};
use kv::{ExactlyOnce, Store};
use node::{Effect, Effects, Protocol};
use raft::{
    Config, Raft, Record, Timer,
    log::{Entry, LogIndex, Payload, Term},
    message::{
        AppendEntries, AppendEntriesReply, AppendResult, Message, PreVoteReply, RequestVote,
        RequestVoteReply,
    },
};

pub type Server = Raft<ExactlyOnce<Store>>;

/// The server, and what it has made durable.
pub struct Bench {
    pub server: Server,
    durable: Vec<Record>,
    snapshot_bytes: Option<u64>,
    pub now_ms: u64,
    /// What the last step sent to others.
    pub sent: Vec<(String, Message)>,
    /// What it answered.
    pub answers: Vec<(u64, Answer)>,
    /// The timers that it set, but for that of the flush, which follows at once.
    pub timers: Vec<Timer>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Vec::new(), None)
    }

    /// A server whose log is compacted after each entry.
    pub fn compacting() -> Self {
        Self::with(Vec::new(), Some(1))
    }

    fn with(durable: Vec<Record>, snapshot_bytes: Option<u64>) -> Self {
        let config = Config {
            node: "n1".to_owned(),
            members: ["n1", "n2", "n3"].map(str::to_owned).to_vec(),
            heartbeat_ms: 50,
            election_ms: 300,
            patience_ms: 300,
            snapshot_bytes,
            chunk_bytes: 20,
        };
        let server = Raft::new(config, ExactlyOnce::default(), durable.clone())
            .expect("a log that this protocol wrote");
        Self {
            server,
            durable,
            snapshot_bytes,
            now_ms: 0,
            sent: Vec::new(),
            answers: Vec::new(),
            timers: Vec::new(),
        }
    }

    /// The server crashes and comes back with what was durable.
    pub fn restart(self) -> Self {
        Self::with(self.durable, self.snapshot_bytes)
    }

    /// One step, and what follows from it without anybody else.
    pub fn step<T>(&mut self, step: impl FnOnce(&mut Server, &mut Effects<Server>) -> T) -> T {
        self.sent.clear();
        self.answers.clear();
        self.timers.clear();
        self.go_on(step)
    }

    fn go_on<T>(&mut self, step: impl FnOnce(&mut Server, &mut Effects<Server>) -> T) -> T {
        let mut effects = Effects::new(self.now_ms, 0);
        let result = step(&mut self.server, &mut effects);
        let (mut own, mut flushes) = (Vec::new(), false);
        for effect in effects.into_list() {
            match effect {
                Effect::Persist(record) => self.durable.push(record),
                Effect::Rewrite(records) => self.durable = records,
                Effect::Send(to, message) if to == "n1" => own.push(message),
                Effect::Send(to, message) => self.sent.push((to, message)),
                Effect::Reply(token, answer) => self.answers.push((token, answer)),
                Effect::SetTimer(Timer::Flush, _) => flushes = true,
                Effect::SetTimer(timer, _) => self.timers.push(timer),
                Effect::CancelTimer(_) => {}
            }
        }
        own.into_iter().for_each(|message| self.hear_itself(message));
        if flushes {
            self.flush();
        }
        result
    }

    fn hear_itself(&mut self, message: Message) {
        self.go_on(|server, effects| server.on_message(&"n1".to_owned(), message, effects));
    }

    fn flush(&mut self) {
        self.go_on(|server, effects| server.on_timer(Timer::Flush, effects));
    }

    pub fn receive(&mut self, from: &str, message: Message) {
        self.step(|server, effects| server.on_message(&from.to_owned(), message, effects));
    }

    pub fn fire(&mut self, timer: Timer) {
        self.step(|server, effects| server.on_timer(timer, effects));
    }

    pub fn request(&mut self, token: u64, op: Operation) {
        let request = Request { client: "c1".to_owned(), seq: token, op };
        self.step(|server, effects| server.on_request(token, request, effects));
    }

    /// Makes n1 a candidate: n2 welcomes it.
    pub fn campaign(&mut self) -> Term {
        self.now_ms += 1_000;
        self.fire(Timer::Election);
        let term = self.server.current_term();
        let reply = PreVoteReply { term, proposed_term: term + 1, vote_granted: true };
        self.receive("n2", Message::PreVoteReply(reply));
        assert_eq!(self.server.current_term(), term + 1);
        term + 1
    }

    /// Makes n1 the leader with the vote of n2: its term.
    pub fn elect(&mut self) -> Term {
        let term = self.campaign();
        self.receive("n2", voted(term));
        assert!(self.server.is_leader());
        term
    }

    /// Makes n1 the leader; its no-op is committed.
    pub fn establish(&mut self) -> Term {
        let term = self.elect();
        self.receive("n2", success(term, self.server.log().last_index()));
        assert_eq!(self.server.commit_index(), self.server.log().last_index());
        term
    }

    /// The terms of the entries from `first` on.
    pub fn terms(&self, first: LogIndex) -> Vec<Term> {
        self.server.log().entries_from(first).map(|(_, entry)| entry.term).collect()
    }

    /// The `AppendEntries` that the last step sent to `to`.
    pub fn appends_to(&self, to: &str) -> Vec<&AppendEntries> {
        let appends = self.sent.iter().filter_map(|sent| match sent {
            (node, Message::AppendEntries(append)) if node == to => Some(append),
            _ => None,
        });
        appends.collect()
    }

    /// The names of the messages that the last step sent.
    pub fn kinds(&self) -> Vec<&'static str> {
        self.sent.iter().map(|(_, message)| message.kind()).collect()
    }

    /// What the last step answered: `None` for a success.
    pub fn codes(&self) -> Vec<(u64, Option<ErrorCode>)> {
        let code = |answer: &Answer| match answer {
            Answer::Ok(_) => None,
            Answer::Error(refusal) => Some(refusal.code),
        };
        self.answers.iter().map(|(token, answer)| (*token, code(answer))).collect()
    }

    /// The only message of the last step, an answer to `AppendEntries`.
    pub fn append_result(&self) -> &AppendResult {
        match &self.sent[..] {
            [(_, Message::AppendEntriesReply(reply))] => &reply.result,
            other => panic!("{other:?}"),
        }
    }

    /// The round that the only message of the last step answers.
    pub fn answered_round(&self) -> u64 {
        match &self.sent[..] {
            [(_, Message::AppendEntriesReply(reply))] => reply.round,
            [(_, Message::InstallSnapshotReply(reply))] => reply.round,
            other => panic!("{other:?}"),
        }
    }

    /// Whether the last step gave a vote, or said that it would.
    pub fn granted(&self) -> bool {
        let [(_, message)] = &self.sent[..] else { panic!("{:?}", self.sent) };
        match message {
            Message::RequestVoteReply(RequestVoteReply { vote_granted, .. })
            | Message::PreVoteReply(PreVoteReply { vote_granted, .. }) => *vote_granted,
            other => panic!("{other:?}"),
        }
    }
}

pub fn voted(term: Term) -> Message {
    Message::RequestVoteReply(RequestVoteReply { term, vote_granted: true })
}

pub fn vote_request(term: Term, last_log_index: LogIndex, last_log_term: Term) -> RequestVote {
    RequestVote { term, last_log_index, last_log_term, leadership_transfer: false }
}

pub fn ask(term: Term, last_log_index: LogIndex, last_log_term: Term) -> Message {
    Message::RequestVote(vote_request(term, last_log_index, last_log_term))
}

/// The leader of `term` sends entries of these terms, behind (index, term).
pub fn append(
    term: Term,
    prev: (LogIndex, Term),
    terms: &[Term],
    leader_commit: LogIndex,
) -> Message {
    let entry = |term: &Term| Arc::new(Entry { term: *term, payload: Payload::Noop });
    Message::AppendEntries(AppendEntries {
        term,
        prev_log_index: prev.0,
        prev_log_term: prev.1,
        entries: terms.iter().map(entry).collect(),
        leader_commit,
        round: 0,
    })
}

pub fn reply(term: Term, round: u64, result: AppendResult) -> Message {
    Message::AppendEntriesReply(AppendEntriesReply { term, round, result })
}

pub fn success(term: Term, match_index: LogIndex) -> Message {
    reply(term, 0, AppendResult::Success { match_index })
}

pub fn put() -> Operation {
    Operation::Put { key: "x".to_owned(), value: "1".to_owned() }
}

pub fn get() -> Operation {
    Operation::Get { key: "x".to_owned() }
}

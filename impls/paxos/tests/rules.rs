//! Single rules, step by step: what a simulation meets seldom, because good timing hides it.

use contract::{Answer, ErrorCode, Operation, Outcome, Refusal, Request};
use kv::{ExactlyOnce, Store};
use multi_paxos::{
    Config, Paxos,
    message::{Message, Record},
    replica::Timer,
    slot::Batch,
};
use node::{Effect, Effects, Protocol};
use single_decree::Ballot;

type Node = Paxos<ExactlyOnce<Store>>;

/// A node of three, n1, and what it has made durable.
struct Bench {
    node: Node,
    durable: Vec<Record>,
    now_ms: u64,
}

/// What a step let out: messages with their receivers, and answers.
type Out = (Vec<(String, Message)>, Vec<(u64, Answer)>);

impl Bench {
    fn new() -> Self {
        Self::with(Vec::new())
    }

    fn with(durable: Vec<Record>) -> Self {
        let config = Config {
            node: "n1".to_owned(),
            members: ["n1", "n2", "n3"].map(str::to_owned).to_vec(),
            heartbeat_ms: 50,
            election_ms: 300,
            patience_ms: 300,
            snapshot_bytes: None,
            naive: false,
        };
        let node = Paxos::new(config, ExactlyOnce::default(), durable.clone())
            .expect("a log that this protocol wrote");
        Self { node, durable, now_ms: 0 }
    }

    /// The node crashes and comes back with what was durable.
    fn restart(self) -> Self {
        Self::with(self.durable)
    }

    /// One step; messages of the node to itself are delivered at once.
    fn step(&mut self, step: impl FnOnce(&mut Node, &mut Effects<Node>)) -> Out {
        let mut effects = Effects::new(self.now_ms, 0);
        step(&mut self.node, &mut effects);
        let (mut messages, mut answers) = (Vec::new(), Vec::new());
        for effect in effects.into_list() {
            match effect {
                Effect::Persist(record) => self.durable.push(record),
                Effect::Rewrite(records) => self.durable = records,
                Effect::Send(to, message) if to == "n1" => {
                    let more = self.receive("n1", message);
                    messages.extend(more.0);
                    answers.extend(more.1);
                }
                Effect::Send(to, message) => messages.push((to, message)),
                Effect::Reply(token, answer) => answers.push((token, answer)),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
        (messages, answers)
    }

    fn receive(&mut self, from: &str, message: Message) -> Out {
        self.step(|node, effects| node.on_message(&from.to_owned(), message, effects))
    }

    fn request(&mut self, token: u64, op: Operation) -> Out {
        let request = Request { client: "c1".to_owned(), seq: token, op };
        self.step(|node, effects| node.on_request(token, request, effects))
    }

    /// Makes n1 a candidate with the consent of n2: its ballot.
    fn campaign(&mut self) -> Ballot {
        self.now_ms += 1_000;
        let (messages, _) = self.step(|node, effects| node.on_timer(Timer::Election, effects));
        let [(_, Message::PreVote { ballot }), _] = &messages[..] else { panic!("{messages:?}") };
        self.receive("n2", Message::PreVoteGranted { ballot: ballot.clone() });
        ballot.clone()
    }

    /// Makes n1 the leader with the promise of n2: its ballot.
    fn elect(&mut self) -> Ballot {
        let ballot = self.campaign();
        self.receive("n2", promise(&ballot));
        assert_eq!(self.node.leading(), Some(&ballot));
        ballot
    }
}

fn promise(ballot: &Ballot) -> Message {
    let ballot = ballot.clone();
    Message::Promise { ballot, snapshot: None, chosen: vec![], votes: vec![] }
}

fn ballot(round: u64, node: &str) -> Ballot {
    Ballot { round, node: node.to_owned() }
}

fn accept(ballot: &Ballot) -> Message {
    Message::Accept { ballot: ballot.clone(), slot: 1, batch: Batch::default(), commit: 0 }
}

fn put() -> Operation {
    Operation::Put { key: "x".to_owned(), value: "1".to_owned() }
}

fn get() -> Operation {
    Operation::Get { key: "x".to_owned() }
}

fn codes(answers: &[(u64, Answer)]) -> Vec<(u64, ErrorCode)> {
    let code = |(token, answer): &(u64, Answer)| match answer {
        Answer::Error(Refusal { code, .. }) => (*token, *code),
        Answer::Ok(outcome) => panic!("{outcome:?}"),
    };
    answers.iter().map(code).collect()
}

#[test]
fn a_promise_outlives_a_crash() {
    let mut bench = Bench::new();
    bench.receive("n3", Message::Prepare { ballot: ballot(5, "n3"), first: 1 });
    let mut bench = bench.restart();
    let (messages, _) = bench.receive("n2", accept(&ballot(4, "n2")));
    assert!(matches!(&messages[..], [(_, Message::Reject { .. })]), "{messages:?}");
}

#[test]
fn a_vote_outlives_a_crash_and_is_reported() {
    let mut bench = Bench::new();
    bench.receive("n2", accept(&ballot(4, "n2")));
    let mut bench = bench.restart();
    let (messages, _) = bench.receive("n3", Message::Prepare { ballot: ballot(5, "n3"), first: 1 });
    let [(_, Message::Promise { votes, .. })] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(votes[0].1.ballot, ballot(4, "n2"));
}

#[test]
fn a_ballot_is_never_used_twice_even_by_a_candidate_that_crashed() {
    let mut bench = Bench::new();
    let first = bench.elect();
    let second = bench.restart().elect();
    assert!(second > first);
}

#[test]
fn a_read_waits_for_a_majority_that_confirms_after_it_came() {
    let mut bench = Bench::new();
    let ballot = bench.elect();
    let (messages, answers) = bench.request(1, get());
    assert!(answers.is_empty(), "a leader may have been deposed without knowing it");
    assert!(messages.is_empty(), "the heartbeats of the election are under way");
    let (messages, answers) =
        bench.receive("n2", Message::HeartbeatAck { ballot: ballot.clone(), round: 1 });
    assert!(answers.is_empty(), "that heartbeat left before the read came");
    assert!(matches!(messages[..], [(_, Message::Heartbeat { round: 2, .. }), _]), "{messages:?}");
    let (_, answers) = bench.receive("n2", Message::HeartbeatAck { ballot, round: 2 });
    assert_eq!(answers, [(1, Answer::Ok(Outcome::Value { value: None }))]);
}

#[test]
fn a_new_leader_answers_no_read_before_it_has_applied_what_earlier_ones_had_chosen() {
    let mut bench = Bench::new();
    bench.receive("n3", accept(&ballot(1, "n3"))); // perhaps chosen, by n1 and n3
    let ballot = bench.elect();
    bench.request(1, get());
    bench.receive("n2", Message::HeartbeatAck { ballot: ballot.clone(), round: 1 });
    let confirmed = Message::HeartbeatAck { ballot: ballot.clone(), round: 2 };
    assert!(bench.receive("n2", confirmed).1.is_empty(), "slot 1 is not applied yet");
    let (_, answers) = bench.receive("n2", Message::Accepted { ballot, slot: 1 });
    assert_eq!(answers.len(), 1);
}

#[test]
fn a_deposed_leader_refuses_for_certain_only_what_it_never_proposed() {
    let mut bench = Bench::new();
    bench.elect();
    for token in 1..=9 {
        bench.request(token, put()); // eight fill the pipeline, the ninth waits
    }
    bench.request(10, get());
    let (_, answers) = bench.receive("n3", accept(&ballot(99, "n3")));
    let mut codes = codes(&answers);
    codes.sort_by_key(|(token, _)| *token);
    let expected = (1..=8).map(|token| (token, ErrorCode::Timeout));
    let refused = [(9, ErrorCode::NotLeader), (10, ErrorCode::NotLeader)];
    assert_eq!(codes, expected.chain(refused).collect::<Vec<_>>());
    let (_, answers) = bench.request(11, put());
    let [(11, Answer::Error(refusal))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(refusal.hint.as_deref(), Some("n3"));
}

#[test]
fn a_promise_of_an_earlier_ballot_elects_nobody() {
    let mut bench = Bench::new();
    let old = bench.campaign();
    bench.receive("n3", Message::Reject { ballot: ballot(50, "n3") });
    let new = bench.campaign();
    bench.receive("n2", promise(&old));
    assert_eq!(bench.node.leading(), None);
    bench.receive("n2", promise(&new));
    assert_eq!(bench.node.leading(), Some(&new));
}

#[test]
fn a_vote_of_an_earlier_ballot_chooses_nothing() {
    let mut bench = Bench::new();
    let old = bench.elect();
    bench.receive("n3", Message::Reject { ballot: ballot(50, "n3") });
    let new = bench.elect();
    assert!(old < new);
    bench.request(1, put());
    assert!(bench.receive("n2", Message::Accepted { ballot: old, slot: 1 }).1.is_empty());
    assert_eq!(bench.receive("n2", Message::Accepted { ballot: new, slot: 1 }).1.len(), 1);
}

#[test]
fn a_leader_without_a_majority_gives_up_its_office() {
    let mut bench = Bench::new();
    bench.elect();
    bench.request(1, get());
    bench.now_ms += 300;
    let (_, answers) = bench.step(|node, effects| node.on_timer(Timer::Heartbeat, effects));
    assert_eq!(codes(&answers), [(1, ErrorCode::NotLeader)]);
    assert_eq!(bench.node.leading(), None);
    assert!(!bench.node.is_ready());
}

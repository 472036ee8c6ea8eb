//! The write-ahead log: what a node comes back with, and how its log is compacted.

use contract::{Answer, Request};
use node::{Application, LogRecord};

use crate::{acceptor::Acceptor, learner::Learner, message::Record, slot::Slot};

/// Replays the log of an earlier life, in order.
///
/// # Errors
/// A snapshot or a slot cannot be read: this node must not take part, for it has forgotten what it promised.
pub fn recover<A: Application<Command = Request, Output = Answer>>(
    records: Vec<Record>,
    learner: &mut Learner<A>,
) -> Result<Acceptor, String> {
    let mut acceptor = Acceptor::default();
    for record in records {
        match record {
            Record::Promised { ballot } => acceptor.recover_promise(&ballot),
            Record::Accepted { slot, vote } => acceptor.recover_vote(slot, vote),
            Record::Learned { slot, batch } => drop(learner.learn(slot, batch)),
            Record::Committed { commit } => recover_commit(commit, &acceptor, learner)?,
            Record::Snapshot { snapshot } => {
                acceptor.compact(snapshot.slot);
                learner
                    .install(snapshot)
                    .map_err(|error| format!("the log's snapshot cannot be restored: {error}"))?;
            }
        }
    }
    Ok(acceptor)
}

fn recover_commit<A: Application<Command = Request, Output = Answer>>(
    commit: Slot,
    acceptor: &Acceptor,
    learner: &mut Learner<A>,
) -> Result<(), String> {
    while learner.commit() < commit {
        let next = learner.commit() + 1;
        if let Some(vote) = acceptor.vote(next) {
            learner.learn(next, vote.value.clone()); // no news where another value was learned
        }
        if learner.apply_next().is_none() {
            return Err(format!(
                "the log calls slot {commit} chosen and applied, but lacks slot {next}"
            ));
        }
    }
    Ok(())
}

/// The shortest log that gives back this acceptor and this learner.
#[must_use]
pub fn compacted<A: Application<Command = Request, Output = Answer>>(
    acceptor: &Acceptor,
    learner: &Learner<A>,
) -> Vec<Record> {
    let first = learner.snapshot().slot + 1;
    let mut records = vec![
        Record::Snapshot { snapshot: learner.snapshot().clone() },
        Record::Promised { ballot: acceptor.promised().clone() },
    ];
    let votes = acceptor.votes_from(first);
    records.extend(votes.map(|(slot, vote)| Record::Accepted { slot, vote: vote.clone() }));
    let learned = learner
        .chosen_from(first)
        .filter(|(slot, batch)| acceptor.vote(*slot).is_none_or(|vote| vote.value != **batch));
    records.extend(learned.map(|(slot, batch)| Record::Learned { slot, batch: batch.clone() }));
    records.push(Record::Committed { commit: learner.commit() });
    records
}

impl LogRecord for Record {
    fn is_snapshot(&self) -> bool {
        matches!(self, Record::Snapshot { .. })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contract::Operation;
    use kv::{ExactlyOnce, Store};
    use single_decree::Ballot;

    use super::*;
    use crate::slot::{Batch, Vote};

    type Kv = ExactlyOnce<Store>;

    fn ballot(round: u64) -> Ballot {
        Ballot { round, node: "n1".to_owned() }
    }

    fn batch(seq: u64) -> Batch {
        let op = Operation::Append { key: "x".to_owned(), value: format!("{seq},") };
        Arc::new(vec![Request { client: "c1".to_owned(), seq, op }])
    }

    fn revive(records: Vec<Record>) -> (Acceptor, Learner<Kv>) {
        let mut learner = Learner::new(Kv::default());
        let acceptor = recover(records, &mut learner).unwrap();
        (acceptor, learner)
    }

    #[test]
    fn promises_votes_and_what_is_chosen_survive() {
        let mut acceptor = Acceptor::default();
        let mut records = vec![acceptor.prepare(&ballot(1)).unwrap().unwrap()];
        for slot in 1..=2 {
            records.push(acceptor.accept(slot, &ballot(1), &batch(slot)).unwrap().unwrap());
        }
        records.push(Record::Learned { slot: 3, batch: batch(3) });
        records.push(Record::Committed { commit: 3 });
        let (acceptor, learner) = revive(records);
        assert_eq!(*acceptor.promised(), ballot(1));
        assert_eq!(acceptor.vote(2).unwrap().value, batch(2));
        assert_eq!(learner.commit(), 3);
        assert_eq!(learner.application().application().get("x"), Some("1,2,3,"));
    }

    #[test]
    fn what_was_learned_goes_before_a_vote_for_something_else() {
        let mut acceptor = Acceptor::default();
        let records = vec![
            acceptor.accept(1, &ballot(1), &batch(7)).unwrap().unwrap(),
            Record::Learned { slot: 1, batch: batch(8) },
            Record::Committed { commit: 1 },
        ];
        assert_eq!(revive(records).1.application().application().get("x"), Some("8,"));
    }

    #[test]
    fn a_compacted_log_gives_back_the_same_node() {
        let (mut acceptor, mut learner) = revive(vec![]);
        for slot in 1..=4 {
            acceptor.accept(slot, &ballot(9 - slot), &batch(slot)).ok();
            acceptor.recover_vote(slot, Vote { ballot: ballot(9 - slot), value: batch(slot) });
        }
        acceptor.recover_promise(&ballot(20));
        for slot in [1, 2, 4] {
            learner.learn(slot, batch(slot));
        }
        learner.learn(6, batch(6)); // no vote
        while learner.apply_next().is_some() {}
        learner.take_snapshot();
        acceptor.compact(learner.snapshot().slot);
        let records = compacted(&acceptor, &learner);
        let (again, relearned) = revive(records.clone());
        assert_eq!(again.promised(), acceptor.promised());
        assert!(again.votes_from(1).eq(acceptor.votes_from(1)));
        assert_eq!(relearned.commit(), 2);
        assert!(relearned.is_chosen(6) && !relearned.is_chosen(5));
        assert_eq!(relearned.application(), learner.application());
    }

    #[test]
    fn a_log_with_a_missing_slot_is_refused() {
        let mut learner = Learner::new(Kv::default());
        let error = recover(vec![Record::Committed { commit: 2 }], &mut learner).unwrap_err();
        assert!(error.contains("lacks slot 1"), "{error}");
    }
}

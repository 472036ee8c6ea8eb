//! Persistence: what Figure 2 has "updated on stable storage before responding to RPCs", and what a server comes back with.
//!
//! The driver makes the records of a step durable before its messages and answers leave.

use std::sync::Arc;

use contract::{Answer, NodeId, Request};
use node::{Application, Effects, LogRecord};
use serde::{Deserialize, Serialize};

use crate::{
    log::{Entry, LogIndex, Payload, Term},
    raft::Raft,
    snapshot::{Chunk, Receiving},
};

/// One record of the write-ahead log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// `currentTerm` and `votedFor`. A server that forgets them can vote twice in a term.
    TermAndVote {
        /// The latest term that the server has seen.
        current_term: Term,
        /// Who got its vote in that term.
        voted_for: Option<NodeId>,
    },
    /// The log has this entry at `index` and ends there: what it had from there on is deleted.
    Append {
        /// Where the entry stands.
        index: LogIndex,
        /// The entry.
        entry: Arc<Entry>,
    },
    /// A part of the snapshot. All its parts come first, in order.
    Snapshot {
        /// The part.
        chunk: Chunk,
    },
}

impl LogRecord for Record {
    fn is_snapshot(&self) -> bool {
        matches!(self, Self::Snapshot { .. })
    }
}

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    pub(crate) fn persist_term_and_vote(&mut self, effects: &mut Effects<Self>) {
        let record = self.term_and_vote();
        self.persist(record, effects);
    }

    fn term_and_vote(&self) -> Record {
        Record::TermAndVote { current_term: self.current_term, voted_for: self.voted_for.clone() }
    }

    /// The entry goes to the end of the log.
    pub(crate) fn append_entry(&mut self, entry: Arc<Entry>, effects: &mut Effects<Self>) {
        let index = self.log_entry(&entry);
        self.persist(Record::Append { index, entry }, effects);
    }

    /// Deletes the entries from `index` on. An entry that is appended in their place follows at once, and the record of that
    /// one says it all.
    pub(crate) fn delete_entries_from(&mut self, index: LogIndex) {
        self.log.delete_from(index);
        self.configurations.delete_from(index);
    }

    fn log_entry(&mut self, entry: &Arc<Entry>) -> LogIndex {
        let index = self.log.append(entry.clone());
        if let Payload::Configuration(configuration) = &entry.payload {
            self.configurations.append(index, configuration.clone());
        }
        index
    }

    fn persist(&mut self, record: Record, effects: &mut Effects<Self>) {
        self.log_size.add(&record);
        effects.persist(record);
    }

    /// Puts the snapshot in the place of the entries that led to it, atomically: in between lies no state in which the
    /// vote or an entry is missing.
    pub(crate) fn rewrite(&mut self, effects: &mut Effects<Self>) {
        let index = self.snapshot.last_included_index;
        self.configurations.compact(index);
        let chunks = self.snapshot.chunks(self.config.chunk_bytes);
        let mut records: Vec<Record> = chunks.map(|chunk| Record::Snapshot { chunk }).collect();
        records.push(self.term_and_vote());
        let entries = self.log.entries_from(index + 1);
        records
            .extend(entries.map(|(index, entry)| Record::Append { index, entry: entry.clone() }));
        self.log_size.reset(&records);
        effects.rewrite(records);
    }

    /// Replays what earlier lives persisted, in order. What is committed is not among it: the next leader says so.
    pub(crate) fn recover(&mut self, records: Vec<Record>) -> Result<(), String> {
        let mut receiving = Receiving::default();
        for record in records {
            self.log_size.add(&record);
            match record {
                Record::TermAndVote { current_term, voted_for } => {
                    (self.current_term, self.voted_for) = (current_term, voted_for);
                }
                Record::Append { index, entry } => {
                    self.delete_entries_from(index);
                    if self.log_entry(&entry) != index {
                        return Err(format!("the log lacks the entry before {index}"));
                    }
                }
                Record::Snapshot { chunk } => {
                    if let Some(snapshot) = receiving.take(0, chunk) {
                        self.application
                            .restore(&snapshot.state)
                            .map_err(|error| format!("the snapshot cannot be restored: {error}"))?;
                        self.adopt(snapshot);
                    }
                }
            }
        }
        match receiving.progress() {
            (_, 0) => Ok(()),
            (index, _) => Err(format!("the snapshot up to entry {index} is not complete")),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;
    use kv::{ExactlyOnce, Store};

    use super::*;
    use crate::{Config, configuration::Configuration};

    type Server = Raft<ExactlyOnce<Store>>;

    fn revive(records: Vec<Record>) -> Result<Server, String> {
        let config = Config {
            node: "n1".to_owned(),
            members: ["n1", "n2", "n3"].map(str::to_owned).to_vec(),
            heartbeat_ms: 50,
            election_ms: 300,
            patience_ms: 300,
            snapshot_bytes: None,
            chunk_bytes: 10,
        };
        Server::new(config, ExactlyOnce::default(), records)
    }

    fn append(index: LogIndex, term: Term) -> Record {
        let op = Operation::Append { key: "x".to_owned(), value: format!("{index},") };
        let payload = Payload::Command(Request { client: "c1".to_owned(), seq: index, op });
        Record::Append { index, entry: Arc::new(Entry { term, payload }) }
    }

    fn change(index: LogIndex, servers: &[&str]) -> Record {
        let configuration: Configuration = servers.iter().map(|id| (*id).to_owned()).collect();
        let payload = Payload::Configuration(configuration);
        Record::Append { index, entry: Arc::new(Entry { term: 1, payload }) }
    }

    fn last(server: &Server) -> (LogIndex, Term) {
        (server.log().last_index(), server.log().last_term())
    }

    #[test]
    fn term_vote_and_entries_survive_and_a_later_record_replaces_an_earlier_one() {
        let vote = |term, server: &str| Record::TermAndVote {
            current_term: term,
            voted_for: Some(server.to_owned()),
        };
        let records = vec![
            vote(1, "n2"),
            append(1, 1),
            append(2, 1),
            append(3, 1),
            vote(4, "n3"),
            append(2, 4),
        ];
        let server = revive(records).unwrap();
        assert_eq!((server.current_term, server.voted_for.as_deref()), (4, Some("n3")));
        assert_eq!(last(&server), (2, 4));
        assert_eq!((server.commit_index(), server.application().application().get("x")), (0, None));
    }

    #[test]
    fn a_configuration_counts_with_its_entry_and_goes_with_it() {
        let four = change(1, &["n1", "n2", "n3", "n4"]);
        let server = revive(vec![four.clone()]).unwrap();
        assert_eq!(server.configuration().servers().count(), 4);
        let server = revive(vec![four, append(1, 2)]).unwrap();
        assert_eq!(server.configuration().servers().count(), 3);
    }

    #[test]
    fn a_compacted_log_gives_back_the_same_server() {
        let records = vec![change(1, &["n1", "n2"]), append(2, 1), append(3, 1), append(4, 2)];
        let mut server = revive(records).unwrap();
        server.config.snapshot_bytes = Some(10);
        server.current_term = 5;
        server.commit_index = 3;
        let mut effects = Effects::new(0, 0);
        server.apply_committed(&mut effects);
        let mut effects = effects.into_list().into_iter();
        let Some(node::Effect::Rewrite(records)) = effects.next() else { panic!("no compaction") };
        assert!(records.len() > 4, "several chunks: {records:?}");
        let again = revive(records.clone()).unwrap();
        assert_eq!((again.current_term(), last(&again)), (5, (4, 2)));
        assert_eq!((again.commit_index(), again.log().before_index()), (3, 3));
        assert_eq!(again.application(), server.application());
        assert_eq!(again.configuration(), server.configuration());
        let cut = records.into_iter().take(1).collect();
        assert!(revive(cut).unwrap_err().contains("not complete"));
    }

    #[test]
    fn a_log_with_a_gap_is_refused() {
        let error = revive(vec![append(1, 1), append(3, 1)]).unwrap_err();
        assert!(error.contains("lacks the entry before 3"), "{error}");
    }
}

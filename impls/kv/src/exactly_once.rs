//! Exactly-once semantics as a wrapper around an application.
//!
//! A client has one operation outstanding and counts them, so remembering its last answer is enough (Ongaro,
//! "Consensus: Bridging Theory and Practice", section 6.3). The table is part of the replicated state: it travels in
//! the snapshot, or a restored replica would apply a retry a second time.

use contract::{Answer, Operation, Request};
use node::Application;

use crate::clients::Clients;

/// An application that applies each request of a client at most once, however often it is retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactlyOnce<A> {
    application: A,
    clients: Clients,
}

impl<A: Application<Command = Operation, Output = Answer> + Default> Default for ExactlyOnce<A> {
    fn default() -> Self {
        Self::new(A::default())
    }
}

impl<A: Application<Command = Operation, Output = Answer>> ExactlyOnce<A> {
    /// Wraps an application that no client has used yet.
    pub fn new(application: A) -> Self {
        Self::remembering(application, Clients::ANSWER_BYTES_MAX)
    }

    /// One that remembers answers of so many bytes, instead of [`Clients::ANSWER_BYTES_MAX`]. Replicas must agree on it.
    pub fn remembering(application: A, answer_bytes_max: usize) -> Self {
        Self { application, clients: Clients::new(answer_bytes_max) }
    }

    /// The application inside.
    pub fn application(&self) -> &A {
        &self.application
    }

    /// The answer to a request that has been applied before, see [`Clients::remembered`].
    #[must_use]
    pub fn remembered(&self, request: &Request) -> Option<Answer> {
        self.clients.remembered(request)
    }
}

impl<A: Application<Command = Operation, Output = Answer>> ExactlyOnce<A> {
    /// Applies what no client asked for, and nobody sends again.
    pub fn apply_own(&mut self, operation: &Operation) -> Answer {
        self.application.apply(operation)
    }
}

impl<A: Application<Command = Operation, Output = Answer>> Application for ExactlyOnce<A> {
    type Command = Request;
    type Output = Answer;

    fn apply(&mut self, request: &Request) -> Answer {
        if let Some(answer) = self.query(request) {
            return answer;
        }
        let answer = self.application.apply(&request.op);
        self.clients.insert(request.client.clone(), request.seq, answer.clone());
        answer
    }

    /// Answers reads, and retries of what has been applied: neither changes anything.
    fn query(&self, request: &Request) -> Option<Answer> {
        self.remembered(request).or_else(|| self.application.query(&request.op))
    }

    /// The table's length (8 bytes, little endian), the table, the application's snapshot.
    fn snapshot(&self) -> Vec<u8> {
        let table = serde_json::to_vec(self.clients.table()).expect("the table has a JSON form");
        let mut bytes = (table.len() as u64).to_le_bytes().to_vec();
        bytes.extend(table);
        bytes.extend(self.application.snapshot());
        bytes
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        let (table, application) = split(bytes).ok_or("this snapshot is cut short")?;
        let clients = serde_json::from_slice(table)
            .map_err(|error| format!("this snapshot has no table of clients: {error}"))?;
        self.application.restore(application)?;
        self.clients.restore(clients);
        Ok(())
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

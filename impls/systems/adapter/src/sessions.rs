//! Sessions with the database, each used by one operation at a time.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use contract::{Answer, ErrorCode, Operation, Outcome, Refusal};
use tokio::{sync::Semaphore, time::timeout};

use crate::{Database, refusals};

/// So many operations may be under way; more are refused. `PostgreSQL` takes 100 connections by default.
const SESSIONS_MAX: usize = 64;

/// The sessions of an adapter.
pub(crate) struct Sessions<D: Database> {
    database: D,
    idle: Mutex<Vec<D::Session>>,
    permits: Semaphore,
    limit: Duration,
}

impl<D: Database> Sessions<D> {
    /// Without a session yet. An operation may take as long as `limit`.
    pub(crate) fn new(database: D, limit: Duration) -> Self {
        let permits = Semaphore::new(SESSIONS_MAX);
        Self { database, idle: Mutex::default(), permits, limit }
    }

    /// Carries out one operation. Where this future is dropped, the session is closed with whatever is under way on it.
    pub(crate) async fn perform(&self, operation: &Operation) -> Answer {
        match self.attempt(operation).await {
            Ok(outcome) => Answer::Ok(outcome),
            Err(refusal) => Answer::Error(refusal),
        }
    }

    async fn attempt(&self, operation: &Operation) -> Result<Outcome, Refusal> {
        let Ok(_permit) = self.permits.try_acquire() else {
            return Err(refusals::not_sent("too many operations are under way"));
        };
        let opening = timeout(self.limit, self.session());
        let mut session = opening
            .await
            .map_err(|_| refusals::not_sent("no connection to the database in time"))?
            .map_err(refusals::not_sent)?;
        let performing = timeout(self.limit, self.database.perform(&mut session, operation));
        let result = performing.await.unwrap_or_else(|_| Err(refusals::late()));
        self.put_back(session, &result);
        result
    }

    async fn session(&self) -> Result<D::Session, String> {
        while let Some(mut session) = self.pop() {
            if self.database.is_open(&mut session).await {
                return Ok(session);
            }
        }
        self.database.open().await
    }

    fn pop(&self) -> Option<D::Session> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps the session where the database gave it a clear answer. Otherwise it is closed, and so are those that are idle:
    /// what broke one has most likely broken the others, and each would cost another operation its outcome.
    fn put_back(&self, session: D::Session, result: &Result<Outcome, Refusal>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) | Err(Refusal { code: ErrorCode::Aborted | ErrorCode::Unsupported, .. }) => {
                idle.push(session);
            }
            Err(_) => idle.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Does to an operation what its key says, and counts connections.
    #[derive(Default)]
    struct Scripted {
        opened: AtomicUsize,
    }

    impl Database for Scripted {
        type Session = ();

        async fn open(&self) -> Result<(), String> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        async fn is_open(&self, (): &mut ()) -> bool {
            true
        }

        async fn perform(&self, (): &mut (), operation: &Operation) -> Result<Outcome, Refusal> {
            match operation.keys()[0] {
                "aborted" => Err(refusals::aborted("conflict")),
                "unknown" => Err(refusals::unknown("connection lost")),
                "hangs" => pending().await,
                _ => Ok(Outcome::Done {}),
            }
        }
    }

    fn put(key: &str) -> Operation {
        Operation::Put { key: key.to_owned(), value: "1".to_owned() }
    }

    fn code(answer: &Answer) -> Option<ErrorCode> {
        match answer {
            Answer::Ok(_) => None,
            Answer::Error(refusal) => Some(refusal.code),
        }
    }

    #[tokio::test]
    async fn a_session_is_used_again_only_after_a_clear_answer() {
        let sessions = Sessions::new(Scripted::default(), Duration::from_millis(20));
        for (key, expected, opened) in [
            ("x", None, 1),
            ("aborted", Some(ErrorCode::Aborted), 1),
            ("unknown", Some(ErrorCode::Internal), 1),
            ("x", None, 2),
            ("hangs", Some(ErrorCode::Timeout), 2),
            ("x", None, 3),
        ] {
            let answer = sessions.perform(&put(key)).await;
            assert_eq!(code(&answer), expected, "{key}");
            assert_eq!(sessions.database.opened.load(Ordering::Relaxed), opened, "{key}");
        }
    }

    #[tokio::test]
    async fn more_operations_than_sessions_are_refused_for_certain() {
        let sessions = Sessions::new(Scripted::default(), Duration::from_secs(60));
        let _all = sessions.permits.try_acquire_many(64).unwrap();
        assert_eq!(code(&sessions.perform(&put("x")).await), Some(ErrorCode::NotReady));
    }

    #[tokio::test]
    async fn an_operation_that_was_given_up_takes_its_session_with_it() {
        let sessions = Sessions::new(Scripted::default(), Duration::from_secs(60));
        let hanging = put("hangs");
        let given_up = timeout(Duration::from_millis(20), sessions.perform(&hanging)).await;
        assert!(given_up.is_err());
        assert!(sessions.pop().is_none());
        assert_eq!(sessions.permits.available_permits(), SESSIONS_MAX);
    }
}

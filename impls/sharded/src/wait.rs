//! Why a client's request must wait.

use contract::{Answer, ErrorCode, Refusal};

/// What a request waits for, where its group's log was applied. What replicates a group hands on answers and nothing else, so it
/// travels as a refusal, which the leader takes for what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The request has begun a transaction whose decision is not known yet: its leader answers when it is.
    Undecided,
    /// A transaction has locked one of its keys: its leader tries again.
    Locked,
}

impl Wait {
    const ALL: [Self; 2] = [Self::Undecided, Self::Locked];

    /// What a client gets that cannot wait any longer. Of a transaction that is not decided nobody knows what will come of it.
    #[must_use]
    pub fn answer(self) -> Answer {
        let (code, message) = match self {
            Self::Undecided => (ErrorCode::Timeout, "the transaction is not decided yet"),
            Self::Locked => (ErrorCode::NotReady, "a transaction has locked a key"),
        };
        Answer::Error(Refusal::new(code, message))
    }

    /// What an answer says to wait for; `None` of one that is for the client.
    #[must_use]
    pub fn of(answer: &Answer) -> Option<Self> {
        Self::ALL.into_iter().find(|wait| wait.answer() == *answer)
    }
}

#[cfg(test)]
mod tests {
    use contract::Outcome;

    use super::*;

    #[test]
    fn what_waits_is_known_again_and_other_answers_are_for_the_client() {
        for wait in Wait::ALL {
            assert_eq!(Wait::of(&wait.answer()), Some(wait));
        }
        let refused = |code| Answer::Error(Refusal::new(code, ""));
        for answer in [
            Answer::Ok(Outcome::Done {}),
            refused(ErrorCode::Timeout),
            refused(ErrorCode::NotReady),
        ] {
            assert_eq!(Wait::of(&answer), None);
        }
    }
}

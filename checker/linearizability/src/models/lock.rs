//! A lock that knows who holds it.

use super::datum::told;
use super::holding::{self, Turn};
use crate::monitors::Refutation;
use crate::{CallOf, Model};

/// A lock with an owner, free at first: only the owner can release it.
///
/// A reentrant one can be acquired again by its owner, and is free after as many releases; one that is not
/// refuses that.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnedLock {
    /// May the owner acquire it again?
    pub reentrant: bool,
}

/// What is asked of the lock, and by which client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockInput {
    /// Take it.
    Acquire(u64),
    /// Give it back.
    Release(u64),
}

/// What the lock answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockOutput {
    /// It was taken or given back.
    Done,
    /// It could not be: somebody else holds it, or the client itself does not.
    Refused,
}

/// Who holds a lock, and how many times over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// The client.
    pub client: u64,
    /// Releases until the lock is free.
    pub depth: u64,
}

impl OwnedLock {
    /// The state after the operation where the lock lets it happen.
    fn after(self, state: Option<Holder>, input: &LockInput) -> Option<Option<Holder>> {
        match (input, state) {
            (&LockInput::Acquire(client), None) => Some(Some(Holder { client, depth: 1 })),
            (&LockInput::Acquire(client), Some(holder)) => (self.reentrant
                && holder.client == client)
                .then(|| Some(Holder { client, depth: holder.depth + 1 })),
            (&LockInput::Release(client), Some(holder)) if holder.client == client => {
                let depth = holder.depth - 1;
                Some((depth > 0).then_some(Holder { client, depth }))
            }
            (LockInput::Release(_), _) => None,
        }
    }
}

impl Model for OwnedLock {
    type Input = LockInput;
    type Output = LockOutput;
    type State = Option<Holder>;

    fn initial(&self) -> Option<Holder> {
        None
    }

    fn step(
        &self,
        state: &Option<Holder>,
        input: &LockInput,
        output: Option<&LockOutput>,
    ) -> Option<Option<Holder>> {
        match (self.after(*state, input), output) {
            (Some(next), None | Some(LockOutput::Done)) => Some(next),
            (None, None | Some(LockOutput::Refused)) => Some(*state),
            _ => None,
        }
    }

    fn is_read_only(&self, _input: &LockInput) -> bool {
        false
    }

    fn describe(&self, input: &LockInput, output: Option<&LockOutput>) -> String {
        let asked = match input {
            LockInput::Acquire(client) => format!("acquire for {client}"),
            LockInput::Release(client) => format!("release for {client}"),
        };
        let answer = |output: &LockOutput| match output {
            LockOutput::Done => String::new(),
            LockOutput::Refused => "refused".to_owned(),
        };
        told(asked, output.map(answer))
    }

    fn may_enable(
        &self,
        effect: &LockInput,
        blocked: &LockInput,
        output: Option<&LockOutput>,
    ) -> bool {
        match (effect, blocked, output) {
            // After an acquire its client holds the lock; after a release it holds it or nobody does.
            (LockInput::Acquire(owner), LockInput::Acquire(client), Some(LockOutput::Done)) => {
                self.reentrant && owner == client
            }
            (
                LockInput::Acquire(owner) | LockInput::Release(owner),
                LockInput::Release(client),
                Some(LockOutput::Done),
            ) => owner == client,
            _ => true,
        }
    }

    fn answer(&self, state: &Option<Holder>, input: &LockInput) -> Option<LockOutput> {
        let done = self.after(*state, input).is_some();
        Some(if done { LockOutput::Done } else { LockOutput::Refused })
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        let turn = |call: &CallOf<Self>| {
            let (LockInput::Acquire(client) | LockInput::Release(client)) = call.input;
            let done = call.output.as_ref().map(|output| *output == LockOutput::Done);
            Turn {
                acquires: matches!(call.input, LockInput::Acquire(_)),
                client: Some(client),
                done,
            }
        };
        if self.reentrant { None } else { holding::explain(self, stuck, calls, turn) }
    }
}

//! Locks: one that knows who holds it, and one that does not ask.

use super::holding::{self, Turn};
use super::with_result;
use crate::refutation::Refutation;
use crate::{CallOf, Content, Effects, Leaves, Model, Saw};

/// A lock with an owner, free at first: only the owner can release it.
///
/// A reentrant one can be acquired again by its owner, and is free after as many releases; one that is not
/// refuses that.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnedLock {
    /// May the owner acquire it again?
    pub reentrant: bool,
}

/// Who asks; `None` of a mutex, which anybody may release: all clients are the same to it.
pub type Client = Option<u64>;

/// What a lock holds that nobody holds.
const FREE: Content<'static> = Content::Hidden(-2);

/// What it holds while this client has it.
fn held_by(client: Client) -> Content<'static> {
    Content::Hidden(client.map_or(-1, i128::from))
}

/// What is asked of the lock, and by which client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LockInput {
    /// Take it.
    Acquire(Client),
    /// Give it back.
    Release(Client),
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
    pub client: Client,
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

    fn describe(&self, input: &LockInput, output: Option<&LockOutput>) -> String {
        let asked = match input {
            LockInput::Acquire(Some(client)) => format!("acquire for {client}"),
            LockInput::Acquire(None) => "acquire".to_owned(),
            LockInput::Release(Some(client)) => format!("release for {client}"),
            LockInput::Release(None) => "release".to_owned(),
        };
        let answer = |output: &LockOutput| match output {
            LockOutput::Done => String::new(),
            LockOutput::Refused => "refused".to_owned(),
        };
        with_result(asked, output.map(answer))
    }

    fn effects<'a>(&'a self, input: &'a LockInput, output: Option<&'a LockOutput>) -> Effects<'a> {
        if self.reentrant {
            // Who holds it, and how often, no result tells.
            return Effects::unknown();
        }
        let (before, after) = match *input {
            LockInput::Acquire(client) => (FREE, held_by(client)),
            LockInput::Release(client) => (held_by(client), FREE),
        };
        match output {
            None => Effects::whole(Saw::Anything, Leaves::Swapped { old: before, new: after }),
            Some(LockOutput::Done) => Effects::whole(Saw::Exactly(before), Leaves::Exactly(after)),
            Some(LockOutput::Refused) => Effects::whole(Saw::Other(before), Leaves::Unchanged),
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
            Turn { acquires: matches!(call.input, LockInput::Acquire(_)), client, done }
        };
        if self.reentrant { None } else { holding::explain(self, stuck, calls, turn) }
    }
}

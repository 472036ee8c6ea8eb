//! Applications: deterministic state machines that any replication protocol can carry.

/// A deterministic state machine. Two copies that applied the same commands are equal.
pub trait Application: Send + 'static {
    /// What changes it.
    type Command;
    /// What a command gives back.
    type Output;

    /// Applies one command. Deterministic: no clock, no randomness, no iteration over hash maps.
    fn apply(&mut self, command: &Self::Command) -> Self::Output;

    /// Answers a command that changes nothing, or `None` where this command must be applied.
    fn query(&self, command: &Self::Command) -> Option<Self::Output>;

    /// The whole state as bytes, for snapshots and state transfer.
    fn snapshot(&self) -> Vec<u8>;

    /// Replaces the state by one that [`Application::snapshot`] wrote.
    ///
    /// # Errors
    /// Says what is wrong where `bytes` is no snapshot; the state is then unchanged.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), String>;
}

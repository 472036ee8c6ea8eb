//! The checkers by name.

use history::{CheckResult, Operation};

use crate::bank::Overdraft;
use crate::judgement::Judgement;
use crate::set_full::Visible;
use crate::{
    bank, causal, causal_reverse, counter, g2, keys, long_fork, monotonic, queue, sequential, set,
    set_full, total_queue, unique_ids,
};

/// A checker that goes by a name. `set-final`, `counter-bounds` and `unordered-queue` are Jepsen's `set`, `counter` and
/// `queue`: those names belong to the objects that a history may be linearizable as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invariant {
    /// Transfers between accounts.
    Bank,
    /// The same with overdrafts.
    BankNegative,
    /// A set, by its final read.
    SetFinal,
    /// A set, by all reads; elements may become visible late.
    SetFull,
    /// A set, by all reads; elements must be visible at once.
    SetFullLinearizable,
    /// A counter between its bounds.
    CounterBounds,
    /// A queue without order.
    UnorderedQueue,
    /// A queue that is drained.
    TotalQueue,
    /// A generator of identifiers.
    UniqueIds,
    /// Groups of keys, read at once.
    LongFork,
    /// Registers under causal consistency.
    Causal,
    /// Blind inserts and reads of all.
    CausalReverse,
    /// Subkeys written in order.
    Sequential,
    /// Pairs of inserts, guarded by predicates.
    G2,
    /// Rows with growing values and timestamps.
    Monotonic,
}

impl Invariant {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Bank,
        Self::BankNegative,
        Self::SetFinal,
        Self::SetFull,
        Self::SetFullLinearizable,
        Self::CounterBounds,
        Self::UnorderedQueue,
        Self::TotalQueue,
        Self::UniqueIds,
        Self::LongFork,
        Self::Causal,
        Self::CausalReverse,
        Self::Sequential,
        Self::G2,
        Self::Monotonic,
    ];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::BankNegative => "bank-neg",
            Self::SetFinal => "set-final",
            Self::SetFull => "set-full",
            Self::SetFullLinearizable => "set-full-linearizable",
            Self::CounterBounds => "counter-bounds",
            Self::UnorderedQueue => "unordered-queue",
            Self::TotalQueue => "total-queue",
            Self::UniqueIds => "unique-ids",
            Self::LongFork => "long-fork",
            Self::Causal => "causal",
            Self::CausalReverse => "causal-reverse",
            Self::Sequential => "sequential",
            Self::G2 => "g2",
            Self::Monotonic => "monotonic",
        }
    }

    /// The checker of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|invariant| invariant.name() == name)
    }

    /// The functions it knows, with their values.
    #[must_use]
    pub fn functions(self) -> &'static str {
        match self {
            Self::Bank | Self::BankNegative => "transfer, read → {ACCOUNT BALANCE …}",
            Self::SetFinal | Self::SetFull | Self::SetFullLinearizable => "add V, read → [V …]",
            Self::CounterBounds => "add N, increment, decrement, read → N",
            Self::UnorderedQueue | Self::TotalQueue => "enqueue V, dequeue → V, drain → [V …]",
            Self::UniqueIds => "generate → ID",
            Self::LongFork => "write [[w K V]], read → [[r K V] …]; also as txn",
            Self::Causal => "write V, read → V, read-init → V",
            Self::CausalReverse => "write V, read → [V …]",
            Self::Sequential => "write K, read K → [K [V …]]",
            Self::G2 => "insert [K [A B]]",
            Self::Monotonic => "add → {val N, sts N}, read → [{val N, sts N} …]",
        }
    }

    /// What holds if the check is valid, after "the history": one clause.
    #[must_use]
    pub fn promise(self) -> &'static str {
        match self {
            Self::Bank => "keeps the accounts' total and none overdrawn",
            Self::BankNegative => "keeps the accounts' total",
            Self::SetFinal => "has at the end what was added, and nothing else",
            Self::SetFull => "loses no element that was added",
            Self::SetFullLinearizable => "shows each element from the moment it is added",
            Self::CounterBounds => "keeps the counter within its bounds",
            Self::UnorderedQueue => "dequeues only what was enqueued, and once",
            Self::TotalQueue => "gives out all that was enqueued",
            Self::UniqueIds => "gives no identifier twice",
            Self::LongFork => "has no long fork",
            Self::Causal => "returns nothing that was overwritten in its causal past",
            Self::CausalReverse => "shows no write before one that was done when it began",
            Self::Sequential => "shows each client's writes in their order",
            Self::G2 => "has no write skew by predicates",
            Self::Monotonic => "lets values grow with their timestamps",
        }
    }

    /// Checks a history. Where reads name a key by a pair `[key value]`, as Jepsen's independent tests record them, each
    /// key is an object of its own.
    #[must_use]
    pub fn check(self, operations: &[Operation]) -> CheckResult {
        let judge = |part: &[Operation]| self.judge(part).unwrap_or_else(Judgement::inconclusive);
        let judgement = match self {
            // The keys of these are their own matter.
            Self::UniqueIds | Self::LongFork | Self::Causal | Self::Sequential | Self::G2 => {
                judge(operations)
            }
            _ => keys::judge(operations, judge),
        };
        CheckResult { checker: self.name().to_owned(), ..judgement.result }
    }

    /// The judgement on one object, or why the history is none of this kind.
    fn judge(self, operations: &[Operation]) -> Result<Judgement, String> {
        match self {
            Self::Bank => bank::judge(operations, Overdraft::Forbidden),
            Self::BankNegative => bank::judge(operations, Overdraft::Allowed),
            Self::SetFinal => set::judge(operations),
            Self::SetFull => set_full::judge(operations, Visible::Eventually),
            Self::SetFullLinearizable => set_full::judge(operations, Visible::AtOnce),
            Self::CounterBounds => counter::judge(operations),
            Self::UnorderedQueue => queue::judge(operations),
            Self::TotalQueue => total_queue::judge(operations),
            Self::UniqueIds => unique_ids::judge(operations),
            Self::LongFork => long_fork::judge(operations),
            Self::Causal => causal::judge(operations),
            Self::CausalReverse => causal_reverse::judge(operations),
            Self::Sequential => sequential::judge(operations),
            Self::G2 => g2::judge(operations),
            Self::Monotonic => monotonic::judge(operations),
        }
    }
}

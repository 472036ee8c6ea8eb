//! The checkers by name.

use history::{CheckResult, Operation};

use crate::bank::Overdraft;
use crate::judgement::Judgement;
use crate::set_full::Visible;
use crate::{
    bank, causal, causal_reverse, configurations, counter, g2, keys, long_fork, monotonic, queue,
    sequential, set, set_full, total_queue, unique_ids,
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
    /// The configurations of a shard controller.
    Configurations,
}

/// A row of the table of checkers.
struct Row {
    invariant: Invariant,
    name: &'static str,
    /// The functions it knows, with their values.
    functions: &'static str,
    /// What holds if the check is valid, after "the history": one clause.
    promise: &'static str,
    /// Whether each key that reads name is an object of its own.
    by_key: bool,
    /// The judgement on one object, or why the history is none of this kind.
    judge: fn(&[Operation]) -> Result<Judgement, String>,
}

/// One row for each, in the order in which they are listed.
static TABLE: [Row; 16] = [
    Row {
        invariant: Invariant::Bank,
        name: "bank",
        functions: "transfer, read → {ACCOUNT BALANCE …}",
        promise: "keeps the accounts' total and none overdrawn",
        by_key: true,
        judge: |operations| bank::judge(operations, Overdraft::Forbidden),
    },
    Row {
        invariant: Invariant::BankNegative,
        name: "bank-neg",
        functions: "transfer, read → {ACCOUNT BALANCE …}",
        promise: "keeps the accounts' total",
        by_key: true,
        judge: |operations| bank::judge(operations, Overdraft::Allowed),
    },
    Row {
        invariant: Invariant::SetFinal,
        name: "set-final",
        functions: "add V, read → [V …]",
        promise: "has at the end what was added, and nothing else",
        by_key: true,
        judge: set::judge,
    },
    Row {
        invariant: Invariant::SetFull,
        name: "set-full",
        functions: "add V, read → [V …]",
        promise: "loses no element that was added",
        by_key: true,
        judge: |operations| set_full::judge(operations, Visible::Eventually),
    },
    Row {
        invariant: Invariant::SetFullLinearizable,
        name: "set-full-linearizable",
        functions: "add V, read → [V …]",
        promise: "shows each element from the moment it is added",
        by_key: true,
        judge: |operations| set_full::judge(operations, Visible::AtOnce),
    },
    Row {
        invariant: Invariant::CounterBounds,
        name: "counter-bounds",
        functions: "add N, increment, decrement, read → N",
        promise: "keeps the counter within its bounds",
        by_key: true,
        judge: counter::judge,
    },
    Row {
        invariant: Invariant::UnorderedQueue,
        name: "unordered-queue",
        functions: "enqueue V, dequeue → V, drain → [V …]",
        promise: "dequeues only what was enqueued, and once",
        by_key: true,
        judge: queue::judge,
    },
    Row {
        invariant: Invariant::TotalQueue,
        name: "total-queue",
        functions: "enqueue V, dequeue → V, drain → [V …]",
        promise: "gives out all that was enqueued",
        by_key: true,
        judge: total_queue::judge,
    },
    Row {
        invariant: Invariant::UniqueIds,
        name: "unique-ids",
        functions: "generate → ID",
        promise: "gives no identifier twice",
        by_key: false,
        judge: unique_ids::judge,
    },
    Row {
        invariant: Invariant::LongFork,
        name: "long-fork",
        functions: "write [[w K V]], read → [[r K V] …]; also as txn",
        promise: "has no long fork",
        by_key: false,
        judge: long_fork::judge,
    },
    Row {
        invariant: Invariant::Causal,
        name: "causal",
        functions: "write V, read → V, read-init → V",
        promise: "returns nothing that was overwritten in its causal past",
        by_key: false,
        judge: causal::judge,
    },
    Row {
        invariant: Invariant::CausalReverse,
        name: "causal-reverse",
        functions: "write V, read → [V …]",
        promise: "shows no write before one that was done when it began",
        by_key: true,
        judge: causal_reverse::judge,
    },
    Row {
        invariant: Invariant::Sequential,
        name: "sequential",
        functions: "write K, read K → [K [V …]]",
        promise: "shows each client's writes in their order",
        by_key: false,
        judge: sequential::judge,
    },
    Row {
        invariant: Invariant::G2,
        name: "g2",
        functions: "insert [K [A B]]",
        promise: "has no write skew by predicates",
        by_key: false,
        judge: g2::judge,
    },
    Row {
        invariant: Invariant::Monotonic,
        name: "monotonic",
        functions: "add → {val N, sts N}, read → [{val N, sts N} …]",
        promise: "lets values grow with their timestamps",
        by_key: true,
        judge: monotonic::judge,
    },
    Row {
        invariant: Invariant::Configurations,
        name: "configurations",
        functions: "join {groups {ID [SERVER …] …}}, leave {groups [ID …]}, move {shard N, group ID}, query {num N} → \
                    {num N, shards [ID …], groups {…}}",
        promise: "makes one balanced configuration after the other",
        by_key: false,
        judge: configurations::judge,
    },
];

impl Invariant {
    /// All of them.
    pub const ALL: [Self; TABLE.len()] = {
        let (mut all, mut at) = ([Self::Bank; TABLE.len()], 0);
        while at < all.len() {
            all[at] = TABLE[at].invariant;
            // A row is found by the place of its invariant.
            assert!(all[at] as usize == at);
            at += 1;
        }
        all
    };

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The checker of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|invariant| invariant.name() == name)
    }

    /// The functions it knows, with their values.
    #[must_use]
    pub fn functions(self) -> &'static str {
        self.row().functions
    }

    /// What holds if the check is valid, after "the history": one clause.
    #[must_use]
    pub fn promise(self) -> &'static str {
        self.row().promise
    }

    /// Checks a history; its operations may come in any order. Where reads name a key by a pair `[key value]`, as Jepsen's
    /// independent tests record them, each key is an object of its own.
    #[must_use]
    pub fn check(self, operations: &[Operation]) -> CheckResult {
        if operations.is_sorted_by_key(|operation| operation.call) {
            return self.check_sorted(operations);
        }
        let mut operations = operations.to_vec();
        operations.sort_by_key(|operation| operation.call);
        self.check_sorted(&operations)
    }

    /// The judges expect the operations in the order of their invocations.
    fn check_sorted(self, operations: &[Operation]) -> CheckResult {
        let row = self.row();
        let judge = |part: &[Operation]| (row.judge)(part).unwrap_or_else(Judgement::inconclusive);
        let judgement = if row.by_key { keys::judge(operations, judge) } else { judge(operations) };
        CheckResult { checker: self.name().to_owned(), ..judgement.result }
    }
}

//! Single-decree Paxos: many proposers, one value ("Paxos Made Simple" §2, Lamport 2001), and a store made of it.
//!
//! ```text
//! ballot     unique numbers            acceptor  promises and votes, and what must be durable
//! proposer   which value may be proposed, when it is chosen
//! registers  a store: one register a key, every node a proposer
//! ```
//!
//! Multi-Paxos is this once for each slot of a log, with one promise for all of them.
//!
//! # A register from one decree
//!
//! A decree, once chosen, never changes. A *register* changes, and needs no log for it (Rystsov, "CASPaxos: Replicated
//! State Machines without logs", 2018): in phase 2 a proposer may propose `f(v)` instead of the value `v` that phase 1
//! bound it to, where `f` is what a client asks for. As a later proposer is bound to whatever may have been chosen, each
//! value that is chosen follows from the one chosen before it: their sequence is the history of the register. One
//! decree is the case in which `f(v) = v`.
//!
//! Every operation, a read too, takes both phases at whichever node was asked. There is no leader to be elected or lost,
//! and duelling proposers of one register cost time: after a refusal one waits at random (§2.4).

pub mod acceptor;
pub mod ballot;
pub mod message;
pub mod proposer;
pub mod registers;

pub use acceptor::{Acceptor, Promise, Refused, Vote};
pub use ballot::Ballot;
pub use proposer::{Choice, Proposer, higher};
pub use registers::{Config, Registers};

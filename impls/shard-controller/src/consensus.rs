//! Which protocol replicates: `--consensus NAME`.

use std::process::ExitCode;

use contract::{Answer, Launch, Request};
use multi_paxos::Paxos;
use node::{Application, Protocol, Replicates};
use raft::Raft;
use viewstamped::Replica;

/// A protocol of the ladder that carries any application.
pub trait Carrier: 'static {
    /// A node that replicates `A`.
    type Node<A: Application<Command = Request, Output = Answer>>: Replicates<Application = A>;

    /// Whether any number of nodes may be killed at once: what they promised is on their disks.
    const SURVIVES_CRASHES: bool = true;

    /// A node that comes up with what its earlier lives persisted.
    ///
    /// # Errors
    /// The records cannot be understood: the node has forgotten its promises and must not take part.
    fn node<A: Application<Command = Request, Output = Answer>>(
        launch: &Launch,
        application: A,
        records: Vec<<Self::Node<A> as Protocol>::Record>,
    ) -> Result<Self::Node<A>, String>;
}

/// Multi-Paxos.
pub struct OnPaxos;

impl Carrier for OnPaxos {
    type Node<A: Application<Command = Request, Output = Answer>> = Paxos<A>;

    fn node<A: Application<Command = Request, Output = Answer>>(
        launch: &Launch,
        application: A,
        records: Vec<multi_paxos::message::Record>,
    ) -> Result<Paxos<A>, String> {
        Paxos::new(launch.into(), application, records)
    }
}

/// Raft.
pub struct OnRaft;

impl Carrier for OnRaft {
    type Node<A: Application<Command = Request, Output = Answer>> = Raft<A>;

    fn node<A: Application<Command = Request, Output = Answer>>(
        launch: &Launch,
        application: A,
        records: Vec<raft::Record>,
    ) -> Result<Raft<A>, String> {
        Raft::new(launch.into(), application, records)
    }
}

/// Viewstamped Replication.
pub struct OnViewstamped;

impl Carrier for OnViewstamped {
    type Node<A: Application<Command = Request, Output = Answer>> = Replica<A>;

    /// No more than a minority may be away at once.
    const SURVIVES_CRASHES: bool = false;

    fn node<A: Application<Command = Request, Output = Answer>>(
        launch: &Launch,
        application: A,
        records: Vec<viewstamped::message::Record>,
    ) -> Result<Replica<A>, String> {
        Ok(Replica::new(launch.into(), application, records))
    }
}

/// A program whose nodes any protocol of the ladder may replicate.
pub trait Program {
    /// Runs a node on this protocol, with these flags.
    fn run<C: Carrier>(flags: &[String]) -> ExitCode;
}

/// The `main` of such a program: takes `--consensus` out of the process's arguments, and runs a node. The exit code is 2 where its value
/// is none.
#[must_use]
pub fn main_of<P: Program>() -> ExitCode {
    let mut flags: Vec<String> = std::env::args().skip(1).collect();
    match Consensus::take_from(&mut flags) {
        Ok(Consensus::Paxos) => P::run::<OnPaxos>(&flags),
        Ok(Consensus::Raft) => P::run::<OnRaft>(&flags),
        Ok(Consensus::Viewstamped) => P::run::<OnViewstamped>(&flags),
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

/// A replication protocol of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consensus {
    /// Multi-Paxos.
    Paxos,
    /// Raft.
    Raft,
    /// Viewstamped Replication.
    Viewstamped,
}

/// The flag.
const FLAG: &str = "--consensus";

impl Consensus {
    /// By the names that the flag takes.
    const ALL: [(&str, Self); 3] =
        [("paxos", Self::Paxos), ("raft", Self::Raft), ("viewstamped", Self::Viewstamped)];

    /// Takes the flag and its value out of the arguments: Raft, where it is not there.
    ///
    /// # Errors
    /// A value that is missing or unknown, with those there are.
    pub fn take_from(arguments: &mut Vec<String>) -> Result<Self, String> {
        let Some(at) = arguments.iter().position(|argument| argument == FLAG) else {
            return Ok(Self::Raft);
        };
        let names = Self::ALL.map(|(name, _)| name).join(", ");
        if at + 1 >= arguments.len() {
            return Err(format!("{FLAG}: its value is missing; there are {names}"));
        }
        let value = arguments.drain(at..at + 2).next_back().unwrap_or_default();
        let known = Self::ALL.iter().find(|(name, _)| *name == value);
        known
            .map(|(_, consensus)| *consensus)
            .ok_or_else(|| format!("{FLAG} {value}: there are {names}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> (Result<Consensus, String>, Vec<String>) {
        let mut arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        (Consensus::take_from(&mut arguments), arguments)
    }

    #[test]
    fn the_flag_is_taken_and_the_rest_is_left() {
        let rest = vec!["--DS_NODE".to_owned(), "n1".to_owned()];
        assert_eq!(taken("--DS_NODE n1"), (Ok(Consensus::Raft), rest.clone()));
        for (name, consensus) in Consensus::ALL {
            assert_eq!(
                taken(&format!("--consensus {name} --DS_NODE n1")),
                (Ok(consensus), rest.clone())
            );
        }
    }

    #[test]
    fn a_wrong_value_is_told_which_there_are() {
        for line in ["--consensus", "--consensus zab"] {
            let error = taken(line).0.unwrap_err();
            assert!(error.contains("paxos, raft, viewstamped"), "{error}");
        }
    }
}

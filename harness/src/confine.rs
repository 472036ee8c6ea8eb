//! Whether nodes are kept to worlds of their own.

use clap::ValueEnum;

use crate::exit::Failure;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Confine {
    /// As strongly as this machine lets
    #[default]
    Auto,
    /// A network, processes and files of its own for each node, or the run fails
    Namespaces,
    /// Not at all: nodes see and reach whatever this user does
    None,
}

/// What nodes are kept to in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confined {
    /// Worlds of their own.
    Namespaces,
    /// Nothing, and why.
    No(String),
}

/// What can be bypassed where nodes are not confined.
pub const MEANS: &str = "nothing keeps a node from going around the links to another one, from sharing files or memory with it, \
                         or from changing the record";

impl Confine {
    /// The word for it on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Namespaces => "namespaces",
            Self::None => "none",
        }
    }

    /// What becomes of it on this machine, where it is tried.
    ///
    /// # Errors
    /// Namespaces were asked for, and this machine does not let nodes have any.
    pub async fn decide(self) -> Result<Confined, Failure> {
        if self == Self::None {
            return Ok(Confined::No("nobody wanted it: --confine none".to_owned()));
        }
        match cluster::try_confinement(&cluster::shim::this_executable()?).await {
            Ok(()) => Ok(Confined::Namespaces),
            Err(why) if self == Self::Auto => Ok(Confined::No(why)),
            Err(why) => Err(Failure::Failed(format!(
                "nodes cannot be confined: {why}. Without --confine namespaces the run goes on, and its verdict says what nodes \
                 could have done"
            ))),
        }
    }
}

impl Confined {
    /// The word for it in the record.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::No(_) => "none",
        }
    }

    /// What a person should know beside the verdict.
    #[must_use]
    pub fn lack(&self) -> Option<String> {
        match self {
            Self::Namespaces => None,
            Self::No(why) => Some(format!("a world of its own for each node ({why}): {MEANS}")),
        }
    }
}

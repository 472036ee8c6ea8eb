//! `submission.toml`: how to build and run an implementation.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The manifest's file name, at the root of the implementation's folder.
pub const FILE_NAME: &str = "submission.toml";

/// What an implementation says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The implementation's name, for reports.
    pub name: String,
    /// Run once, in the folder, before the first node starts; empty where there is nothing to build.
    #[serde(default)]
    pub build: Vec<String>,
    /// The command of one node; no shell. A program with a `/` in it is relative to the folder.
    pub run: Vec<String>,
    /// The rungs of the ladder it serves.
    pub serves: Vec<Rung>,
    /// How peers talk to each other.
    #[serde(default)]
    pub peer: Peer,
    /// The optional parts of the contract it speaks.
    #[serde(default)]
    pub caps: Vec<Capability>,
}

/// A rung of the course ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// MIT lab 1.
    Mapreduce,
    /// At most once under lost replies and duplicates.
    ExactlyOnceKv,
    /// Views with acknowledgement.
    ViewService,
    /// Fail-over with state transfer.
    PrimaryBackup,
    /// Viewstamped Replication, Paxos, Multi-Paxos, Raft.
    ReplicatedKv,
    /// The configuration rules of a shard controller.
    ShardController,
    /// Linearizable through join, leave and move.
    ShardedKv,
    /// Strict serializable transactions over groups.
    ShardedTxn,
}

/// How peers talk: with `tcp` only byte-level faults apply, and the report says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// HTTP/1.1; one request is one message.
    #[default]
    Http,
    /// Anything else over TCP.
    Tcp,
}

/// An optional part of the contract. `get` and `put` are never optional.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// The operation `append`.
    Append,
    /// The operation `puthash`.
    PutHash,
    /// The operation `cas`.
    Cas,
    /// The operations `multiget`, `multiput` and `swap`.
    Multi,
    /// The operation `txn`.
    Txn,
    /// A killed node may be started again on its data folder.
    Restart,
    /// `GET /v1/status` and `GET /v1/log`.
    Introspect,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a manifest; the message points at the line.
    #[error("{path} is not a valid manifest:\n{message}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        message: String,
    },
}

impl Manifest {
    /// Reads `submission.toml` in `folder`.
    ///
    /// # Errors
    /// A missing file, an unknown key (named, with its line) or a value that does not fit.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(FILE_NAME);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ManifestError::Unreadable { path: path.clone(), source })?;
        Self::parse(&text).map_err(|message| ManifestError::Invalid { path, message })
    }

    /// Reads a manifest from its text.
    ///
    /// # Errors
    /// What is wrong, and on which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if manifest.run.first().is_none_or(String::is_empty) {
            return Err("`run` is empty: it must name the program of one node".to_owned());
        }
        if manifest.serves.is_empty() {
            return Err(
                "`serves` is empty: name at least one rung, such as \"replicated-kv\"".to_owned()
            );
        }
        Ok(manifest)
    }

    /// Whether the implementation claims `capability`.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.caps.contains(&capability)
    }
}

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

/// One row of the registry of manifest keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyEntry {
    /// The key.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// An example value, as TOML.
    pub example: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// Every key of the manifest.
pub const KEYS: [KeyEntry; 6] = [
    key("name", true, "\"multi-paxos\"", "The implementation's name, for reports."),
    key(
        "build",
        false,
        "[\"cargo\", \"build\", \"--release\"]",
        "A command run once, in the folder, before the first node starts.",
    ),
    key(
        "run",
        true,
        "[\"target/release/multi-paxos\"]",
        "The command of one node, no shell; a program with a `/` in it is relative to the folder.",
    ),
    key("serves", true, "[\"replicated-kv\"]", "The rungs of the ladder it serves, at least one."),
    key(
        "peer",
        false,
        "\"http\"",
        "How peers talk: `http` (the default), or `tcp`: then only byte-level faults apply, and the report says so.",
    ),
    key(
        "caps",
        false,
        "[\"append\", \"cas\", \"restart\"]",
        "The optional parts of the contract it speaks; none by default.",
    ),
];

const fn key(
    name: &'static str,
    required: bool,
    example: &'static str,
    meaning: &'static str,
) -> KeyEntry {
    KeyEntry { name, required, example, meaning }
}

/// One row of the registry of rungs.
#[derive(Clone, Copy, Debug)]
pub struct RungEntry {
    /// The rung.
    pub rung: Rung,
    /// Its name in a manifest.
    pub name: &'static str,
    /// Where it comes from.
    pub course: &'static str,
    /// What must hold, in one sentence.
    pub meaning: &'static str,
}

/// Every rung of the ladder, from the bottom.
pub const RUNGS: [RungEntry; 8] = [
    rung(
        Rung::Mapreduce,
        "mapreduce",
        "MIT 6.5840 lab 1",
        "The output equals that of a sequential run, though workers may die.",
    ),
    rung(
        Rung::ExactlyOnceKv,
        "exactly-once-kv",
        "DSLabs lab 1, MIT kvsrv",
        "Each operation happens at most once under lost replies and duplicates, in bounded memory.",
    ),
    rung(
        Rung::ViewService,
        "view-service",
        "DSLabs lab 2",
        "The view does not change before its primary has acknowledged it.",
    ),
    rung(
        Rung::PrimaryBackup,
        "primary-backup",
        "DSLabs lab 2, Columbia's primary/backup lab",
        "Linearizable through fail-over, with a complete transfer of state.",
    ),
    rung(
        Rung::ReplicatedKv,
        "replicated-kv",
        "Viewstamped Replication, Paxos, Multi-Paxos, Raft",
        "Linearizable; progress in the majority and none in the minority; durable through restarts; the log compacts.",
    ),
    rung(
        Rung::ShardController,
        "shard-controller",
        "DSLabs ShardMaster, MIT shardctrler",
        "Configurations follow one another linearizably, balanced, moving the fewest shards.",
    ),
    rung(
        Rung::ShardedKv,
        "sharded-kv",
        "MIT shardkv, DSLabs ShardStore",
        "Linearizable through join, leave and move; shards that do not move keep being served; moved data is deleted.",
    ),
    rung(
        Rung::ShardedTxn,
        "sharded-txn",
        "DSLabs lab 4, part 3",
        "Strictly serializable multiget, multiput, swap and txn over groups, through crashes and migration.",
    ),
];

const fn rung(
    rung: Rung,
    name: &'static str,
    course: &'static str,
    meaning: &'static str,
) -> RungEntry {
    RungEntry { rung, name, course, meaning }
}

/// One row of the registry of capabilities.
#[derive(Clone, Copy, Debug)]
pub struct CapabilityEntry {
    /// The capability.
    pub capability: Capability,
    /// Its name in a manifest.
    pub name: &'static str,
    /// What it promises, in one sentence.
    pub meaning: &'static str,
}

/// Every optional part of the contract.
pub const CAPABILITIES: [CapabilityEntry; 7] = [
    capability(Capability::Append, "append", "Serves the operation `append`."),
    capability(Capability::PutHash, "puthash", "Serves the operation `puthash`."),
    capability(Capability::Cas, "cas", "Serves the operation `cas`."),
    capability(
        Capability::Multi,
        "multi",
        "Serves the operations `multiget`, `multiput` and `swap`.",
    ),
    capability(Capability::Txn, "txn", "Serves the operation `txn`."),
    capability(
        Capability::Restart,
        "restart",
        "A node that was killed may be started again on its data folder, with all it had acknowledged.",
    ),
    capability(Capability::Introspect, "introspect", "Answers `GET /v1/status` and `GET /v1/log`."),
];

const fn capability(
    capability: Capability,
    name: &'static str,
    meaning: &'static str,
) -> CapabilityEntry {
    CapabilityEntry { capability, name, meaning }
}

impl Capability {
    /// The capability's row in the registry.
    #[must_use]
    pub fn entry(self) -> &'static CapabilityEntry {
        &CAPABILITIES[self as usize]
    }

    /// Its name in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }
}

impl Rung {
    /// The rung's row in the registry.
    #[must_use]
    pub fn entry(self) -> &'static RungEntry {
        &RUNGS[self as usize]
    }

    /// Its name in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
name = "multi-paxos"
build = ["cargo", "build"]
run = ["target/release/multi-paxos"]
serves = ["replicated-kv"]
peer = "tcp"
caps = ["append", "txn"]
"#;

    /// Where the variant stands in the enum; fails to compile when the enum grows without its registry.
    fn rung_number(rung: Rung) -> usize {
        match rung {
            Rung::Mapreduce
            | Rung::ExactlyOnceKv
            | Rung::ViewService
            | Rung::PrimaryBackup
            | Rung::ReplicatedKv
            | Rung::ShardController
            | Rung::ShardedKv
            | Rung::ShardedTxn => rung as usize,
        }
    }

    fn capability_number(capability: Capability) -> usize {
        match capability {
            Capability::Append
            | Capability::PutHash
            | Capability::Cas
            | Capability::Multi
            | Capability::Txn
            | Capability::Restart
            | Capability::Introspect => capability as usize,
        }
    }

    #[test]
    fn registries_are_indexed_by_variant_and_named_as_serde_names_them() {
        for (at, entry) in RUNGS.iter().enumerate() {
            assert_eq!(rung_number(entry.rung), at);
            assert_eq!(serde_json::to_value(entry.rung).unwrap(), entry.rung.name());
        }
        for (at, entry) in CAPABILITIES.iter().enumerate() {
            assert_eq!(capability_number(entry.capability), at);
            assert_eq!(serde_json::to_value(entry.capability).unwrap(), entry.capability.name());
        }
    }

    #[test]
    fn the_registry_of_keys_is_the_manifest() {
        let lines: Vec<String> =
            KEYS.iter().map(|entry| format!("{} = {}", entry.name, entry.example)).collect();
        let manifest = Manifest::parse(&lines.join("\n")).unwrap();
        let fields = serde_json::to_value(&manifest).unwrap();
        let known: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let mut declared: Vec<&str> = KEYS.iter().map(|entry| entry.name).collect();
        declared.sort_unstable();
        assert_eq!(known, declared);
        for (at, entry) in KEYS.iter().enumerate() {
            let mut without = lines.clone();
            without.remove(at);
            let read = Manifest::parse(&without.join("\n"));
            assert_eq!(read.is_err(), entry.required, "without {}", entry.name);
        }
    }

    #[test]
    fn a_manifest_is_read() {
        let manifest = Manifest::parse(GOOD).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.peer), ("multi-paxos", Peer::Tcp));
        assert!(manifest.can(Capability::Txn) && !manifest.can(Capability::Restart));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = Manifest::parse(&GOOD.replace("peer =", "pear =")).unwrap_err();
        assert!(error.contains("pear") && error.contains("line 6"), "{error}");
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_with_its_line() {
        for (good, bad, line, word) in [
            ("name = \"multi-paxos\"", "name = 7", "line 2", "string"),
            ("run = [\"target/release/multi-paxos\"]", "run = \"x\"", "line 4", "sequence"),
            ("replicated-kv", "replicated", "line 5", "replicated-kv"),
            ("\"tcp\"", "\"udp\"", "line 6", "http"),
            ("\"txn\"", "\"txm\"", "line 7", "txn"),
        ] {
            let error = Manifest::parse(&GOOD.replace(good, bad)).unwrap_err();
            assert!(error.contains(line) && error.contains(word), "{bad}: {error}");
        }
    }

    #[test]
    fn a_manifest_without_a_program_or_a_rung_is_refused() {
        let run = "run = [\"target/release/multi-paxos\"]";
        for empty in ["run = []", "run = [\"\"]"] {
            let error = Manifest::parse(&GOOD.replace(run, empty)).unwrap_err();
            assert!(error.contains("`run`"), "{error}");
        }
        let error = Manifest::parse(&GOOD.replace("\"replicated-kv\"", "")).unwrap_err();
        assert!(error.contains("`serves`"), "{error}");
    }

    #[test]
    fn a_folder_without_a_manifest_and_a_broken_one_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Manifest::read(folder.path()).unwrap_err();
        assert!(matches!(missing, ManifestError::Unreadable { .. }));
        assert!(missing.to_string().contains(FILE_NAME), "{missing}");
        std::fs::write(folder.path().join(FILE_NAME), "name = ").unwrap();
        let broken = Manifest::read(folder.path()).unwrap_err();
        assert!(matches!(broken, ManifestError::Invalid { .. }));
        assert!(broken.to_string().contains(FILE_NAME), "{broken}");
        std::fs::write(folder.path().join(FILE_NAME), GOOD).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), Manifest::parse(GOOD).unwrap());
    }
}

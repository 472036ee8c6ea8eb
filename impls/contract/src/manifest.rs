//! `submission.toml`: how to build and run an implementation.

mod capability;
mod keys;
mod rung;
mod timeouts;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use plain_file::PlainFileError;
use serde::{Deserialize, Serialize};

pub use capability::{CAPABILITIES, Capability, CapabilityEntry};
pub use keys::{KEYS, KeyEntry};
pub use rung::{RUNGS, Rung, RungEntry};
pub use timeouts::{TIMEOUTS, TimeoutEntry, Timeouts};

use crate::peer::Peer;

/// The manifest's file name, at the root of the implementation's folder.
pub const FILE_NAME: &str = "submission.toml";

/// More nodes are not started on one machine.
const NODES_MAX: u32 = 15;

/// A larger manifest is damaged.
const BYTES_MAX: u64 = 1 << 20;

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
    /// Variables of a node, besides those of the launch.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The ports that every node listens on at its own address, the one for clients first; empty: one, which the bench
    /// chooses.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// The program that speaks the contract for a node that does not; `None`: the node does.
    #[serde(default)]
    pub client: Option<ClientProgram>,
    /// How many nodes there are, unless a run says otherwise; `None`: as many as its rungs have.
    #[serde(default)]
    pub nodes: Option<u32>,
    /// The rungs of the ladder it serves.
    pub serves: Vec<Rung>,
    /// How peers talk to each other.
    #[serde(default)]
    pub peer: Peer,
    /// The optional parts of the contract it speaks.
    #[serde(default)]
    pub caps: Vec<Capability>,
    /// The consistency level that it promises, for the bench to check; `None`: the strongest. Which there are is not
    /// for the contract to know.
    #[serde(default)]
    pub promises: Option<String>,
    /// How long the bench waits for it.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// A program that stands between the clients and a node: one runs beside each, outside of what is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientProgram {
    /// Its command, as the `run` of the manifest.
    pub run: Vec<String>,
    /// Its variables, besides those that say where everything is.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read, or is none.
    #[error("the manifest {0}")]
    Unreadable(#[from] PlainFileError),
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
    /// Reads `submission.toml` in `folder`: a regular file, not a link to one.
    ///
    /// # Errors
    /// A missing file, an unknown key (named, with its line) or a value that does not fit.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(FILE_NAME);
        let bytes = plain_file::read(&path, BYTES_MAX)?;
        let text = String::from_utf8(bytes).map_err(|error| error.to_string());
        let manifest = text.and_then(|text| Self::parse(&text));
        manifest.map_err(|message| ManifestError::Invalid { path, message })
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
        for (key, command) in [("build", &manifest.build), ("run", &manifest.run)] {
            is_a_command(key, command)?;
        }
        are_variables("environment", &manifest.environment)?;
        manifest.has_places()?;
        if manifest.serves.is_empty() {
            return Err(
                "`serves` is empty: name at least one rung, such as \"replicated-kv\"".to_owned()
            );
        }
        if manifest.is_sharded() && manifest.can(Capability::Configurations) {
            return Err("`caps` lists \"configurations\", which is for a shard controller alone: the controllers of a \
                        sharded store need not claim it, and a shard controller has a manifest of its own"
                .to_owned());
        }
        if manifest.can(Capability::Rebalance) && !manifest.is_sharded() {
            return Err(
                "`caps` lists \"rebalance\", which is for a sharded store alone: leave it out"
                    .to_owned(),
            );
        }
        manifest.promises_what_it_serves()?;
        manifest.timeouts.check()?;
        Ok(manifest)
    }

    /// Its nodes are neither none nor too many, and a program for clients can be told where they listen.
    fn has_places(&self) -> Result<(), String> {
        if self.nodes.is_some_and(|nodes| !(1..=NODES_MAX).contains(&nodes)) {
            return Err(format!("`nodes` must be a number from 1 to {NODES_MAX}"));
        }
        let mut ports = self.ports.clone();
        ports.sort_unstable();
        if ports.first() == Some(&0) || ports.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("`ports` must be different numbers from 1 to 65535".to_owned());
        }
        let Some(client) = &self.client else { return Ok(()) };
        if client.run.first().is_none_or(String::is_empty) {
            return Err("`client.run` is empty: it must name a program".to_owned());
        }
        is_a_command("client.run", &client.run)?;
        are_variables("client.environment", &client.environment)?;
        if ports.is_empty() {
            return Err("`client` needs `ports`: say where a node listens, such as ports = [5432]"
                .to_owned());
        }
        Ok(())
    }

    /// A rung may promise a capability; the manifest must say so, too.
    fn promises_what_it_serves(&self) -> Result<(), String> {
        for rung in &self.serves {
            let Some(needed) = rung.entry().needs.filter(|needed| !self.can(*needed)) else {
                continue;
            };
            return Err(format!(
                "`serves` lists \"{}\", whose promise includes the capability \"{}\": add it to `caps`, or serve \
                 another rung",
                rung.name(),
                needed.name()
            ));
        }
        Ok(())
    }

    /// Whether it is a sharded store: replica groups, and shard controllers beside them.
    #[must_use]
    pub fn is_sharded(&self) -> bool {
        self.serves.iter().any(|rung| matches!(rung, Rung::ShardedKv | Rung::ShardedTxn))
    }

    /// Whether clients may ask for what needs this; the controllers of a sharded store are asked for configurations.
    #[must_use]
    pub fn may_be_asked(&self, capability: Option<Capability>) -> bool {
        capability.is_none_or(|needed| {
            self.can(needed) || (needed == Capability::Configurations && self.is_sharded())
        })
    }

    /// Whether the implementation claims `capability`.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.caps.contains(&capability)
    }
}

fn is_a_command(key: &str, command: &[String]) -> Result<(), String> {
    if command.iter().any(|word| word.contains('\0')) {
        return Err(format!("`{key}` has a NUL character in it, which no command can have"));
    }
    Ok(())
}

/// Those of the launch are the bench's.
fn are_variables(key: &str, variables: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in variables {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!("`{key}` has {name:?} in it, which is no variable"));
        }
        if name.starts_with("DS_") {
            return Err(format!("`{key}` sets {name}, which is for the bench to set"));
        }
    }
    Ok(())
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
    fn a_rung_that_promises_a_capability_demands_it() {
        let serves = GOOD.replace("replicated-kv", "exactly-once-kv");
        let error = Manifest::parse(&serves).unwrap_err();
        assert!(error.contains("\"exactly-once\": add it to `caps`"), "{error}");
        let promised = serves.replace("\"txn\"", "\"exactly-once\"");
        assert!(Manifest::parse(&promised).unwrap().can(Capability::ExactlyOnce));
    }

    #[test]
    fn a_sharded_store_is_no_shard_controller() {
        let serves = GOOD.replace("replicated-kv", "sharded-kv");
        assert!(Manifest::parse(&serves).unwrap().is_sharded());
        let both = serves.replace("\"txn\"", "\"configurations\"");
        assert!(Manifest::parse(&both).unwrap_err().contains("a manifest of its own"));
    }

    #[test]
    fn only_a_sharded_store_moves_shards_by_itself() {
        let moves = GOOD.replace("\"txn\"", "\"rebalance\"");
        assert!(Manifest::parse(&moves).unwrap_err().contains("for a sharded store alone"));
        let sharded = moves.replace("replicated-kv", "sharded-kv");
        assert!(Manifest::parse(&sharded).unwrap().can(Capability::Rebalance));
    }

    #[test]
    fn what_speaks_for_a_node_needs_ports_and_leaves_the_launch_alone() {
        let client = "[client]\nrun = [\"adapter\"]\n";
        assert!(Manifest::parse(&format!("{GOOD}{client}")).unwrap_err().contains("`ports`"));
        let good = format!("{GOOD}ports = [2379, 2380]\n{client}");
        assert_eq!(Manifest::parse(&good).unwrap().client.unwrap().run, ["adapter"]);
        for (part, bad, word) in [
            ("2379, 2380", "2379, 2379", "different numbers"),
            ("2379, 2380", "0", "from 1"),
            ("ports", "nodes = 16\nports", "1 to 15"),
            ("[\"adapter\"]", "[]", "`client.run` is empty"),
            (
                "[\"adapter\"]",
                "[\"adapter\"]\nenvironment = { DS_LISTEN = \"x\" }",
                "for the bench to set",
            ),
            ("[\"adapter\"]", "[\"adapter\"]\nenvironment = { \"A=B\" = \"x\" }", "no variable"),
        ] {
            let error = Manifest::parse(&good.replace(part, bad)).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn timeouts_are_a_table_of_their_own() {
        let slow = Manifest::parse(&format!("{GOOD}[timeouts]\noperation_ms = 4000\n")).unwrap();
        assert_eq!((slow.timeouts.operation_ms, slow.timeouts.attempt_ms), (4000, 500));
        let error = Manifest::parse(&format!("{GOOD}[timeouts]\nattempt_ms = 0\n")).unwrap_err();
        assert!(error.contains("`timeouts.attempt_ms` is 0"), "{error}");
        let error = Manifest::parse(&format!("{GOOD}[timeouts]\nattempt = 9\n")).unwrap_err();
        assert!(error.contains("line 9") && error.contains("attempt_ms"), "{error}");
    }

    #[test]
    fn a_command_with_a_nul_character_is_refused() {
        for (key, good) in [("build", "\"cargo\""), ("run", "release/multi-paxos\"")] {
            let bad = good.replacen('r', "\\u0000", 1);
            let error = Manifest::parse(&GOOD.replace(good, &bad)).unwrap_err();
            assert!(error.contains(&format!("`{key}`")) && error.contains("NUL"), "{error}");
        }
    }

    /// A manifest once was read whatever it was: a link to a secret was quoted, a huge file took all memory.
    #[test]
    fn a_manifest_is_a_file_of_its_own_and_not_huge() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        std::fs::write(folder.path().join("secret"), "root:x:0").unwrap();
        std::os::unix::fs::symlink("secret", &path).unwrap();
        let refusal = || Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(refusal().contains("is a symbolic link") && !refusal().contains("root"));
        std::fs::remove_file(&path).unwrap();
        std::fs::File::create(&path).unwrap().set_len(BYTES_MAX + 1).unwrap();
        assert!(refusal().contains("at most 1048576 are read"), "{}", refusal());
        std::fs::write(&path, b"name = \"\xff\"").unwrap();
        assert!(refusal().contains("is not a valid manifest"), "{}", refusal());
    }

    #[test]
    fn a_folder_without_a_manifest_and_a_broken_one_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Manifest::read(folder.path()).unwrap_err();
        assert!(matches!(missing, ManifestError::Unreadable(PlainFileError::Missing(_))));
        assert!(missing.to_string().contains(FILE_NAME), "{missing}");
        std::fs::write(folder.path().join(FILE_NAME), "name = ").unwrap();
        let broken = Manifest::read(folder.path()).unwrap_err();
        assert!(matches!(broken, ManifestError::Invalid { .. }));
        assert!(broken.to_string().contains(FILE_NAME), "{broken}");
        std::fs::write(folder.path().join(FILE_NAME), GOOD).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), Manifest::parse(GOOD).unwrap());
    }
}

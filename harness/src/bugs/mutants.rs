//! Mutants: mistakes that nobody chose. `cargo mutants --list --json --diff` writes them; a fixed random sample of them
//! measures a bench without the bias of whoever plants bugs.

use std::path::{Path, PathBuf};

use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use serde::Deserialize;

use super::patch::Bug;

/// What each mutant runs under, in turn: together they use every operation of the contract.
const WORKLOADS: [&str; 3] = ["register", "bank", "multi"];
/// Decides the sample.
const SEED: u64 = 1;
/// A longer list is none of a project like this.
const BYTES_MAX: u64 = 100 << 20;

/// One mutant, as `cargo mutants` writes it; fields that nothing here needs are left out.
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    file: PathBuf,
    diff: String,
}

/// The mutants of a list, each as a planted bug, in a random order that is always the same. A mutant in a store is planted
/// there; one in what stores share, in one of the stores in turn.
///
/// # Errors
/// A file that is no such list, or one with mutants outside of `impls/`.
pub fn read(path: &Path, root: &Path) -> Result<Vec<Bug>, String> {
    let complain = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let bytes = plain_file::read(path, BYTES_MAX).map_err(|error| complain(&error))?;
    let mut listed: Vec<Listed> = serde_json::from_slice(&bytes).map_err(|error| {
        complain(&format!("this is no list of `cargo mutants --list --json --diff`: {error}"))
    })?;
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    listed.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    let folder = |listed: &Listed| folder(&listed.file);
    let is_store =
        |folder: &String| root.join("impls").join(folder).join("submission.toml").exists();
    let mut stores: Vec<String> = listed.iter().filter_map(folder).filter(is_store).collect();
    stores.sort();
    stores.dedup();
    let bug = |(number, mutant): (usize, &Listed)| {
        let own = folder(mutant)
            .ok_or_else(|| complain(&format!("`{}` is not under impls/", mutant.file.display())))?;
        let system = if stores.contains(&own) {
            own
        } else {
            let in_turn = stores.get(number % stores.len().max(1)).cloned();
            in_turn.ok_or_else(|| complain(&"none of these mutants is in a store"))?
        };
        let workload = WORKLOADS[number % WORKLOADS.len()];
        Ok(mutant.planted(&system, workload))
    };
    listed.iter().enumerate().map(bug).collect()
}

/// `raft` of `impls/raft/src/log.rs`.
fn folder(file: &Path) -> Option<String> {
    let mut parts = file.strip_prefix("impls").ok()?.iter();
    parts.next().map(|folder| folder.to_string_lossy().into_owned())
}

impl Listed {
    fn planted(&self, system: &str, workload: &str) -> Bug {
        let file = self.file.display();
        let name = self.name.trim_start_matches("impls/").replace(['\t', '\n'], " ");
        // Its own header says what it replaces, where a patch names the file.
        let hunks = self.diff.find("@@").map_or("", |begin| &self.diff[begin..]);
        let diff = format!("--- a/{file}\n+++ b/{file}\n{hunks}");
        Bug::in_one_file(system, &name, workload, (self.file.clone(), diff))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(files: &[&str]) -> String {
        let mutant = |file: &&str| {
            serde_json::json!({
                "name": format!("{file}:1:1: replace one with two"),
                "file": file,
                "diff": format!("--- {file}\n+++ replace one with two\n@@ -1 +1 @@\n-one\n+two\n"),
                "genre": "FnValue",
            })
        };
        serde_json::Value::from(files.iter().map(mutant).collect::<Vec<_>>()).to_string()
    }

    #[test]
    fn mutants_of_a_store_are_planted_there_and_those_of_a_library_in_one_store_after_the_other() {
        let root = tempfile::tempdir().unwrap();
        for store in ["one", "two"] {
            std::fs::create_dir_all(root.path().join("impls").join(store)).unwrap();
            std::fs::write(root.path().join("impls").join(store).join("submission.toml"), "")
                .unwrap();
        }
        let path = root.path().join("list.json");
        let shared: Vec<String> = (0..8).map(|n| format!("impls/kv/src/{n}.rs")).collect();
        let mut files: Vec<&str> = shared.iter().map(String::as_str).collect();
        files.extend(["impls/one/src/a.rs", "impls/two/src/b.rs"]);
        std::fs::write(&path, list(&files)).unwrap();
        let mutants = read(&path, root.path()).unwrap();
        assert_eq!(mutants.len(), 10);
        let has = |id: &str| mutants.iter().any(|mutant| mutant.id() == id);
        assert!(has("one/one/src/a.rs:1:1: replace one with two"), "{mutants:?}");
        assert!(has("two/two/src/b.rs:1:1: replace one with two"));
        for store in ["one", "two"] {
            let of_library =
                |mutant: &&Bug| mutant.system == store && mutant.name.starts_with("kv/");
            assert!(mutants.iter().any(|mutant| of_library(&mutant)), "{store}");
        }
        let patched = mutants[0].apply(|_| Ok("one\n".to_owned())).unwrap();
        assert_eq!(patched.into_values().next().as_deref(), Some("two\n"));
        let again = read(&path, root.path()).unwrap();
        assert_eq!(mutants, again, "a sample is fixed");
    }

    #[test]
    fn what_is_no_list_of_mutants_is_said_to_be_none() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("list.json");
        let error = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path, root.path()).unwrap_err()
        };
        assert!(error("{}").contains("cargo mutants --list --json --diff"));
        assert!(error(&list(&["checker/src/lib.rs"])).contains("checker/src/lib.rs"));
        assert!(error(&list(&["impls/kv/src/lib.rs"])).contains("none of these"));
    }
}

//! A planted bug: a unified diff whose header says what is wrong, which workload can see it, and perhaps among how many
//! nodes. It names no faults, times or seeds: all bugs are looked for in the same way.
//!
//! ```text
//! Story: What is wrong, and what it leads to. May go on over
//!   indented lines.
//! Workload: register
//! Nodes: 5
//!
//! --- a/impls/paxos/src/acceptor.rs
//! +++ b/impls/paxos/src/acceptor.rs
//! @@ …
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Where the patches are, relative to the root of a checkout: one folder a system.
pub const FOLDER: &str = "impls/bugs";
/// File systems take few more.
const FOLDER_LETTERS_MAX: usize = 100;

/// One planted bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The system it is planted in: a folder under `impls/`.
    pub system: String,
    /// Its name: the patch's file name.
    pub name: String,
    /// What is wrong, and what it leads to.
    pub story: String,
    /// The workload that can see it.
    pub workload: String,
    /// How many nodes it takes, where that is not the usual number.
    pub nodes: Option<u32>,
    /// One diff a file: the path from the root, and the diff's text.
    files: BTreeMap<PathBuf, String>,
}

impl Bug {
    /// The bug as the command line and tables name it: `paxos/reads-from-any-node`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.system, self.name)
    }

    /// The name as one of a folder.
    #[must_use]
    pub fn folder(&self) -> String {
        let plain = |letter: char| if letter.is_alphanumeric() { letter } else { '-' };
        self.name.chars().map(plain).take(FOLDER_LETTERS_MAX).collect()
    }

    /// Every bug under `root`, by system and name.
    ///
    /// # Errors
    /// A folder that cannot be read, or a patch whose header lacks something.
    pub fn all(root: &Path) -> Result<Vec<Self>, String> {
        let mut bugs = Vec::new();
        for system in entries(&root.join(FOLDER))?.into_iter().filter(|path| path.is_dir()) {
            for path in entries(&system)? {
                if path.extension().is_some_and(|extension| extension == "patch") {
                    let text = std::fs::read_to_string(&path)
                        .map_err(|error| format!("{}: {error}", path.display()))?;
                    let bug = Self::parse(&name_of(&system), &name_of(&path), &text);
                    bugs.push(bug.map_err(|error| format!("{}: {error}", path.display()))?);
                }
            }
        }
        Ok(bugs)
    }

    /// Reads a patch file.
    ///
    /// # Errors
    /// Says what its header lacks, or that it holds no diff.
    pub fn parse(system: &str, name: &str, text: &str) -> Result<Self, String> {
        let lines = text.split_inclusive('\n');
        let is_header = |line: &&str| !line.starts_with("--- a/") && !line.starts_with(GIT);
        let header: usize = lines.take_while(is_header).map(str::len).sum();
        let (header, diff) = text.split_at(header);
        let mut fields = fields(header);
        let mut need =
            |name: &str| fields.remove(name).ok_or_else(|| format!("the header lacks `{name}:`"));
        let (story, workload) = (need("Story")?, need("Workload")?);
        let nodes = fields.remove("Nodes").map(|nodes| nodes.parse()).transpose();
        let nodes = nodes.map_err(|error| format!("`Nodes:` is no number: {error}"))?;
        if let Some(unknown) = fields.keys().next() {
            return Err(format!("the header has an unknown `{unknown}:`"));
        }
        let files = split_files(diff)?;
        let (system, name) = (system.to_owned(), name.to_owned());
        Ok(Self { system, name, story, workload, nodes, files })
    }

    /// A bug in a single file; its name is its story.
    #[must_use]
    pub fn in_one_file(system: &str, name: &str, workload: &str, diff: (PathBuf, String)) -> Self {
        Self {
            system: system.to_owned(),
            name: name.to_owned(),
            story: name.to_owned(),
            workload: workload.to_owned(),
            nodes: None,
            files: [diff].into(),
        }
    }

    /// The patched text of every file the bug touches, given how to read the originals.
    ///
    /// # Errors
    /// A file that is not there, or a diff that no longer applies.
    pub fn apply(
        &self,
        read: impl Fn(&Path) -> Result<String, std::io::Error>,
    ) -> Result<BTreeMap<PathBuf, String>, String> {
        let patched = |(path, diff): (&PathBuf, &String)| {
            let complain = |error: &dyn std::fmt::Display| {
                format!(
                    "the planted bug {} no longer applies to {}: {error}",
                    self.id(),
                    path.display()
                )
            };
            let original = read(path).map_err(|error| complain(&error))?;
            let patch = diffy::Patch::from_str(diff).map_err(|error| complain(&error))?;
            let text = diffy::apply(&original, &patch).map_err(|error| complain(&error))?;
            Ok((path.clone(), text))
        };
        self.files.iter().map(patched).collect()
    }
}

/// What git writes before the diff of each file.
const GIT: &str = "diff --git ";

fn fields(header: &str) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut current = None;
    for line in header.lines() {
        let begins =
            line.split_once(':').filter(|(name, _)| !line.starts_with(' ') && !name.contains(' '));
        match (begins, &current) {
            (Some((name, value)), _) => {
                fields.insert(name.to_owned(), value.trim().to_owned());
                current = Some(name.to_owned());
            }
            (None, Some(name)) if !line.trim().is_empty() => {
                let value = fields.entry(name.clone()).or_default();
                value.push(' ');
                value.push_str(line.trim());
            }
            (None, _) => {}
        }
    }
    fields
}

fn split_files(diff: &str) -> Result<BTreeMap<PathBuf, String>, String> {
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut current: Option<PathBuf> = None;
    let lines: Vec<&str> = diff.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        let next_is_target = lines.get(number + 1).is_some_and(|next| next.starts_with("+++ b/"));
        if line.starts_with(GIT) {
            current = None;
        }
        if let Some(path) = line.strip_prefix("--- a/").filter(|_| next_is_target) {
            current = Some(PathBuf::from(path.trim()));
        }
        if let Some(path) = &current {
            let text = files.entry(path.clone()).or_default();
            text.push_str(line);
            text.push('\n');
        }
    }
    if files.is_empty() {
        Err("it holds no diff (`--- a/…`, `+++ b/…`)".to_owned())
    } else {
        Ok(files)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let complain = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(complain)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(complain)?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "Story: It forgets\n  everything.\nWorkload: register\nNodes: 5\n\n\
                         --- a/x/a.rs\n+++ b/x/a.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n";

    #[test]
    fn a_patch_tells_its_story_and_applies() {
        let bug = Bug::parse("paxos", "forgets", PATCH).unwrap();
        assert_eq!(
            (bug.story.as_str(), bug.workload.as_str(), bug.nodes),
            ("It forgets everything.", "register", Some(5))
        );
        let patched = bug.apply(|_| Ok("one\ntwo\n".to_owned())).unwrap();
        assert_eq!(patched[Path::new("x/a.rs")], "one\nzwei\n");
    }

    #[test]
    fn what_git_writes_before_each_file_may_stay() {
        let git = "diff --git a/x/a.rs b/x/a.rs\nindex 1..2 100644\n--- a/x/a.rs";
        let second = "diff --git a/b.rs b/b.rs\nindex 3..4 100644\n--- a/b.rs\n+++ b/b.rs\n@@ -1 +1 @@\n-one\n+eins\n";
        let text = format!("{}{second}", PATCH.replace("--- a/x/a.rs", git));
        let bug = Bug::parse("paxos", "forgets", &text).unwrap();
        assert_eq!(bug.nodes, Some(5));
        let patched = bug.apply(|path| {
            Ok(if path == Path::new("b.rs") { "one\n" } else { "one\ntwo\n" }.to_owned())
        });
        let patched = patched.unwrap();
        assert_eq!(patched[Path::new("x/a.rs")], "one\nzwei\n");
        assert_eq!(patched[Path::new("b.rs")], "eins\n");
    }

    #[test]
    fn a_patch_that_no_longer_applies_says_which_and_where() {
        let bug = Bug::parse("paxos", "forgets", PATCH).unwrap();
        let error = bug.apply(|_| Ok("one\nthree\n".to_owned())).unwrap_err();
        assert!(error.contains("paxos/forgets") && error.contains("x/a.rs"), "{error}");
    }

    #[test]
    fn a_header_that_lacks_something_says_what() {
        let error = Bug::parse("paxos", "x", &PATCH.replace("Workload", "Load")).unwrap_err();
        assert!(error.contains("`Workload:`"), "{error}");
        let error =
            Bug::parse("paxos", "x", &PATCH.replace("Nodes: 5", "Nodes: many")).unwrap_err();
        assert!(error.contains("`Nodes:`"), "{error}");
        let error = Bug::parse("paxos", "x", &PATCH.replace("Nodes", "Faults")).unwrap_err();
        assert!(error.contains("`Faults:`"), "{error}");
        let error = Bug::parse("paxos", "x", "Story: s\nWorkload: w\n").unwrap_err();
        assert!(error.contains("no diff"), "{error}");
    }

    /// A planted bug that no longer applies proves nothing any more.
    #[test]
    fn every_planted_bug_of_the_project_applies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let bugs = Bug::all(&root).unwrap();
        for workload in workloads::names().filter(|name| *name != "bank") {
            let is_shown = bugs.iter().any(|bug| bug.workload == workload);
            assert!(is_shown, "no planted bug shows that `{workload}` finds anything");
        }
        for bug in bugs {
            bug.apply(|path| std::fs::read_to_string(root.join(path))).unwrap();
            let known = workloads::names().any(|name| name == bug.workload);
            assert!(known, "{}: {}", bug.name, bug.workload);
        }
    }
}

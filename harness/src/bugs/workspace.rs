//! The scratch copy of the sources that bugs are planted in. It stays, so that only what a bug changes is built again.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::patch::{Bug, FOLDER};

/// Where the scratch copy is, relative to the root of a checkout.
const SCRATCH: &str = "target/bugs/workspace";
/// What is no source, relative to the root of a checkout.
const SKIPPED: [&str; 2] = ["target", "results"];

/// The scratch copy.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    scratch: PathBuf,
}

impl Workspace {
    /// The scratch copy of the checkout around the current directory, or around the sources of this program.
    ///
    /// # Errors
    /// There is no checkout with planted bugs.
    pub fn find() -> Result<Self, String> {
        let here = std::env::current_dir().map_err(|error| error.to_string())?;
        let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root =
            here.ancestors().chain(sources.ancestors()).find(|root| root.join(FOLDER).is_dir());
        let root = root
            .ok_or_else(|| format!("there is no {FOLDER} here; run this inside a checkout"))?
            .to_owned();
        Ok(Self { scratch: root.join(SCRATCH), root })
    }

    /// The root of the checkout.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the copy equal to the checkout with `bug` planted, and returns the folder of the bug's system in it.
    /// Files that already have the right text keep their times, so that they are not built again.
    ///
    /// # Errors
    /// A file that cannot be read or written, or a patch that no longer applies.
    pub fn plant(&self, bug: &Bug) -> Result<PathBuf, String> {
        let patched = bug.apply(|path| std::fs::read_to_string(self.root.join(path)))?;
        let mut wanted = BTreeSet::new();
        self.copy(Path::new(""), &mut wanted, &|path| patched.get(path).cloned())?;
        self.prune(Path::new(""), &wanted)?;
        Ok(self.scratch.join("impls").join(&bug.system))
    }

    fn copy(
        &self,
        folder: &Path,
        wanted: &mut BTreeSet<PathBuf>,
        patched: &impl Fn(&Path) -> Option<String>,
    ) -> Result<(), String> {
        for (path, is_folder) in list(&self.root, folder)? {
            if is_folder {
                self.copy(&path, wanted, patched)?;
                continue;
            }
            let text = match patched(&path) {
                Some(text) => text.into_bytes(),
                None => std::fs::read(self.root.join(&path)).map_err(complain(&path))?,
            };
            let copy = self.scratch.join(&path);
            if std::fs::read(&copy).ok().as_ref() != Some(&text) {
                std::fs::create_dir_all(copy.parent().unwrap_or(&self.scratch))
                    .map_err(complain(&path))?;
                std::fs::write(&copy, text).map_err(complain(&path))?;
            }
            wanted.insert(path);
        }
        Ok(())
    }

    /// Removes what the checkout no longer has.
    fn prune(&self, folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), String> {
        for (path, is_folder) in list(&self.scratch, folder)? {
            if is_folder {
                self.prune(&path, wanted)?;
            } else if !wanted.contains(&path) {
                std::fs::remove_file(self.scratch.join(&path)).map_err(complain(&path))?;
            }
        }
        Ok(())
    }
}

/// The sources in `folder` of `root`: paths from the root, and whether each is a folder. Hidden files are none.
fn list(root: &Path, folder: &Path) -> Result<Vec<(PathBuf, bool)>, String> {
    let entries = std::fs::read_dir(root.join(folder)).map_err(complain(folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(complain(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(complain(folder))?;
        let path = folder.join(&name);
        let is_skipped = SKIPPED.iter().any(|skipped| path == Path::new(skipped));
        if !name.starts_with('.') && !is_skipped && !kind.is_symlink() {
            found.push((path, kind.is_dir()));
        }
    }
    Ok(found)
}

fn complain(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "Story: s\nWorkload: w\n\n\
                         --- a/impls/x/a.rs\n+++ b/impls/x/a.rs\n@@ -1 +1 @@\n-one\n+two\n";

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn the_copy_holds_every_source_the_bug_and_nothing_of_the_bug_before() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        for path in ["impls/x/a.rs", "impls/x/b.rs"] {
            write(root, path, "one\n");
        }
        // Only at the root are these names of no sources.
        write(root, "harness/results/lib.rs", "results\n");
        write(root, "results/run.json", "{}");
        write(root, "target/release/x", "");
        let workspace = Workspace { root: root.to_owned(), scratch: root.join(SCRATCH) };
        let read = |path: &str| std::fs::read_to_string(root.join(SCRATCH).join(path)).ok();
        write(&root.join(SCRATCH), "impls/x/b.rs", "planted\n");
        write(&root.join(SCRATCH), "impls/x/gone.rs", "");
        write(&root.join(SCRATCH), "target/release/x", "kept");

        let bug = Bug::parse("x", "bug", PATCH).unwrap();
        assert_eq!(workspace.plant(&bug).unwrap(), root.join(SCRATCH).join("impls/x"));
        assert_eq!(read("impls/x/a.rs").as_deref(), Some("two\n"));
        assert_eq!(read("impls/x/b.rs").as_deref(), Some("one\n"));
        assert_eq!(read("harness/results/lib.rs").as_deref(), Some("results\n"));
        assert_eq!(read("target/release/x").as_deref(), Some("kept"));
        for absent in ["impls/x/gone.rs", "results/run.json"] {
            assert_eq!(read(absent), None, "{absent}");
        }
        assert_eq!(std::fs::read_to_string(root.join("impls/x/a.rs")).unwrap(), "one\n");
    }
}

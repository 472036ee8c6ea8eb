//! The scratch copy of the sources that bugs are planted in. It stays, so that only what a bug changes is built again.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::patch::{Bug, FOLDER};

/// Where the scratch copy is, relative to the root of a checkout.
const SCRATCH: &str = "target/bugs/workspace";
/// What is no source.
const SKIPPED: [&str; 3] = ["target", "results", "node_modules"];

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
        if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) && !kind.is_symlink() {
            found.push((folder.join(name), kind.is_dir()));
        }
    }
    Ok(found)
}

fn complain(path: &Path) -> impl Fn(std::io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

//! Notices that a file of the record is no longer where it was made: what is written to it then is lost.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file and its place.
#[derive(Clone, Debug)]
pub struct Place {
    path: PathBuf,
    device: u64,
    number: u64,
}

impl Place {
    /// Of the file that is there now.
    ///
    /// # Errors
    /// There is none.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.symlink_metadata()?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), number: metadata.ino() })
    }

    /// Looks whether the same file is still there.
    ///
    /// # Errors
    /// It was removed, or something else is in its place.
    pub fn check(&self) -> io::Result<()> {
        match Self::of(&self.path) {
            Ok(now) if (now.device, now.number) == (self.device, self.number) => Ok(()),
            Ok(_) => Err(self.lost("was replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.lost("was removed")),
            Err(error) => Err(self.lost(&format!("cannot be found any more ({error})"))),
        }
    }

    fn lost(&self, how: &str) -> io::Error {
        io::Error::other(format!("{} {how} during the run", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_removed_or_replaced_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        std::fs::write(&path, "1").unwrap();
        let place = Place::of(&path).unwrap();
        std::fs::write(&path, "12").unwrap();
        place.check().unwrap();
        // Kept under another name, so that its number is not given again.
        std::fs::rename(&path, folder.path().join("other")).unwrap();
        assert!(place.check().unwrap_err().to_string().contains("was removed"));
        std::fs::write(&path, "forged").unwrap();
        assert!(place.check().unwrap_err().to_string().contains("was replaced"));
    }
}

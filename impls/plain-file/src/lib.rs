//! Opens files that somebody else may have put there: a store under test, or whoever handed in a folder.
//!
//! Such a file may be a link to a secret, a pipe that nobody writes to, a device without an end, or larger than the
//! memory. [`open`] follows no link, waits for nobody, and takes regular files up to a size, no others.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum PlainFileError {
    /// There is nothing of this name.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// It is a link, a pipe, a folder, a device or a socket.
    #[error("{} is {what}, and only regular files are read: put the file itself there", path.display())]
    NotPlain {
        /// Its path.
        path: PathBuf,
        /// What it is, with an article.
        what: &'static str,
    },
    /// It is larger than such a file can be.
    #[error(
        "{} has {bytes} bytes, and of such a file at most {bytes_max} are read: it is damaged, or no such file",
        path.display()
    )]
    TooLarge {
        /// Its path.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest that is read.
        bytes_max: u64,
    },
    /// The system refused.
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Opens a regular file of at most `bytes_max` bytes for reading. A link in the last part of the path is not followed.
///
/// # Errors
/// There is no such file, it is none of these, or the system refused.
pub fn open(path: &Path, bytes_max: u64) -> Result<File, PlainFileError> {
    let io = |source| PlainFileError::Io { path: path.to_owned(), source };
    let not_plain = |what| PlainFileError::NotPlain { path: path.to_owned(), what };
    let opened = OpenOptions::new()
        .read(true)
        // A pipe would wait for a writer; a terminal would become ours.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path);
    let file = opened.map_err(|error| match error.raw_os_error() {
        _ if error.kind() == ErrorKind::NotFound => PlainFileError::Missing(path.to_owned()),
        Some(libc::ELOOP) => not_plain("a symbolic link"),
        Some(libc::ENXIO) => not_plain("a socket or a device"),
        _ => io(error),
    })?;
    // Of what was opened, not of what has this name by now.
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(not_plain(kind(metadata.file_type())));
    }
    if metadata.len() > bytes_max {
        return Err(too_large(path, metadata.len(), bytes_max));
    }
    Ok(file)
}

/// Reads a whole regular file of at most `bytes_max` bytes.
///
/// # Errors
/// As for [`open`]; also where it cannot be read to its end, or grows too large meanwhile.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, PlainFileError> {
    let file = open(path, bytes_max)?;
    let mut content = Vec::new();
    file.take(bytes_max.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|source| PlainFileError::Io { path: path.to_owned(), source })?;
    match content.len() as u64 {
        bytes if bytes > bytes_max => Err(too_large(path, bytes, bytes_max)),
        _ => Ok(content),
    }
}

fn too_large(path: &Path, bytes: u64, bytes_max: u64) -> PlainFileError {
    PlainFileError::TooLarge { path: path.to_owned(), bytes, bytes_max }
}

fn kind(of: FileType) -> &'static str {
    if of.is_dir() {
        "a folder"
    } else if of.is_fifo() {
        "a pipe"
    } else if of.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};
    use std::process::Command;

    use super::*;

    fn refusal(path: &Path) -> String {
        open(path, 100).unwrap_err().to_string()
    }

    #[test]
    fn a_file_up_to_the_limit_is_read() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(
            matches!(error, PlainFileError::TooLarge { bytes: 5, bytes_max: 4, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("has 5 bytes"), "{error}");
    }

    #[test]
    fn a_file_without_content_on_disk_takes_no_memory() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(read(&path, 1 << 20), Err(PlainFileError::TooLarge { .. })));
    }

    #[test]
    fn what_is_no_file_is_named_and_waits_for_nobody() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        std::fs::write(at("secret"), "root").unwrap();
        symlink(at("secret"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _listener = UnixListener::bind(at("socket")).unwrap();
        for link in ["link", "dangling"] {
            assert!(refusal(&at(link)).contains("is a symbolic link"), "{}", refusal(&at(link)));
        }
        assert!(refusal(&at("pipe")).contains("is a pipe"));
        assert!(refusal(&at("socket")).contains("is a socket"));
        assert!(refusal(place.path()).contains("is a folder"));
        assert!(refusal(Path::new("/dev/zero")).contains("is a device"));
        assert!(matches!(open(&at("nowhere"), 100), Err(PlainFileError::Missing(_))));
        let below = open(&at("secret").join("x"), 100);
        assert!(matches!(below, Err(PlainFileError::Io { .. })), "{below:?}");
    }
}

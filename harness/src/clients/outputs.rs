//! Reads the outputs of jobs. They are what somebody else's program has written: any number of any size, with anything in them.

use std::path::{Path, PathBuf};

use workloads::mapreduce::{Content, Output};

/// The outputs of a job have so many bytes at most, all together. With every byte escaped they fit into a line of the history.
const BYTES_MAX: u64 = 1 << 20;
/// No job has more reduce tasks.
const OUTPUTS_MAX: usize = 1000;
/// A longer path is none.
const PATH_BYTES_MAX: usize = 4096;

/// What is at these paths, all of which must be in this folder.
pub async fn read(paths: Vec<String>, folder: PathBuf) -> Vec<Output> {
    let reading = tokio::task::spawn_blocking(move || read_all(paths, &folder));
    reading.await.unwrap_or_else(|error| vec![trouble("", error.to_string())])
}

fn read_all(paths: Vec<String>, folder: &Path) -> Vec<Output> {
    let count = paths.len();
    if count > OUTPUTS_MAX {
        let why = format!("there are {count} outputs, and {OUTPUTS_MAX} at most are read");
        return vec![trouble("", why)];
    }
    let mut left = BYTES_MAX;
    let read = |path: String| match content(&path, folder, left) {
        Ok(text) => {
            left -= text.len() as u64;
            Output { path, content: Content::Text(text) }
        }
        Err(why) => trouble(&path, why),
    };
    paths.into_iter().map(read).collect()
}

fn content(path: &str, folder: &Path, bytes_max: u64) -> Result<String, String> {
    if path.len() > PATH_BYTES_MAX {
        return Err(format!("its path has {} bytes", path.len()));
    }
    let path = folder.join(path);
    if !is_in(&path, folder) {
        return Err(format!("{} is not in DS_SHARED", path.display()));
    }
    let bytes = plain_file::read(&path, bytes_max).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let from = error.utf8_error().valid_up_to();
        format!("{} is no UTF-8 from byte {from} on", path.display())
    })
}

/// The last part of the path is not looked at: a link there is not followed.
fn is_in(path: &Path, folder: &Path) -> bool {
    let (Some(parent), Some(_)) = (path.parent(), path.file_name()) else { return false };
    let whole = |path: &Path| path.canonicalize().ok();
    whole(parent).zip(whole(folder)).is_some_and(|(parent, folder)| parent.starts_with(folder))
}

fn trouble(path: &str, why: String) -> Output {
    let path = history::words::cut(path, PATH_BYTES_MAX);
    Output { path, content: Content::Trouble(why) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// What is told of each of these paths.
    fn told(paths: &[&str], folder: &Path) -> Vec<String> {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        let outputs = read_all(paths, folder);
        let told = outputs.into_iter().map(|output| match output.content {
            Content::Text(text) => format!("text: {text}"),
            Content::Trouble(why) => why,
        });
        told.collect()
    }

    #[test]
    fn only_plain_text_in_the_folder_is_read() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("shared");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(place.path().join("secret"), "root 1\n").unwrap();
        std::fs::write(folder.join("sub/out"), "a 1\n").unwrap();
        std::fs::write(folder.join("binary"), b"a \xff").unwrap();
        symlink(place.path().join("secret"), folder.join("link")).unwrap();
        symlink(place.path(), folder.join("up")).unwrap();
        let absolute = folder.join("sub/out").display().to_string();
        assert_eq!(told(&[&absolute, "sub/out"], &folder), ["text: a 1\n", "text: a 1\n"]);
        for (path, expected) in [
            ("../secret", "is not in DS_SHARED"),
            ("up/secret", "is not in DS_SHARED"),
            ("/etc/passwd", "is not in DS_SHARED"),
            ("/", "is not in DS_SHARED"),
            ("link", "is a symbolic link"),
            ("sub", "is a folder"),
            ("missing", "does not exist"),
            ("binary", "is no UTF-8 from byte 2 on"),
            (&"x".repeat(5000), "has 5000 bytes"),
            ("", "is not in DS_SHARED"),
        ] {
            let [told] = &told(&[path], &folder)[..] else { panic!("one output") };
            assert!(told.contains(expected), "{path}: {told}");
        }
    }

    #[test]
    fn huge_outputs_and_huge_numbers_of_them_are_not_read() {
        let place = tempfile::tempdir().unwrap();
        let sparse = std::fs::File::create(place.path().join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        std::fs::write(place.path().join("half"), "x".repeat(600_000)).unwrap();
        assert!(told(&["sparse"], place.path())[0].contains("at most"));
        let twice = told(&["half", "half"], place.path());
        assert!(twice[0].starts_with("text") && twice[1].contains("at most"), "together too much");
        let many = told(&["half"; 1001], place.path());
        assert_eq!(many, ["there are 1001 outputs, and 1000 at most are read"]);
    }
}

//! What is tested: a folder with a manifest, built once.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use contract::{Manifest, manifest::FILE_NAME};
use isolation::{Consistency, UnknownConsistency};

use crate::exit::Failure;

/// A submission.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its folder, absolute.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The consistency level that it promises, where its manifest says.
    pub promises: Option<Consistency>,
}

/// The reference store, relative to the root of a checkout.
const DEFAULT: &str = "impls/paxos";
/// No build takes longer.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

impl Target {
    /// The submission in `folder`, or the reference store.
    ///
    /// # Errors
    /// A folder that is not there is a usage error; a manifest that does not fit is a broken submission.
    pub fn locate(folder: Option<&Path>) -> Result<Self, Failure> {
        let folder = match folder {
            Some(folder) => folder.to_path_buf(),
            None => default_folder()?,
        };
        let folder = folder.canonicalize().map_err(|error| {
            Failure::Usage(format!("{} is no folder of a submission: {error}", folder.display()))
        })?;
        let manifest =
            Manifest::read(&folder).map_err(|error| Failure::Broken(error.to_string()))?;
        let promises = promises(&manifest)?;
        Ok(Self { folder, manifest, promises })
    }

    /// Runs the manifest's `build`, its output going to `log`.
    ///
    /// # Errors
    /// A build that fails or does not end is a broken submission; the message ends with the log's last lines.
    pub async fn build(&self, log: &Path) -> Result<(), Failure> {
        let Some(program) = self.manifest.build.first() else { return Ok(()) };
        let argv: Vec<OsString> = self.manifest.build.iter().map(OsString::from).collect();
        let shim = cluster::shim::this_executable()?;
        let command = self.manifest.build.join(" ");
        let completed =
            cluster::run_to_completion(&argv, &self.folder, &[], log, BUILD_LIMIT, &shim)
                .await
                .map_err(|error| {
                    let reason = format!("the build `{command}` did not start: {error}");
                    match error.is_submissions_fault() {
                        true => Failure::Broken(reason),
                        false => Failure::Failed(reason),
                    }
                })?;
        if completed.timed_out {
            return Err(Failure::Broken(format!(
                "`{program}` did not finish building within 30 minutes"
            )));
        }
        if completed.exit.success() {
            return Ok(());
        }
        let (exit, tail) = (completed.exit, last_lines(&completed.log_tail, 20));
        Err(Failure::Broken(format!(
            "the build `{command}` failed ({exit}). Its last lines:\n{tail}"
        )))
    }

    /// The command of one node; a program with a `/` in it is relative to the folder.
    ///
    /// # Errors
    /// The program is not there: a broken submission.
    pub fn argv(&self) -> Result<Vec<OsString>, Failure> {
        self.resolved("run", &self.manifest.run)
    }

    /// The command of the program that speaks for one node, if there is one.
    ///
    /// # Errors
    /// It is not there: a broken submission.
    pub fn client_argv(&self) -> Result<Option<Vec<OsString>>, Failure> {
        let client = self.manifest.client.as_ref();
        client.map(|client| self.resolved("client.run", &client.run)).transpose()
    }

    fn resolved(&self, key: &str, command: &[String]) -> Result<Vec<OsString>, Failure> {
        let mut argv: Vec<OsString> = command.iter().map(OsString::from).collect();
        let program = &command[0];
        if program.contains('/') {
            let path = self.folder.join(program);
            let path = path.canonicalize().map_err(|error| {
                let built = if self.manifest.build.is_empty() { "" } else { " after the build" };
                Failure::Broken(format!(
                    "`{key}` names {program}, which is not there{built}: {error}"
                ))
            })?;
            argv[0] = path.into_os_string();
        }
        Ok(argv)
    }
}

fn promises(manifest: &Manifest) -> Result<Option<Consistency>, Failure> {
    let level = manifest.promises.as_deref().map(str::parse).transpose();
    level.map_err(|error: UnknownConsistency| {
        let error = error.to_string();
        Failure::Broken(format!("`promises` in {FILE_NAME}: {}", error.escape_debug()))
    })
}

/// Looks upwards from here, then beside the sources that this program was built from.
fn default_folder() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir()?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .chain(sources.ancestors())
        .map(|root| root.join(DEFAULT))
        .find(|folder| folder.join(FILE_NAME).is_file())
        .ok_or_else(|| {
            let hint = "name the folder of a submission: harness run FOLDER";
            Failure::Usage(format!("the reference store ({DEFAULT}) is not here; {hint}"))
        })
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

//! What is alike wherever a store is started and judged: a results folder, `run.json`, the build, the verdict of what there is.

use std::{collections::BTreeMap, path::Path, time::Duration};

use contract::{Manifest, manifest::Rung};
use history::Verdict;
use isolation::Consistency;
use linearizability::Limits;
use record::{Folder, Required, ResultsFile, RunFile, VERSION, files};

use super::{block_on, complain};
use crate::{disk, exit::Failure, run::setting::Setting, target::Target};

/// What is recorded, and where.
pub(super) struct Recording<'a> {
    pub(super) setting: &'a Setting,
    pub(super) target: &'a Target,
    /// The workload's name.
    pub(super) workload: &'a str,
    /// What the store is held to, where there is a choice.
    pub(super) level: Option<Consistency>,
    pub(super) require: &'a Required,
    /// Where results folders go.
    pub(super) out: &'a Path,
    /// The command that does the same again.
    pub(super) command: String,
}

impl Recording<'_> {
    /// Makes the results folder, and writes `run.json` into it.
    ///
    /// # Errors
    /// The machine did not let it.
    pub(super) fn begin(self) -> Result<(Folder, RunFile), Failure> {
        let Self { setting, workload, out, .. } = &self;
        let folder = Folder::create(out, workload, setting.seed).map_err(|error| {
            let (place, why) = (out.display(), disk::explain(&error));
            Failure::Failed(format!("no results folder in {place}: {why}"))
        })?;
        let run = self.describe();
        folder.write_run(&run).map_err(|error| {
            let (place, why) = (folder.path().display(), disk::explain(&error));
            Failure::Failed(format!("no {} in {place}: {why}", files::RUN))
        })?;
        Ok((folder, run))
    }

    fn describe(self) -> RunFile {
        let Self { setting, target, workload, .. } = self;
        RunFile {
            version: VERSION,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            target: target.manifest.name.clone(),
            target_folder: target.folder.display().to_string(),
            serves: target.manifest.serves.iter().map(|rung| rung.name().to_owned()).collect(),
            caps: target.manifest.caps.iter().map(|cap| cap.name().to_owned()).collect(),
            workload: workload.to_owned(),
            consistency: self.level.map(|level| level.name().to_owned()),
            seed: setting.seed,
            nodes: setting.nodes.clone(),
            view_service: setting.view_service.clone(),
            groups: setting.groups.clone(),
            controllers: setting.controllers.clone(),
            coordinator: setting.coordinator.clone(),
            snapshot_bytes: setting.snapshot_bytes,
            played: setting.played.clone(),
            clients: setting.clients,
            probers: setting.probers,
            rate: setting.rate,
            faults: setting.families.iter().map(|family| family.name().to_owned()).collect(),
            fault_interval_ms: setting.interval.map(millis),
            time_limit_ms: millis(setting.time_limit),
            timeouts: setting.timeouts.clone(),
            started: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
            require: self.require.clone(),
            command: self.command,
            machine: machine(),
            spoken_for: target.manifest.client.is_some(),
            confinement: Some(setting.confined.name().to_owned()),
            lacks: lacks(self.out).chain(setting.confined.lack()).collect(),
        }
    }
}

/// That it is a store, which clients can ask.
///
/// # Errors
/// It is something else and nothing besides.
pub(super) fn is_a_store(manifest: &Manifest) -> Result<(), Failure> {
    let is_store = |rung: &Rung| !matches!(rung, Rung::ViewService | Rung::Mapreduce);
    if manifest.serves.iter().any(is_store) {
        return Ok(());
    }
    // Each of these rungs has the workload of its own name.
    let rungs: Vec<&str> = manifest.serves.iter().map(|rung| rung.name()).collect();
    Err(Failure::Usage(format!(
        "{} serves only `{}`, which is no store: test it with `harness run … --workload {}`",
        manifest.name,
        rungs.join("`, `"),
        rungs.first().unwrap_or(&"")
    )))
}

/// Runs the `build` of a manifest, and says so.
pub(super) fn build(target: &Target, folder: &Folder) -> Result<(), Failure> {
    let manifest = &target.manifest;
    if !manifest.build.is_empty() {
        let command = manifest.build.join(" ");
        complain(&format!("building {}: {}", manifest.name.escape_debug(), command.escape_debug()));
    }
    block_on(target.build(&folder.path().join("build.log")))
}

/// The verdict on what was recorded; `ran` is how that ended.
///
/// # Errors
/// As it ended, where that leaves no verdict; or there is none on the folder.
pub(super) fn judged(
    ran: Result<(), Failure>,
    folder: &Folder,
    limits: &Limits,
) -> Result<ResultsFile, Failure> {
    match ran {
        // The folder is the bench's own: whatever is wrong with it is no wrong usage.
        Ok(()) => judge::run::judge(folder, None, limits)
            .map_err(|error| Failure::Failed(error.to_string())),
        Err(failure) => violation_until(failure, folder, limits),
    }
}

/// A run that the bench or the machine ended has no verdict, unless what was recorded until then proves a violation.
fn violation_until(
    failure: Failure,
    folder: &Folder,
    limits: &Limits,
) -> Result<ResultsFile, Failure> {
    let Failure::Failed(why) = &failure else { return Err(failure) };
    match judge::run::judge(folder, None, limits) {
        Ok(mut results) if results.verdict == Verdict::Violation => {
            results.notes.push(format!("The run ended early: {why}."));
            Ok(results)
        }
        _ => Err(failure),
    }
}

fn machine() -> BTreeMap<String, String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let mut machine =
        BTreeMap::from([("system".to_owned(), system), ("cores".to_owned(), cores.to_string())]);
    let kernel = std::fs::read_to_string(Path::new("/proc/sys/kernel/osrelease"));
    machine.extend(kernel.ok().map(|text| ("kernel".to_owned(), text.trim().to_owned())));
    machine
}

/// What this machine lacks, and what that means: nothing is left out in silence.
fn lacks(out: &Path) -> impl Iterator<Item = String> {
    let lacking = cluster::probe::abilities(out).into_iter().filter(|ability| !ability.available);
    lacking.map(|ability| format!("{} ({}): {}", ability.name, ability.detail, ability.means))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

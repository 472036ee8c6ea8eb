//! `harness run`: one target, one workload, one verdict.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use contract::{
    Availability, Manifest,
    manifest::{RUNGS, Rung},
};
use history::Verdict;
use linearizability::Limits;
use record::{Folder, ResultsFile, RunFile, VERSION};
use workloads::Workload;

use super::{block_on, complain, say, say_json, verdict};
use crate::{
    again,
    cli::RunArguments,
    exit::{Exit, Failure},
    nemesis::Families,
    run::{forecast, interrupt::Interrupts, phases, progress::Progress, setting::Setting},
    target::Target,
};

/// A run is over so long after its main phase, the check included.
const AFTER_MAIN: Duration = Duration::from_secs(20);
/// The checkers get at least this much, however long a broken store took to end.
const CHECK_AT_LEAST: Duration = Duration::from_secs(5);

/// Runs the bench.
///
/// # Errors
/// Usage, a broken submission, a failure of the harness, or Ctrl-C.
pub fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    let target = Target::locate(arguments.target.as_deref())?;
    let workload = choose_workload(&target, &arguments.workload)?;
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let setting = Setting::of(arguments, &target.manifest, seed);
    for shortcoming in forecast::shortcomings(&setting, &arguments.require) {
        complain(&format!("This run cannot be called valid: {shortcoming}."));
    }
    let interrupts = Interrupts::listen()?;
    // Clients and links need many; where the limit cannot be raised, the run fails with a reason.
    let _ = cluster::raise_open_files_limit();
    let (mut outcomes, mut all_written) = (Vec::new(), true);
    for repetition in 0..arguments.repeat {
        let folder = Folder::create(&arguments.out, workload.name(), seed).map_err(|error| {
            Failure::Failed(format!("no results folder in {}: {error}", arguments.out.display()))
        })?;
        let run = describe(arguments, &setting, &target, workload.as_ref());
        folder.write_run(&run)?;
        if repetition == 0 {
            build(&target, &folder)?;
        }
        let results =
            run_and_judge(arguments, &setting, &target, workload.as_ref(), &folder, &interrupts)
                .inspect_err(|_| {
                    complain(&format!("What there is of the run: {}", folder.path().display()));
                })?;
        if !arguments.json {
            verdict::print(&results, &folder, &run);
        }
        all_written &= verdict::write(&folder, &results);
        outcomes.push(results);
    }
    let exit = print_all(&outcomes, arguments);
    Ok(if all_written { exit } else { Exit::Failed })
}

fn build(target: &Target, folder: &Folder) -> Result<(), Failure> {
    let manifest = &target.manifest;
    if !manifest.build.is_empty() {
        let command = manifest.build.join(" ");
        complain(&format!("building {}: {}", manifest.name.escape_debug(), command.escape_debug()));
    }
    block_on(target.build(&folder.path().join("build.log")))
}

fn run_and_judge(
    arguments: &RunArguments,
    setting: &Setting,
    target: &Target,
    workload: &dyn Workload,
    folder: &Folder,
    interrupts: &Interrupts,
) -> Result<ResultsFile, Failure> {
    let end = Instant::now() + arguments.time_limit + AFTER_MAIN;
    block_on(phases::execute(setting, target, workload, folder, Progress::new(), interrupts))?;
    let left = end.saturating_duration_since(Instant::now()).max(CHECK_AT_LEAST);
    let limits = Limits::within(arguments.check_time_limit.unwrap_or(left));
    Ok(judge::run::judge(folder, &limits)?)
}

fn print_all(outcomes: &[ResultsFile], arguments: &RunArguments) -> Exit {
    let verdict =
        outcomes.iter().map(|results| results.verdict).fold(Verdict::Valid, Verdict::merge);
    let violations =
        outcomes.iter().filter(|results| results.verdict == Verdict::Violation).count();
    match outcomes {
        [only] if arguments.json => say_json(only),
        [_] => {}
        all if arguments.json => {
            say_json(
                &serde_json::json!({ "verdict": verdict, "violations": violations, "runs": all }),
            );
        }
        all => {
            say(&format!("A violation in {violations} of {} runs with the same seed.", all.len()));
        }
    }
    verdict.into()
}

fn choose_workload(target: &Target, name: &str) -> Result<Box<dyn Workload>, Failure> {
    let manifest = &target.manifest;
    let tested = |rung: &Rung| rung.entry().availability == Availability::Now;
    if !manifest.serves.iter().any(tested) {
        return Err(Failure::Usage(refusal(manifest)));
    }
    let workload = workloads::entry(name).map_err(Failure::Usage)?;
    if !workload.suits(&manifest.caps) {
        return Err(Failure::Usage(format!(
            "the workload `{name}` needs {} in the `caps` of {}'s manifest; try `register`, which needs nothing",
            workload.needs_in_words(),
            manifest.name
        )));
    }
    Ok((workload.make)(&manifest.caps))
}

/// Why a store that serves only planned rungs is not tested.
fn refusal(manifest: &Manifest) -> String {
    let names = |rungs: Vec<&str>| format!("`{}`", rungs.join("`, `"));
    let tested = RUNGS.iter().filter(|entry| entry.availability == Availability::Now);
    format!(
        "{} serves {}, which this version does not test yet; it tests {}",
        manifest.name,
        names(manifest.serves.iter().map(|rung| rung.name()).collect()),
        names(tested.map(|entry| entry.name).collect()),
    )
}

fn describe(
    arguments: &RunArguments,
    setting: &Setting,
    target: &Target,
    workload: &dyn Workload,
) -> RunFile {
    RunFile {
        version: VERSION,
        harness: env!("CARGO_PKG_VERSION").to_owned(),
        target: target.manifest.name.clone(),
        target_folder: target.folder.display().to_string(),
        workload: workload.name().to_owned(),
        seed: setting.seed,
        nodes: setting.nodes.clone(),
        clients: setting.clients,
        rate: setting.rate,
        faults: setting.families.iter().map(|family| family.name().to_owned()).collect(),
        fault_interval_ms: millis(setting.interval),
        time_limit_ms: millis(arguments.time_limit),
        started: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        require: arguments.require.clone(),
        command: command(arguments, setting, target, workload.name()),
        machine: machine(),
        lacks: lacks(&arguments.out),
    }
}

/// The command that repeats this run, with everything that was left to chance or to the store decided as it was here.
fn command(arguments: &RunArguments, setting: &Setting, target: &Target, workload: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let folder = target.folder.strip_prefix(&here).unwrap_or(&target.folder);
    again::run(&RunArguments {
        target: Some(folder.to_path_buf()),
        workload: workload.to_owned(),
        faults: Some(Families(setting.families.clone())),
        nodes: u32::try_from(setting.nodes.len()).ok(),
        seed: Some(setting.seed),
        repeat: 1,
        ..arguments.clone()
    })
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
fn lacks(out: &Path) -> Vec<String> {
    let lacking = cluster::probe::abilities(out).into_iter().filter(|ability| !ability.available);
    lacking
        .map(|ability| format!("{} ({}): {}", ability.name, ability.detail, ability.means))
        .collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Short enough to be retyped.
fn fresh_seed() -> u64 {
    jiff::Timestamp::now().subsec_nanosecond().unsigned_abs().into()
}

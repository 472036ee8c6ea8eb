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
use isolation::Consistency;
use linearizability::Limits;
use record::{Folder, ResultsFile, RunFile, VERSION, files};
use workloads::Workload;

use super::{
    block_on, complain, say, say_json,
    verdict::{self, Voice},
};
use crate::{
    again,
    cli::RunArguments,
    disk,
    exit::{Exit, Failure},
    nemesis::Families,
    run::{forecast, interrupt::Interrupts, machine, phases, progress::Progress, setting::Setting},
    target::Target,
};

/// A run is over so long after its main phase, the check included.
const AFTER_MAIN: Duration = Duration::from_secs(20);
/// The checkers get at least this much, however long a broken store took to end.
const CHECK_AT_LEAST: Duration = Duration::from_secs(10);

/// What came of all repetitions of a run.
#[derive(Default)]
struct Outcomes {
    results: Vec<ResultsFile>,
    /// Whether results and report of some run could not be written.
    some_unwritten: bool,
}

/// Runs the bench.
///
/// # Errors
/// Usage, a broken submission, a failure of the harness, or Ctrl-C, where there is no verdict yet.
pub fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    let target = Target::locate(arguments.target.as_deref())?;
    let workload = choose_workload(&target, &arguments.workload)?;
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let promised =
        arguments.consistency.or(target.promises).unwrap_or(Consistency::StrictSerializable);
    let level = workloads::levels::level(&*workload, promised).map_err(Failure::Usage)?;
    let setting = Setting::of(arguments, &target.manifest, seed);
    let shortcomings = forecast::shortcomings(&setting, &arguments.require).into_iter();
    for shortcoming in shortcomings.chain(forecast::undecidable(&*workload, level)) {
        complain(&format!("This run cannot be called valid: {shortcoming}."));
    }
    let interrupts = Interrupts::listen()?;
    let processes = setting.nodes.len() + usize::from(setting.view_service.is_some());
    machine::prepare(processes as u64, setting.clients.into())?;
    let mut outcomes = Outcomes::default();
    for repetition in 0..arguments.repeat {
        let is_first = repetition == 0;
        let run = Run {
            arguments,
            setting: &setting,
            target: &target,
            workload: workload.as_ref(),
            level,
            is_first,
        };
        if let Err(failure) = run.once(&interrupts, &mut outcomes) {
            return outcomes.cut_short(failure, arguments);
        }
    }
    Ok(outcomes.conclude(arguments))
}

/// One repetition.
struct Run<'a> {
    arguments: &'a RunArguments,
    setting: &'a Setting,
    target: &'a Target,
    workload: &'a dyn Workload,
    level: Consistency,
    is_first: bool,
}

impl Run<'_> {
    fn once(&self, interrupts: &Interrupts, outcomes: &mut Outcomes) -> Result<(), Failure> {
        let Self { arguments, setting, target, workload, is_first, .. } = *self;
        let folder =
            Folder::create(&arguments.out, workload.name(), setting.seed).map_err(|error| {
                let (place, why) = (arguments.out.display(), disk::explain(&error));
                Failure::Failed(format!("no results folder in {place}: {why}"))
            })?;
        let run = self.describe();
        folder.write_run(&run).map_err(|error| {
            let (place, why) = (folder.path().display(), disk::explain(&error));
            Failure::Failed(format!("no {} in {place}: {why}", files::RUN))
        })?;
        let built = if is_first { build(target, &folder) } else { Ok(()) };
        let results = built.and_then(|()| self.carry_out_and_judge(&folder, interrupts));
        let results = results.inspect_err(|failure| {
            verdict::deliver_failure(&folder, failure);
        })?;
        outcomes.some_unwritten |= !verdict::deliver(&folder, &run, &results, voice(arguments));
        outcomes.results.push(results);
        Ok(())
    }

    fn carry_out_and_judge(
        &self,
        folder: &Folder,
        interrupts: &Interrupts,
    ) -> Result<ResultsFile, Failure> {
        let Self { arguments, setting, target, workload, .. } = *self;
        let end = Instant::now() + arguments.time_limit + AFTER_MAIN;
        let ran = block_on(phases::execute(
            setting,
            target,
            workload,
            folder,
            Progress::new(),
            interrupts,
        ));
        let left = end.saturating_duration_since(Instant::now()).max(CHECK_AT_LEAST);
        let limits = Limits::within(arguments.check_time_limit.unwrap_or(left));
        match ran {
            // The folder is the bench's own: whatever is wrong with it is no wrong usage.
            Ok(()) => judge::run::judge(folder, None, &limits)
                .map_err(|error| Failure::Failed(error.to_string())),
            Err(failure) => violation_until(failure, folder, &limits),
        }
    }

    fn describe(&self) -> RunFile {
        let Self { arguments, setting, target, workload, .. } = *self;
        RunFile {
            version: VERSION,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            target: target.manifest.name.clone(),
            target_folder: target.folder.display().to_string(),
            serves: target.manifest.serves.iter().map(|rung| rung.name().to_owned()).collect(),
            workload: workload.name().to_owned(),
            consistency: Some(self.level.name().to_owned()),
            seed: setting.seed,
            nodes: setting.nodes.clone(),
            view_service: setting.view_service.clone(),
            clients: setting.clients,
            rate: setting.rate,
            faults: setting.families.iter().map(|family| family.name().to_owned()).collect(),
            fault_interval_ms: millis(setting.interval),
            time_limit_ms: millis(arguments.time_limit),
            timeouts: setting.timeouts.clone(),
            started: jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
            require: arguments.require.clone(),
            command: self.command(),
            machine: machine(),
            lacks: lacks(&arguments.out),
        }
    }

    /// The command that repeats this run, with everything that was left to chance or to the store decided as it was here.
    fn command(&self) -> String {
        let Self { arguments, setting, target, workload, .. } = *self;
        let here = std::env::current_dir().unwrap_or_default();
        let folder = target.folder.strip_prefix(&here).unwrap_or(&target.folder);
        again::run(&RunArguments {
            target: Some(folder.to_path_buf()),
            workload: workload.name().to_owned(),
            consistency: Some(self.level),
            faults: Some(Families(setting.families.clone())),
            nodes: u32::try_from(setting.nodes.len()).ok(),
            seed: Some(setting.seed),
            repeat: 1,
            ..arguments.clone()
        })
    }
}

fn voice(arguments: &RunArguments) -> Voice {
    match (arguments.json, arguments.repeat) {
        (false, _) => Voice::Words,
        (true, 1) => Voice::Document,
        (true, _) => Voice::Aside,
    }
}

fn build(target: &Target, folder: &Folder) -> Result<(), Failure> {
    let manifest = &target.manifest;
    if !manifest.build.is_empty() {
        let command = manifest.build.join(" ");
        complain(&format!("building {}: {}", manifest.name.escape_debug(), command.escape_debug()));
    }
    block_on(target.build(&folder.path().join("build.log")))
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

impl Outcomes {
    fn verdict(&self) -> Verdict {
        self.results.iter().map(|results| results.verdict).fold(Verdict::Valid, Verdict::merge)
    }

    fn violations(&self) -> usize {
        self.results.iter().filter(|results| results.verdict == Verdict::Violation).count()
    }

    /// All runs have their verdict.
    fn conclude(&self, arguments: &RunArguments) -> Exit {
        if arguments.repeat > 1 {
            self.say_all(arguments, Some(self.verdict()), None);
        }
        verdict::exit(self.verdict(), !self.some_unwritten)
    }

    /// A run failed: what the ones before it have shown is told all the same, and a violation stays one. The others are
    /// no verdict on what was asked for.
    fn cut_short(&self, failure: Failure, arguments: &RunArguments) -> Result<Exit, Failure> {
        if self.results.is_empty() {
            return Err(failure);
        }
        let violation = (self.violations() > 0).then_some(Verdict::Violation);
        let exit = violation.map_or(failure.exit(), Exit::from);
        self.say_all(arguments, violation, Some((&failure, exit)));
        complain(&failure.to_string());
        Ok(exit)
    }

    fn say_all(
        &self,
        arguments: &RunArguments,
        verdict: Option<Verdict>,
        failure: Option<(&Failure, Exit)>,
    ) {
        let (runs, violations) = (&self.results, self.violations());
        if !arguments.json {
            let count = runs.len();
            return say(&format!(
                "A violation in {violations} of {count} runs with the same seed."
            ));
        }
        let mut document =
            serde_json::json!({ "verdict": verdict, "violations": violations, "runs": runs });
        if let Some((failure, exit)) = failure {
            document["error"] = failure.to_string().into();
            document["exit"] = (exit as u8).into();
        }
        say_json(&document);
    }
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

//! `harness run`: one target, one workload, one verdict.

use std::time::{Duration, Instant};

use contract::{Manifest, manifest::Rung};
use history::Verdict;
use isolation::Consistency;
use linearizability::Limits;
use record::{Folder, ResultsFile};
use workloads::{Workload, mapreduce, view_service};

use super::{
    block_on, complain,
    recording::{self, Recording},
    say, say_json,
    verdict::{self, Voice},
};
use crate::{
    again,
    cli::RunArguments,
    exit::{Exit, Failure},
    nemesis::{Families, recorded_plan::RecordedPlan, workers::FAMILIES},
    run::{
        forecast,
        interrupt::Interrupts,
        machine,
        phases::{self, Play},
        progress::Progress,
        setting::Setting,
    },
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
    let chosen = Chosen::of(&target, arguments)?;
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let mut setting = chosen.setting(arguments, &target.manifest, seed);
    if let Some(path) = &arguments.plan {
        setting.replay(RecordedPlan::open(path).map_err(Failure::Usage)?);
    }
    let shortcomings = forecast::shortcomings(&setting, &arguments.require).into_iter();
    for shortcoming in shortcomings.chain(chosen.undecidable()) {
        complain(&format!("This run cannot be called valid: {shortcoming}."));
    }
    setting.confined = block_on(arguments.confine.decide())?;
    let interrupts = Interrupts::listen()?;
    let processes = setting.processes();
    machine::prepare(processes as u64, setting.clients.into())?;
    let mut outcomes = Outcomes::default();
    for repetition in 0..arguments.repeat {
        let is_first = repetition == 0;
        let run = Run { arguments, setting: &setting, target: &target, chosen: &chosen, is_first };
        if let Err(failure) = run.once(&interrupts, &mut outcomes) {
            return outcomes.cut_short(failure, arguments);
        }
    }
    Ok(outcomes.conclude(arguments))
}

/// What is asked of the target.
enum Chosen {
    /// A workload for stores, and the level that the store is held to.
    OfStore(Box<dyn Workload>, Consistency),
    /// The scripts for a view service.
    Scripts,
    /// Jobs of MapReduce.
    Jobs,
}

/// One repetition.
struct Run<'a> {
    arguments: &'a RunArguments,
    setting: &'a Setting,
    target: &'a Target,
    chosen: &'a Chosen,
    is_first: bool,
}

impl Run<'_> {
    fn once(&self, interrupts: &Interrupts, outcomes: &mut Outcomes) -> Result<(), Failure> {
        let Self { arguments, setting, target, chosen, is_first } = *self;
        let recording = Recording {
            setting,
            target,
            workload: chosen.name(),
            level: chosen.level(),
            require: &arguments.require,
            out: &arguments.out,
            command: self.command(),
        };
        let (folder, run) = recording.begin()?;
        let built = if is_first { recording::build(target, &folder) } else { Ok(()) };
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
        let Self { arguments, setting, target, chosen, .. } = *self;
        let end = Instant::now() + arguments.time_limit + AFTER_MAIN;
        let ran = block_on(phases::execute(
            setting,
            target,
            chosen.play(),
            folder,
            Box::new(Progress::new()),
            interrupts,
        ));
        let left = end.saturating_duration_since(Instant::now()).max(CHECK_AT_LEAST);
        let limits = Limits::within(arguments.check_time_limit.unwrap_or(left));
        recording::judged(ran, folder, &limits)
    }

    /// The command that repeats this run, with everything that was left to chance or to the store decided as it was here.
    fn command(&self) -> String {
        let Self { arguments, setting, target, chosen, .. } = *self;
        let here = std::env::current_dir().unwrap_or_default();
        let folder = target.folder.strip_prefix(&here).unwrap_or(&target.folder);
        again::run(&RunArguments {
            target: Some(folder.to_path_buf()),
            workload: Some(chosen.name().to_owned()),
            consistency: chosen.level(),
            // `latest` is this run when somebody repeats it.
            plan: arguments.plan.as_ref().map(|plan| plan.canonicalize().unwrap_or(plan.clone())),
            faults: arguments.plan.is_none().then(|| Families(setting.families.clone())),
            nodes: u32::try_from(setting.nodes_asked_for()).ok(),
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

impl Chosen {
    fn of(target: &Target, arguments: &RunArguments) -> Result<Self, Failure> {
        let manifest = &target.manifest;
        let name = arguments.workload.as_deref().unwrap_or_else(|| usual(manifest));
        match name {
            view_service::NAME => return scripts(manifest, arguments),
            mapreduce::NAME => return jobs(manifest, arguments),
            _ => recording::is_a_store(manifest)?,
        }
        let workload = workload_for_store(manifest, name)?;
        let promised =
            arguments.consistency.or(target.promises).unwrap_or(Consistency::StrictSerializable);
        let level = workloads::levels::level(&*workload, promised).map_err(Failure::Usage)?;
        Ok(Self::OfStore(workload, level))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::OfStore(workload, _) => workload.name(),
            Self::Scripts => view_service::NAME,
            Self::Jobs => mapreduce::NAME,
        }
    }

    fn level(&self) -> Option<Consistency> {
        match self {
            Self::OfStore(_, level) => Some(*level),
            Self::Scripts | Self::Jobs => None,
        }
    }

    fn setting(&self, arguments: &RunArguments, manifest: &Manifest, seed: u64) -> Setting {
        match self {
            Self::OfStore(..) => Setting::of(arguments, manifest, seed),
            Self::Scripts => Setting::of_view_service(arguments, manifest, seed),
            Self::Jobs => Setting::of_mapreduce(arguments, manifest, seed),
        }
    }

    fn play(&self) -> Play<'_> {
        match self {
            Self::OfStore(workload, _) => Play::Clients(workload.as_ref()),
            Self::Scripts => Play::Scripts,
            Self::Jobs => Play::Jobs,
        }
    }

    /// That the record cannot show what is asked for.
    fn undecidable(&self) -> Option<String> {
        match self {
            Self::OfStore(workload, level) => forecast::undecidable(&**workload, *level),
            Self::Scripts | Self::Jobs => None,
        }
    }
}

/// The scripts for a view service, if the target is one and nothing is asked for that has no meaning there.
fn scripts(manifest: &Manifest, arguments: &RunArguments) -> Result<Chosen, Failure> {
    let name = view_service::NAME;
    serves(manifest, Rung::ViewService, name)?;
    let breaks = arguments.faults.as_ref().is_some_and(|faults| !faults.0.is_empty());
    let of_stores = [
        ("--faults", breaks),
        ("--nodes", arguments.nodes.is_some_and(|nodes| nodes != 1)),
        ("--rate", arguments.rate.is_some()),
        ("--consistency", arguments.consistency.is_some()),
    ];
    match of_stores.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((option, _)) => Err(Failure::Usage(format!(
            "`{name}` starts one process, breaks only the servers that it plays, and knows no levels: leave out {option}"
        ))),
        None => Ok(Chosen::Scripts),
    }
}

/// Jobs of MapReduce, if the target has it and nothing is asked for that has no meaning there.
fn jobs(manifest: &Manifest, arguments: &RunArguments) -> Result<Chosen, Failure> {
    let name = mapreduce::NAME;
    serves(manifest, Rung::Mapreduce, name)?;
    let asked = arguments.faults.iter().flat_map(|faults| &faults.0);
    let foreign = asked.map(|family| family.name()).find(|name| !FAMILIES.contains(name));
    if let Some(family) = foreign {
        return Err(Failure::Usage(format!(
            "`{family}` means nothing to `{name}`: choose --faults from {}, or `none` alone",
            FAMILIES.join(", ")
        )));
    }
    let of_stores = [
        ("--rate", arguments.rate.is_some()),
        ("--consistency", arguments.consistency.is_some()),
        ("--fault-interval", arguments.fault_interval.is_some()),
    ];
    match of_stores.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((option, _)) => Err(Failure::Usage(format!(
            "`{name}` has jobs and no operations on keys, and a plan of faults of its own: leave out {option}"
        ))),
        None => Ok(Chosen::Jobs),
    }
}

/// That the target serves what the workload is for.
fn serves(manifest: &Manifest, rung: Rung, workload: &str) -> Result<(), Failure> {
    if manifest.serves.contains(&rung) {
        return Ok(());
    }
    let (target, rung) = (&manifest.name, rung.name());
    Err(Failure::Usage(format!(
        "the workload `{workload}` needs `{rung}` in the `serves` of {target}'s manifest"
    )))
}

/// The workload where none is asked for.
fn usual(manifest: &Manifest) -> &'static str {
    if manifest.serves == [Rung::Mapreduce] { mapreduce::NAME } else { "bank" }
}

fn workload_for_store(manifest: &Manifest, name: &str) -> Result<Box<dyn Workload>, Failure> {
    let workload = workloads::entry(name).map_err(Failure::Usage)?;
    if !workload.suits(&manifest.caps) {
        let suiting = workloads::WORKLOADS.iter().filter(|entry| entry.suits(&manifest.caps));
        let suiting: Vec<&str> = suiting.map(|entry| entry.name).collect();
        return Err(Failure::Usage(format!(
            "the workload `{name}` needs {}, which {}'s manifest does not claim in its `caps`; with it go: {}",
            workload.needs_in_words(),
            manifest.name,
            suiting.join(", ")
        )));
    }
    Ok((workload.make)(&manifest.caps))
}

/// Short enough to be retyped.
fn fresh_seed() -> u64 {
    jiff::Timestamp::now().subsec_nanosecond().unsigned_abs().into()
}

//! `harness shrink`: the fewest faults under which a failure still comes back.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
};

use record::{Folder, ResultsFile, RunFile};

use super::{complain, names_of_failed_checks, say};
use crate::{
    cli::ShrinkArguments,
    exit::{Exit, Failure},
    nemesis::recorded_plan::RecordedPlan,
};

/// After each act the store may take so long to serve again.
const BETWEEN_MS: u64 = 1500;
/// What was broken last may show so much later.
const AFTER_MS: u64 = 1500;
/// With fewer clients hardly anything is seen.
const CLIENTS_MIN: u32 = 2;
/// A shorter fault is not made shorter still.
const LASTS_MIN_MS: u64 = 100;

/// Looks for a smaller plan, writes it into a file, and counts how often the failure comes back under it. The exit code is 3
/// where it did not come back at all.
///
/// # Errors
/// No record of a run, a store that does not run any more, or a file that cannot be written.
pub fn shrink(arguments: &ShrinkArguments) -> Result<Exit, Failure> {
    let folder = Folder::existing(arguments.run.clone());
    let run = folder.run().map_err(|error| Failure::Usage(error.to_string()))?;
    let plan = RecordedPlan::of(&folder).map_err(Failure::Usage)?;
    let results = folder.results().map_err(|error| Failure::Usage(error.to_string()))?;
    let failed: BTreeSet<String> = names_of_failed_checks(&results).collect();
    if failed.is_empty() {
        let folder = arguments.run.display();
        return Err(Failure::Usage(format!("{folder}: this run found no violation")));
    }
    let scratch = tempfile::tempdir()?;
    let mut search = Search {
        run: &run,
        failed,
        scratch: scratch.path(),
        tries: arguments.tries,
        wanted: 1,
        runs: 0,
    };
    let clients = run.clients;
    let mut case = Case { plan, clients, nodes: run.nodes.len() };
    complain(&format!("{case}: does the failure come back?"));
    if !search.comes_back(&case)? {
        say(&format!(
            "The failure did not come back in {} runs under the same faults: it depends on more than they say. Try more runs \
             with --tries.",
            arguments.tries
        ));
        return Ok(Exit::Inconclusive);
    }
    search.fewer_acts(&mut case)?;
    search.fewer_faults(&mut case)?;
    search.shorter_faults(&mut case)?;
    search.fewer_clients_and_nodes(&mut case)?;
    case.plan.write(&arguments.plan).map_err(Failure::Failed)?;
    let mut came_back = 0;
    for _ in 0..arguments.times {
        came_back += u32::from(search.fails_once(&case)?);
    }
    say(&case.plan.to_string());
    say(&format!(
        "{case}. With it, the failure came back in {came_back} of {} runs; {} runs were made before.",
        arguments.times,
        search.runs - arguments.times
    ));
    say(&format!("again   {}", case.command(&run, &arguments.plan)));
    Ok(Exit::Valid)
}

/// What a run is made with.
#[derive(Clone)]
struct Case {
    plan: RecordedPlan,
    clients: u32,
    nodes: usize,
}

impl Case {
    fn time_limit_ms(&self) -> u64 {
        self.plan.lasts_ms() + BETWEEN_MS * self.plan.acts.len() as u64 + AFTER_MS
    }

    fn words(&self, run: &RunFile, plan: &Path) -> Vec<String> {
        let mut words: Vec<String> = [
            "run",
            &run.target_folder,
            "--workload",
            &run.workload,
            "--plan",
            &plan.display().to_string(),
            "--time-limit",
            &format!("{}ms", self.time_limit_ms()),
            "--clients",
            &self.clients.to_string(),
            "--nodes",
            &self.nodes.to_string(),
            "--seed",
            &run.seed.to_string(),
        ]
        .map(str::to_owned)
        .to_vec();
        if let Some(level) = &run.consistency {
            words.extend(["--consistency".to_owned(), level.clone()]);
        }
        words
    }

    fn command(&self, run: &RunFile, plan: &Path) -> String {
        let words = self.words(run, plan);
        let words = std::iter::once("harness").chain(words.iter().map(String::as_str));
        shlex::try_join(words).unwrap_or_default()
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (acts, faults) = (self.plan.acts.len(), self.plan.count());
        let Self { clients, nodes, .. } = self;
        write!(formatter, "{faults} faults in {acts} acts, {clients} clients, {nodes} nodes")
    }
}

/// The runs that are made to find a smaller case.
struct Search<'a> {
    run: &'a RunFile,
    /// The checks that failed: another failure is not this one.
    failed: BTreeSet<String>,
    scratch: &'a Path,
    /// So many runs decide whether a failure comes back.
    tries: u32,
    /// In so many of them it must: one may be luck.
    wanted: u32,
    runs: u32,
}

/// Where the failure came back so often with the whole plan, it must with a smaller one.
const WANTED: u32 = 2;

impl Search<'_> {
    /// Whether the failure comes back at all; if often, a smaller case must not make it rare.
    fn comes_back(&mut self, case: &Case) -> Result<bool, Failure> {
        let mut count = 0;
        for _ in 0..self.tries {
            count += u32::from(self.fails_once(case)?);
            if count == WANTED {
                break;
            }
        }
        self.wanted = count.max(1);
        Ok(count > 0)
    }

    /// A violation mostly comes soon after what caused it: the last acts first.
    fn fewer_acts(&mut self, case: &mut Case) -> Result<(), Failure> {
        let all = case.plan.acts.len();
        let mut last = 1;
        while last < all {
            let acts = case.plan.acts[all - last..].to_vec();
            let fewer = Case { plan: RecordedPlan { acts, ..case.plan.clone() }, ..case.clone() };
            if self.keeps(case, fewer)? {
                break;
            }
            last *= 2;
        }
        let mut at = 0;
        while at < case.plan.acts.len() && case.plan.acts.len() > 1 {
            let mut fewer = case.clone();
            fewer.plan.acts.remove(at);
            if !self.keeps(case, fewer)? {
                at += 1;
            }
        }
        Ok(())
    }

    fn fewer_faults(&mut self, case: &mut Case) -> Result<(), Failure> {
        for act in 0..case.plan.acts.len() {
            let mut at = 0;
            while at < case.plan.acts[act].faults.len() && case.plan.acts[act].faults.len() > 1 {
                let mut fewer = case.clone();
                fewer.plan.acts[act].faults.remove(at);
                if !self.keeps(case, fewer)? {
                    at += 1;
                }
            }
        }
        Ok(())
    }

    fn shorter_faults(&mut self, case: &mut Case) -> Result<(), Failure> {
        for act in 0..case.plan.acts.len() {
            for at in 0..case.plan.acts[act].faults.len() {
                let mut shorter = case.clone();
                let fault = &mut shorter.plan.acts[act].faults[at];
                fault.lasts_ms /= 2;
                if fault.lasts_ms >= LASTS_MIN_MS {
                    self.keeps(case, shorter)?;
                }
            }
        }
        Ok(())
    }

    fn fewer_clients_and_nodes(&mut self, case: &mut Case) -> Result<(), Failure> {
        while case.clients / 2 >= CLIENTS_MIN {
            let fewer = Case { clients: case.clients / 2, ..case.clone() };
            if !self.keeps(case, fewer)? {
                break;
            }
        }
        if case.nodes > 3 {
            let fewer = Case { nodes: 3, ..case.clone() };
            self.keeps(case, fewer)?;
        }
        Ok(())
    }

    /// Takes the smaller case where the failure still comes back.
    fn keeps(&mut self, case: &mut Case, smaller: Case) -> Result<bool, Failure> {
        let fails = self.fails(&smaller)?;
        let outcome = if fails { "it comes back" } else { "it does not come back" };
        complain(&format!("{smaller}: {outcome}"));
        if fails {
            *case = smaller;
        }
        Ok(fails)
    }

    fn fails(&mut self, case: &Case) -> Result<bool, Failure> {
        let (mut count, mut left) = (0, self.tries);
        while count < self.wanted && count + left >= self.wanted {
            count += u32::from(self.fails_once(case)?);
            left -= 1;
        }
        Ok(count == self.wanted)
    }

    /// One run, in a process of its own, as a person would make it.
    fn fails_once(&mut self, case: &Case) -> Result<bool, Failure> {
        let plan: PathBuf = self.scratch.join("plan.json");
        case.plan.write(&plan).map_err(Failure::Failed)?;
        self.runs += 1;
        let mut command = std::process::Command::new(std::env::current_exe()?);
        let results = self.scratch.join("results");
        command.args(case.words(self.run, &plan)).arg("--json").arg("--out").arg(&results);
        let output = command.stdin(Stdio::null()).output()?;
        // Dozens of records would fill the disk; one that is gone already is none.
        let _ = std::fs::remove_dir_all(&results);
        match output.status.code() {
            Some(1) => {
                let results: ResultsFile =
                    serde_json::from_slice(&output.stdout).map_err(|error| {
                        Failure::Failed(format!("the results do not parse: {error}"))
                    })?;
                Ok(names_of_failed_checks(&results).any(|name| self.failed.contains(&name)))
            }
            Some(0 | 3) => Ok(false),
            _ => Err(Failure::Failed(format!(
                "the store did not run:\n{}",
                String::from_utf8_lossy(&output.stderr)
            ))),
        }
    }
}

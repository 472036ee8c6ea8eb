//! Runs of planted bugs, each in a process of its own.

use std::process::{Command, Stdio};

use record::{Folder, Mark, Phase, ResultsFile};

use crate::{
    bugs::{
        patch::Bug,
        table::{BugRun, Table, UNHEALTHY},
        workspace::Workspace,
    },
    commands::{complain, names_of_failed_checks},
    exit::Failure,
};

/// A mutant that is seen to be broken without faults measures nothing: it is run so first.
const HEALTHY: [&str; 4] = ["--faults", "none", "--time-limit", "5s"];

/// Runs of planted bugs, all with the same options.
#[derive(Debug)]
pub struct Campaign<'a> {
    /// Where they are planted.
    pub workspace: Workspace,
    /// What became of them so far.
    pub table: Table,
    /// Options of `harness run`.
    pub options: &'a [String],
}

impl Campaign<'_> {
    /// What the table has of this run, or else what comes of it now, with what its first violation says.
    ///
    /// # Errors
    /// A patch that no longer applies, a run that could not begin, a table that cannot be kept.
    pub fn run(&mut self, bug: &Bug, seed: u64) -> Result<(BugRun, Option<String>), Failure> {
        if let Some(run) = self.table.run(&bug.id(), seed) {
            return Ok((run.clone(), None));
        }
        let (run, sentence) = self.run_now(bug, seed, self.options)?;
        self.keep(run.clone())?;
        Ok((run, sentence))
    }

    /// The same of a mutant. One that does not build, or not even pass without faults, is not run under them.
    ///
    /// # Errors
    /// As those of [`Self::run`].
    pub fn run_mutant(&mut self, mutant: &Bug, seed: u64) -> Result<BugRun, Failure> {
        if self.table.run(&mutant.id(), seed).is_none() {
            let healthy = HEALTHY.map(str::to_owned);
            let (mut without_faults, _) = self.run_now(mutant, seed, &healthy)?;
            if without_faults.outcome != "valid" {
                without_faults.outcome = UNHEALTHY.to_owned();
                without_faults.after_s = None;
                self.keep(without_faults)?;
            }
        }
        self.run(mutant, seed).map(|(run, _)| run)
    }

    fn keep(&mut self, run: BugRun) -> Result<(), Failure> {
        complain(&format!("  {} seed {}: {}", run.bug, run.seed, run.outcome));
        Ok(self.table.add(run)?)
    }

    /// In a process of its own: a bug must not take the others down.
    fn run_now(
        &self,
        bug: &Bug,
        seed: u64,
        options: &[String],
    ) -> Result<(BugRun, Option<String>), Failure> {
        let folder = self.workspace.plant(bug).map_err(Failure::Failed)?;
        let root = self.workspace.root();
        let out = root.join("target/bugs/results").join(&bug.system).join(bug.folder());
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["run", "--json", "--workload", &bug.workload]);
        if let Some(nodes) = bug.nodes {
            command.arg("--nodes").arg(nodes.to_string());
        }
        command.args(options).arg("--seed").arg(seed.to_string());
        command.arg("--out").arg(out).arg(folder);
        let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        let (bug, outcome) = (bug.id(), |outcome: &str| outcome.to_owned());
        let mut run =
            BugRun { bug, seed, outcome: String::new(), after_s: None, found_by: Vec::new() };
        run.outcome = match output.status.code() {
            Some(1) => outcome("violation"),
            Some(0) => outcome("valid"),
            Some(3) => outcome("inconclusive"),
            // What breaks the submission instead of its promises must not end the whole table.
            Some(4) => {
                complain(errors.trim_end());
                outcome("broken")
            }
            _ => {
                let bug = run.bug;
                return Err(Failure::Failed(format!(
                    "the planted bug {bug} did not run:\n{errors}"
                )));
            }
        };
        if !run.is_caught() {
            return Ok((run, None));
        }
        let results: ResultsFile = serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::Failed(format!("the run's results do not parse: {error}")))?;
        run.after_s = seconds_to_witness(&results);
        run.found_by = names_of_failed_checks(&results).collect();
        let first = results.checks.iter().flat_map(|check| &check.violations).next();
        Ok((run, first.map(|violation| violation.sentence.clone())))
    }
}

/// From the start of the main phase until the witness of the first violation was complete, or the violation proven.
fn seconds_to_witness(results: &ResultsFile) -> Option<f64> {
    let mut events = Vec::new();
    Folder::existing(results.folder.clone().into())
        .read_history(|event| events.push(event))
        .ok()?;
    let main =
        events.iter().find(|event| Mark::of(event) == Some(Mark::Phase(Phase::Main)))?.time_ns;
    let operations = history::operations(&events).ok()?;
    let end = |violation: &history::Violation| {
        let witness =
            operations.iter().filter(|operation| violation.operations.contains(&operation.call));
        witness.map(|operation| operation.return_ns.unwrap_or(operation.call_ns)).max()
    };
    let first = results.checks.iter().flat_map(|check| &check.violations).filter_map(end).min();
    // What nodes say of their logs is no operation.
    let is_proof = |event: &&history::Event| matches!(Mark::of(event), Some(Mark::Proven(_)));
    let proven = || events.iter().find(is_proof).map(|event| event.time_ns);
    let seen_ns = first.or_else(proven)?;
    Some(std::time::Duration::from_nanos(seen_ns.saturating_sub(main)).as_secs_f64())
}

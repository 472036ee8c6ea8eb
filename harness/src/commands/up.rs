//! `harness up`: a store for a person, who asks it and breaks it by hand; then a verdict as on a run.

use std::time::Duration;

use isolation::Consistency;
use linearizability::Limits;
use workloads::{Workload, by_hand::ByHand};

use super::{
    block_on,
    recording::{self, Recording},
    say,
    verdict::{self, Voice},
};
use crate::{
    again,
    cli::UpArguments,
    exit::{Exit, Failure},
    run::{
        interrupt::Interrupts,
        machine,
        phases::{self, Play},
        setting::Setting,
    },
    session::{Narrator, Session, console::Console},
    target::Target,
};

/// How long the checkers may take.
const CHECK_LIMIT: Duration = Duration::from_secs(20);

/// Starts a store and lets a person play until the input ends.
///
/// # Errors
/// Usage, a broken submission, a failure of the harness, or Ctrl-C.
pub fn up(arguments: &UpArguments) -> Result<Exit, Failure> {
    let target = Target::locate(arguments.target.as_deref())?;
    recording::is_a_store(&target.manifest)?;
    let workload = ByHand::default();
    let promised = target.promises.unwrap_or(Consistency::StrictSerializable);
    let level = workload.levels().judged(promised).ok_or_else(|| {
        let name = &target.manifest.name;
        Failure::Usage(format!(
            "{name} promises {promised}, and what is played by hand is judged by what a linearizable store promises"
        ))
    })?;
    let mut setting = Setting::by_hand(arguments, &target.manifest);
    setting.confined = block_on(arguments.confine.decide())?;
    let interrupts = Interrupts::listen()?;
    let processes = setting.processes();
    machine::prepare(processes as u64, setting.clients.into())?;
    let recording = Recording {
        setting: &setting,
        target: &target,
        workload: workload.name(),
        level: Some(level),
        require: &arguments.require,
        out: &arguments.out,
        command: again::up(arguments),
    };
    let (folder, run) = recording.begin()?;
    let played = || {
        recording::build(&target, &folder)?;
        let console = Console::on_stdin(say)?;
        let manifest = &target.manifest;
        let session = Session { console: console.clone(), workload: workload.clone(), manifest };
        let narrator = Box::new(Narrator::new(console));
        let played = phases::execute(
            &setting,
            &target,
            Play::ByHand(&session),
            &folder,
            narrator,
            &interrupts,
        );
        recording::judged(block_on(played), &folder, &Limits::within(CHECK_LIMIT))
    };
    let results = played().inspect_err(|failure| verdict::deliver_failure(&folder, failure))?;
    let all_written = verdict::deliver(&folder, &run, &results, Voice::Words);
    Ok(verdict::exit(results.verdict, all_written))
}

//! What a person sees while a run is on: one line that moves on a terminal, plain lines elsewhere.

use std::{
    collections::BTreeMap,
    io::Write,
    time::{Duration, Instant},
};

use history::{Event, EventKind, Process};
use record::{FaultRecord, FaultStep, Mark};

use crate::{
    bar::{self, Bar},
    stream::{Reader, RunEvent},
};

/// Shows phase, operations a second, ok/fail/info and the current faults on stderr.
pub struct Progress {
    bar: Option<Bar>,
    started: Instant,
    phase: &'static str,
    ok: u64,
    fail: u64,
    info: u64,
    faults: BTreeMap<u64, String>,
    shown: Instant,
    shown_ok: u64,
    ops_per_s: f64,
}

/// How often a plain line repeats the figures.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
/// How often the moving line is redrawn.
const BAR_INTERVAL: Duration = Duration::from_millis(500);

impl Progress {
    /// A moving line where stderr is a terminal, plain lines elsewhere.
    #[must_use]
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            bar: bar::on_terminal("{spinner} {wide_msg}"),
            started: now,
            phase: "",
            ok: 0,
            fail: 0,
            info: 0,
            faults: BTreeMap::new(),
            shown: now,
            shown_ok: 0,
            ops_per_s: 0.0,
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            // Nobody listens on a closed stderr: not a reason to stop.
            None => drop(writeln!(std::io::stderr(), "{text}")),
        }
    }

    fn figures(&self) -> String {
        let faults = if self.faults.is_empty() {
            "no fault".to_owned()
        } else {
            self.faults.values().cloned().collect::<Vec<_>>().join(", ")
        };
        let Self { phase, ops_per_s, ok, fail, info, .. } = self;
        format!(
            "{:>4.0} s  {phase}  {ops_per_s:.0} ops/s  ok {ok}  fail {fail}  info {info}  [{faults}]",
            self.started.elapsed().as_secs_f64()
        )
    }

    fn operation(&mut self, event: &Event) {
        match (&event.process, event.kind) {
            (Process::Client(_), EventKind::Ok) => self.ok += 1,
            (Process::Client(_), EventKind::Fail) => self.fail += 1,
            (Process::Client(_), EventKind::Info) => self.info += 1,
            (Process::Client(_), EventKind::Invoke) => {}
            (Process::Named(_), _) => self.mark(event),
        }
    }

    fn mark(&mut self, event: &Event) {
        match Mark::of(event) {
            Some(Mark::Phase(phase)) => {
                self.phase = phase.name();
                if self.bar.is_none() {
                    self.line(&self.figures());
                }
            }
            // What a store said may stand in it.
            Some(Mark::Note(text)) => {
                self.line(&format!("note: {}", cluster::logs::printable(text.as_bytes())));
            }
            _ => {}
        }
    }

    fn fault(&mut self, record: &FaultRecord) {
        match record.step {
            FaultStep::Started => {
                let what = format!("{} {}", record.family, record.form);
                self.faults.insert(record.fault, what);
            }
            FaultStep::Healed => {
                self.faults.remove(&record.fault);
            }
            FaultStep::Planned | FaultStep::Missed | FaultStep::Healing => {}
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader for Progress {
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::History(event) => self.operation(event),
            RunEvent::Fault(record) => self.fault(record),
            RunEvent::Attempts(_) | RunEvent::Introspection(_) => {}
        }
        Ok(())
    }

    fn pause(&mut self) -> std::io::Result<()> {
        let since = self.shown.elapsed();
        if since < if self.bar.is_some() { BAR_INTERVAL } else { PLAIN_INTERVAL } {
            return Ok(());
        }
        self.ops_per_s = f64::from(u32::try_from(self.ok - self.shown_ok).unwrap_or(u32::MAX))
            / since.as_secs_f64();
        (self.shown, self.shown_ok) = (Instant::now(), self.ok);
        match &self.bar {
            Some(bar) => {
                bar.set_message(self.figures());
                bar.tick();
            }
            None => self.line(&self.figures()),
        }
        Ok(())
    }
}

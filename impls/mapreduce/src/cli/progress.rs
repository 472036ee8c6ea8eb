//! How far a job is: a bar on a terminal, else a line now and then.

use std::io::{IsTerminal, Write};

use contract::mapreduce::{JobStatus, State};
use indicatif::{ProgressBar, ProgressStyle};

/// Shows on stderr how far a job is.
#[derive(Clone)]
pub struct Progress {
    bar: Option<ProgressBar>,
    /// What the last line said: the state, and how many tenths were done.
    shown: Option<(State, u32)>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let bar = || {
            let template = "{msg:6} {wide_bar} {pos}/{len} tasks, {elapsed}";
            let style = ProgressStyle::with_template(template).expect("a constant template");
            ProgressBar::new(0).with_style(style)
        };
        Self { bar: std::io::stderr().is_terminal().then(bar), shown: None }
    }

    /// Shows how far the job is.
    pub fn update(&mut self, status: &JobStatus) {
        let JobStatus { state, map, reduce, .. } = status;
        let (done, total) = (map.done + reduce.done, map.total + reduce.total);
        let name = format!("{state:?}").to_lowercase();
        if let Some(bar) = &self.bar {
            bar.set_length(u64::from(total));
            bar.set_position(u64::from(done));
            bar.set_message(name);
            return;
        }
        let tenths = done * 10 / total.max(1);
        if self.shown.replace((*state, tenths)) != Some((*state, tenths)) {
            self.say(&format!(
                "{name}: {}/{} map tasks, {}/{} reduce tasks",
                map.done, map.total, reduce.done, reduce.total
            ));
        }
    }

    /// Shows a line beside the bar, if somebody still reads it.
    pub fn say(&self, line: &str) {
        let write = || {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

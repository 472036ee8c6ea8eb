//! A line that moves on a terminal.

use std::io::IsTerminal;
use std::ops::Deref;

use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar on stderr that is gone when it is dropped.
pub struct Bar(ProgressBar);

/// A bar of this form where stderr is a terminal. The template is a constant of ours.
#[must_use]
pub fn on_terminal(template: &'static str) -> Option<Bar> {
    std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template(template).expect("a constant template"));
        Bar(bar)
    })
}

impl Deref for Bar {
    type Target = ProgressBar;

    fn deref(&self) -> &ProgressBar {
        &self.0
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

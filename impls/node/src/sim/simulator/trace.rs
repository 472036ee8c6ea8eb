//! A line of text for each event.

/// The text of a run, kept only where somebody asked for it: formatting costs more than simulating.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) lines: Option<Vec<String>>,
}

impl Trace {
    pub(super) fn note(
        &mut self,
        now_us: u64,
        what: &str,
        node: usize,
        detail: impl FnOnce() -> String,
    ) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{now_us:>10} {node} {what} {}", detail()));
        }
    }
}

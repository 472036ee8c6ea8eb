//! The verdict in plain words, and what was run.

use history::Verdict;
use record::RunFile;

use crate::axis::duration;
use crate::folder::Folder;
use crate::markup::{Markup, counted, cut};

/// A fact is a few words.
const FACT_CHARS_MAX: usize = 160;

/// How a verdict is shown: never by colour alone.
pub struct Shown {
    /// The CSS class.
    pub class: &'static str,
    /// The sign.
    pub symbol: &'static str,
    /// The word.
    pub word: &'static str,
    /// What it means.
    meaning: &'static str,
}

impl Shown {
    /// The run's verdict.
    pub fn of(folder: &Folder) -> Self {
        match folder.results.as_ref().map(|results| results.verdict) {
            Some(verdict) => Self::verdict(verdict),
            None => Self {
                class: "unjudged",
                symbol: "…",
                word: "Not judged yet",
                meaning: "The run ended before its record was checked.",
            },
        }
    }

    /// A verdict.
    pub fn verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Valid => Self {
                class: "valid",
                symbol: "✓",
                word: "Valid",
                meaning: "Everything that was checked holds.",
            },
            Verdict::Violation => Self {
                class: "violation",
                symbol: "✗",
                word: "Violation",
                meaning: "A promise was broken, and the record proves it.",
            },
            Verdict::Inconclusive => Self {
                class: "inconclusive",
                symbol: "?",
                word: "Inconclusive",
                meaning: "Not enough was seen to decide: neither right nor wrong was shown.",
            },
        }
    }

    /// Sign and word as a small badge.
    pub fn badge(&self) -> Markup {
        let mut badge = Markup::new();
        badge.push(
            "<span class='badge {}'><span aria-hidden='true'>{}</span> {}</span>",
            &[&self.class, &self.symbol, &self.word.to_lowercase()],
        );
        badge
    }
}

/// The top of the page.
pub fn render(folder: &Folder) -> Markup {
    let shown = Shown::of(folder);
    let mut out = Markup::new();
    out.push(
        "<header class='verdict {}'><p class='sign' aria-hidden='true'>{}</p><div><h1>{}</h1><p class='meaning'>{}</p>",
        &[&shown.class, &shown.symbol, &shown.word, &shown.meaning],
    );
    match &folder.results {
        Some(results) => out.push("<p class='summary'>{}</p>", &[&results.summary]),
        None => out.push(
            "<p class='summary'>To judge it, run <code>harness check {}</code></p>",
            &[&quoted(&folder.path.display().to_string())],
        ),
    }
    out.raw("</div></header>");
    if let Some(run) = &folder.run {
        // A history that another tool recorded has no run to tell of.
        let facts = if folder.is_run() { of_run(folder, run) } else { of_history(folder, run) };
        facts_into(&mut out, &facts);
        command_into(&mut out, run);
        list_into(&mut out, "What this machine could not offer", "lacks", &run.lacks);
    }
    let notes = folder.results.as_ref().map_or(&[][..], |results| &results.notes);
    list_into(&mut out, "Worth knowing", "notes", notes);
    list_into(&mut out, "About this results folder", "remarks", &folder.remarks);
    out
}

/// A name, what it is, and more about it.
type Fact = (&'static str, String, String);

fn of_history(folder: &Folder, run: &RunFile) -> Vec<Fact> {
    let mut facts = vec![
        ("History", run.target.clone(), run.target_folder.clone()),
        ("Model", run.workload.clone(), String::new()),
        ("Duration", format!("{} recorded", duration(folder.end_ns)), String::new()),
        ("Checked", run.started.replacen('T', " ", 1), String::new()),
        ("Bench", run.harness.clone(), String::new()),
    ];
    facts.retain(|(name, ..)| folder.is_timed() || *name != "Duration");
    facts
}

fn of_run(folder: &Folder, run: &RunFile) -> Vec<Fact> {
    let rate = run.rate.map_or("as fast as answered".into(), |rate| format!("{rate} operations/s"));
    let faults = match run.faults.as_slice() {
        [] => "none".to_owned(),
        families => format!(
            "{}; one every {}",
            families.join(", "),
            duration(run.fault_interval_ms.saturating_mul(1_000_000))
        ),
    };
    let nodes = run.nodes.join(", ");
    let machine: Vec<String> =
        run.machine.iter().take(20).map(|(name, value)| format!("{name} {value}")).collect();
    vec![
        ("Target", run.target.clone(), run.target_folder.clone()),
        ("Workload", run.workload.clone(), format!("seed {}", run.seed)),
        ("Nodes", counted(run.nodes.len() as u64, "node"), nodes),
        ("Clients", counted(u64::from(run.clients), "client"), rate),
        ("Faults", faults, effective(folder)),
        (
            "Duration",
            format!("{} recorded", duration(folder.end_ns)),
            format!(
                "main phase limited to {}",
                duration(run.time_limit_ms.saturating_mul(1_000_000))
            ),
        ),
        ("Started", run.started.replacen('T', " ", 1), String::new()),
        ("Bench", run.harness.clone(), String::new()),
        ("Machine", machine.join(" · "), String::new()),
    ]
}

fn facts_into(out: &mut Markup, facts: &[Fact]) {
    out.raw("<dl class='facts'>");
    for (name, value, detail) in facts {
        out.push("<div><dt>{}</dt><dd>{}", &[name, &cut(value, FACT_CHARS_MAX)]);
        if !detail.is_empty() {
            out.push("<small>{}</small>", &[&cut(detail, FACT_CHARS_MAX)]);
        }
        out.raw("</dd></div>");
    }
    out.raw("</dl>");
}

fn effective(folder: &Folder) -> String {
    let Some(results) = &folder.results else { return String::new() };
    let families: Vec<String> = results
        .faults
        .iter()
        .take(20)
        .map(|(family, counts)| {
            format!("{family} {} of {} took hold", counts.effective, counts.planned)
        })
        .collect();
    families.join(" · ")
}

fn command_into(out: &mut Markup, run: &RunFile) {
    let heading = if run.nodes.is_empty() { "Ask again" } else { "Repeat this run" };
    out.push(
        "<div class='command'><h2>{}</h2><pre><code id='command'>{}</code></pre><button type='button' data-copy='command' hidden>Copy</button></div>",
        &[&heading, &run.command],
    );
}

fn list_into(out: &mut Markup, heading: &'static str, class: &'static str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    out.push("<aside class='{}'><h2>{}</h2><ul>", &[&class, &heading]);
    for item in items.iter().take(50) {
        out.push("<li>{}</li>", &[item]);
    }
    if items.len() > 50 {
        out.push("<li>… and {} more</li>", &[&(items.len() - 50)]);
    }
    out.raw("</ul></aside>");
}

/// A path as one word of a shell command.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
    if path.chars().all(is_plain) {
        path.into()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

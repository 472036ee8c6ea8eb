//! The verdict in plain words, and what was run.

use std::borrow::Cow;
use std::collections::BTreeMap;

use history::Verdict;
use record::{FaultCounts, RunFile};

use crate::axis::duration;
use crate::markup::{Markup, counted, cut};
use crate::page::{Cluster, History, Page, Subject};

/// A fact is a few words.
const FACT_CHARS_MAX: usize = 160;

/// The exit code for a broken store.
const BROKEN: u8 = 4;

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
    /// Of something that was not checked.
    pub const UNCHECKED: Self = Self {
        class: "unjudged",
        symbol: "–",
        word: "Not checked",
        meaning: "Nothing was seen of it.",
    };

    /// The run's verdict.
    pub fn of(page: &Page) -> Self {
        match (&page.judgement, &page.failure) {
            (Some(judgement), _) => Self::verdict(judgement.verdict),
            (None, Some(failure)) if failure.exit == BROKEN => Self {
                class: "violation",
                symbol: "✗",
                word: "Broken",
                meaning: "The store could not be tested: it does not build, does not start, or breaks the contract.",
            },
            (None, Some(_)) => Self {
                class: "inconclusive",
                symbol: "?",
                word: "No verdict",
                meaning: "The bench or the machine failed.",
            },
            (None, None) => Self {
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
pub fn render(page: &Page) -> Markup {
    let shown = Shown::of(page);
    let mut out = Markup::new();
    out.push(
        "<header class='verdict {}'><p class='sign' aria-hidden='true'>{}</p><div><h1>{}</h1><p class='meaning'>{}</p>",
        &[&shown.class, &shown.symbol, &shown.word, &shown.meaning],
    );
    match (&page.judgement, &page.failure, &page.cluster) {
        (Some(judgement), ..) => out.push("<p class='summary'>{}</p>", &[&judgement.summary]),
        (None, Some(failure), _) => failure_into(&mut out, &failure.error),
        (None, None, Some(cluster)) => out.push(
            "<p class='summary'>To judge it, run <code>harness check {}</code></p>",
            &[&&*quoted(&cluster.folder)],
        ),
        (None, None, None) => {}
    }
    out.raw("</div></header>");
    match &page.subject {
        Some(Subject::Run(run)) => {
            facts_into(&mut out, &of_run(run, page.end_ns, page.cluster.as_ref()));
            command_into(&mut out, "Repeat this run", &run.command);
            list_into(&mut out, "What this machine could not offer", "lacks", &run.lacks);
        }
        Some(Subject::History(history)) => {
            facts_into(&mut out, &of_history(history, page.end_ns));
            command_into(&mut out, "Ask again", &history.command);
        }
        None => {}
    }
    let notes = page.judgement.as_ref().map_or(&[][..], |judgement| &judgement.notes);
    list_into(&mut out, "Worth knowing", "notes", notes);
    list_into(&mut out, "About this record", "remarks", &page.remarks);
    out
}

/// What happened; the end of a log may follow.
fn failure_into(out: &mut Markup, failure: &str) {
    let (what, log) = failure.split_once('\n').unwrap_or((failure, ""));
    out.push("<p class='summary'>{}</p>", &[&what]);
    if !log.is_empty() {
        out.push("<div class='log'><pre>{}</pre></div>", &[&log]);
    }
}

/// A name, what it is, and more about it.
type Fact = (&'static str, String, String);

fn of_history(history: &History, end_ns: u64) -> Vec<Fact> {
    let mut facts = vec![
        ("History", history.file.clone(), history.folder.clone()),
        ("Model", history.model.clone(), String::new()),
    ];
    if history.has_times {
        facts.push(("Duration", format!("{} recorded", duration(end_ns)), String::new()));
    }
    facts.push(("Checked", history.checked.replacen('T', " ", 1), String::new()));
    facts.push(("Bench", history.harness.clone(), String::new()));
    facts
}

/// What the nodes were kept to, and who answers for them; older benches do not say it.
fn kept_to(run: &RunFile) -> &'static str {
    match (run.confinement.as_deref(), run.is_confined()) {
        (None, _) => "",
        (_, false) => " · not confined: they could go around the links",
        (_, true) if run.spoken_for => " · confined; programs that nothing breaks speak for them",
        (_, true) => " · confined",
    }
}

fn of_run(run: &RunFile, end_ns: u64, cluster: Option<&Cluster>) -> Vec<Fact> {
    let rate = run.rate.map_or("as fast as answered".into(), |rate| format!("{rate} operations/s"));
    let effective = cluster.map_or(String::new(), |cluster| effective(&cluster.effective));
    let faults = match run.faults.as_slice() {
        [] if effective.is_empty() => "none".to_owned(),
        // Nobody asked for them before.
        [] => "by hand".to_owned(),
        families => {
            let every = run.fault_interval_ms.map(|ms| duration(ms.saturating_mul(1_000_000)));
            let every = every.map_or(String::new(), |every| format!("; one every {every}"));
            format!("{}{every}", families.join(", "))
        }
    };
    let nodes = match run.groups.as_slice() {
        [] => match &run.coordinator {
            None => run.nodes.join(", "),
            Some(coordinator) => {
                format!("workers {}; coordinator {coordinator}", run.nodes.join(" "))
            }
        },
        groups => {
            let groups: Vec<String> = groups.iter().map(|group| group.join(" ")).collect();
            let controllers = run.controllers.join(" ");
            format!("groups of {}; shard controllers {controllers}", groups.join(", "))
        }
    };
    let machine: Vec<String> =
        run.machine.iter().take(20).map(|(name, value)| format!("{name} {value}")).collect();
    vec![
        ("Target", run.target.clone(), run.target_folder.clone()),
        ("Workload", run.workload.clone(), workload_detail(run)),
        ("Nodes", counted(run.nodes.len() as u64, "node"), nodes + kept_to(run)),
        match run.played.as_slice() {
            [] => ("Clients", counted(u64::from(run.clients), "client"), rate),
            played => {
                let who = format!("{}, played by the bench", played.join(", "));
                ("Servers", counted(played.len() as u64, "server"), who)
            }
        },
        ("Faults", faults, effective),
        (
            "Duration",
            format!("{} recorded", duration(end_ns)),
            match run.time_limit_ms {
                0 => "without a time limit".to_owned(),
                limit_ms => {
                    format!(
                        "main phase limited to {}",
                        duration(limit_ms.saturating_mul(1_000_000))
                    )
                }
            },
        ),
        timeouts(run),
        ("Started", run.started.replacen('T', " ", 1), String::new()),
        ("Bench", run.harness.clone(), String::new()),
        ("Machine", machine.join(" · "), String::new()),
    ]
}

fn workload_detail(run: &RunFile) -> String {
    let seed = format!("seed {}", run.seed);
    run.consistency.as_ref().map_or(seed.clone(), |level| format!("held to {level} · {seed}"))
}

fn timeouts(run: &RunFile) -> Fact {
    let ms = |ms: u64| duration(ms.saturating_mul(1_000_000));
    let waits = &run.timeouts;
    let clients =
        format!("{} a request, {} an operation", ms(waits.attempt_ms), ms(waits.operation_ms));
    let nodes = [
        ("bind", waits.bind_ms),
        ("ready", waits.ready_ms),
        ("recovery", waits.recovery_ms),
        ("stop", waits.stop_ms),
    ];
    let nodes = nodes.map(|(name, limit_ms)| format!("{name} {}", ms(limit_ms)));
    ("Timeouts", clients, nodes.join(" · "))
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

fn effective(faults: &BTreeMap<String, FaultCounts>) -> String {
    let one = |(family, counts): (&String, &FaultCounts)| {
        format!("{family} {} of {} took hold", counts.effective, counts.planned)
    };
    faults.iter().take(20).map(one).collect::<Vec<_>>().join(" · ")
}

fn command_into(out: &mut Markup, heading: &'static str, command: &str) {
    out.push(
        "<div class='command'><h2>{}</h2><pre><code id='command'>{}</code></pre><button type='button' data-copy='command' hidden>Copy</button></div>",
        &[&heading, &command],
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

/// A path as one word of a shell command; one that no shell can take stands as it is.
fn quoted(path: &str) -> Cow<'_, str> {
    shlex::try_quote(path).unwrap_or(Cow::Borrowed(path))
}

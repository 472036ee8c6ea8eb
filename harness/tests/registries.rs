//! The README and `--help` name what there is: every workload, fault family, model, format and command, and no other.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{collections::BTreeSet, path::Path, process::Command, sync::LazyLock};

use clap::CommandFactory;
use common::{HARNESS, finish};
use contract::manifest::{TIMEOUTS, TimeoutEntry};
use harness::{
    cli::Cli,
    nemesis::{Family, scenarios::SCENARIOS},
};
use history::Format;
use invariants::Invariant;
use isolation::Datatype;
use linearizability::Named;
use record::Evidence;

static README: LazyLock<String> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    std::fs::read_to_string(path).unwrap()
});

/// The code spans of a text.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The first code span in each row of the README's table whose first column has this header.
fn table(header: &str) -> Vec<&'static str> {
    let start = format!("| {header} |");
    let mut rows = README.lines().skip_while(|line| !line.starts_with(&start)).skip(2);
    let rows: Vec<&str> = rows.by_ref().take_while(|line| line.starts_with('|')).collect();
    let first = |row: &&'static str| code(row.split('|').nth(1).unwrap_or_default()).next();
    rows.iter().filter_map(first).collect()
}

/// The code spans of the README's paragraph that starts so.
fn paragraph(start: &str) -> Vec<&'static str> {
    let from = README.find(start).unwrap_or_else(|| panic!("the README has no `{start}`"));
    let text = README[from..].split("\n\n").next().unwrap_or_default();
    code(text).collect()
}

#[track_caller]
fn same(
    named: impl IntoIterator<Item = &'static str>,
    there_are: impl IntoIterator<Item = &'static str>,
) {
    let named: BTreeSet<_> = named.into_iter().collect();
    let there_are: BTreeSet<_> = there_are.into_iter().collect();
    assert_eq!(named, there_are, "what the README names, and what there is");
}

#[test]
fn the_readme_names_every_workload() {
    // `bank` stands for one of its forms.
    same(table("workload"), workloads::names().filter(|name| *name != "bank"));
}

#[test]
fn the_readme_says_what_a_run_must_see() {
    for evidence in Evidence::ALL {
        let (name, about) = (evidence.name(), evidence.about());
        let row = format!("| `{name}` | {about} | {} |", evidence.default_minimum());
        assert!(README.contains(&row), "the README has no row {row}");
    }
    same(table("name"), Evidence::ALL.map(Evidence::name));
}

#[test]
fn the_readme_says_how_long_the_bench_waits() {
    for TimeoutEntry { name, default_ms, .. } in TIMEOUTS {
        let row = format!("\n{name:<12} = {default_ms:<8} #");
        assert!(README.contains(&row), "the README has no row {row}");
    }
}

#[test]
fn the_readme_names_every_fault_family() {
    same(table("fault"), Family::all().map(Family::name));
}

#[test]
fn the_readme_and_harness_faults_explain_every_scenario() {
    same(table("scenario"), SCENARIOS.iter().map(|scenario| scenario.name));
    let printed = finish(Command::new(HARNESS).arg("faults")).expect(0, "").stdout;
    for scenario in SCENARIOS {
        let row = format!("| `{}` | {} |", scenario.name, scenario.about);
        assert!(README.contains(&row), "the README has no row {row}");
        assert!(printed.contains(scenario.about), "{printed}");
    }
}

#[test]
fn the_readme_names_every_format_and_model() {
    same(table("format"), Format::ALL.map(Format::name));
    same(paragraph("**Models** of single objects"), Named::ALL.map(Named::name));
    same(paragraph("**Invariants**"), Invariant::ALL.map(Invariant::name));
    let transactions = paragraph("**Models** of transactions");
    for datatype in Datatype::ALL {
        assert!(transactions.contains(&datatype.name()), "{transactions:?}");
    }
}

#[test]
fn the_readme_and_the_help_name_every_command() {
    let cli = Cli::command();
    let commands = || cli.get_subcommands().map(clap::Command::get_name);
    let named: BTreeSet<_> =
        table("command").into_iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(named, commands().collect());
    let help = finish(Command::new(HARNESS).arg("--help")).expect(0, "Usage").stdout;
    for command in commands() {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
    }
}

/// What `harness COMMAND --help` prints, on one line.
fn help(command: &str) -> String {
    let ran = finish(Command::new(HARNESS).args([command, "--help"])).expect(0, "Usage");
    ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_help_names_whatever_can_be_asked_for() {
    let run = help("run");
    assert!(run.contains(&workloads::names().collect::<Vec<_>>().join(", ")), "{run}");
    for workload in workloads::WORKLOADS {
        let sentence = format!("{}: {}", workload.name, workload.about);
        assert!(run.contains(&sentence), "{sentence}: {run}");
    }
    for family in Family::all() {
        assert!(run.contains(&format!("{family} ({})", family.about())), "{family}: {run}");
    }
    let check = help("check");
    assert!(check.contains(&Named::ALL.map(Named::name).join(", ")), "{check}");
    assert!(check.contains(&Invariant::ALL.map(Invariant::name).join(", ")), "{check}");
    assert!(check.contains(&Datatype::ALL.map(Datatype::name).join(", ")), "{check}");
    assert!(check.contains(&Format::ALL.map(Format::name).join(", ")), "{check}");
}

/// The text of all Rust sources outside tests, with string literals that go on in the next line put together, and
/// without backquotes.
fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders = ["harness", "checker", "workloads", "impls/contract", "impls/plain-file"]
        .map(|part| root.join(part))
        .to_vec();
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |joined, line| joined + line.trim_start()).replace('`', "")
}

/// One of its messages once was nowhere.
#[test]
fn every_message_of_the_troubleshooting_page_exists() {
    let page = include_str!("../../TROUBLESHOOTING.md");
    let sources = sources();
    let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("### `")).collect();
    assert!(headings.len() > 8, "{headings:?}");
    for message in headings.iter().flat_map(|heading| code(heading)) {
        // What stands between the parts that change.
        let fixed =
            message.split('<').map(|part| part.split_once('>').map_or(part, |(_, rest)| rest));
        for words in fixed.filter(|words| words.trim().len() > 3) {
            assert!(sources.contains(words.trim()), "no message says `{words}` of `{message}`");
        }
    }
}

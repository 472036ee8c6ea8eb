//! The commands in a table: what the help says, and what is told where one does not fit.

use contract::{Manifest, operations::OPERATIONS};

use super::operation;

/// The commands but for the operations: how they are typed, and what they do.
const COMMANDS: [(&str, &str); 13] = [
    (
        "cut A… | B…",
        "nothing passes between the two groups; without `| B…`: between A and all others",
    ),
    ("cut A… > B…", "nothing passes from the first group to the second, but the other way"),
    ("heal", "everything passes again"),
    ("kill NODE…", "SIGKILL"),
    ("start NODE…", "starts what was killed, on its data; also `restart`"),
    ("pause NODE…", "SIGSTOP"),
    ("resume NODE…", "SIGCONT"),
    ("status", "the nodes, what they say of themselves, and the cut links"),
    ("curl", "how to reach each node past the record"),
    ("sleep MS", "waits so many milliseconds"),
    ("wait", "waits until every operation has ended"),
    ("help", "this"),
    ("quit", "ends: everything is healed, then judged; so does the end of the input"),
];

/// All that can be typed at a store with this manifest.
pub(super) fn commands(manifest: &Manifest) -> String {
    let known = OPERATIONS.iter().filter(|entry| manifest.may_be_asked(entry.capability));
    let known = known.filter_map(|entry| {
        Some((operation::usage(entry.name)?, entry.meaning.trim_end_matches('.')))
    });
    let width = 28;
    let row = |(usage, about): (&str, &str)| match usage.chars().count() {
        count if count > width => format!("  {usage}\n  {:width$}  {about}", ""),
        _ => format!("  {usage:width$}  {about}"),
    };
    let rows: Vec<String> = known.chain(COMMANDS).map(row).collect();
    format!(
        "{}\nWith `@NODE` behind it an operation asks that node and no other. NODE may be `leader`.\nIn a script each line \
         waits until the one before it is done; one that ends with ` &` is not waited for.",
        rows.join("\n")
    )
}

/// What was expected where a command does not fit.
pub(super) fn expected(name: &str) -> String {
    let usages = || COMMANDS.iter().map(|(usage, _)| *usage);
    let named = |usage: &&str| usage.split(' ').next() == Some(name);
    let fitting: Vec<&str> =
        operation::usage(name).into_iter().chain(usages().filter(named)).collect();
    if fitting.is_empty() {
        let mut names: Vec<&str> = operation::names().collect();
        names.extend(usages().filter_map(|usage| usage.split(' ').next()));
        names.dedup();
        return format!("there is no command `{name}`: there are {}", names.join(", "));
    }
    format!("expected: {}", fitting.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_whatever_can_be_typed() {
        let text = "name = \"s\"\nrun = [\"s\"]\nserves = [\"replicated-kv\"]\ncaps = [\"cas\"]\n";
        let manifest = Manifest::parse(text).unwrap();
        let help = commands(&manifest);
        assert!(
            help.contains("put KEY VALUE") && help.contains("cas KEY") && help.contains("heal")
        );
        assert!(!help.contains("txn"), "the store has none");
        assert!(help.lines().all(|line| line.chars().count() <= 130), "{help}");
    }
}

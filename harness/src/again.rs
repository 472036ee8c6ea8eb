//! The command that does the same again: complete, and quoted for a shell.

use std::path::Path;

use record::Required;

use crate::{
    cli::{CheckArguments, DEFAULT_OUT, RunArguments, STDIN, UpArguments},
    confine::Confine,
    duration::format_duration,
    size::format_bytes,
};

/// The command line of `harness run` with these arguments.
#[must_use]
pub fn run(arguments: &RunArguments) -> String {
    // Every field by name: a new option that is forgotten here does not compile.
    let RunArguments {
        target,
        workload,
        faults,
        fault_interval,
        plan,
        to_the_end,
        time_limit,
        consistency,
        nodes,
        clients,
        rate,
        seed,
        repeat,
        require,
        check_time_limit,
        confine,
        out,
        json,
    } = arguments;
    let mut line = CommandLine::new("run");
    if let Some(target) = target {
        line.path(target);
    }
    line.optional("workload", workload.as_ref());
    line.optional("faults", faults.as_ref());
    line.optional("fault-interval", fault_interval.map(format_duration).as_ref());
    line.optional("plan", plan.as_ref().map(|path| path.display()).as_ref());
    line.flag("to-the-end", *to_the_end);
    line.option("time-limit", &format_duration(*time_limit));
    line.optional("consistency", consistency.as_ref());
    line.optional("nodes", nodes.as_ref());
    line.option("clients", &clients.to_string());
    line.optional("rate", rate.as_ref());
    line.optional("seed", seed.as_ref());
    if *repeat != 1 {
        line.option("repeat", &repeat.to_string());
    }
    line.required(require);
    line.optional("check-time-limit", check_time_limit.map(format_duration).as_ref());
    line.confine(*confine);
    line.out(out);
    line.flag("json", *json);
    line.quoted()
}

/// The command line of `harness up` with these arguments. What was typed is in the history.
#[must_use]
pub fn up(arguments: &UpArguments) -> String {
    let UpArguments { target, nodes, require, confine, out } = arguments;
    let mut line = CommandLine::new("up");
    if let Some(target) = target {
        line.path(target);
    }
    line.optional("nodes", nodes.as_ref());
    line.required(require);
    line.confine(*confine);
    line.out(out);
    line.quoted()
}

/// The command line of `harness check` with these arguments.
#[must_use]
pub fn check(arguments: &CheckArguments) -> String {
    let CheckArguments {
        paths,
        model,
        consistency,
        format,
        initial,
        time_limit,
        memory_limit,
        report,
        json,
    } = arguments;
    let mut line = CommandLine::new("check");
    paths.iter().for_each(|path| line.path(path));
    line.optional("model", model.as_ref());
    if !consistency.is_empty() {
        let levels: Vec<String> = consistency.iter().map(ToString::to_string).collect();
        line.option("consistency", &levels.join(","));
    }
    line.optional("format", format.as_ref());
    line.optional("initial", initial.as_ref());
    line.option("time-limit", &format_duration(*time_limit));
    line.option("memory-limit", &format_bytes(*memory_limit));
    line.optional("report", report.as_ref().map(|path| path.display()).as_ref());
    line.flag("json", *json);
    line.quoted()
}

/// A command line, word by word.
struct CommandLine {
    words: Vec<String>,
}

impl CommandLine {
    fn new(subcommand: &str) -> Self {
        Self { words: vec!["harness".to_owned(), subcommand.to_owned()] }
    }

    fn path(&mut self, path: &Path) {
        let path = path.display().to_string();
        self.words.push(match path.chars().next() {
            // This folder, seen from itself.
            None => ".".to_owned(),
            // It would be taken for an option.
            Some('-') if path != STDIN => format!("./{path}"),
            Some(_) => path,
        });
    }

    fn option(&mut self, name: &str, value: &str) {
        if value.starts_with('-') {
            self.words.push(format!("--{name}={value}"));
        } else {
            self.words.extend([format!("--{name}"), value.to_owned()]);
        }
    }

    fn optional(&mut self, name: &str, value: Option<&impl ToString>) {
        if let Some(value) = value {
            self.option(name, &value.to_string());
        }
    }

    fn required(&mut self, require: &Required) {
        if *require != Required::default() {
            self.option("require", &require.to_string());
        }
    }

    fn out(&mut self, out: &Path) {
        if out != Path::new(DEFAULT_OUT) {
            self.option("out", &out.display().to_string());
        }
    }

    fn confine(&mut self, confine: Confine) {
        if confine != Confine::default() {
            self.option("confine", confine.name());
        }
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.words.push(format!("--{name}"));
        }
    }

    fn quoted(&self) -> String {
        let words = self.words.iter().map(String::as_str);
        // Only a zero byte cannot be quoted, and no argument holds one.
        shlex::try_join(words).unwrap_or_else(|_| self.words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;

    fn parsed(words: &[&str]) -> Command {
        Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{words:?}: {error}")).command
    }

    /// What the command line that is built from `words` says, read again as a shell would.
    fn twice(words: &[&str]) {
        let first = parsed(words);
        let line = match &first {
            Command::Run(arguments) => run(arguments),
            Command::Check(arguments) => check(arguments),
            Command::Up(arguments) => up(arguments),
            other => panic!("{other:?}"),
        };
        let again = shlex::split(&line).unwrap();
        let again = parsed(&again.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(format!("{first:?}"), format!("{again:?}"), "{line}");
    }

    #[test]
    fn a_run_again_has_the_same_arguments() {
        twice(&["harness", "run"]);
        twice(&[
            "harness",
            "run",
            "my stores/it's $HOME",
            "--workload",
            "bank:swap",
            "--faults",
            "kill,pause",
            "--fault-interval",
            "1500ms",
            "--time-limit",
            "1h1m30s",
            "--consistency",
            "snapshot-isolation",
            "--nodes",
            "5",
            "--clients",
            "7",
            "--rate",
            "0.5",
            "--seed",
            "9",
            "--repeat",
            "3",
            "--require",
            "succeeded=5,each-client=0,each-kind=1,percent-unbroken=2",
            "--check-time-limit",
            "2m",
            "--out",
            "a b",
            "--json",
        ]);
        twice(&["harness", "run", "./-store", "--faults", "none"]);
        twice(&["harness", "run", "store", "--plan", "a plan.json", "--to-the-end"]);
    }

    #[test]
    fn a_session_again_has_the_same_arguments() {
        twice(&["harness", "up"]);
        twice(&["harness", "up", "-", "--nodes", "5", "--require", "succeeded=3", "--out", "a b"]);
    }

    /// A store that was tested from its own folder was once called `''`.
    #[test]
    fn a_store_in_this_folder_has_a_name() {
        let mut line = CommandLine::new("run");
        line.path(Path::new(""));
        assert_eq!(line.quoted(), "harness run .");
    }

    #[test]
    fn a_check_again_has_the_same_arguments() {
        twice(&["harness", "check", "results/latest"]);
        twice(&["harness", "check", "results/latest", "--consistency", "serializable"]);
        twice(&[
            "harness",
            "check",
            "a",
            "-",
            "./-b",
            "--consistency",
            "serializable,snapshot-isolation",
        ]);
        twice(&[
            "harness",
            "check",
            "`a`; b.edn",
            "--model",
            "register",
            "--format",
            "edn",
            "--initial",
            "\"it's\"",
            "--time-limit",
            "1ms",
            "--memory-limit",
            "1536MiB",
            "--report",
            "c d.html",
            "--json",
        ]);
        twice(&["harness", "check", "a.edn", "--model", "counter", "--initial=-5"]);
        twice(&[
            "harness",
            "check",
            "a",
            "--model",
            "list-append",
            "--consistency",
            "serializable",
        ]);
    }
}

//! What can be typed.

use std::time::Duration;

use contract::{Manifest, NodeId, Operation, operations::entry};

use super::{help::expected, operation};

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ask an operation.
    Ask {
        /// Which.
        operation: Operation,
        /// Of this node and no other; `None`: of whoever answered last, else of the leader, and then as any client does.
        node: Option<Who>,
    },
    /// Cut links between two groups.
    Cut {
        /// One group.
        left: Vec<Who>,
        /// The other; empty: all the others.
        right: Vec<Who>,
        /// Only what the first group sends to the second.
        one_way: bool,
    },
    /// Close every cut.
    Heal,
    /// Kill these nodes.
    Kill(Vec<Who>),
    /// Start these nodes again.
    Start(Vec<Who>),
    /// Stop these nodes for a while.
    Pause(Vec<Who>),
    /// Let these nodes go on.
    Resume(Vec<Who>),
    /// Show the nodes.
    Status,
    /// Show how to reach each node.
    Curl,
    /// Wait this long.
    Sleep(Duration),
    /// Wait until nothing is under way.
    Wait,
    /// Say what can be typed.
    Help,
    /// End.
    Quit,
}

/// A node that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// This one.
    Node(NodeId),
    /// Whoever leads.
    Leader,
}

/// A command, and whether the next one need not wait until it is done.
pub type Line = (Command, bool);

/// What the names in a command may mean.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The nodes that clients ask.
    pub nodes: &'a [NodeId],
    /// The view service, where there is one.
    pub view_service: Option<&'a NodeId>,
    /// What the store can do.
    pub manifest: &'a Manifest,
}

/// Longer pauses are a slip of the pen.
const SLEEP_MS_MAX: u64 = 3_600_000;

impl Names<'_> {
    /// The command of a line; `None` of a line that is empty, or a comment.
    ///
    /// # Errors
    /// What was expected instead, in one line.
    pub fn parse(&self, line: &str) -> Result<Option<Line>, String> {
        let words = shlex::split(line).ok_or("a quote is not closed")?;
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        let in_background = words.last() == Some(&"&");
        if in_background {
            words.pop();
        }
        let Some((name, arguments)) = words.split_first() else { return Ok(None) };
        let command = match (*name, arguments) {
            (name, _) if operation::usage(name).is_some() => self.ask(&words)?,
            ("cut", arguments) => self.cut(arguments)?,
            ("heal", []) => Command::Heal,
            ("kill", nodes @ [_, ..]) => Command::Kill(self.nodes(nodes)?),
            ("start" | "restart", nodes @ [_, ..]) => Command::Start(self.nodes(nodes)?),
            ("pause", nodes @ [_, ..]) => Command::Pause(self.nodes(nodes)?),
            ("resume", nodes @ [_, ..]) => Command::Resume(self.nodes(nodes)?),
            ("status", []) => Command::Status,
            ("curl", []) => Command::Curl,
            ("sleep", [ms]) => match ms.parse() {
                Ok(ms) if ms <= SLEEP_MS_MAX => Command::Sleep(Duration::from_millis(ms)),
                _ => return Err(expected("sleep")),
            },
            ("wait", []) => Command::Wait,
            ("help" | "?", []) => Command::Help,
            ("quit" | "exit", []) => Command::Quit,
            (name, _) => return Err(expected(if name == "restart" { "start" } else { name })),
        };
        Ok(Some((command, in_background)))
    }

    fn ask(&self, words: &[&str]) -> Result<Command, String> {
        let name = words[0];
        let (node, words) = match words.split_last() {
            Some((last, rest)) if last.starts_with('@') && !rest.is_empty() => {
                (Some(self.asked(&last[1..])?), rest)
            }
            _ => (None, words),
        };
        let operation = operation::parse(words).ok_or_else(|| expected(name))?;
        let needed = entry(name).and_then(|entry| entry.capability);
        match needed.filter(|needed| !self.manifest.may_be_asked(Some(*needed))) {
            Some(needed) => Err(format!(
                "{} has no `{}` in its caps, so it need not know `{name}`",
                self.manifest.name,
                needed.name()
            )),
            None => Ok(Command::Ask { operation, node }),
        }
    }

    fn cut(&self, words: &[&str]) -> Result<Command, String> {
        // `n1|n2` without blanks will do.
        let text = words.join(" ");
        let signs: Vec<char> = text.chars().filter(|sign| ['|', '>'].contains(sign)).collect();
        let one_way = signs == ['>'];
        let mut groups = text.split(['|', '>']).map(|group| {
            let words: Vec<&str> =
                group.split([' ', ',']).filter(|word| !word.is_empty()).collect();
            let who = words.iter().map(|word| self.linked(word));
            who.collect::<Result<Vec<Who>, String>>()
        });
        let left = groups.next().transpose()?.unwrap_or_default();
        let right = groups.next().transpose()?.unwrap_or_default();
        let overlap = left.iter().find(|who| right.contains(who));
        if let Some(who) = overlap {
            return Err(format!("{} is on both sides of the cut", who.name()));
        }
        if left.is_empty() || signs.len() > 1 || (right.is_empty() && !signs.is_empty()) {
            return Err(expected("cut"));
        }
        Ok(Command::Cut { left, right, one_way })
    }

    /// Nodes that may be killed and paused.
    fn nodes(&self, names: &[&str]) -> Result<Vec<Who>, String> {
        names.iter().map(|name| self.asked(name)).collect()
    }

    /// A node that clients ask.
    fn asked(&self, name: &str) -> Result<Who, String> {
        if self.view_service.is_some_and(|service| service == name) {
            return Err(format!(
                "{name} is the view service: it is not asked and does not fail, but `cut {name}` cuts it off"
            ));
        }
        self.linked(name)
    }

    /// Whoever has links to others.
    fn linked(&self, name: &str) -> Result<Who, String> {
        let mut linked = self.nodes.iter().chain(self.view_service);
        if name == "leader" {
            return Ok(Who::Leader);
        }
        match linked.find(|node| *node == name) {
            Some(node) => Ok(Who::Node(node.clone())),
            None => {
                let known: Vec<&str> = self.nodes.iter().map(String::as_str).collect();
                Err(format!(
                    "there is no node `{name}`: there are {}, and `leader`",
                    known.join(", ")
                ))
            }
        }
    }
}

impl Who {
    /// As it is typed.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Node(node) => node,
            Self::Leader => "leader",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let text = "name = \"s\"\nrun = [\"s\"]\nserves = [\"replicated-kv\"]\ncaps = [\"append\", \"cas\"]\n";
        Manifest::parse(text).unwrap()
    }

    fn parsed(line: &str) -> Result<Option<Line>, String> {
        let (nodes, service) = (["n1", "n2", "n3"].map(str::to_owned), "v1".to_owned());
        Names { nodes: &nodes, view_service: Some(&service), manifest: &manifest() }.parse(line)
    }

    #[track_caller]
    fn command(line: &str) -> Command {
        parsed(line).unwrap().unwrap().0
    }

    fn nodes(names: &[&str]) -> Vec<Who> {
        names.iter().map(|name| Who::Node((*name).to_owned())).collect()
    }

    #[test]
    fn operations_go_to_the_node_behind_the_at() {
        let put = Operation::Put { key: "x".to_owned(), value: "a b # c".to_owned() };
        let node = Some(Who::Node("n2".to_owned()));
        let typed = "put x 'a b # c'  @n2 # as client";
        assert_eq!(command(typed), Command::Ask { operation: put, node });
        let get = Operation::Get { key: "x".to_owned() };
        assert_eq!(command("get x"), Command::Ask { operation: get.clone(), node: None });
        let leader = Some(Who::Leader);
        let asked = Command::Ask { operation: get, node: leader };
        assert_eq!(parsed("get x @leader &"), Ok(Some((asked, true))));
    }

    #[test]
    fn cuts_have_sides_and_perhaps_a_direction() {
        let cut = |left: &[&str], right: &[&str], one_way| Command::Cut {
            left: nodes(left),
            right: nodes(right),
            one_way,
        };
        assert_eq!(command("cut n1 | n2 n3"), cut(&["n1"], &["n2", "n3"], false));
        assert_eq!(command("cut n1,n2|v1"), cut(&["n1", "n2"], &["v1"], false));
        assert_eq!(command("cut n1 > n2"), cut(&["n1"], &["n2"], true));
        assert_eq!(command("cut n1"), cut(&["n1"], &[], false));
        let leader = Command::Cut { left: vec![Who::Leader], right: Vec::new(), one_way: false };
        assert_eq!(command("cut leader"), leader);
    }

    #[test]
    fn the_others_are_plain_words() {
        assert_eq!(command("kill n2 n3"), Command::Kill(nodes(&["n2", "n3"])));
        assert_eq!(command("restart n2"), command("start n2"));
        assert_eq!(command("pause leader"), Command::Pause(vec![Who::Leader]));
        assert_eq!(command("sleep 500"), Command::Sleep(Duration::from_millis(500)));
        for nothing in ["", "  ", "# a remark"] {
            assert_eq!(parsed(nothing), Ok(None));
        }
    }

    #[test]
    fn what_does_not_fit_is_told_in_one_line_what_would() {
        for (line, told) in [
            ("steal x", "there is no command `steal`: there are get, put"),
            ("put x", "expected: put KEY VALUE"),
            ("put @n2", "expected: put KEY VALUE"),
            ("get x @n9", "there is no node `n9`: there are n1, n2, n3, and `leader`"),
            ("get x @v1", "v1 is the view service"),
            ("kill v1", "`cut v1` cuts it off"),
            ("kill", "expected: kill NODE…"),
            ("restart", "expected: start NODE…"),
            ("cut", "expected: cut A… | B… or cut A… > B…"),
            ("cut n1 |", "expected: cut"),
            ("cut n1 > n2 | n3", "expected: cut"),
            ("cut n1 | n1", "n1 is on both sides"),
            ("heal n1", "expected: heal"),
            ("sleep soon", "expected: sleep MS"),
            ("sleep 99999999999", "expected: sleep MS"),
            ("txn r x", "s has no `txn` in its caps"),
            ("put x 'y", "a quote is not closed"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(told) && !error.contains('\n'), "{line}: {error}");
        }
    }
}

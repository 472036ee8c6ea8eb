//! Carries out what is typed.

use std::{collections::BTreeMap, sync::Arc};

use contract::{NodeId, Operation};
use history::words::cut;
use tokio::task::{Id, JoinError, JoinSet};

use super::{
    CLERKS, Session,
    command::{Command, Names, Who},
    faults::{Faults, What},
    status,
};
use crate::{
    clients::clerk::Clerk,
    environment::Environment,
    nemesis::faults::partition::{Link, between, link_names},
};

/// So much of a line is quoted.
const LINE_CHARS_MAX: usize = 60;

impl Session<'_> {
    /// Takes commands until there are no more, and nothing is under way. What is broken then is for the caller to heal.
    pub async fn play(&self, environment: &Arc<Environment>, names: Names<'_>) -> Faults {
        let mut play = Play {
            session: self,
            environment,
            names,
            faults: Faults::new(Arc::clone(environment)),
            idle: BTreeMap::new(),
            clerks: 0,
            under_way: JoinSet::new(),
        };
        let nodes = names.nodes.join(", ");
        self.console.print(&format!("{nodes} run; what is asked and broken here is recorded."));
        self.console.print(&status::curl(environment));
        self.console.print("Type `help` to see what can be typed, `quit` to end.");
        while let Some(line) = self.console.next().await {
            let entered = match names.parse(&line) {
                Ok(Some((Command::Quit, _))) => break,
                Ok(Some((command, in_background))) => play.enter(command, in_background).await,
                Ok(None) => Ok(()),
                Err(expected) => Err(expected),
            };
            match entered {
                Ok(()) => {}
                // Nobody sees what a script says.
                Err(reason) if self.console.is_scripted() => {
                    self.console.print(&format!("{}: {reason}", cut(&line, LINE_CHARS_MAX)));
                }
                Err(reason) => self.console.print(&reason),
            }
        }
        play.wait_for_all().await;
        play.faults
    }
}

/// A clerk and its number.
type Numbered = (u64, Clerk);

struct Play<'a> {
    session: &'a Session<'a>,
    environment: &'a Arc<Environment>,
    names: Names<'a>,
    faults: Faults,
    /// The clerks that have nothing to do, by number.
    idle: BTreeMap<u64, Clerk>,
    /// How many clerks there are.
    clerks: u64,
    /// What goes on meanwhile; operations give their clerk back.
    under_way: JoinSet<Option<Numbered>>,
}

impl Play<'_> {
    async fn enter(&mut self, command: Command, in_background: bool) -> Result<(), String> {
        let begun = self.carry_out(command).await?;
        if let Some(id) = begun.filter(|_| self.session.console.is_scripted() && !in_background) {
            self.wait_for(id).await;
            self.all_told().await;
        }
        Ok(())
    }

    /// Carries out a command, or begins to: then it says what is under way.
    async fn carry_out(&mut self, command: Command) -> Result<Option<Id>, String> {
        match command {
            Command::Ask { operation, node } => return self.ask(operation, node).await.map(Some),
            Command::Cut { left, right, one_way } => self.cut(&left, &right, one_way).await?,
            Command::Heal => self.heal().await?,
            Command::Kill(nodes) => {
                for node in self.nodes(&nodes).await? {
                    self.stop_node(What::Killed(node)).await?;
                }
            }
            Command::Pause(nodes) => {
                for node in self.nodes(&nodes).await? {
                    self.stop_node(What::Paused(node)).await?;
                }
            }
            Command::Start(nodes) => return self.start(&nodes).await.map(Some),
            Command::Resume(nodes) => {
                for node in self.nodes(&nodes).await? {
                    let paused = What::Paused(node.clone());
                    if !self.is_on(&paused) {
                        return Err(format!("{node} is not paused"));
                    }
                    self.faults.take(|what| *what == paused).finish().await;
                    self.print(&format!("{node} goes on"));
                }
            }
            Command::Status => {
                let nodes = self.environment.nodes.statuses().await;
                self.print(&status::table(&nodes, self.faults.on()));
            }
            Command::Curl => self.print(&status::curl(self.environment)),
            Command::Sleep(time) => tokio::time::sleep(time).await,
            Command::Wait => self.wait_for_all().await,
            Command::Help => self.print(&self.names.help()),
            Command::Quit => {}
        }
        Ok(None)
    }

    /// Asks in the background, as the first client that has nothing else to do.
    async fn ask(&mut self, operation: Operation, node: Option<Who>) -> Result<Id, String> {
        while let Some(over) = self.under_way.try_join_next_with_id() {
            self.ended(over);
        }
        let only = match node {
            Some(who) => Some(self.place(&self.node(&who).await?)),
            None => None,
        };
        let (number, mut clerk) = self.clerk()?;
        if only.is_none() {
            let answered_last = self.environment.clients.last_answer();
            let first = match answered_last {
                Some(node) => Some(node),
                None => self.environment.leader().await.node().cloned(),
            };
            clerk.move_home(first.map_or(0, |node| self.place(&node)));
        }
        self.session.workload.asks(&operation);
        let asking = self.under_way.spawn(async move {
            match only {
                Some(node) => clerk.perform_at(&operation, node).await,
                None => clerk.perform(&operation).await,
            };
            Some((number, clerk))
        });
        Ok(asking.id())
    }

    fn clerk(&mut self) -> Result<Numbered, String> {
        if let Some(idle) = self.idle.pop_first() {
            return Ok(idle);
        }
        if self.clerks == u64::from(CLERKS) {
            return Err(format!("{CLERKS} operations are under way: wait until one has ended"));
        }
        let number = self.clerks;
        self.clerks += 1;
        Ok((number, Clerk::new(Arc::clone(&self.environment.clients), number, 0)))
    }

    /// The place of a node among those that clients ask.
    fn place(&self, node: &str) -> usize {
        self.environment.clients.nodes.iter().position(|other| other == node).unwrap_or(0)
    }

    async fn cut(&mut self, left: &[Who], right: &[Who], one_way: bool) -> Result<(), String> {
        let (left, mut right) = (self.nodes(left).await?, self.nodes(right).await?);
        if right.is_empty() {
            right = self.environment.nodes.ids().filter(|id| !left.contains(id)).cloned().collect();
        }
        let mut links = between(&left, &right);
        links.retain(|(from, to)| from != to && (!one_way || left.contains(from)));
        let cut = |link: &Link| {
            self.faults.on().any(|what| matches!(what, What::Cut(cut) if cut.contains(link)))
        };
        let links: Vec<Link> = links.iter().filter(|link| !cut(link)).cloned().collect();
        if links.is_empty() {
            return Err("there is nothing left to cut".to_owned());
        }
        let names = link_names(&links).join(" ");
        self.faults.start(What::Cut(links)).await?;
        self.print(&format!("cut: {names}"));
        Ok(())
    }

    async fn heal(&mut self) -> Result<(), String> {
        if !self.faults.on().any(|what| matches!(what, What::Cut(_))) {
            return Err("no link is cut".to_owned());
        }
        self.faults.take(|what| matches!(what, What::Cut(_))).finish().await;
        self.print("every link is open");
        Ok(())
    }

    /// Kills or pauses a node.
    async fn stop_node(&mut self, what: What) -> Result<(), String> {
        let (What::Killed(node) | What::Paused(node)) = &what else { return Ok(()) };
        let node = node.clone();
        for (other, how) in
            [(What::Killed(node.clone()), "killed"), (What::Paused(node.clone()), "paused")]
        {
            // What is paused can be killed.
            if self.is_on(&other) && (how == "killed" || what == other) {
                return Err(format!("{node} is {how} already"));
            }
        }
        let done = if matches!(what, What::Killed(_)) { "killed" } else { "paused" };
        self.faults.start(what).await.map_err(|why| format!("{node} was not {done}: {why}"))?;
        if done == "killed" {
            self.faults.take(|what| *what == What::Paused(node.clone())).finish().await;
        }
        self.print(&format!("{node} is {done}"));
        Ok(())
    }

    /// Starts nodes again, in the background: that may take long.
    async fn start(&mut self, nodes: &[Who]) -> Result<Id, String> {
        if !self.environment.can_restart {
            return Err(format!(
                "{} has no `restart` in its caps: what is killed stays down",
                self.names.manifest.name
            ));
        }
        let nodes = self.nodes(nodes).await?;
        if let Some(node) = nodes.iter().find(|node| !self.is_on(&What::Killed((*node).clone()))) {
            return Err(format!("{node} was not killed"));
        }
        let healing =
            self.faults.take(|what| matches!(what, What::Killed(node) if nodes.contains(node)));
        let (console, names) = (Arc::clone(&self.session.console), nodes.join(", "));
        let starting = self.under_way.spawn(async move {
            healing.finish().await;
            console.print(&format!("started again: {names}"));
            None
        });
        Ok(starting.id())
    }

    async fn wait_for_all(&mut self) {
        while let Some(over) = self.under_way.join_next_with_id().await {
            self.ended(over);
        }
        self.all_told().await;
    }

    async fn wait_for(&mut self, id: Id) {
        while let Some(over) = self.under_way.join_next_with_id().await {
            if self.ended(over) == id {
                break;
            }
        }
    }

    /// Something has ended: which, and its clerk is free again, unless it panicked.
    fn ended(&mut self, over: Result<(Id, Option<Numbered>), JoinError>) -> Id {
        match over {
            Ok((id, clerk)) => {
                self.idle.extend(clerk);
                id
            }
            Err(error) => error.id(),
        }
    }

    /// Returns once everything was told that has happened.
    async fn all_told(&self) {
        // An error ends the session elsewhere.
        let _ = self.environment.stream.flush().await;
    }

    async fn nodes(&self, who: &[Who]) -> Result<Vec<NodeId>, String> {
        let mut nodes = Vec::new();
        for who in who {
            nodes.push(self.node(who).await?);
        }
        Ok(nodes)
    }

    async fn node(&self, who: &Who) -> Result<NodeId, String> {
        let Who::Node(node) = who else {
            let leader = self.environment.leader().await;
            let node = leader.node().cloned();
            let node = node.ok_or("no node says that it leads, and none has answered yet")?;
            leader.guess().iter().for_each(|guess| self.print(guess));
            return Ok(node);
        };
        Ok(node.clone())
    }

    fn is_on(&self, what: &What) -> bool {
        self.faults.on().any(|on| on == what)
    }

    fn print(&self, text: &str) {
        self.session.console.print(text);
    }
}

//! Carries out what is typed.

use std::{collections::BTreeMap, sync::Arc};

use contract::Operation;
use history::words::cut;
use tokio::task::{Id, JoinError, JoinSet};

use super::{
    CLERKS, Session,
    command::{Command, Names, Who},
    help, status,
};
use crate::{
    clients::clerk::Clerk,
    environment::Environment,
    nemesis::{
        fault::Members,
        steps::{Settings, Steps},
    },
};

/// So much of a line is quoted.
const LINE_CHARS_MAX: usize = 60;

impl Session<'_> {
    /// Takes commands until there are no more, and nothing is under way. What is broken then is for the caller to heal.
    pub async fn play(
        &self,
        environment: &Arc<Environment>,
        names: Names<'_>,
        members: Members<'_>,
    ) -> Steps {
        let mut play = Play {
            session: self,
            environment,
            names,
            faults: Steps::new(Settings::by_hand(Arc::clone(environment), members)),
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
        self.console.close();
        play.wait_for_all().await;
        play.faults
    }
}

/// A clerk and its number.
pub(super) type Numbered = (u64, Clerk);

pub(super) struct Play<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) environment: &'a Arc<Environment>,
    pub(super) names: Names<'a>,
    pub(super) faults: Steps,
    /// The clerks that have nothing to do, by number.
    idle: BTreeMap<u64, Clerk>,
    /// How many clerks there are.
    clerks: u64,
    /// What goes on meanwhile; operations give their clerk back.
    pub(super) under_way: JoinSet<Option<Numbered>>,
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
                    self.kill(node).await?;
                }
            }
            Command::Pause(nodes) => {
                for node in self.nodes(&nodes).await? {
                    self.pause(node).await?;
                }
            }
            Command::Start(nodes) => return self.start(&nodes).await.map(Some),
            Command::Resume(nodes) => {
                for node in self.nodes(&nodes).await? {
                    self.resume(&node).await?;
                }
            }
            Command::Status => {
                let nodes = self.environment.nodes.statuses().await;
                self.print(&status::table(&nodes, self.faults.on()));
            }
            Command::Curl => self.print(&status::curl(self.environment)),
            Command::Sleep(time) => tokio::time::sleep(time).await,
            Command::Wait => self.wait_for_all().await,
            Command::Help => self.print(&help::commands(self.names.manifest)),
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
        self.environment.clients.place(node).unwrap_or(0)
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

    pub(super) fn print(&self, text: &str) {
        self.session.console.print(text);
    }
}

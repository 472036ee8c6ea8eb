//! What a run happens in: the nodes' processes, the links between them, the clients, the record.
//!
//! ```text
//! build   places, links, launches: an environment in which no node runs yet
//! places  where each process listens, on this machine or in a world of its own
//! door    a way into such a world for the bench itself
//! nodes   all nodes together
//! node    one node: its process, and what happened to it
//! leader  who leads, as the nodes say
//! introspection  what nodes know to be chosen, and what they act as
//! footprint  what the nodes occupy
//! ```

pub mod build;
pub mod door;
pub mod footprint;
pub mod introspection;
pub mod leader;
pub mod node;
pub mod nodes;
pub mod places;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::{NodeId, Operation, launch::MapReduce};
use history::words::seconds;
use network::{Network, TraceSummary};
use record::{Mark, OwnExit, Phase, files};
use tokio::time::{Instant, timeout};

use crate::{
    clients::{Shared, attempts::Performed, clerk::Clerk},
    stream::Stream,
};
use node::NotStarted;
use nodes::Nodes;
use places::Places;

/// The name of the clients' end of a link.
pub const CLIENTS: &str = "clients";
/// The name of a person's end of a link, who asks the nodes past the record.
pub const PERSON: &str = "curl";

/// Whether what this end of a link sends comes from no node.
#[must_use]
pub fn is_outside(from: &str) -> bool {
    [CLIENTS, PERSON].contains(&from)
}

/// No step of taking everything down takes longer; what does is left to the supervisors, which end with this program.
const TEAR_DOWN_LIMIT: Duration = Duration::from_secs(20);

/// What a run happens in, and what faults may touch.
pub struct Environment {
    /// Where everything is recorded.
    pub stream: Arc<Stream>,
    /// What the clerks share.
    pub clients: Arc<Shared>,
    /// Those among whom one leads at a time: of a sharded store each group, and the controllers.
    pub electorates: Vec<Vec<NodeId>>,
    /// Whom the act that is on is aimed at; else the first of these.
    pub focus: Mutex<Option<Vec<NodeId>>>,
    /// Whoever changes the configuration of a sharded store while clients are at work; made when it is first needed.
    pub mover: tokio::sync::Mutex<Option<Clerk>>,
    /// The processes.
    pub nodes: Arc<Nodes>,
    /// The links.
    pub network: Network,
    /// What nodes of MapReduce are told.
    pub mapreduce: Option<MapReduce>,
    /// Whether killed nodes may be started again.
    pub can_restart: bool,
    /// Whether they have then all that they had acknowledged, whoever else is there.
    pub restarts_on_its_data: bool,
    /// Whether nodes say what they promised and what was chosen.
    pub shows_log: bool,
    /// The pace of these questions.
    pub pace: Arc<introspection::Pace>,
    /// Where the nodes listen.
    pub places: Places,
}

/// Who leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leader {
    /// This node says that it does.
    Known(NodeId),
    /// None says so; this one answered a client last.
    AnsweredLast(NodeId),
    /// None says so, and none has answered yet.
    Unknown,
}

impl Leader {
    /// The node; `None` where there is none to name.
    #[must_use]
    pub fn node(&self) -> Option<&NodeId> {
        match self {
            Self::Known(node) | Self::AnsweredLast(node) => Some(node),
            Self::Unknown => None,
        }
    }

    /// What a person should know of whoever is taken for the leader, where nobody says that it is.
    #[must_use]
    pub fn guess(&self) -> Option<String> {
        let who = match self {
            Self::Known(_) => return None,
            Self::AnsweredLast(node) => format!("{node} answered a client last"),
            Self::Unknown => "one was drawn by lot".to_owned(),
        };
        Some(format!("no node says that it leads: {who}"))
    }
}

impl Environment {
    /// How many messages of each kind passed between nodes so far.
    #[must_use]
    pub fn kinds_between_nodes(&self) -> BTreeMap<String, u64> {
        let mut kinds = BTreeMap::new();
        for (from, _, of_link) in self.network.kinds() {
            if !is_outside(&from) {
                for (kind, count) in of_link {
                    *kinds.entry(kind).or_default() += count;
                }
            }
        }
        kinds
    }

    /// Kills a node. Every other one is asked first what it promised: once it is back, it must still know. (Not all of them: a node
    /// that answers has written down what it said before.)
    ///
    /// # Errors
    /// Why nothing was killed.
    pub async fn kill(&self, node: &NodeId) -> Result<(), String> {
        if self.shows_log && self.pace.kills().is_multiple_of(2) {
            for (node, address) in self.nodes.addresses(std::slice::from_ref(node)) {
                introspection::ask_for_last_words(node, address, Arc::clone(&self.stream)).await;
            }
        }
        self.pace.kill();
        self.nodes.kill(node).await
    }

    /// Puts something that a person should know into the record.
    pub fn note(&self, text: impl Into<String>) {
        self.stream.mark(&Mark::Note(text.into()));
    }

    /// Puts nodes that ended by themselves since the last call into the record, and says which.
    pub async fn mark_own_exits(&self) -> Vec<OwnExit> {
        for node in self.places.lost() {
            let how = format!("the network of {node} is gone: the process that kept it ended");
            self.stream.mark(&Mark::Hindered(how));
        }
        for lost in self.nodes.lost_speakers().await {
            self.stream.mark(&Mark::Hindered(format!("{lost}; see its log")));
        }
        let exits = self.nodes.own_exits().await;
        for own in &exits {
            self.stream.mark(&Mark::OwnExit(own.clone()));
            self.note(format!("{own}; see its log."));
        }
        exits
    }

    /// Puts a node that did not come back into the record, and whose fault that is.
    pub fn mark_not_started(&self, trouble: &NotStarted) {
        let mark = if trouble.submissions_fault { Mark::Note } else { Mark::Hindered };
        self.stream.mark(&mark(trouble.reason.clone()));
    }

    /// Has a change of the configuration carried out, and recorded like what clients ask.
    pub async fn change_configuration(&self, operation: &Operation) -> Performed {
        let mut mover = self.mover.lock().await;
        let last = self.clients.clerks.saturating_sub(1);
        mover
            .get_or_insert_with(|| Clerk::new(Arc::clone(&self.clients), last, last))
            .perform(operation)
            .await
    }

    /// From now on, whoever leads is looked for among these.
    pub fn focus_on(&self, nodes: &[NodeId]) {
        *self.focus.lock().unwrap_or_else(PoisonError::into_inner) = Some(nodes.to_vec());
    }

    /// Those among whom whoever leads is looked for.
    #[must_use]
    pub fn focused(&self) -> Vec<NodeId> {
        let focus = self.focus.lock().unwrap_or_else(PoisonError::into_inner).clone();
        focus.or_else(|| self.electorates.first().cloned()).unwrap_or_default()
    }

    /// Who leads: by the nodes' own word, else by a guess.
    pub async fn leader(&self) -> Leader {
        let nodes = self.focused();
        if let Some(leader) = self.nodes.leader_among(&nodes).await {
            return Leader::Known(leader);
        }
        let last = self.clients.last_answer().filter(|last| nodes.contains(last));
        last.map_or(Leader::Unknown, Leader::AnsweredLast)
    }

    /// Who of these leads by its own word; where the store does not say who leads, whoever of these answered last.
    pub async fn leader_among(&self, nodes: &[NodeId]) -> Option<NodeId> {
        if self.nodes.can_say_who_leads() {
            return self.nodes.leader_among(nodes).await;
        }
        self.clients.last_answer().filter(|node| nodes.contains(node))
    }

    /// How many requests a person sent to the nodes past the record.
    #[must_use]
    pub fn unrecorded(&self) -> u64 {
        let counters = self.network.counters();
        let by_person = counters.iter().filter(|(from, _, _)| from == PERSON);
        by_person.map(|(_, _, link)| link.delivered + link.raw).sum()
    }

    /// Undoes every fault of links and clients, whatever the nemesis thinks it did.
    pub fn heal_all(&self) {
        self.network.open_all_gates();
        self.network.clear_faults();
        self.clients.faults.switch_off();
    }

    /// Continues and starts the nodes that the nemesis stopped; what keeps one down goes into the record.
    pub async fn revive_nodes(&self, limit: Duration) {
        match timeout(limit, self.nodes.revive(self.can_restart)).await {
            Ok(troubles) => troubles.iter().for_each(|trouble| self.mark_not_started(trouble)),
            Err(_) => {
                let how = "the nodes could not be brought back in time".to_owned();
                self.stream.mark(&Mark::Hindered(how));
            }
        }
    }

    /// Starts servers that ended by themselves once more, with nothing broken, where they promise that they can go on with what is
    /// on their disks.
    pub async fn start_after_their_ends(&self) {
        self.mark_own_exits().await;
        if !self.restarts_on_its_data {
            return;
        }
        for outcome in self.nodes.start_after_their_ends().await {
            match outcome {
                Ok((node, ready)) => self.stream.mark(&Mark::StartedAgain { node, ready }),
                Err(trouble) => self.mark_not_started(&trouble),
            }
        }
        self.mark_own_exits().await;
    }

    /// Ends the nodes, then the links; what is odd about how they end goes into the record too.
    pub async fn tear_down(self: Arc<Self>) {
        self.stream.mark(&Mark::Phase(Phase::Stop));
        self.network.open_all_gates();
        match timeout(TEAR_DOWN_LIMIT, self.nodes.stop_all()).await {
            Ok(notes) => notes.into_iter().for_each(|note| self.note(note)),
            Err(_) => self.note("The nodes could not be stopped in time; they end with the bench."),
        }
        if let Some(left_out) = self.stream.introspection_left_out() {
            let file = files::INTROSPECTION;
            self.note(format!(
                "{} entries that nodes showed of their logs, all since {} s, were not written to {file} and not compared.",
                left_out.size,
                seconds(left_out.since_ns, 3)
            ));
        }
        let left_out = self.stream.attempts_left_out();
        if left_out > 0 {
            let file = files::ATTEMPTS;
            self.note(format!("{left_out} attempts were counted but not written to {file}."));
        }
        let stream = Arc::clone(&self.stream);
        for mark in close_links(self, TEAR_DOWN_LIMIT).await {
            stream.mark(&mark);
        }
    }
}

/// Closes the links and completes their trace; says what is missing from it.
async fn close_links(environment: Arc<Environment>, limit: Duration) -> Vec<Mark> {
    let trace = files::MESSAGES;
    let Some(environment) = sole_owner(environment, limit).await else {
        return vec![Mark::Note(format!(
            "The links were still in use and end with the bench; the end of {trace} may be missing."
        ))];
    };
    match timeout(limit, environment.network.close()).await {
        Ok(summary) => {
            let notes = missing_from_trace(&summary).into_iter().map(Mark::Note);
            notes.chain(unseen_in_trace(&summary).map(Mark::Trace)).collect()
        }
        Err(_) => vec![Mark::Note(format!(
            "The links could not be closed in time; the end of {trace} may be missing."
        ))],
    }
}

/// From when on each node may have told another one something that the trace does not show; `None` of a broken trace.
fn unseen_in_trace(summary: &TraceSummary) -> Option<BTreeMap<NodeId, u64>> {
    if summary.error.is_some() {
        return None;
    }
    let mut unseen = BTreeMap::new();
    // What is answered to the clients stays with them.
    for link in summary.unseen.iter().filter(|link| !is_outside(&link.from)) {
        for (node, since_ns) in [(&link.from, link.requests_ns), (&link.to, link.answers_ns)] {
            let Some(since_ns) = since_ns else { continue };
            let earliest = unseen.entry(node.clone()).or_insert(since_ns);
            *earliest = since_ns.min(*earliest);
        }
    }
    Some(unseen)
}

fn missing_from_trace(summary: &TraceSummary) -> Vec<String> {
    let mut notes = Vec::new();
    let unwritten = summary.over_limit + summary.lost;
    if unwritten > 0 {
        notes.push(format!(
            "{unwritten} messages were counted but not written to {}.",
            files::MESSAGES
        ));
    }
    if let Some(error) = &summary.error {
        notes.push(format!("The message trace is incomplete: {error}."));
    }
    notes
}

/// The value, once nobody else holds it: tasks that were aborted let go of it soon.
async fn sole_owner<T>(mut shared: Arc<T>, limit: Duration) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        match Arc::try_unwrap(shared) {
            Ok(value) => return Some(value),
            Err(_) if Instant::now() >= deadline => return None,
            Err(still_shared) => shared = still_shared,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[cfg(test)]
impl Environment {
    /// Without nodes and links, for tests of what needs none.
    pub(crate) async fn empty(stream: Arc<Stream>) -> Self {
        Self::of_nodes_that_never_run(stream, &[]).await
    }

    /// Clients know of these nodes.
    pub(crate) async fn of_nodes_that_never_run(stream: Arc<Stream>, nodes: &[&str]) -> Self {
        use crate::clients::Patience;
        use contract::manifest::Timeouts;
        let clients = Shared::new(
            Arc::clone(&stream),
            nodes.iter().map(|node| (*node).to_owned()).collect(),
            std::collections::HashMap::new(),
            0,
            Patience::from(&Timeouts::default()),
            true,
        );
        Self {
            stream,
            clients: Arc::new(clients),
            electorates: vec![nodes.iter().map(|node| (*node).to_owned()).collect()],
            focus: Mutex::default(),
            mover: tokio::sync::Mutex::default(),
            nodes: Arc::new(Nodes::new(Vec::new(), Timeouts::default(), false)),
            network: Network::open(Vec::new(), 1, None).await.unwrap(),
            mapreduce: None,
            can_restart: true,
            restarts_on_its_data: true,
            shows_log: false,
            pace: Arc::default(),
            places: Places::on_this_machine(std::iter::empty()).unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn links_that_are_still_in_use_are_not_left_open_without_a_word() {
        let (stream, _) = Stream::start(Vec::new()).unwrap();
        let environment = Arc::new(Environment::empty(stream).await);
        let in_use = Arc::clone(&environment);
        let notes = close_links(environment, Duration::from_millis(30)).await;
        assert!(format!("{notes:?}").contains("still in use"), "{notes:?}");
        let marks = close_links(in_use, Duration::from_secs(20)).await;
        assert_eq!(marks, [Mark::Trace(BTreeMap::new())]);
    }

    #[test]
    fn what_a_node_may_have_told_unseen_counts_from_the_earliest() {
        let link = |from: &str, to: &str, requests_ns, answers_ns| network::Unseen {
            from: from.to_owned(),
            to: to.to_owned(),
            requests_ns,
            answers_ns,
        };
        let unseen = vec![
            link(CLIENTS, "n1", None, Some(1)),
            link("n1", "n2", Some(9), None),
            link("n3", "n1", None, Some(7)),
            link("n1", "n3", Some(8), Some(5)),
        ];
        let summary = TraceSummary { unseen, ..TraceSummary::default() };
        let expected = BTreeMap::from([("n1".to_owned(), 7), ("n3".to_owned(), 5)]);
        assert_eq!(unseen_in_trace(&summary), Some(expected));
        let broken = TraceSummary { error: Some(std::io::Error::other("full")), ..summary };
        assert_eq!(unseen_in_trace(&broken), None);
    }
}

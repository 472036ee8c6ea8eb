//! Partition: links between nodes are cut.

mod shape;

use network::Gate;
use rand::{RngExt, rngs::ChaCha8Rng};

use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Members, Work},
};
pub(crate) use shape::{Link, between};
use shape::{Shape, around};

/// Cuts these directed links.
#[derive(Debug)]
struct Partition {
    shape: Shape,
    links: Vec<Link>,
    mode: CutMode,
}

/// How a link is cut.
#[derive(Clone, Copy, Debug)]
pub enum CutMode {
    /// Bytes wait, and arrive when the link is healed: what a network does.
    Stall,
    /// Connections break and new ones are refused: what a firewall or a dead host does.
    Refuse,
}

/// One of the shapes that mean something among so many nodes.
pub(in crate::nemesis) fn plan(
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let linked = members.linked();
    let shapes = Shape::among(linked.len());
    let shape = *shapes.get(rng.random_range(0..shapes.len().max(1)))?;
    let links = shape.links(&linked, rng);
    Some(Box::new(Partition { shape, links, mode: CutMode::choose(rng) }))
}

/// Cuts these nodes off from all others, which stay connected.
pub(in crate::nemesis) fn take_away(
    nodes: &[String],
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Box<dyn Fault> {
    let mut others = members.linked();
    others.retain(|node| !nodes.contains(node));
    let (shape, links) = (Shape::MajorityMinority, between(nodes, &others));
    Box::new(Partition { shape, links, mode: CutMode::choose(rng) })
}

/// Cuts these links, all of them from some nodes or to them.
pub(in crate::nemesis) fn one_way(links: Vec<Link>, mode: CutMode) -> Box<dyn Fault> {
    Box::new(Partition { shape: Shape::OneWay, links, mode })
}

/// Cuts these links, which somebody chose.
pub(crate) fn chosen(links: Vec<Link>, mode: CutMode) -> Box<dyn Fault> {
    Box::new(Partition { shape: Shape::Chosen, links, mode })
}

impl CutMode {
    /// How a plan says it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Stall => "bytes wait",
            Self::Refuse => "connections are refused",
        }
    }

    /// Bytes wait more often than not: what arrives late finds more mistakes than what is lost.
    pub(in crate::nemesis) fn choose(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_bool(0.7) { Self::Stall } else { Self::Refuse }
    }
}

impl Partition {
    /// The links to cut now: those of the leader, where it is about the leader; and whether that is a guess.
    async fn links(&self, environment: &Environment) -> (Vec<Link>, Option<String>) {
        if self.shape != Shape::IsolateLeader {
            return (self.links.clone(), None);
        }
        let leader = environment.leader().await;
        let links = match leader.node() {
            Some(node) => around(node, environment.nodes.ids()),
            None => self.links.clone(),
        };
        (links, leader.guess())
    }
}

impl Partition {
    /// What a gate holds is counted on the link of its connection, which may be that of the other direction.
    fn may_show_on(&self, from: &str, to: &str) -> bool {
        let is_cut =
            |from: &str, to: &str| self.links.iter().any(|(one, other)| one == from && other == to);
        self.shape != Shape::Chosen || is_cut(from, to) || is_cut(to, from)
    }
}

impl Fault for Partition {
    fn form(&self) -> String {
        self.shape.name().to_owned()
    }

    fn targets(&self) -> Vec<String> {
        match self.shape {
            Shape::IsolateLeader => vec!["leader".to_owned()],
            _ => link_names(&self.links),
        }
    }

    fn manner(&self) -> Option<&'static str> {
        Some(self.mode.words())
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        let gate = match self.mode {
            CutMode::Stall => Gate::Stall,
            CutMode::Refuse => Gate::Refuse,
        };
        Box::pin(async move {
            let (links, guess) = self.links(environment).await;
            for (from, to) in &links {
                environment.network.close_gate(from, to, gate);
            }
            Hits { guess, ..Hits::on(link_names(&links)) }
        })
    }

    /// A cut is none while nothing is sent across it. Only those that somebody chose may be on at the same time.
    fn observed(&self, environment: &Environment) -> Option<u64> {
        let counters = environment.network.counters();
        let its = counters.iter().filter(|(from, to, _)| self.may_show_on(from, to));
        Some(its.map(|(_, _, link)| link.stalled).sum())
    }

    fn heal<'a>(
        &'a self,
        environment: &'a Environment,
        aimed_at: &'a [String],
    ) -> Work<'a, Vec<String>> {
        let links = aimed_at.iter().filter_map(|link| link.split_once('>'));
        links.for_each(|(from, to)| environment.network.open_gate(from, to));
        Box::pin(async { Vec::new() })
    }
}

/// Links in the notation `n1>n2`.
pub(crate) fn link_names(links: &[Link]) -> Vec<String> {
    links.iter().map(|(from, to)| format!("{from}>{to}")).collect()
}

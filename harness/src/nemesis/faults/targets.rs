//! Which nodes a fault of processes hits.

use rand::{Rng, RngExt, seq::SliceRandom};

use crate::{environment::Environment, nemesis::fault::Hits};

/// Which nodes a fault of processes hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Targets {
    /// These; the name says how they were chosen.
    Nodes(&'static str, Vec<String>),
    /// Whoever leads when the fault starts; the node, where nobody is seen to lead.
    Leader(String),
}

impl Targets {
    /// One node, a minority, a majority, all, or whoever leads.
    pub(super) fn choose(nodes: &[String], rng: &mut impl Rng) -> Self {
        let majority = nodes.len() / 2 + 1;
        let choice = rng.random_range(0..6);
        match choice {
            0 => Self::one(nodes, rng),
            1 => Self::minority(some((nodes.len() - majority).max(1), nodes, rng)),
            2 => Self::Nodes("majority", some(majority, nodes, rng)),
            3 => Self::Nodes("all", nodes.to_vec()),
            // Leaders are where most bugs live: twice as often.
            _ => Self::Leader(some(1, nodes, rng).remove(0)),
        }
    }

    /// One node, so many, or whoever leads: never more than `dispensable`.
    pub(super) fn choose_few(nodes: &[String], dispensable: usize, rng: &mut impl Rng) -> Self {
        match rng.random_range(0..6) {
            0 | 1 => Self::one(nodes, rng),
            2 | 3 => Self::minority(some(dispensable, nodes, rng)),
            _ => Self::Leader(some(1, nodes, rng).remove(0)),
        }
    }

    /// One node.
    pub(super) fn one(nodes: &[String], rng: &mut impl Rng) -> Self {
        Self::Nodes("one", some(1, nodes, rng))
    }

    fn minority(nodes: Vec<String>) -> Self {
        Self::Nodes("minority", nodes)
    }

    /// These of so many nodes.
    pub(super) fn these(nodes: &[String], of: usize) -> Self {
        let name = match nodes.len() {
            all if all == of => "all",
            many if many > of / 2 => "majority",
            _ => "minority",
        };
        Self::Nodes(name, nodes.to_vec())
    }

    /// This node, which somebody chose.
    pub(super) fn chosen(node: &str) -> Self {
        Self::Nodes("chosen", vec![node.to_owned()])
    }

    /// How they were chosen.
    pub(super) fn choice(&self) -> &'static str {
        match self {
            Self::Nodes(choice, _) => choice,
            Self::Leader(_) => "leader",
        }
    }

    /// As the plan names them.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Nodes(_, nodes) => nodes.clone(),
            Self::Leader(_) => vec!["leader".to_owned()],
        }
    }

    /// Does this to each node that is meant now.
    pub(super) async fn hit<F>(&self, environment: &Environment, act: impl Fn(String) -> F) -> Hits
    where
        F: Future<Output = Result<(), String>>,
    {
        let (nodes, guess) = match self {
            Self::Nodes(_, nodes) => (nodes.clone(), None),
            Self::Leader(otherwise) => {
                let leader = environment.leader().await;
                (vec![leader.node().unwrap_or(otherwise).clone()], leader.guess())
            }
        };
        let mut hits = Hits { guess, ..Hits::default() };
        for node in nodes {
            let result = act(node.clone()).await;
            hits.add(node, result);
        }
        hits
    }
}

fn some(count: usize, nodes: &[String], rng: &mut impl Rng) -> Vec<String> {
    let mut order = nodes.to_vec();
    order.shuffle(rng);
    order.truncate(count);
    order.sort();
    order
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stream::Stream;

    #[tokio::test]
    async fn a_leader_that_no_node_names_is_said_to_be_a_guess() {
        let (stream, _) = Stream::start(Vec::new()).unwrap();
        let nodes = ["n1", "n2", "n3"];
        let environment = Environment::of_nodes_that_never_run(Arc::clone(&stream), &nodes).await;
        let hit = async |targets: Targets| targets.hit(&environment, async |_| Ok(())).await;
        let leader = || Targets::Leader("n2".to_owned());
        let drawn = hit(leader()).await;
        assert_eq!(drawn.hit, ["n2"]);
        assert_eq!(drawn.note(), "no node says that it leads: one was drawn by lot");
        environment.clients.succeeded_at(&"n3".to_owned(), false);
        let answered = hit(leader()).await;
        assert_eq!(answered.hit, ["n3"]);
        assert!(answered.note().ends_with("n3 answered a client last"), "{}", answered.note());
        // Whoever answered last is of another group than the one that the act is aimed at.
        environment.focus_on(&["n1".to_owned(), "n2".to_owned()]);
        let of_group = hit(leader()).await;
        assert_eq!(of_group.hit, ["n2"]);
        let chosen = hit(Targets::Nodes("one", vec!["n1".to_owned()])).await;
        assert_eq!((chosen.note().as_str(), chosen.hit), ("", vec!["n1".to_owned()]));
    }
}

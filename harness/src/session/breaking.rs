//! What breaks and what mends, as it is typed.

use std::sync::Arc;

use contract::NodeId;
use tokio::task::Id;

use super::{command::Who, play::Play};
use crate::nemesis::{
    faults::partition::{Link, between, link_names},
    steps::What,
};

impl Play<'_> {
    pub(super) async fn cut(
        &mut self,
        left: &[Who],
        right: &[Who],
        one_way: bool,
    ) -> Result<(), String> {
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

    pub(super) async fn heal(&mut self) -> Result<(), String> {
        if !self.faults.on().any(|what| matches!(what, What::Cut(_))) {
            return Err("no link is cut".to_owned());
        }
        self.faults.take(|what| matches!(what, What::Cut(_))).finish().await;
        self.print("every link is open");
        Ok(())
    }

    /// What is paused can be killed: that ends the pause, too.
    pub(super) async fn kill(&mut self, node: NodeId) -> Result<(), String> {
        let (killed, paused) = (What::Killed(node.clone()), What::Paused(node.clone()));
        if self.is_on(&killed) {
            return Err(format!("{node} is killed already"));
        }
        self.faults.start(killed).await.map_err(|why| format!("{node} was not killed: {why}"))?;
        self.faults.take(|what| *what == paused).finish().await;
        self.print(&format!("{node} is killed"));
        Ok(())
    }

    pub(super) async fn pause(&mut self, node: NodeId) -> Result<(), String> {
        let (killed, paused) = (What::Killed(node.clone()), What::Paused(node.clone()));
        for (what, how) in [(&killed, "killed"), (&paused, "paused")] {
            if self.is_on(what) {
                return Err(format!("{node} is {how} already"));
            }
        }
        self.faults.start(paused).await.map_err(|why| format!("{node} was not paused: {why}"))?;
        self.print(&format!("{node} is paused"));
        Ok(())
    }

    pub(super) async fn resume(&mut self, node: &NodeId) -> Result<(), String> {
        let paused = What::Paused(node.clone());
        if !self.is_on(&paused) {
            return Err(format!("{node} is not paused"));
        }
        self.faults.take(|what| *what == paused).finish().await;
        self.print(&format!("{node} goes on"));
        Ok(())
    }

    /// Starts nodes again, in the background: that may take long.
    pub(super) async fn start(&mut self, nodes: &[Who]) -> Result<Id, String> {
        if !self.environment.can_restart {
            return Err(format!(
                "{} has neither `restart` nor `rejoin` in its caps: what is killed stays down",
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

    /// The nodes that are meant now.
    pub(super) async fn nodes(&self, who: &[Who]) -> Result<Vec<NodeId>, String> {
        let mut nodes = Vec::new();
        for who in who {
            nodes.push(self.node(who).await?);
        }
        Ok(nodes)
    }

    pub(super) async fn node(&self, who: &Who) -> Result<NodeId, String> {
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
}

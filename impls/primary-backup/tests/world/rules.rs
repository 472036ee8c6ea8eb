//! The rules of views, seen from what the servers have on their disks and in their memories.

use std::sync::Arc;

use contract::NodeId;
use node::sim::View;
use primary_backup::{
    Node, Server, Views,
    message::{Record, Standing},
};
use simulation_checks::{Coverage, Recorder};

pub const VIEWS: &str = "views";
pub const TAKE_OVERS: &str = "backups that took over";
pub const REPLACED: &str = "backups that were replaced at once";
pub const FORWARDED: &str = "operations that a backup carried out";

/// What the nodes have shown so far.
pub struct Rules {
    /// The longest sequence that a backup had carried out.
    longest: usize,
    last: Views,
    coverage: Arc<Coverage>,
}

impl Rules {
    pub fn new(coverage: Arc<Coverage>) -> Self {
        let last = Views::new(primary_backup::View::default(), false, 1);
        Self { longest: 0, last, coverage }
    }

    /// A node has just made a step.
    pub fn check(&mut self, view: &View<'_, Node<Recorder>>) -> Result<(), String> {
        match view.stepped() {
            (_, Node::ViewService(service)) => {
                let views = service.views();
                // One less: the view service crashed before anybody could hear of its last choice.
                if views.view().num > self.last.view().num {
                    view_may_change(&self.last, views, view)?;
                    self.coverage.count(VIEWS);
                    count_change(self.last.view(), views.view(), &self.coverage);
                }
                self.last = views.clone();
                Ok(())
            }
            (name, Node::Server(server)) if server.standing().view.is_backup(name) => {
                let applied = server.application().applied().len();
                let forwarded = applied.saturating_sub(self.longest);
                self.coverage.count_times(FORWARDED, forwarded as u64);
                self.longest = self.longest.max(applied);
                backup_follows_primary(server, view)
            }
            (_, Node::Server(_)) => Ok(()),
        }
    }
}

fn count_change(before: &primary_backup::View, after: &primary_backup::View, coverage: &Coverage) {
    if before.primary.is_some() && before.primary != after.primary {
        coverage.count(TAKE_OVERS);
    } else if before.backup.is_some() && after.backup.is_some() {
        coverage.count(REPLACED);
    }
}

/// The rules of the view service, seen from what the servers have on their disks.
fn view_may_change(
    before: &Views,
    after: &Views,
    view: &View<'_, Node<Recorder>>,
) -> Result<(), String> {
    let (before, after) = (before.view(), after.view());
    let wrong = |what: &str| Err(format!("{what}: {before:?} became {after:?}"));
    if after.num != before.num + 1 {
        return wrong("views are not consecutive");
    }
    if (&after.primary, &after.backup) == (&before.primary, &before.backup) {
        return wrong("a view like the one before");
    }
    if after.primary == after.backup {
        return wrong("the primary is its own backup");
    }
    let Some(primary) = &before.primary else { return Ok(()) };
    let standing = durable_standing(view, primary);
    if standing.view.num < before.num || standing.view.num == before.num && !standing.acknowledged {
        return wrong("the primary has not acknowledged the view");
    }
    let Some(next) = after.primary.as_ref().filter(|next| before.has(next)) else {
        return wrong("the new primary was neither primary nor backup");
    };
    let standing = durable_standing(view, next);
    if standing.view.num < before.num || standing.view.num == before.num && !standing.has_state {
        return wrong("the new primary does not have the state");
    }
    Ok(())
}

/// Where a server would come up again.
fn durable_standing(view: &View<'_, Node<Recorder>>, server: &NodeId) -> Standing {
    let records = view.durable().find(|(name, _)| *name == server).map(|(_, records)| records);
    let last = records.unwrap_or_default().iter().rev().find_map(|record| match record {
        Record::Stands(standing) => Some(standing.clone()),
        _ => None,
    });
    last.unwrap_or_default()
}

/// In a view the backup's operations are the first ones of the primary's.
fn backup_follows_primary(
    backup: &Server<Recorder>,
    view: &View<'_, Node<Recorder>>,
) -> Result<(), String> {
    let standing = backup.standing();
    if !standing.has_state {
        return Ok(());
    }
    let primary = view.live().find_map(|(name, node)| match node {
        Node::Server(server) if standing.view.is_primary(name) => Some(server),
        _ => None,
    });
    let Some(primary) = primary.filter(|primary| primary.standing().view == standing.view) else {
        return Ok(());
    };
    let (ours, theirs) = (backup.application().applied(), primary.application().applied());
    if theirs.len() < ours.len() {
        return Err(format!("a backup is ahead of its primary: {} > {}", ours.len(), theirs.len()));
    }
    let from = ours.len().saturating_sub(100);
    if ours[from..] != theirs[from..ours.len()] {
        return Err(format!("a backup carried out another order: {:?}", &ours[from..]));
    }
    Ok(())
}

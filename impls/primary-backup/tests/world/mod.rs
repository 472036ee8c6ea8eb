//! What a simulated cluster of servers and a view service is made of, and what must hold of it.

use std::sync::Arc;

use contract::NodeId;
use node::sim::{Scenario, Simulator, View};
use primary_backup::{
    Config, Node, Server, Views,
    message::{Record, Standing},
};
use simulation_checks::{
    Coverage, Recorder,
    recorder::{SNAPSHOTS_READ, SNAPSHOTS_WRITTEN},
};

pub const VIEW_SERVICE: &str = "v1";

const STARTS: &str = "nodes started or restarted";
const RECOVERED_SNAPSHOTS: &str = "servers recovered from a snapshot";
const VIEWS: &str = "views";
const TAKE_OVERS: &str = "backups that took over";
const REPLACED: &str = "backups that were replaced at once";
const FORWARDED: &str = "operations that a backup carried out";

/// Fails unless every mechanism was at work. The bounds are far below what the seeds give.
pub fn assert_nothing_was_missed(coverage: &Coverage) {
    coverage.assert_at_least(&[
        (STARTS, 30_000),
        (VIEWS, 30_000),
        (TAKE_OVERS, 5_000),
        (REPLACED, 1_000),
        (FORWARDED, 100_000),
        (SNAPSHOTS_WRITTEN, 30_000),
        (RECOVERED_SNAPSHOTS, 1_000),
    ]);
    let installed = coverage.times(SNAPSHOTS_READ) - coverage.times(RECOVERED_SNAPSHOTS);
    assert!(installed >= 10_000, "only {installed} states were transferred");
}

pub type Cluster = Node<Recorder>;

/// Small parts, so that a state takes several.
fn chunk_bytes(seed: u64) -> usize {
    [300, 3_000, 1 << 20][(seed % 3) as usize]
}

fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(3_000), None][(seed / 3 % 3) as usize]
}

/// How often servers ping, and after how many silent intervals they are dead: in half of the clusters so few that living
/// ones are taken for dead all the time. Safety must not depend on it.
fn timing(seed: u64) -> (u64, u32) {
    if seed.is_multiple_of(2) { (50, 6) } else { (20, 3) }
}

/// Makes the nodes of a seed's cluster.
pub fn make(
    scenario: &Scenario,
    coverage: &Arc<Coverage>,
) -> impl Fn(&NodeId, Vec<Record>) -> Cluster + 'static {
    let (seed, coverage) = (scenario.seed, coverage.clone());
    let mut servers = scenario.nodes.clone();
    servers.retain(|node| node != VIEW_SERVICE);
    move |node, records| {
        coverage.count(STARTS);
        if records.iter().any(|record| matches!(record, Record::Snapshot { .. })) {
            coverage.count(RECOVERED_SNAPSHOTS);
        }
        let (ping_ms, dead_pings) = timing(seed);
        let config = Config {
            node: node.clone(),
            servers: servers.clone(),
            view_service: VIEW_SERVICE.to_owned(),
            ping_ms,
            dead_pings,
            snapshot_bytes: snapshot_bytes(seed),
            chunk_bytes: chunk_bytes(seed),
        };
        Node::new(config, Recorder::new(coverage.clone()), records)
            .expect("a log that this protocol wrote")
    }
}

/// What must hold after every step.
pub fn invariants(
    coverage: &Arc<Coverage>,
) -> impl FnMut(&View<'_, Cluster>) -> Result<(), String> + 'static {
    let coverage = coverage.clone();
    let mut longest = 0;
    let mut last = Views::new(primary_backup::View::default(), false, 1);
    move |view| match view.stepped() {
        (_, Node::ViewService(service)) => {
            let views = service.views();
            // One less: the view service crashed before anybody could hear of its last choice.
            if views.view().num > last.view().num {
                view_may_change(&last, views, view)?;
                coverage.count(VIEWS);
                count_change(last.view(), views.view(), &coverage);
            }
            last = views.clone();
            Ok(())
        }
        (name, Node::Server(server)) if server.standing().view.is_backup(name) => {
            let applied = server.application().applied().len();
            if applied > longest {
                (0..applied - longest).for_each(|_| coverage.count(FORWARDED));
                longest = applied;
            }
            backup_follows_primary(server, view)
        }
        (_, Node::Server(_)) => Ok(()),
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
fn view_may_change(before: &Views, after: &Views, view: &View<'_, Cluster>) -> Result<(), String> {
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
fn durable_standing(view: &View<'_, Cluster>, server: &NodeId) -> Standing {
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
    view: &View<'_, Cluster>,
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

/// After some quiet time there are a primary and a backup, and the backup has everything.
pub fn settled(simulator: &mut Simulator<Cluster>) -> Result<(), String> {
    let names = simulator.names().to_vec();
    for name in &names {
        simulator.restart(name); // A crash planned for the next write may come right after the faults' end.
    }
    simulator.run_for(2_000_000);
    let Some(Node::ViewService(service)) = simulator.protocol(VIEW_SERVICE) else {
        return Err("the view service is down".to_owned());
    };
    let views = service.views();
    let applied = |server: &Option<NodeId>| match simulator.protocol(server.as_ref()?)? {
        Node::Server(server) => Some(server.application().applied()),
        Node::ViewService(_) => None,
    };
    let (primary, backup) = (applied(&views.view().primary), applied(&views.view().backup));
    if !views.is_acknowledged() || primary.is_none() || primary != backup {
        return Err(format!("{views:?}, but they do not agree: {primary:?}, {backup:?}"));
    }
    Ok(())
}

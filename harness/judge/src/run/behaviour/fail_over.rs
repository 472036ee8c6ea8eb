//! How long it took until another node served, each time that the leader was taken away.
//!
//! The figure must not flatter. It begins with the last write that the old leader acknowledged, since a cut is seen only
//! once something runs into it. It ends with a write that nobody can have served who was away: reads may come from a leader
//! that does not know yet that it was deposed, and a request from before the fault may have been carried out before it.
//! Only where enough of the others were there is it about fail-over at all. But what else breaks afterwards ends nothing:
//! otherwise the longest times would be left out first.

use history::Operation;
use record::{FaultRecord, FaultStep, LeaderChange};

use super::first_write;
use crate::run::absences::{Troubles, absent};
use crate::run::faults::{over_ns, time_ns};
use crate::run::members::Members;

/// A fault that took the leader away, while enough of the others were up and connected.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeaderLost {
    /// Until the next write succeeded; `None`: none did.
    pub(super) lasted_ns: Option<u64>,
    /// Whether the fault was over before any other node served.
    pub(super) healed_before: bool,
}

/// All of them in order. Planned times count from `begin_ns`. `writes` are those that were acknowledged, in the order of
/// their answers.
pub(super) fn leaders_lost(
    members: Members<'_>,
    (faults, begin_ns): (&[FaultRecord], u64),
    leaders: &[LeaderChange],
    writes: &[&Operation],
) -> Vec<LeaderLost> {
    let troubles = Troubles::of(faults, begin_ns);
    let started = faults.iter().filter(|fault| fault.step == FaultStep::Started);
    let lost = |fault: &FaultRecord| {
        let at_ns = fault.time_ns;
        let away = absent(members, &troubles, at_ns);
        let leader = leader_at(fault, &away, leaders)?;
        if !away.contains(&leader) || troubles.hit_before(leader, at_ns) {
            return None;
        }
        let over_ns = over_ns(faults, fault.fault).unwrap_or(u64::MAX);
        let is_of_others = |write: &Operation| {
            let by_other = write.node.as_deref().is_some_and(|node| !away.contains(&node));
            by_other || write.return_ns >= Some(over_ns)
        };
        let served_ns = first_write(writes, at_ns, is_of_others).and_then(|write| write.return_ns);
        let planned_ns = time_ns(faults, fault.fault, FaultStep::Planned);
        let tried_ns = planned_ns.map_or(at_ns, |ns| begin_ns.saturating_add(ns).min(at_ns));
        let from_ns = last_write_ns(writes, leader, at_ns).map_or(tried_ns, |ns| ns.max(tried_ns));
        Some(LeaderLost {
            lasted_ns: served_ns.map(|ns| ns.saturating_sub(from_ns)),
            healed_before: served_ns.is_some_and(|ns| ns >= over_ns),
        })
    };
    started.filter_map(lost).collect()
}

/// Who led when the fault took hold: whom the bench had asked for just then, else who had said so last.
fn leader_at<'a>(
    fault: &FaultRecord,
    away: &[&'a str],
    leaders: &'a [LeaderChange],
) -> Option<&'a str> {
    // A note would say that the leader was guessed.
    if let [leader] = away
        && fault.form.ends_with("-leader")
        && fault.note.is_empty()
    {
        return Some(leader);
    }
    let known = leaders.partition_point(|change| change.time_ns <= fault.time_ns);
    leaders[..known].last()?.node.as_deref()
}

/// When this node had acknowledged a write for the last time, until this moment.
fn last_write_ns(writes: &[&Operation], node: &str, until_ns: u64) -> Option<u64> {
    let at = writes.partition_point(|write| write.return_ns <= Some(until_ns));
    let last = writes[..at].iter().rfind(|write| write.node.as_deref() == Some(node))?;
    last.return_ns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::behaviour::tests::{MS, fault, put};

    const N1_ALONE: [&str; 4] = ["n1>n2", "n2>n1", "n1>n3", "n3>n1"];

    /// As a client sees it whose writes n1 serves until 1000 ms; then these, and many by n2 from 9 s on.
    fn found(
        leaders: &[(u64, Option<&str>)],
        faults: &[Vec<FaultRecord>],
        writes: &[Operation],
    ) -> Vec<LeaderLost> {
        let nodes = ["n1", "n2", "n3"].map(str::to_owned);
        let members = Members { nodes: &nodes, view_service: None, is_one_of_several: false };
        let leaders: Vec<LeaderChange> = leaders
            .iter()
            .map(|(ms, node)| LeaderChange { time_ns: ms * MS, node: node.map(str::to_owned) })
            .collect();
        let before = (0..10).map(|at| put("n1", (100 * at, 100 * at + 100)));
        let mut writes: Vec<Operation> =
            before.chain(writes.iter().cloned()).chain([put("n2", (9_000, 9_100))]).collect();
        writes.sort_by_key(|write| write.return_ns);
        leaders_lost(members, (&faults.concat(), 0), &leaders, &writes.iter().collect::<Vec<_>>())
    }

    const N1_LEADS: [(u64, Option<&str>); 1] = [(50, Some("n1"))];

    fn after(ms: u64) -> LeaderLost {
        LeaderLost { lasted_ns: Some(ms * MS), healed_before: false }
    }

    #[test]
    fn another_node_serves_after_a_kill_a_pause_or_a_cut_of_the_leader() {
        for (family, form, targets) in [
            ("kill", "kill-one", &["n1"][..]),
            ("pause", "pause-one", &["n1"]),
            ("partition", "majority-minority", &N1_ALONE),
        ] {
            let fault = fault(0, (family, form), targets, (1_050, 4_000));
            let writes = [put("n2", (1_200, 1_700)), put("n3", (1_700, 1_800))];
            assert_eq!(found(&N1_LEADS, &[fault], &writes), [after(650)], "{form}");
        }
    }

    /// A leader that is cut off may still have answers under way, and one with a bug goes on for long.
    #[test]
    fn what_the_old_leader_acknowledges_and_what_was_called_before_is_no_fail_over() {
        let cut = fault(0, ("partition", "isolate-leader"), &N1_ALONE, (1_050, 4_000));
        let writes = [
            put("n1", (1_000, 1_060)),
            put("n1", (1_060, 1_100)),
            put("n2", (1_040, 1_300)),
            put("n3", (1_400, 1_900)),
        ];
        assert_eq!(found(&N1_LEADS, &[cut], &writes), [after(850)]);
    }

    /// A cut is seen late where little is sent: the time counts all the same.
    #[test]
    fn a_fault_that_was_seen_late_began_with_the_last_write_of_the_leader() {
        let mut cut = fault(0, ("partition", "isolate-leader"), &N1_ALONE, (1_050, 4_000));
        cut[1].time_ns = 1_400 * MS;
        let writes = [put("n2", (1_450, 1_500))];
        assert_eq!(found(&N1_LEADS, std::slice::from_ref(&cut), &writes), [after(450)]);
        // But not before it was tried, however long the leader had been silent.
        cut[0].time_ns = 1_350 * MS;
        assert_eq!(found(&N1_LEADS, &[cut], &writes), [after(150)]);
    }

    #[test]
    fn a_fault_that_is_healed_before_is_counted_and_said() {
        let pause = fault(0, ("pause", "pause-one"), &["n1"], (1_050, 1_350));
        let writes = [put("n1", (1_100, 1_360))];
        let lost = LeaderLost { lasted_ns: Some(310 * MS), healed_before: true };
        assert_eq!(found(&N1_LEADS, &[pause], &writes), [lost]);
    }

    #[test]
    fn a_fault_of_another_node_or_of_no_known_leader_says_nothing() {
        let kill = |form, node| fault(0, ("kill", form), &[node], (1_050, 12_000));
        assert_eq!(found(&N1_LEADS, &[kill("kill-one", "n2")], &[]), []);
        assert_eq!(found(&[], &[kill("kill-one", "n1")], &[]), []);
        assert_eq!(found(&[(50, Some("n1")), (900, None)], &[kill("kill-one", "n1")], &[]), []);
        assert_eq!(found(&[(1_100, Some("n1"))], &[kill("kill-one", "n1")], &[]), []);
        let network = fault(0, ("network", "loss"), &["every link"], (1_050, 4_000));
        assert_eq!(found(&N1_LEADS, &[network], &[]), []);
        // The bench asked who leads when it struck, unless its note says that it had to guess.
        let mut aimed = kill("kill-leader", "n1");
        assert_eq!(found(&[], std::slice::from_ref(&aimed), &[]), [after(8_050)]);
        aimed[1].note = "no node says that it leads: n1 answered a client last".to_owned();
        assert_eq!(found(&[], &[aimed], &[]), []);
    }

    #[test]
    fn where_too_few_are_left_or_the_leader_was_away_already_there_is_nobody_to_take_over() {
        let two = fault(0, ("kill", "kill-majority"), &["n1", "n2"], (1_050, 4_000));
        assert_eq!(found(&N1_LEADS, &[two], &[]), []);
        // What the bench knows of the leader is old: somebody else may lead since long.
        let cut = fault(0, ("partition", "isolate-leader"), &N1_ALONE, (1_050, 4_000));
        let kill = fault(1, ("kill", "kill-one"), &["n1"], (2_000, 3_000));
        let writes = [put("n2", (1_700, 1_800)), put("n2", (2_000, 2_010))];
        assert_eq!(found(&N1_LEADS, &[cut, kill], &writes), [after(750)]);
    }

    /// Were it left out, so would be the stores that never take over.
    #[test]
    fn what_breaks_afterwards_does_not_end_the_time() {
        let kill = fault(0, ("kill", "kill-one"), &["n1"], (1_050, 12_000));
        let other = fault(1, ("pause", "pause-one"), &["n2"], (1_500, 8_000));
        assert_eq!(found(&N1_LEADS, &[kill, other], &[]), [after(8_050)]);
        let late = fault(0, ("kill", "kill-leader"), &["n2"], (9_200, 9_900));
        let never = LeaderLost { lasted_ns: None, healed_before: false };
        assert_eq!(found(&N1_LEADS, &[late], &[]), [never]);
    }
}

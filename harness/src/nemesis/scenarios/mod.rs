//! The scenarios, one file each.

mod all_at_once;
mod answered_then_crashed;
mod bare_majority;
mod candidates_at_once;
mod crash_again;
mod deposed;
mod followers_restart;
mod former_leader_crashes;
mod held_messages;
mod kinds;
pub mod laggard;
mod late_after_crash;
mod late_message;
mod leaders_in_turn;
mod lone_entry;
mod one_left;
mod one_way;
mod shared_member;
mod shifting_groups;
mod short_cuts;
mod short_pauses;
mod slow_links;
mod struck_at_a_message;
mod voters_restart;

use contract::NodeId;

use super::{
    scenario::Scenario,
    script::{Done, Ended, Script},
};

/// All scenarios.
pub static SCENARIOS: [&Scenario; 24] = [
    &deposed::SCENARIO,
    &lone_entry::SCENARIO,
    &laggard::SCENARIO,
    &voters_restart::SCENARIO,
    &leaders_in_turn::SCENARIO,
    &shifting_groups::SCENARIO,
    &held_messages::SCENARIO,
    &one_way::SCENARIO,
    &short_pauses::SCENARIO,
    &short_cuts::SCENARIO,
    &crash_again::SCENARIO,
    &all_at_once::SCENARIO,
    &followers_restart::SCENARIO,
    &struck_at_a_message::SCENARIO,
    &answered_then_crashed::SCENARIO,
    &late_message::SCENARIO,
    &candidates_at_once::SCENARIO,
    &one_left::SCENARIO,
    &shared_member::SCENARIO,
    &late_after_crash::SCENARIO,
    &kinds::SCENARIO,
    &former_leader_crashes::SCENARIO,
    &bare_majority::SCENARIO,
    &slow_links::SCENARIO,
];

/// So long a store may take to find another leader, in milliseconds; else the scenario is given up.
const NEW_LEADER_MS: u64 = 2500;
/// The same while messages are lost or late.
const MEANWHILE_MS: u64 = 900;

/// Has whoever leads next read at. While messages are lost or late perhaps nobody can lead.
async fn probe_next_leader_if_any(script: &mut Script, not: &NodeId) -> Done {
    match script.next_leader(not, MEANWHILE_MS).await {
        Ok(next) => script.probe_often(&next).await,
        Err(Ended::Stopped) => Err(Ended::Stopped),
        Err(Ended::Failed(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nemesis::{Families, Family, fault::Members};

    #[test]
    fn each_scenario_has_a_name_of_its_own_a_sentence_and_known_families() {
        let names: std::collections::BTreeSet<_> =
            SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        for Scenario { name, about, needs, needs_one_of, .. } in SCENARIOS {
            assert!(about.ends_with('.'), "{about}");
            assert!(!needs.is_empty() || !needs_one_of.is_empty(), "{name}");
            // Forms that end so say that the bench had asked who leads.
            assert!(!name.ends_with("-leader"), "{name}");
            for family in [*needs, *needs_one_of].concat() {
                assert!(Family::by_name(family).is_some(), "{name}: {family}");
            }
        }
    }

    #[test]
    fn a_scenario_is_played_only_where_all_it_needs_is_allowed() {
        let nodes: Vec<String> = (1..=3).map(|n| format!("n{n}")).collect();
        let members = |nodes, can_restart, can_restart_all| Members {
            nodes,
            view_service: None,
            groups: &[],
            controllers: &[],
            can_restart,
            can_restart_all,
            exactly_once: true,
        };
        let suiting = |families: &str, members| {
            let families = families.parse::<Families>().unwrap().0;
            let all = SCENARIOS.iter().filter(|scenario| scenario.suits(&families, members));
            all.map(|scenario| scenario.name).collect::<Vec<_>>()
        };
        assert_eq!(
            suiting("partition,kill,pause,network", members(&nodes, true, true)).len(),
            SCENARIOS.len()
        );
        assert!(suiting("network,client", members(&nodes, true, true)).is_empty());
        assert!(
            suiting("kill", members(&nodes, false, false)).is_empty(),
            "what is killed is gone"
        );
        assert!(!suiting("kill", members(&nodes, true, false)).contains(&"voters-restart"));
        assert!(suiting("partition", members(&nodes[..1], true, true)).is_empty());
    }
}

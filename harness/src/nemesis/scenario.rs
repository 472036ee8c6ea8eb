//! Scenarios: faults that follow one another on purpose, because that is where stores go wrong.

use super::{
    Family,
    fault::{Members, Work},
    scenarios,
    script::{Done, Script},
};

/// A named sequence of faults; what it leaves open, the seed decides.
#[derive(Debug)]
pub struct Scenario {
    /// The name in `faults.jsonl` and reports.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub about: &'static str,
    /// Each of these families of faults must be allowed.
    pub needs: &'static [&'static str],
    /// One of these must be allowed, too; none: nothing else is needed.
    pub needs_one_of: &'static [&'static str],
    /// Among fewer nodes it means nothing.
    pub nodes_min: usize,
    /// Whether more than a minority of the nodes is killed at once.
    pub kills_many: bool,
    /// Whether what is cut must wait and arrive later.
    pub holds_messages: bool,
    /// Does it.
    pub play: for<'a> fn(&'a mut Script) -> Work<'a, Done>,
}

/// All scenarios.
pub static SCENARIOS: [&Scenario; 13] = [
    &scenarios::deposed::SCENARIO,
    &scenarios::lone_entry::SCENARIO,
    &scenarios::laggard::SCENARIO,
    &scenarios::voters_restart::SCENARIO,
    &scenarios::leaders_in_turn::SCENARIO,
    &scenarios::shifting_groups::SCENARIO,
    &scenarios::held_messages::SCENARIO,
    &scenarios::one_way::SCENARIO,
    &scenarios::short_pauses::SCENARIO,
    &scenarios::short_cuts::SCENARIO,
    &scenarios::crash_again::SCENARIO,
    &scenarios::all_at_once::SCENARIO,
    &scenarios::followers_restart::SCENARIO,
];

impl Scenario {
    /// Whether it can be played with these families among these nodes.
    #[must_use]
    pub fn suits(&self, families: &[Family], members: Members<'_>) -> bool {
        let may = |name: &&str| {
            families.iter().any(|family| family.name() == *name && !family.is_permanent(members))
        };
        self.needs.iter().all(may)
            && (self.needs_one_of.is_empty() || self.needs_one_of.iter().any(may))
            && members.nodes.len() >= self.nodes_min
            && (!self.kills_many || members.can_restart_all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            can_restart,
            can_restart_all,
            exactly_once: true,
        };
        let suiting = |families: &str, members| {
            let families = families.parse::<super::super::Families>().unwrap().0;
            let all = SCENARIOS.iter().filter(|scenario| scenario.suits(&families, members));
            all.map(|scenario| scenario.name).collect::<Vec<_>>()
        };
        assert_eq!(
            suiting("partition,kill,pause", members(&nodes, true, true)).len(),
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

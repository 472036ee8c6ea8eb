//! `harness faults`: what the bench breaks, and in which order.

use history::words::counted;

use super::say;
use crate::{
    exit::Exit,
    nemesis::{Family, scenarios::SCENARIOS},
};

/// Prints the families of faults and the scenarios.
pub fn faults() -> Exit {
    say("Kinds of faults (--faults):\n");
    for family in Family::all() {
        say(&row(family.name(), family.about()));
    }
    say("\nScenarios, where the kinds that they need are allowed:\n");
    for scenario in SCENARIOS {
        let needs = scenario.needs.join(", ");
        let one_of = scenario.needs_one_of.join(" or ");
        let needs: Vec<&str> = [needs.as_str(), one_of.as_str()]
            .into_iter()
            .filter(|needed| !needed.is_empty())
            .collect();
        let nodes = counted(scenario.nodes_min, "node");
        let about = format!("{} Needs {}; {nodes}.", scenario.about, needs.join(", "));
        say(&row(scenario.name, &about));
    }
    Exit::Valid
}

fn row(name: &str, about: &str) -> String {
    format!("  {name:<21} {about}")
}

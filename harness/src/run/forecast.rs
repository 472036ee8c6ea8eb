//! What is known before a run: that it cannot be called valid.

use std::time::Duration;

use isolation::Consistency;
use record::{Evidence, Required};
use workloads::Workload;

use super::setting::Setting;

/// How long all scripts against a right view service take.
const SCRIPTS: Duration = Duration::from_secs(20);

/// Why the run will at best be inconclusive, whatever the store does; each with the way out.
#[must_use]
pub fn shortcomings(setting: &Setting, required: &Required) -> Vec<String> {
    if !setting.played.is_empty() {
        return too_short_for_scripts(setting).into_iter().collect();
    }
    too_slow(setting, required).into_iter().chain(nothing_planned(setting)).collect()
}

/// That the record cannot show what is asked for, at best that it is violated.
#[must_use]
pub fn undecidable(workload: &dyn Workload, level: Consistency) -> Option<String> {
    (!workload.levels().can_hold(level)).then(|| {
        format!(
            "a record can show that {level} is violated, never that it is kept: ask for another --consistency"
        )
    })
}

fn too_short_for_scripts(setting: &Setting) -> Option<String> {
    (setting.time_limit < SCRIPTS).then(|| {
        format!(
            "the scripts of the courses need up to {} s: give the run more time with --time-limit",
            SCRIPTS.as_secs()
        )
    })
}

fn too_slow(setting: &Setting, required: &Required) -> Option<String> {
    let asked = required.of(Evidence::Succeeded);
    let (rate, seconds) = (setting.rate?, setting.time_limit.as_secs_f64());
    // Each client begins with an operation, whatever the rate.
    let calls = rate * seconds + f64::from(setting.clients);
    (calls < asked as f64).then(|| {
        format!(
            "{rate} operations a second for {seconds} s are fewer than the {asked} that must succeed: \
             raise --rate or --time-limit, or say --require {}=N",
            Evidence::Succeeded.name()
        )
    })
}

fn nothing_planned(setting: &Setting) -> Option<String> {
    let planned = setting.planned_families();
    let lacking = setting.families.iter().filter(|family| !planned.contains(family));
    let lacking: Vec<&str> = lacking.map(|family| family.name()).collect();
    (!lacking.is_empty()).then(|| {
        format!(
            "there is nothing that {} could break with {} node(s) in {} s: leave it out of --faults, or give the run \
             more nodes or time",
            lacking.join(" and "),
            setting.nodes.len(),
            setting.time_limit.as_secs_f64()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nemesis::Families;
    use contract::manifest::Timeouts;

    fn setting(nodes: usize, rate: Option<f64>, seconds: u64, faults: &str) -> Setting {
        let time_limit = Duration::from_secs(seconds);
        Setting {
            confined: crate::confine::Confined::Namespaces,
            nodes: (1..=nodes).map(|number| format!("n{number}")).collect(),
            view_service: None,
            groups: Vec::new(),
            controllers: Vec::new(),
            coordinator: None,
            played: Vec::new(),
            can_restart: true,
            can_restart_all: true,
            exactly_once: true,
            compacts: true,
            shows_log: true,
            recorded: None,
            clients: 5,
            probers: 0,
            rate,
            seed: 1,
            families: faults.parse::<Families>().unwrap().0,
            interval: None,
            snapshot_bytes: None,
            to_the_end: false,
            time_limit,
            timeouts: Timeouts::default(),
        }
    }

    #[test]
    fn a_run_that_is_too_small_is_known_before_it_starts() {
        let told = |setting: Setting| shortcomings(&setting, &Required::default()).join("; ");
        assert_eq!(told(setting(3, None, 30, "partition,kill,pause")), "");
        assert_eq!(told(setting(3, Some(100.0), 30, "none")), "");
        assert!(told(setting(3, Some(5.0), 1, "none")).contains("raise --rate"));
        let single = told(setting(1, None, 30, "partition,kill"));
        assert!(single.contains("partition") && !single.contains("kill"), "{single}");
        let none = "none".parse().unwrap();
        assert_eq!(shortcomings(&setting(3, Some(5.0), 1, "none"), &none), Vec::<String>::new());
    }
}

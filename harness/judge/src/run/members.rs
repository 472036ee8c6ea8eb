//! Who takes part in a run, and without how many of them the store has to go on.

use history::Operation;
use record::RunFile;

/// Who takes part in a run.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    /// The nodes that clients ask.
    pub(super) nodes: &'a [String],
    /// Decides who takes over. It does not fail itself, but it can be cut off.
    pub(super) view_service: Option<&'a str>,
    /// Whether there are other groups, so that perhaps nothing was asked of this one.
    pub(super) is_one_of_several: bool,
}

impl<'a> Members<'a> {
    pub(super) fn of(run: &'a RunFile) -> Self {
        Self {
            nodes: &run.nodes,
            view_service: run.view_service.as_deref(),
            is_one_of_several: false,
        }
    }

    /// The groups, each of which has to go on by itself: of a store that is not sharded, all nodes together.
    pub(super) fn electorates(run: &'a RunFile) -> Vec<Self> {
        if run.groups.is_empty() {
            return vec![Self::of(run)];
        }
        run.groups
            .iter()
            .map(|nodes| Self { nodes, view_service: None, is_one_of_several: true })
            .collect()
    }

    /// The operations that these nodes were asked last, of all: where there are other groups, the others say nothing of this one.
    pub(super) fn asked<'o>(&self, run: &RunFile, all: &[&'o Operation]) -> Vec<&'o Operation> {
        let is_own = |operation: &&&Operation| {
            let node = operation.node.as_deref();
            run.groups.is_empty() || self.nodes.iter().any(|own| node == Some(own))
        };
        all.iter().filter(is_own).copied().collect()
    }

    /// Whoever has links to others.
    pub(super) fn linked(&self) -> Vec<String> {
        self.nodes.iter().cloned().chain(self.view_service.map(str::to_owned)).collect()
    }

    /// How many nodes must be there for the store to go on: a majority; all but one where two may be the only ones with
    /// the state.
    pub(super) fn needed(&self) -> usize {
        let count = self.nodes.len();
        if self.view_service.is_some() { count.saturating_sub(1).max(1) } else { count / 2 + 1 }
    }

    /// Those others, in words.
    pub(super) fn others(&self) -> &'static str {
        match self.view_service {
            Some(_) => "all others were up and connected, with the view service, too",
            None => "a majority of the others was up and connected",
        }
    }
}

#[cfg(test)]
mod tests {
    use history::Completion;
    use serde_json::{Value, json};

    use super::*;

    fn run(groups: &[&[&str]]) -> RunFile {
        let nodes: Vec<&str> = groups.concat();
        let shared = json!({
            "version": 1, "harness": "", "target": "", "target_folder": "", "workload": "register", "seed": 1,
            "nodes": nodes, "clients": 5, "rate": null, "faults": [], "fault_interval_ms": null, "time_limit_ms": 1000,
            "started": "", "command": "", "machine": {}, "groups": if groups.len() > 1 { json!(groups) } else { json!([]) },
        });
        serde_json::from_value(shared).unwrap()
    }

    fn operation(call: u64, node: Option<&str>) -> Operation {
        Operation {
            call,
            process: 0,
            f: "get".into(),
            arguments: Value::Null,
            completion: Completion::Ok(call + 1, Value::Null),
            call_ns: call,
            return_ns: Some(call + 1),
            node: node.map(Into::into),
            phase: String::new(),
        }
    }

    #[test]
    fn each_group_needs_its_own_majority_and_answers_for_itself() {
        let run = run(&[&["n1", "n2", "n3"], &["n4", "n5", "n6"]]);
        let electorates = Members::electorates(&run);
        assert_eq!(electorates.iter().map(Members::needed).collect::<Vec<_>>(), [2, 2]);
        let all = [operation(1, Some("n2")), operation(3, Some("n6")), operation(5, None)];
        let all: Vec<&Operation> = all.iter().collect();
        let asked = |members: &Members<'_>| -> Vec<u64> {
            members.asked(&run, &all).iter().map(|operation| operation.call).collect()
        };
        assert_eq!(electorates.iter().map(asked).collect::<Vec<_>>(), [vec![1], vec![3]]);
    }

    #[test]
    fn a_store_without_groups_answers_for_everything() {
        let run = run(&[&["n1", "n2", "n3"]]);
        let [all] = Members::electorates(&run)[..] else { panic!("one electorate") };
        let operations = [operation(1, Some("n2")), operation(3, None)];
        assert_eq!(all.asked(&run, &operations.iter().collect::<Vec<_>>()).len(), 2);
    }
}

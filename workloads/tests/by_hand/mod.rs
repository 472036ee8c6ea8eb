//! Records written by hand.

use history::{CheckResult, Completion};
use isolation::Consistency;
use linearizability::Limits;
use serde_json::Value;
use workloads::by_name;

/// A function, its arguments and its result.
pub type Step = (&'static str, Value, Value);

/// What a workload says of these steps, one after the other.
pub fn judge(workload: &str, steps: &[Step]) -> Vec<CheckResult> {
    let recorded = steps.iter().zip(0..).map(|((f, arguments, result), at)| history::Operation {
        call: at * 2,
        process: 0,
        f: (*f).into(),
        arguments: arguments.clone(),
        completion: Completion::Ok(at * 2 + 1, result.clone()),
        call_ns: at,
        return_ns: Some(at),
        node: None,
        phase: "main".to_owned(),
    });
    let recorded: Vec<history::Operation> = recorded.collect();
    by_name(workload, &[]).expect("the name is known").check(
        &recorded,
        Consistency::StrictSerializable,
        &Limits::default(),
    )
}

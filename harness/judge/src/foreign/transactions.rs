//! Transactions of a file, judged by their dependencies.

use history::{Completion, Event, EventKind, Operation, Process};
use isolation::{BuildError, Consistency, Datatype, History, Options, Report};
use linearizability::named::Unfit;
use serde_json::Value;

/// The checker's name in reports.
pub(super) const CHECKER: &str = "isolation";

/// Checks the operations as transactions; the error names the event that is none.
pub(super) fn check(
    operations: &[Operation],
    datatype: Datatype,
    options: &Options,
) -> Result<Report, Unfit> {
    let unfit = |error| match error {
        BuildError::Value { index, problem } => Unfit { event: Some(index), message: problem },
        BuildError::Pair(error) => Unfit { event: None, message: error.to_string() },
    };
    let mut events: Vec<Event> = operations.iter().flat_map(events).collect();
    events.sort_unstable_by_key(|event| event.index);
    let mut builder = History::builder(datatype);
    for event in events {
        builder.event(event).map_err(unfit)?;
    }
    Ok(isolation::check(&builder.finish().map_err(unfit)?, options))
}

/// An operation's invocation and, where it is known how it ended, its completion.
fn events(operation: &Operation) -> impl Iterator<Item = Event> {
    let event = |index, time_ns, kind, value: &Value| Event {
        index,
        time_ns,
        process: Process::Client(operation.process),
        kind,
        f: operation.f.clone(),
        value: value.clone(),
        error: None,
        node: None,
    };
    let (call, arguments) = (operation.call, &operation.arguments);
    let invocation = event(call, operation.call_ns, EventKind::Invoke, arguments);
    let return_ns = operation.return_ns.unwrap_or(operation.call_ns);
    let completion = match &operation.completion {
        Completion::Ok(index, result) => Some(event(*index, return_ns, EventKind::Ok, result)),
        Completion::Fail(index, _) => Some(event(*index, return_ns, EventKind::Fail, arguments)),
        Completion::Info(_) => None,
    };
    std::iter::once(invocation).chain(completion)
}

/// The models that the report rules out and those that stand, in a line for people.
pub(super) fn models(report: &Report) -> Option<String> {
    let names = |models: &[Consistency]| {
        models.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ")
    };
    let (violated, standing) = (names(&report.models.violated), names(&report.models.standing));
    (!violated.is_empty()).then(|| match standing.as_str() {
        "" => format!("violated: {violated} and all above"),
        _ => format!("violated: {violated} and all above; strongest that still stand: {standing}"),
    })
}

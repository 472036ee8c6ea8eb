//! Transactions of a file, judged by their dependencies.

use history::Operation;
use isolation::{Consistency, Datatype, History, Options, Report};
use linearizability::named::Unfit;

/// The checker's name in reports.
pub(super) const CHECKER: &str = "isolation";

/// Checks the operations as transactions; the error names the event that is none.
pub(super) fn check(
    operations: &[Operation],
    datatype: Datatype,
    options: &Options,
) -> Result<Report, Unfit> {
    let history = History::from_operations(datatype, operations)
        .map_err(|unfit| Unfit { event: Some(unfit.index), message: unfit.problem })?;
    Ok(isolation::check(&history, options))
}

/// The models that the report rules out and those that stand, in a line for people.
pub(super) fn models(report: &Report) -> Option<String> {
    let names = |models: &[Consistency]| {
        models.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ")
    };
    let (violated, standing) = (names(&report.models.violated), names(&report.models.standing));
    (!violated.is_empty()).then(|| match standing.as_str() {
        "" => format!("violated: {violated} and all stronger levels"),
        _ => format!(
            "violated: {violated} and all stronger levels; strongest not violated: {standing}"
        ),
    })
}

//! What the history in a file is held against.

use history::{CheckResult, Operation};
use invariants::Invariant;
use linearizability::named::Unfit;
use linearizability::{Limits, Named};
use serde_json::Value;

/// An object as which a history must be linearizable, or an invariant that it must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// The operations must have an order.
    Linearizable(Named),
    /// What is checked without a search.
    Invariant(Invariant),
}

/// The checker's name in reports.
pub(super) const LINEARIZABILITY: &str = "linearizability";

impl Model {
    /// The model of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let object = Named::by_name(name).map(Self::Linearizable);
        object.or_else(|| Invariant::by_name(name).map(Self::Invariant))
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linearizable(object) => object.name(),
            Self::Invariant(invariant) => invariant.name(),
        }
    }

    /// All models, a line each, with the operations that they know.
    #[must_use]
    pub fn listed() -> String {
        let line = |name: &str, functions: &str| format!("  {name:<22} {functions}");
        let objects = Named::ALL.map(|object| line(object.name(), object.functions()));
        let invariants =
            Invariant::ALL.map(|invariant| line(invariant.name(), invariant.functions()));
        format!("{}\nor, checked without a search:\n{}", objects.join("\n"), invariants.join("\n"))
    }

    /// Checks the operations; also the indices of the operations that prove a violation.
    ///
    /// # Errors
    /// An operation that the model does not know, or an initial value that it cannot hold.
    pub(super) fn check(
        self,
        operations: &[Operation],
        initial: Option<&Value>,
        limits: &Limits,
    ) -> Result<(CheckResult, Vec<u64>), Unfit> {
        match self {
            Self::Linearizable(object) => {
                let report = object.check(operations, initial, limits)?;
                let witness = report.witness.as_ref().map(|witness| witness.operations.clone());
                Ok((report.into_result(LINEARIZABILITY), witness.unwrap_or_default()))
            }
            Self::Invariant(invariant) if initial.is_some() => {
                let message = format!("`{}` has no initial value to choose", invariant.name());
                Err(Unfit { event: None, message })
            }
            Self::Invariant(invariant) => {
                let result = invariant.check(operations);
                let witness = result.violations.first().map(|first| first.operations.clone());
                Ok((result, witness.unwrap_or_default()))
            }
        }
    }

    /// The checker's name where the history itself is broken.
    pub(super) fn checker(self) -> &'static str {
        match self {
            Self::Linearizable(_) => LINEARIZABILITY,
            Self::Invariant(invariant) => invariant.name(),
        }
    }
}

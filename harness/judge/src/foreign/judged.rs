//! What is read of a history, held against its model.

use history::{CheckResult, Datum, Operation};
use invariants::Invariant;
use isolation::{History, Options, Report};
use linearizability::Limits;
use linearizability::named::{Recording, Unfit};

use super::{Model, Transactional};

/// What came of a check.
pub(super) struct Judged {
    pub(super) result: CheckResult,
    /// The invocations of the operations that prove a violation.
    pub(super) proof: Vec<u64>,
    /// What the checker of transactions found.
    pub(super) isolation: Option<Report>,
}

impl Judged {
    /// # Errors
    /// An operation that the object does not know.
    pub(super) fn by_object(calls: Recording, limits: &Limits) -> Result<Self, Unfit> {
        let report = calls.check(limits)?;
        let proof = report.witness.as_ref().map(|witness| witness.operations.clone());
        let proof = proof.unwrap_or_default();
        Ok(Self { result: report.into_result(), proof, isolation: None })
    }

    /// # Errors
    /// An initial value: there is none to choose.
    pub(super) fn by_invariant(
        invariant: Invariant,
        mut operations: Vec<Operation<Datum>>,
        initial: Option<&Datum>,
    ) -> Result<Self, Unfit> {
        has_no(Model::Invariant(invariant), initial)?;
        // In place: the check would sort a copy.
        operations.sort_by_cached_key(|operation| operation.call);
        let operations = operations.into_iter().map(|operation| operation.map(Into::into));
        let result = invariant.check(&operations.collect::<Vec<Operation>>());
        let proof = result.violations.first().map(|first| first.operations.clone());
        Ok(Self { result, proof: proof.unwrap_or_default(), isolation: None })
    }

    /// # Errors
    /// An initial value: there is none to choose.
    pub(super) fn by_level(
        asked: Transactional,
        history: &History,
        initial: Option<&Datum>,
        limits: &Limits,
    ) -> Result<Self, Unfit> {
        has_no(Model::Transactional(asked), initial)?;
        let report = isolation::check(history, &Options::new(asked.consistency, limits.clone()));
        let proof = report.clearest().map(|finding| finding.transactions.clone());
        let (result, proof) = (report.check_result(), proof.unwrap_or_default());
        Ok(Self { result, proof, isolation: Some(report) })
    }

    pub(super) fn inconclusive(model: Model, reason: &str) -> Self {
        let result = CheckResult::inconclusive(model.checker(), reason);
        Self { result, proof: Vec::new(), isolation: None }
    }
}

fn has_no(model: Model, initial: Option<&Datum>) -> Result<(), Unfit> {
    let message = || format!("`{}` has no initial value to choose", model.name());
    initial.map_or(Ok(()), |_| Err(Unfit { event: None, message: message() }))
}

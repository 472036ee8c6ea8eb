//! What the history in a file is held against.

use history::{CheckResult, Datum, Operation};
use invariants::Invariant;
use isolation::{Anomaly, Consistency, Datatype, Options, Recording, Report};
use linearizability::named::Unfit;
use linearizability::{Limits, Named};

use super::ForeignError;

/// An object as which a history must be linearizable, or an invariant that it must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// The operations must have an order.
    Linearizable(Named),
    /// What is checked without a search.
    Invariant(Invariant),
    /// Its transactions must keep an isolation level.
    Transactional(Transactional),
}

/// What is asked of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transactional {
    /// What the keys hold.
    pub datatype: Datatype,
    /// The level.
    pub consistency: Consistency,
}

/// The operations of a history, as a model wants them.
pub(super) struct Gathering {
    gathered: Gathered,
    /// How many there are.
    operations: u64,
    /// About how many bytes they take.
    bytes: u64,
}

enum Gathered {
    /// As they are.
    Operations(Vec<Operation<Datum>>),
    /// As transactions: what was read goes into the checker's own form at once.
    Transactions(Box<Recording>),
}

impl Gathering {
    /// Adds an operation that has ended, or never did.
    ///
    /// # Errors
    /// It is no transaction.
    pub(super) fn add(&mut self, operation: Operation<Datum>) -> Result<(), Unfit> {
        /// How often transactions are weighed.
        const WEIGHED: u64 = 4096;
        self.operations += 1;
        match &mut self.gathered {
            Gathered::Operations(operations) => {
                self.bytes += operation.bytes() as u64;
                operations.push(operation);
            }
            Gathered::Transactions(recording) => {
                recording
                    .add(&operation)
                    .map_err(|unfit| Unfit { event: Some(unfit.index), message: unfit.problem })?;
                if self.operations.is_multiple_of(WEIGHED) {
                    self.bytes = recording.bytes() as u64;
                }
            }
        }
        Ok(())
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What came of a check.
pub(super) struct Judged {
    pub(super) result: CheckResult,
    /// The invocations of the operations that prove a violation.
    pub(super) proof: Vec<u64>,
    /// What the checker of transactions found.
    pub(super) isolation: Option<Report>,
}

/// Names that other tools have for our models: Knossos, the command line of Elle, Jepsen's tests.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("fifo-queue", "queue"),
    ("knossos-register", "register"),
    ("knossos-cas-register", "cas-register"),
    ("knossos-mutex", "mutex"),
    ("elle-list-append", "list-append"),
    ("elle-rw-register", "rw-register"),
    ("jepsen-bank", "bank"),
    ("jepsen-counter", "counter-bounds"),
    ("jepsen-set", "set-final"),
    ("jepsen-set-full", "set-full"),
    ("comments", "causal-reverse"),
    ("adya-g2", "g2"),
];

/// The checker's name in reports.
pub(super) const LINEARIZABILITY: &str = "linearizability";

impl Model {
    /// The model of this name.
    ///
    /// # Errors
    /// There is none; the models that there are.
    pub fn named(name: &str) -> Result<Self, ForeignError> {
        Self::by_name(name).ok_or_else(|| {
            let models = Self::listed();
            ForeignError::Unfit(format!("there is no model `{name}`; there are:\n{models}"))
        })
    }

    /// The model of this name, or of a name that another tool has for it.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
        let name = other.map_or(name, |(_, ours)| ours);
        let object = Named::by_name(name).map(Self::Linearizable);
        let object = object.or_else(|| Invariant::by_name(name).map(Self::Invariant));
        object.or_else(|| {
            let consistency = Consistency::StrictSerializable;
            let datatype = Datatype::by_name(name)?;
            Some(Self::Transactional(Transactional { datatype, consistency }))
        })
    }

    /// The same model with a level.
    ///
    /// # Errors
    /// A level that says nothing of transactions, or a model without them.
    pub fn with_level(self, level: Option<Consistency>) -> Result<Self, ForeignError> {
        match self {
            Self::Transactional(asked) => {
                let consistency = level.unwrap_or(asked.consistency);
                if !Anomaly::all().any(|anomaly| consistency.forbids(anomaly)) {
                    return Err(ForeignError::Unfit(format!(
                        "nothing that {consistency} forbids shows in transactions: ask for read-committed, \
                         snapshot-isolation, serializable, strict-serializable…"
                    )));
                }
                Ok(Self::Transactional(Transactional { consistency, ..asked }))
            }
            Self::Linearizable(_) | Self::Invariant(_) if level.is_some() => {
                let transactional = Datatype::ALL.map(Datatype::name).join(" and ");
                Err(ForeignError::Unfit(format!(
                    "--consistency is for transactions: for the models {transactional}"
                )))
            }
            Self::Linearizable(_) | Self::Invariant(_) => Ok(self),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linearizable(object) => object.name(),
            Self::Invariant(invariant) => invariant.name(),
            Self::Transactional(asked) => asked.datatype.name(),
        }
    }

    /// All models, a line each, with the operations that they know.
    #[must_use]
    pub fn listed() -> String {
        let line = |name: &str, functions: &str| format!("  {name:<22} {functions}");
        let objects = Named::ALL.map(|object| line(object.name(), object.functions()));
        let invariants =
            Invariant::ALL.map(|invariant| line(invariant.name(), invariant.functions()));
        let transactions = [
            line("list-append", "txn: [[\"append\", key, element], [\"r\", key, list]]"),
            line("rw-register", "txn: [[\"w\", key, value], [\"r\", key, value]]"),
        ];
        format!(
            "{}\nor, checked without a search:\n{}\nor, of transactions, with a --consistency:\n{}",
            objects.join("\n"),
            invariants.join("\n"),
            transactions.join("\n")
        )
    }

    /// Room for the operations of a history, in the form in which this model is checked.
    pub(super) fn gathering(self) -> Gathering {
        let gathered = match self {
            Self::Linearizable(_) | Self::Invariant(_) => Gathered::Operations(Vec::new()),
            Self::Transactional(asked) => {
                Gathered::Transactions(Box::new(Recording::new(asked.datatype)))
            }
        };
        Gathering { gathered, operations: 0, bytes: 0 }
    }

    /// Checks the operations; also the indices of the operations that prove a violation.
    ///
    /// # Errors
    /// An operation that the model does not know, or an initial value that it cannot hold.
    pub(super) fn check(
        self,
        gathering: Gathering,
        initial: Option<&Datum>,
        limits: &Limits,
    ) -> Result<Judged, Unfit> {
        if initial.is_some() && !matches!(self, Self::Linearizable(_)) {
            let message = format!("`{}` has no initial value to choose", self.name());
            return Err(Unfit { event: None, message });
        }
        match (self, gathering.gathered) {
            (Self::Linearizable(object), Gathered::Operations(mut operations)) => {
                operations.sort_by_cached_key(|operation| operation.call);
                let report = object.check(&operations, initial, limits)?;
                let witness = report.witness.as_ref().map(|witness| witness.operations.clone());
                let (proof, result) =
                    (witness.unwrap_or_default(), report.into_result(LINEARIZABILITY));
                Ok(Judged { result, proof, isolation: None })
            }
            (Self::Invariant(invariant), Gathered::Operations(operations)) => {
                let operations = operations.into_iter().map(|o| o.map(Into::into));
                let mut operations: Vec<Operation> = operations.collect();
                operations.sort_by_cached_key(|operation| operation.call);
                let result = invariant.check(&operations);
                let witness = result.violations.first().map(|first| first.operations.clone());
                Ok(Judged { result, proof: witness.unwrap_or_default(), isolation: None })
            }
            (Self::Transactional(asked), Gathered::Transactions(recording)) => {
                let options = Options::new(asked.consistency, limits.clone());
                let report = isolation::check(&recording.finish(), &options);
                let proof = report.clearest().map(|finding| finding.transactions.clone());
                let (proof, result) = (proof.unwrap_or_default(), report.check_result());
                Ok(Judged { result, proof, isolation: Some(report) })
            }
            _ => Err(Unfit { event: None, message: "gathered for another model".to_owned() }),
        }
    }

    /// The checker's name where the history itself is broken.
    pub(super) fn checker(self) -> &'static str {
        match self {
            Self::Linearizable(_) => LINEARIZABILITY,
            Self::Invariant(invariant) => invariant.name(),
            Self::Transactional(_) => isolation::CHECKER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_other_tools_stand_for_models_and_hide_none() {
        for (other, ours) in OTHER_NAMES {
            assert_eq!(Model::by_name(other).map(Model::name), Some(ours), "{other}");
            let is_ours = Named::by_name(other).is_some()
                || Invariant::by_name(other).is_some()
                || Datatype::by_name(other).is_some();
            assert!(!is_ours, "{other}");
        }
    }
}

//! What the history in a file is held against.

use invariants::Invariant;
use isolation::{Anomaly, Consistency, Datatype};
use linearizability::Named;

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

    /// The checker's name where the history itself is broken.
    pub(super) fn checker(self) -> &'static str {
        match self {
            Self::Linearizable(_) => linearizability::CHECKER,
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

//! What a set of anomalies says about the models.

use serde::Serialize;

use super::Consistency;
use crate::{Anomaly, Order};

/// Which models a history has broken and which still stand. Each list is in the order of [`Consistency`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// The weakest models that are violated: none of them implies another.
    pub violated: Vec<Consistency>,
    /// Every stronger model: violated, too, because it implies one of those.
    pub also_violated: Vec<Consistency>,
    /// The strongest models that nothing found rules out: none of them implies another.
    pub standing: Vec<Consistency>,
}

impl Ruling {
    /// What these anomalies rule out, where dependencies up to `searched` were looked for.
    ///
    /// A model can only stand where it was put to the test: it is one that the absence of cycles characterizes, and those
    /// cycles were looked for. Read atomic, say, or single-object models are never said to stand.
    #[must_use]
    pub fn new(anomalies: &[Anomaly], searched: Order) -> Self {
        Self::where_known(anomalies, searched, |_| true)
    }

    /// The same, where of some models it is not known whether they stand.
    pub(crate) fn where_known(
        anomalies: &[Anomaly],
        searched: Order,
        is_known: impl Fn(Consistency) -> bool,
    ) -> Self {
        let broken = |model: &Consistency| anomalies.iter().any(|anomaly| model.forbids(*anomaly));
        let (violated, mut whole): (Vec<_>, Vec<_>) = Consistency::all().partition(broken);
        whole.retain(|model| {
            model.is_tested()
                && model.order() <= searched
                && !model.is_in_doubt_after(anomalies)
                && is_known(*model)
        });
        let (violated, also_violated) = split(violated, Consistency::implies);
        let (standing, _) = split(whole, |model, other| other.implies(model));
        Self { violated, also_violated, standing }
    }

    /// The weakest that are violated and the strongest that are not, in a line for people; `None` if all stand.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let names = |models: &[Consistency]| {
            models.iter().map(|model| model.name()).collect::<Vec<_>>().join(", ")
        };
        let standing = match names(&self.standing).as_str() {
            "" => String::new(),
            standing => format!("; strongest not violated: {standing}"),
        };
        let violated = names(&self.violated);
        (!violated.is_empty())
            .then(|| format!("violated: {violated} and all stronger levels{standing}"))
    }
}

impl Consistency {
    /// Whether a history can show that this model holds: there is a cycle that it forbids and no weaker one does. Of the
    /// others a history can show only that they are violated.
    #[must_use]
    pub fn is_tested(self) -> bool {
        let mut cycles = Anomaly::all().filter(|anomaly| matches!(anomaly, Anomaly::Cycle(..)));
        cycles.any(|cycle| cycle.rules_out().contains(&self))
    }

    /// A transaction that contradicts itself may have read two versions of a key one after the other: a G-single that
    /// cannot be told where their order is unknown.
    fn is_in_doubt_after(self, anomalies: &[Anomaly]) -> bool {
        let outlaws_it = self.implies(Self::ConsistentView) || self.implies(Self::RepeatableRead);
        outlaws_it && anomalies.contains(&Anomaly::Internal)
    }
}

/// The models that are not above any other one, and the rest.
fn split(
    models: Vec<Consistency>,
    above: impl Fn(Consistency, Consistency) -> bool,
) -> (Vec<Consistency>, Vec<Consistency>) {
    let all = models.clone();
    models
        .into_iter()
        .partition(|model| !all.iter().any(|other| other != model && above(*model, *other)))
}

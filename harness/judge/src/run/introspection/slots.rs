//! One value a slot: what one node said was chosen there, no node may contradict, at whatever time.

use std::collections::BTreeMap;

use history::CheckResult;
use history::words::counted;
use serde_json::json;

use super::{Comparison, Place, Statement, found, limit, shown};

/// The check's name.
pub(in crate::run) const ONE_VALUE_A_SLOT: &str = "log:one-value-a-slot";
/// What it finds.
pub(in crate::run) const TWO_VALUES: &str = "two values in one slot";

/// What nodes said was chosen.
#[derive(Default)]
pub(super) struct Slots {
    chosen: BTreeMap<Place, Chosen>,
    /// How many slots two nodes or more spoke of.
    compared: usize,
    /// Of how many slots two values were said.
    contradicted: usize,
    /// The first time that was so.
    first: Option<Contradiction>,
}

/// The first that was said of a slot.
struct Chosen {
    value: String,
    by: Statement,
    is_compared: bool,
    is_contradicted: bool,
}

struct Contradiction {
    slot: u64,
    one: (String, Statement),
    other: (String, Statement),
}

impl Slots {
    pub(super) fn take(&mut self, by: &Statement, slot: u64, value: String) {
        let place = (slot, by.log);
        let Some(chosen) = self.chosen.get_mut(&place) else {
            let by = by.clone();
            let chosen = Chosen { value, by, is_compared: false, is_contradicted: false };
            self.chosen.insert(place, chosen);
            return limit(&mut self.chosen);
        };
        if chosen.by.node != by.node && !chosen.is_compared {
            chosen.is_compared = true;
            self.compared += 1;
        }
        if chosen.value != value && !chosen.is_contradicted {
            chosen.is_contradicted = true;
            self.contradicted += 1;
            self.first.get_or_insert_with(|| Contradiction {
                slot,
                one: (chosen.value.clone(), chosen.by.clone()),
                other: (value, by.clone()),
            });
        }
    }
}

impl Comparison for Slots {
    fn check(&self) -> Option<CheckResult> {
        let statistics = json!({ "slots": self.chosen.len(), "compared": self.compared });
        let result = match &self.first {
            Some(first) => {
                let more = match self.contradicted - 1 {
                    0 => String::new(),
                    more => {
                        format!(" Two values were said in {}, too.", counted(more, "other slot"))
                    }
                };
                let sentence = format!("{}.{more}", first.sentence());
                found(ONE_VALUE_A_SLOT, TWO_VALUES, &sentence)
            }
            None if self.compared == 0 => return None,
            None => CheckResult::valid(
                ONE_VALUE_A_SLOT,
                format!(
                    "Of {} two nodes or more said what was chosen there, and always the same.",
                    counted(self.compared, "slot")
                ),
            ),
        };
        Some(result.with_statistics(statistics))
    }

    fn promise(&self) -> (&'static str, &'static str) {
        ("one value a slot", "what nodes say was chosen in the slots of their logs is compared")
    }

    fn nothing(&self) -> String {
        match self.chosen.len() {
            0 => "No node showed an entry of its log.".to_owned(),
            slots => format!(
                "No slot was shown by two nodes, so nothing could be compared ({} in all).",
                counted(slots, "slot")
            ),
        }
    }
}

impl Contradiction {
    fn sentence(&self) -> String {
        let Self { slot, one: (one, by_one), other: (other, by_other) } = self;
        format!(
            "slot {slot} was chosen as {} by {} and as {} by {}",
            shown(one),
            by_one.words(),
            shown(other),
            by_other.words()
        )
    }
}

//! Scenarios: faults that follow one another on purpose, because that is where stores go wrong.

use super::{
    Family,
    fault::{Members, Work},
    script::{Done, Script},
};

/// A named sequence of faults; what it leaves open, the seed decides.
#[derive(Debug)]
pub struct Scenario {
    /// The name in `faults.jsonl` and reports.
    pub name: &'static str,
    /// What happens, in a sentence.
    pub about: &'static str,
    /// Each of these families of faults must be allowed.
    pub needs: &'static [&'static str],
    /// One of these must be allowed, too; none: nothing else is needed.
    pub needs_one_of: &'static [&'static str],
    /// Among fewer nodes it means nothing.
    pub nodes_min: usize,
    /// Whether more than a minority of the nodes is killed at once.
    pub kills_many: bool,
    /// Whether what is cut must wait and arrive later.
    pub holds_messages: bool,
    /// How often it has its turn before another kind of act has its second: more than once, where a class of mistakes shows in no
    /// other. 0: it only follows something else.
    pub turns: u32,
    /// Does it.
    pub play: for<'a> fn(&'a mut Script) -> Work<'a, Done>,
}

impl Scenario {
    /// What most have in common; name, sentence and play are each one's own.
    pub const USUAL: Self = Self {
        name: "",
        about: "",
        needs: &[],
        needs_one_of: &[],
        nodes_min: 3,
        kills_many: false,
        holds_messages: false,
        turns: 1,
        play: |_| Box::pin(async { Ok(()) }),
    };

    /// Whether it can be played with these families among these nodes.
    #[must_use]
    pub fn suits(&self, families: &[Family], members: Members<'_>) -> bool {
        let may = |name: &&str| {
            families.iter().any(|family| family.name() == *name && !family.is_permanent(members))
        };
        self.needs.iter().all(may)
            && (self.needs_one_of.is_empty() || self.needs_one_of.iter().any(may))
            && members.nodes.len() >= self.nodes_min
            && (!self.kills_many || members.can_restart_all)
    }
}

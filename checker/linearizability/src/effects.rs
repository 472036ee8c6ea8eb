//! What an operation does to an object, as far as its result tells.

use crate::Content;

/// What an operation with this result saw of each part of the object, and what it leaves there.
///
/// Nearly everything else is derived from it: which operations only read, which the search may skip, what can be decided
/// without a search, and how a violation is explained. A part that is not mentioned is neither looked at nor changed.
#[derive(Clone, Debug)]
pub struct Effects<'a>(Parts<'a>);

/// Most objects are one part, and need no list.
#[derive(Clone, Debug)]
enum Parts<'a> {
    None,
    One(Effect<'a>),
    Many(Vec<Effect<'a>>),
}

/// What an operation saw of one part, and what it leaves there.
#[derive(Clone, Debug)]
pub struct Effect<'a> {
    /// The part, such as one key of several, or [`Content::WHOLE`].
    pub part: Content<'a>,
    /// What it found before its own effect.
    pub saw: Saw<'a>,
    /// What is there when it has taken effect.
    pub leaves: Leaves<'a>,
}

/// What an operation must have found to have its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saw<'a> {
    /// Anything: it has this result whatever is there.
    Anything,
    /// This: it has this result wherever this is there, and nowhere else.
    Exactly(Content<'a>),
    /// Anything but this.
    Other(Content<'a>),
    /// Nothing or the empty text.
    Empty,
    /// Something, but the result does not tell what.
    Something,
}

/// What an operation leaves.
#[derive(Clone, Debug)]
pub enum Leaves<'a> {
    /// What it found.
    Unchanged,
    /// This.
    Exactly(Content<'a>),
    /// The new content where it found the old one, and else what it found: a compare-and-set whose result is unknown.
    Swapped {
        /// What must be there.
        old: Content<'a>,
        /// What replaces it.
        new: Content<'a>,
    },
    /// What it found with this text behind it; nothing counts as the empty text.
    Extended {
        /// What it adds.
        by: &'a str,
        /// The whole, where the result tells it.
        to: Option<Content<'a>>,
    },
    /// This was there in between, but not at the end: what a transaction wrote first and then replaced.
    Briefly(Content<'a>),
    /// What another part held, as a swap does.
    Moved,
    /// Something for which this is true.
    Like(fn(&Content<'_>) -> bool),
    /// Anything.
    Anything,
}

impl<'a> Effects<'a> {
    /// It sees nothing and changes nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(Parts::None)
    }

    /// Nothing is known: always right.
    #[must_use]
    pub fn unknown() -> Self {
        Self::whole(Saw::Something, Leaves::Anything)
    }

    /// On an object that is one part.
    #[must_use]
    pub fn whole(saw: Saw<'a>, leaves: Leaves<'a>) -> Self {
        Self(Parts::One(Effect { part: Content::WHOLE, saw, leaves }))
    }

    /// True only where it never changes the object.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.all().iter().all(Effect::changes_nothing)
    }

    /// Legal in every state, and always leaves the same one.
    pub(crate) fn is_blind_write(&self) -> bool {
        let whole = self.on_whole();
        whole.is_some_and(|effect| {
            effect.saw == Saw::Anything && matches!(effect.leaves, Leaves::Exactly(_))
        })
    }

    /// One for each part, in the order given.
    pub(crate) fn all(&self) -> &[Effect<'a>] {
        match &self.0 {
            Parts::None => &[],
            Parts::One(effect) => std::slice::from_ref(effect),
            Parts::Many(effects) => effects,
        }
    }

    /// Its only effect, where that is on the whole object.
    pub(crate) fn on_whole(&self) -> Option<&Effect<'a>> {
        match &self.0 {
            Parts::One(effect) if effect.part == Content::WHOLE => Some(effect),
            Parts::None | Parts::One(_) | Parts::Many(_) => None,
        }
    }

    /// What it saw and leaves, where the object is one part.
    pub(crate) fn into_whole(self) -> Option<(Saw<'a>, Leaves<'a>)> {
        match self.0 {
            Parts::None => Some((Saw::Anything, Leaves::Unchanged)),
            Parts::One(Effect { part, saw, leaves }) if part == Content::WHOLE => {
                Some((saw, leaves))
            }
            Parts::One(_) | Parts::Many(_) => None,
        }
    }

    /// False only where `blocked` is certainly illegal right after this changed the object.
    pub(crate) fn may_enable(&self, blocked: &Self) -> bool {
        let is_alone = self.all().len() == 1;
        let contradicts = |effect: &Effect<'_>| {
            let mut others = blocked.all().iter().filter(|other| other.part == effect.part);
            others.any(|other| !effect.leaves.may_enable(&other.saw, is_alone))
        };
        !self.is_read_only() && !self.all().iter().any(contradicts)
    }
}

impl<'a> FromIterator<Effect<'a>> for Effects<'a> {
    fn from_iter<I: IntoIterator<Item = Effect<'a>>>(effects: I) -> Self {
        Self(Parts::Many(effects.into_iter().collect()))
    }
}

impl<'a> Effect<'a> {
    /// On a part of the object.
    #[must_use]
    pub fn on(part: impl Into<Content<'a>>, saw: Saw<'a>, leaves: Leaves<'a>) -> Self {
        Self { part: part.into(), saw, leaves }
    }

    pub(crate) fn changes_nothing(&self) -> bool {
        matches!(self.leaves, Leaves::Unchanged)
    }

    /// What it certainly found, where people may see it.
    pub(crate) fn shows(&self) -> Option<&Content<'a>> {
        match &self.saw {
            Saw::Exactly(content) if !content.is_hidden() => Some(content),
            _ => None,
        }
    }
}

impl<'a> Saw<'a> {
    fn may_be(&self, content: &Content<'_>) -> bool {
        match self {
            Self::Exactly(seen) => seen == content,
            Self::Other(unseen) => unseen != content,
            Self::Empty => content.text() == Some(""),
            Self::Anything | Self::Something => true,
        }
    }
}

impl<'a> Leaves<'a> {
    /// What it certainly leaves, whenever it takes effect.
    pub(crate) fn certain(&self) -> Option<&Content<'a>> {
        match self {
            Self::Exactly(content) | Self::Extended { to: Some(content), .. } => Some(content),
            _ => None,
        }
    }

    /// What it leaves whenever it changes anything.
    pub(crate) fn whenever_it_changes(&self) -> Option<&Content<'a>> {
        match self {
            Self::Swapped { new, .. } => Some(new),
            _ => self.certain(),
        }
    }

    /// Could an operation that saw this come right after it changed the object? `is_alone`: it changes nothing else.
    fn may_enable(&self, saw: &Saw<'_>, is_alone: bool) -> bool {
        match (self, saw) {
            (Self::Swapped { new, .. }, _) => !is_alone || saw.may_be(new),
            (Self::Extended { by, to: None }, Saw::Exactly(seen)) => {
                // Nothing is never left, the empty text only where nothing was added to it.
                *seen != Content::Nil && seen.text().is_some_and(|seen| seen.ends_with(by))
            }
            (Self::Like(is_like), Saw::Exactly(seen)) => is_like(seen),
            (Self::Unchanged | Self::Briefly(_) | Self::Moved | Self::Anything, _) => true,
            _ => self.certain().is_none_or(|left| saw.may_be(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Leaves<'static> = Leaves::Unchanged;

    fn saw(content: i128) -> Effects<'static> {
        Effects::whole(Saw::Exactly(Content::Int(content)), READ)
    }

    #[test]
    fn what_an_operation_leaves_tells_what_can_follow() {
        let write = Effects::whole(Saw::Anything, Leaves::Exactly(Content::Int(1)));
        assert!(write.may_enable(&saw(1)) && !write.may_enable(&saw(2)));
        assert!(write.is_blind_write() && !write.is_read_only());
        let refused = |by: i128| Effects::whole(Saw::Other(Content::Int(by)), READ);
        assert!(write.may_enable(&refused(2)) && !write.may_enable(&refused(1)));
        // What changes nothing makes nothing legal.
        assert!(!saw(1).may_enable(&saw(1)) && saw(1).is_read_only());
        assert!(Effects::unknown().may_enable(&saw(1)) && !Effects::unknown().is_blind_write());
        let append = Effects::whole(Saw::Anything, Leaves::Extended { by: "b", to: None });
        let text = |text| Effects::whole(Saw::Exactly(Content::of_text(text)), READ);
        assert!(append.may_enable(&text(Some("ab"))));
        assert!(!append.may_enable(&text(Some("ba"))) && !append.may_enable(&text(None)));
    }

    /// One that may change another part instead says nothing about this one.
    #[test]
    fn a_swap_of_one_part_among_several_may_not_have_happened() {
        let swap = |part: i128| Effect {
            part: Content::Int(part),
            saw: Saw::Anything,
            leaves: Leaves::Swapped { old: Content::Int(1), new: Content::Int(2) },
        };
        let read =
            Effect { part: Content::Int(0), saw: Saw::Exactly(Content::Int(3)), leaves: READ };
        let read: Effects<'_> = [read].into_iter().collect();
        let one: Effects<'_> = [swap(0)].into_iter().collect();
        let two: Effects<'_> = [swap(0), swap(1)].into_iter().collect();
        assert!(!one.may_enable(&read) && two.may_enable(&read));
    }
}

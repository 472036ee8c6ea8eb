//! A history made smaller.

use super::{Attempts, relaxed};
use crate::problem::{Item, Sample};
use crate::{CallOf, Model, oracle};

/// The most operations whose whole history is tried before any prefix is.
const WINDOW_MAX: usize = 1_000;

/// More operations than this that may have written a value tell nothing.
const WRITERS_MAX: usize = 64;

/// The most operations that the oracle is asked about.
const VERIFIED_MAX: usize = 8;

/// An illegal history, most of it relaxed.
pub(super) struct Core<'m, 'a, M: Model> {
    model: &'m M,
    /// In order of return, those open for ever last.
    items: Vec<Item<'a, M>>,
    /// Which of them count in full.
    kept: Vec<bool>,
}

impl<'m, 'a, M: Model> Core<'m, 'a, M> {
    /// Everything in full strength.
    pub(super) fn whole(model: &'m M, items: &[Item<'a, M>]) -> Self {
        let end = |(at, item): (usize, &Item<'a, M>)| (item.ret.unwrap_or(u64::MAX), at);
        let mut places: Vec<(u64, usize)> = items.iter().enumerate().map(end).collect();
        places.sort_unstable();
        let items: Vec<Item<'a, M>> = places.into_iter().map(|(_, at)| items[at]).collect();
        let kept = items.iter().map(|item| item.ret.is_some()).collect();
        Self { model, items, kept }
    }

    /// The items with everything relaxed that is not kept.
    fn weakened(&self, kept: &[bool]) -> Vec<Item<'a, M>> {
        let weaken =
            |(item, &kept): (&Item<'a, M>, &bool)| if kept { *item } else { relaxed(item) };
        self.items.iter().zip(kept).map(weaken).collect()
    }

    fn is_illegal_with(&self, kept: &[bool], attempts: &mut Attempts<'_, '_>) -> bool {
        attempts.finds_illegal(self.model, &self.weakened(kept))
    }

    fn is_read_only(&self, item: &Item<'a, M>) -> bool {
        self.model.effects(&item.call.input, None).is_read_only()
    }

    fn keep(&mut self, kept: Vec<bool>) {
        self.kept = kept;
    }

    /// Mistakes are local: often the last few operations, and those that wrote what the last one saw, are enough.
    pub(super) fn window(
        model: &'m M,
        items: &[Item<'a, M>],
        attempts: &mut Attempts<'_, '_>,
    ) -> Option<Self> {
        if !attempts.may_look_at(items.len()) {
            return None;
        }
        let mut core = Self::whole(model, items);
        let stuck = core.stuck()?;
        let required = core.kept.iter().filter(|&&kept| kept).count();
        let wrote = |item: &Item<'a, M>| may_enable(model, item.call, stuck);
        let writers: Vec<bool> = core.items[..required].iter().map(wrote).collect();
        // Where everything counts as a writer, this is no help.
        let few_writers = writers.iter().filter(|&&writer| writer).count() <= WRITERS_MAX;
        let kept = |size: usize| {
            let in_window = |i: usize| i + size >= required || (few_writers && writers[i]);
            (0..core.items.len()).map(|i| i < required && in_window(i)).collect::<Vec<bool>>()
        };
        let sizes = std::iter::successors(Some(4), |size| Some(4 * size));
        let parts: Vec<_> = sizes.take_while(|&size| size < required).map(kept).collect();
        let whole = (required <= WINDOW_MAX).then(|| core.kept.clone());
        let found =
            parts.into_iter().chain(whole).find(|kept| core.is_illegal_with(kept, attempts))?;
        core.keep(found);
        Some(core)
    }

    /// The one that no order can place: the last that returned.
    fn stuck(&self) -> Option<&'a CallOf<M>> {
        let mut items = self.items.iter().zip(&self.kept);
        items.rfind(|&(_, &kept)| kept).map(|(item, _)| item.call)
    }

    /// Zeller & Hildebrandt's delta debugging ("Simplifying and isolating failure-inducing input", TSE 2002):
    /// relaxes ever smaller chunks. Reads go first, since forgetting one leaves nothing behind.
    pub(super) fn drop_chunks(&mut self, attempts: &mut Attempts<'_, '_>) {
        let (reads, others): (Vec<usize>, Vec<usize>) =
            (0..self.items.len()).partition(|&i| self.is_read_only(&self.items[i]));
        for group in [reads, others] {
            let kept_of = |core: &Self| -> Vec<usize> {
                group.iter().copied().filter(|&i| core.kept[i]).collect()
            };
            let mut size = kept_of(self).len();
            while size > 0 {
                for chunk in kept_of(self).chunks(size) {
                    if attempts.effort.left() == 0 {
                        return;
                    }
                    let mut kept = self.kept.clone();
                    chunk.iter().for_each(|&i| kept[i] = false);
                    if self.is_illegal_with(&kept, attempts) {
                        self.keep(kept);
                    }
                }
                size /= 2;
            }
        }
    }

    /// Asks the definition itself, where the core is small enough.
    pub(super) fn verify(&self) -> Result<(), String> {
        let forgotten = |item: &Item<'a, M>| item.ret.is_none() && self.is_read_only(item);
        let core: Vec<CallOf<M>> = self
            .weakened(&self.kept)
            .iter()
            .filter(|item| !forgotten(item))
            .map(|item| CallOf::<M> {
                ret: item.ret,
                output: item.output.cloned(),
                ..item.call.clone()
            })
            .collect();
        if core.len() <= VERIFIED_MAX && oracle::is_linearizable(self.model, &core) {
            return Err("Internal error: the search found no order for a history that has one; the model's \
                        hints may contradict its steps."
                .to_owned());
        }
        Ok(())
    }

    /// What counts in full, in order of return, and of the rest what may have had an effect.
    pub(super) fn into_parts(self) -> (Vec<Item<'a, M>>, Vec<Item<'a, M>>) {
        let weakened = self.weakened(&self.kept);
        let kept = |&at: &usize| self.kept[at];
        let (kept, others): (Vec<usize>, Vec<usize>) = (0..weakened.len()).partition(kept);
        let items = |places: Vec<usize>| places.into_iter().map(|at| weakened[at]);
        let changes = |item: &Item<'a, M>| !self.is_read_only(item);
        (items(kept).collect(), items(others).filter(changes).collect())
    }
}

/// Could `blocked` be legal right after `effect`?
fn may_enable<'a, M: Model>(model: &'a M, effect: &'a CallOf<M>, blocked: &'a CallOf<M>) -> bool {
    let of = |call: &'a CallOf<M>| Sample::<M>::of(model, call);
    of(effect).may_enable(model, &of(blocked))
}

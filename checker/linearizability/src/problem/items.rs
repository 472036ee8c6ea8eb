//! Calls, and how much of each counts.

use rustc_hash::FxHashMap;

use crate::{CallOf, Model};

/// A call, and how much of it counts.
pub(crate) struct Item<'a, M: Model> {
    pub(crate) call: &'a CallOf<M>,
    /// What the order calls it.
    pub(crate) source: u32,
    /// When it returned, where that counts.
    pub(crate) ret: Option<u64>,
    /// Its result, where that counts.
    pub(crate) output: Option<&'a M::Output>,
    /// False where it may have taken effect before everything else here, its return counting nevertheless.
    pub(crate) must: bool,
    /// Numbers that equal operations share: with the call's own result, and without any.
    pub(crate) classes: [u32; 2],
}

impl<M: Model> Clone for Item<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

// Not derived: it holds for models that are not `Copy` too.
impl<M: Model> Copy for Item<'_, M> {}

impl<M: Model> Item<'_, M> {
    /// The same number for items with the same input and output.
    pub(crate) fn class(&self) -> u32 {
        self.classes[usize::from(self.output.is_none())]
    }

    /// A read without return or result constrains nothing.
    pub(crate) fn is_forgotten(&self, model: &M) -> bool {
        (self.ret.is_none() || self.output.is_none())
            && model.effects(&self.call.input, None).is_read_only()
    }
}

/// Above the class of each of these.
pub(super) fn classes<M: Model>(items: &[Item<'_, M>]) -> usize {
    items.iter().map(|item| item.class() as usize + 1).max().unwrap_or(0)
}

/// Every call in full strength.
pub(crate) fn items<M: Model>(calls: &[CallOf<M>]) -> Vec<Item<'_, M>> {
    let mut numbers = FxHashMap::default();
    let mut class = |input, output| {
        let next = u32::try_from(numbers.len()).expect("a history has fewer than 2^31 operations");
        *numbers.entry((input, output)).or_insert(next)
    };
    let mut items = Vec::with_capacity(calls.len());
    for (source, call) in (0..).zip(calls) {
        if call.failed {
            continue;
        }
        let output = call.output.as_ref();
        let unknown = class(&call.input, None);
        let known = if output.is_some() { class(&call.input, output) } else { unknown };
        let classes = [known, unknown];
        items.push(Item { call, source, ret: call.ret, output, must: true, classes });
    }
    items
}

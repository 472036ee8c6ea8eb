//! A history made ready, with what only its model tells.

use std::sync::Arc;

use super::{Effect, Item, Member, Problem, items};
use crate::{CallOf, Effects, Model};

/// A problem, and an operation of each class for the model.
pub(crate) struct Prepared<'a, M: Model> {
    pub(crate) model: &'a M,
    pub(crate) problem: Arc<Problem>,
    /// By class.
    pub(crate) samples: Vec<Sample<'a, M>>,
}

/// No item of this class was met yet.
const NO_CLASS: u32 = u32::MAX;

impl<'a, M: Model> Prepared<'a, M> {
    pub(crate) fn new(model: &'a M, items: &[Item<'a, M>]) -> Self {
        let mut numbers = vec![NO_CLASS; items::classes(items)];
        let (mut classes, mut samples) = (Vec::new(), Vec::new());
        let mut members = Vec::with_capacity(items.len());
        for item in items {
            if item.is_forgotten(model) {
                continue;
            }
            let number = &mut numbers[item.class() as usize];
            if *number == NO_CLASS {
                *number = classes.len() as u32;
                let sample = Sample::new(model, &item.call.input, item.output);
                classes.push(sample.effect);
                samples.push(sample);
            }
            members.push(Member {
                class: *number,
                source: item.source,
                call: item.call.call,
                ret: item.ret,
                must: item.must,
            });
        }
        let may_enable = |class: u32, blocked: u32| {
            samples[class as usize].may_enable(model, &samples[blocked as usize])
        };
        let problem = Arc::new(Problem::new(classes, &members, &may_enable));
        Self { model, problem, samples }
    }
}

/// An operation of some class.
pub(crate) struct Sample<'a, M: Model> {
    pub(crate) input: &'a M::Input,
    pub(crate) output: Option<&'a M::Output>,
    effect: Effect,
    /// Where there are many, and finding them again would take long.
    all: Option<Box<Effects<'a>>>,
}

impl<'a, M: Model> Sample<'a, M> {
    fn new(model: &'a M, input: &'a M::Input, output: Option<&'a M::Output>) -> Self {
        let effects = model.effects(input, output);
        let effect = Effect::of(&effects);
        let all = (effects.all().len() > 1).then(|| Box::new(effects));
        Self { input, output, effect, all }
    }

    pub(crate) fn of(model: &'a M, call: &'a CallOf<M>) -> Self {
        Self::new(model, &call.input, call.output.as_ref())
    }

    /// Could `blocked` be legal right after this changed the state?
    pub(crate) fn may_enable(&self, model: &'a M, blocked: &Self) -> bool {
        let in_detail = || {
            self.with_all(model, |all| blocked.with_all(model, |blocked| all.may_enable(blocked)))
        };
        self.effect.may_enable(blocked.effect).unwrap_or_else(in_detail)
    }

    fn with_all(&self, model: &'a M, ask: impl FnOnce(&Effects<'a>) -> bool) -> bool {
        match &self.all {
            Some(all) => ask(all),
            None => ask(&model.effects(self.input, self.output)),
        }
    }
}

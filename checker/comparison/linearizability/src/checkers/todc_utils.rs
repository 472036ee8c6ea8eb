//! `todc-utils`: Wing and Gong's search with Lowe's memory.

use std::marker::PhantomData;

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

use crate::object::{Moment, Object, Timed, moments};

struct Specified<O>(PhantomData<O>);

impl<O: Object> Specification for Specified<O> {
    type State = O::State;
    type Operation = O;

    fn init() -> O::State {
        O::initial()
    }

    fn apply(operation: &O, state: &O::State) -> (bool, O::State) {
        operation.step(state)
    }
}

/// What stays open returns at the very end: as good as never, for nobody looks after it.
pub fn prepare<O: Object>(history: Vec<Timed<O>>) -> impl FnOnce() -> bool {
    let open = (0..history.len()).filter(|&i| history[i].ret.is_none()).map(Moment::Return);
    let actions: Vec<(usize, Action<O>)> = moments(&history)
        .into_iter()
        .chain(open)
        .map(|moment| match moment {
            Moment::Call(i) => (history[i].client, Action::Call(history[i].operation.clone())),
            Moment::Return(i) => {
                (history[i].client, Action::Response(history[i].operation.clone()))
            }
        })
        .collect();
    // It cannot be asked about nothing.
    let history = (!actions.is_empty()).then(|| History::from_actions(actions));
    move || history.is_none_or(WGLChecker::<Specified<O>>::is_linearizable)
}

//! `stateright`'s linearizability tester, which is made for the short histories of a model checker.

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::object::{Moment, Object, Timed, moments};

#[derive(Clone)]
struct Specified<O: Object>(O::State);

impl<O: Object> SequentialSpec for Specified<O> {
    type Op = O;
    /// The operation carries its result.
    type Ret = ();

    fn invoke(&mut self, operation: &O) {
        self.is_valid_step(operation, &());
    }

    fn is_valid_step(&mut self, operation: &O, (): &()) -> bool {
        let (is_valid, next) = operation.step(&self.0);
        self.0 = next;
        is_valid
    }
}

/// It works out who came before whom while it records, so that is timed too.
pub fn prepare<O: Object>(history: Vec<Timed<O>>) -> impl FnOnce() -> bool {
    let moments = moments(&history);
    move || {
        let mut tester = LinearizabilityTester::new(Specified::<O>(O::initial()));
        for moment in moments {
            let recorded = match moment {
                Moment::Call(i) => {
                    tester.on_invoke(history[i].client, history[i].operation.clone())
                }
                Moment::Return(i) => tester.on_return(history[i].client, ()),
            };
            recorded.expect("clients do one thing at a time");
        }
        tester.is_consistent()
    }
}

//! `porcupine-rs`, after Porcupine: Wing and Gong's search with Lowe's memory, and a thread for each partition.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use porcupine_rs::{Model, Operation, check_operations};

use crate::object::{Object, Timed};

#[derive(Clone)]
struct Specified<O>(PhantomData<O>);

impl<O: Object> Model for Specified<O> {
    type State = O::State;
    /// The part of the object that it is about comes first.
    type Op = (usize, O);
    type Metadata = ();

    fn init() -> O::State {
        O::initial()
    }

    fn step(state: &O::State, (_, operation): &(usize, O)) -> (bool, O::State) {
        operation.step(state)
    }

    fn partition_operations(history: &[Operation<Self>]) -> Vec<Vec<Operation<Self>>> {
        let mut parts: BTreeMap<usize, Vec<Operation<Self>>> = BTreeMap::new();
        for operation in history {
            parts.entry(operation.op.0).or_default().push(operation.clone());
        }
        parts.into_values().collect()
    }
}

/// What stays open returns at the very end: as good as never, for nobody looks after it.
pub fn prepare<O: Object>(parts: Vec<Vec<Timed<O>>>) -> impl FnOnce() -> bool {
    let time = |moment: u64| i64::try_from(moment).unwrap_or(i64::MAX);
    let operation = |part: usize, timed: Timed<O>| Operation {
        client_id: u32::try_from(timed.client).ok(),
        call_time: time(timed.call),
        return_time: timed.ret.map_or(i64::MAX, time),
        op: (part, timed.operation),
        metadata: None,
    };
    let operations: Vec<Operation<Specified<O>>> = parts
        .into_iter()
        .enumerate()
        .flat_map(|(part, history)| history.into_iter().map(move |timed| operation(part, timed)))
        .collect();
    move || check_operations(&operations)
}

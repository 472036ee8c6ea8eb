//! Linearizability by its definition: every order, one after another. For a handful of operations only.
//!
//! Too simple to be wrong, and sharing no code with the search: the tests compare the two, and small
//! witnesses are verified with it.

use crate::{CallOf, Model};

/// Does any order of the calls explain their results? Takes time exponential in their number.
pub fn is_linearizable<M: Model>(model: &M, calls: &[CallOf<M>]) -> bool {
    let mut left: Vec<&CallOf<M>> = calls.iter().filter(|call| !call.failed).collect();
    extend(model, &mut left, &model.initial())
}

fn extend<M: Model>(model: &M, left: &mut Vec<&CallOf<M>>, state: &M::State) -> bool {
    // What has not returned may never take effect.
    let Some(first_return) = left.iter().filter_map(|call| call.ret).min() else { return true };
    for i in 0..left.len() {
        if left[i].call > first_return {
            continue;
        }
        let call = left.swap_remove(i);
        let next = model.step(state, &call.input, call.output.as_ref());
        let legal = next.is_some_and(|next| extend(model, left, &next));
        left.push(call);
        let last = left.len() - 1;
        left.swap(i, last);
        if legal {
            return true;
        }
    }
    false
}

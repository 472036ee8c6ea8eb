//! Whether a cluster serves again once the faults are over.

use node::{
    Protocol,
    sim::{Completion, Report, operation_text},
};

use crate::Failure;

/// Whether this is the refusal of a controller that serves.
fn is_an_answer(reason: &str) -> bool {
    use contract::ErrorCode::{BadShard, Exists, NoChange, UnknownGroup};
    let code = reason.split_once(':').map(|(code, _)| code);
    [Exists, UnknownGroup, NoChange, BadShard].iter().any(|known| code == Some(known.name()))
}

/// Every operation that began after `heal_us` must have succeeded, and there must be some.
///
/// # Errors
/// The first operation that did not succeed.
pub fn progress<P: Protocol>(report: &Report<P>, heal_us: u64) -> Result<(), Failure> {
    let events = report.history.events();
    for operation in report.history.operations() {
        let invoked = usize::try_from(operation.call).ok().and_then(|call| events.get(call));
        let began_us = invoked.map_or(0, |event| event.time_us);
        if began_us < heal_us {
            continue;
        }
        if let Completion::Fail(_, reason) | Completion::Info(reason) = &operation.completion
            && !is_an_answer(reason)
        {
            let completed = events
                .iter()
                .find(|event| event.process == operation.process && event.index > operation.call);
            let time_us = completed.map_or(report.simulator.now_us(), |event| event.time_us);
            let reason = format!(
                "no progress after everything had healed: request {} of {}, {}, got no answer: {reason}",
                operation.seq,
                operation.client(),
                operation_text(&operation.operation)
            );
            return Err(Failure::of([&operation], time_us, reason));
        }
    }
    if report.ok_after_heal == 0 {
        let reason = "nobody asked anything after the heal".to_owned();
        return Err(Failure::new(report.simulator.now_us(), reason));
    }
    Ok(())
}

//! Whether a cluster serves again once the faults are over.

use node::{
    Protocol,
    sim::{Completion, Report},
};

/// Every operation that began after `heal_us` must have succeeded, and there must be some.
///
/// # Errors
/// The first operation that did not succeed.
pub fn progress<P: Protocol>(report: &Report<P>, heal_us: u64) -> Result<(), String> {
    for operation in report.history.operations() {
        let position = usize::try_from(operation.call).map_err(|error| error.to_string())?;
        let invoked = &report.history.events()[position];
        if invoked.time_us >= heal_us && !matches!(operation.completion, Completion::Ok(..)) {
            return Err(format!("no progress after everything had healed: {operation:?}"));
        }
    }
    if report.ok_after_heal == 0 {
        return Err("nobody asked anything after the heal".to_owned());
    }
    Ok(())
}

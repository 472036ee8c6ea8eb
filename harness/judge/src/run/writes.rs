//! Which operations change something.

use contract::Operation as Request;
use history::Operation;

/// Whether it may change something.
pub(super) fn is_write(operation: &Operation) -> bool {
    let request = Request::from_parts(&operation.f, &operation.arguments);
    request.is_ok_and(|request| !request.is_read_only())
}

/// Whether it changed something, by the store's own word.
pub(super) fn is_acknowledged_write(operation: &Operation) -> bool {
    let Some(result) = operation.result() else { return false };
    result["swapped"] != false && result["committed"] != false && is_write(operation)
}

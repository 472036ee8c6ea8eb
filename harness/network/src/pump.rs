//! What the two pumps of a connection have in common.

use crate::gate::Cut;

/// Bytes read at once.
pub(crate) const CHUNK_BYTES: usize = 16 << 10;

/// Why a connection ends before both streams have.
pub(crate) enum End {
    /// Both sides are closed.
    Close,
    /// Both sides are reset.
    Reset,
}

impl From<Cut> for End {
    fn from(_: Cut) -> Self {
        End::Reset
    }
}

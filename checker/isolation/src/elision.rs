//! Of a long cycle the first and the last transactions are shown, and how many stand between.

/// So many at each end.
const ENDS: usize = 8;

/// How many of so many transactions are left out: those after the first eight.
pub(crate) fn left_out(len: usize) -> usize {
    len.saturating_sub(2 * ENDS)
}

/// The positions of those that are shown.
pub(crate) fn shown(len: usize) -> impl Iterator<Item = usize> {
    let left_out = left_out(len);
    (0..len - left_out).map(move |at| position(at, left_out))
}

/// The positions of those that are shown together with the next one.
pub(crate) fn shown_with_next(len: usize) -> impl Iterator<Item = usize> {
    let gap = gap(left_out(len));
    shown(len).filter(move |position| gap != Some(position + 1))
}

/// How many are shown before those that are left out.
pub(crate) fn gap(left_out: usize) -> Option<usize> {
    (left_out > 0).then_some(ENDS)
}

/// The position of what is shown at this place.
pub(crate) fn position(at: usize, left_out: usize) -> usize {
    if at < ENDS { at } else { at + left_out }
}

/// What a transaction at this position is called.
pub(crate) fn name(position: usize) -> String {
    format!("T{}", position + 1)
}

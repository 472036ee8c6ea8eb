//! The trace of messages, which may be long: read once for all that is taken from it, and never kept whole.

use std::collections::BTreeMap;

use record::{Folder, Mark};

use super::behaviour::Passed;
use super::clocks::{Clocks, Trace};

/// What the messages tell of the nodes' clocks, and what passed between these nodes in the main phase.
pub(super) fn read(
    folder: &Folder,
    nodes: &[String],
    marks: &[Mark],
    main_ns: (u64, u64),
) -> (Option<Clocks>, Option<Passed>) {
    let (mut told, mut passed) = (Trace::new(nodes), Passed::new(nodes, main_ns));
    // What cannot be read decides nothing: the trace explains, and the report says what is wrong with it.
    let reading = folder.read_messages(|message| {
        passed.take(&message);
        told.take(message);
    });
    let is_whole = reading.is_ok_and(|reading| reading.unreadable == 0 && !reading.missing);
    let clocks = Clocks::of(told, unseen(marks).filter(|_| is_whole));
    (clocks, is_whole.then_some(passed))
}

/// From when on a node may have told another one something that the trace does not show; `None`: it may lack anything.
fn unseen(marks: &[Mark]) -> Option<&BTreeMap<String, u64>> {
    marks.iter().find_map(|mark| match mark {
        Mark::Trace(unseen) => Some(unseen),
        _ => None,
    })
}

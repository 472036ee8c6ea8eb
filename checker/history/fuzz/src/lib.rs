//! What all readers are fuzzed with.

use history::{Batches, Events, Format, Paired, Pairing, Portion, Reading};

/// Any input gives events or an error; and paired block by block it gives as many operations as event by event, and an
/// error where that does.
///
/// # Panics
/// The two do not agree.
pub fn read(input: &[u8], format: Format) {
    let mut pairing = Pairing::default();
    let (mut ended, mut is_whole) = (0, true);
    for located in Events::new(input, format) {
        match located.map(|located| pairing.add(located.event)) {
            Ok(Ok(Paired::Ends(_))) => ended += 1,
            Ok(Ok(Paired::Begins | Paired::Beside)) => {}
            Ok(Err(_)) | Err(_) => {
                is_whole = false;
                break;
            }
        }
    }
    // So short that events lie across their ends.
    let reading = Reading { threads: 1, block_bytes: 64 };
    let mut batches = Batches::new(input, format, reading, Vec::new());
    let (mut in_batches, mut is_whole_in_batches) = (0, true);
    for portion in batches.by_ref() {
        match portion {
            Ok(Portion { batch, between, .. }) => in_batches += batch.len() + between.len(),
            Err(_) => is_whole_in_batches = false,
        }
    }
    assert_eq!((in_batches, is_whole_in_batches), (ended, is_whole));
}

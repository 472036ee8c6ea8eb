//! Events in the order of their indices.

/// An empty place.
const NONE: u32 = u32::MAX;

/// The numbers of these events, in the order of their indices; those of one index in the order of their numbers. Takes linear
/// time where nearly every index in between is one of theirs, as it is in a whole history.
pub fn by_index(events: impl Iterator<Item = (u64, u32)> + Clone) -> Vec<u32> {
    if let Some(order) = by_place(events.clone()) {
        return order;
    }
    let mut events: Vec<(u64, u32)> = events.collect();
    events.sort_unstable();
    events.into_iter().map(|(_, number)| number).collect()
}

/// `None` where too many places would be empty, or two events have the same.
fn by_place(events: impl Iterator<Item = (u64, u32)> + Clone) -> Option<Vec<u32>> {
    /// There may be so many places for each event, and some more.
    const PLACES: u64 = 4;
    let (mut first, mut last, mut count) = (u64::MAX, 0, 0);
    for (index, _) in events.clone() {
        (first, last, count) = (first.min(index), last.max(index), count + 1);
    }
    let span = last.saturating_sub(first);
    if span > PLACES * count + 64 {
        return None;
    }
    let mut places = vec![NONE; usize::try_from(span).ok()? + 1];
    for (index, number) in events {
        let place = &mut places[(index - first) as usize];
        if *place != NONE || number == NONE {
            return None;
        }
        *place = number;
    }
    places.retain(|&number| number != NONE);
    Some(places)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn the_order_is_that_of_a_sort() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..2_000 {
            let count = rng.random_range(0..30);
            // Dense, with ties, sparse, and at both ends of what there is.
            let bound = [40, 20, 1_000, u64::MAX][rng.random_range(0..4)];
            let indices: Vec<u64> = (0..count).map(|_| rng.random_range(0..=bound)).collect();
            let events = indices.iter().copied().zip(0..);
            let mut expected: Vec<(u64, u32)> = events.clone().collect();
            expected.sort_unstable();
            let expected: Vec<u32> = expected.into_iter().map(|(_, number)| number).collect();
            assert_eq!(by_index(events), expected, "{indices:?}");
        }
    }
}

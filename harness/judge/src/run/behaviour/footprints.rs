//! What each node occupied: at most, and when it was looked at last.

use std::collections::BTreeMap;

use record::{Extent, Footprint, Occupied};

/// By node; what the record says of others is left out. The footprints are in the order of time.
pub(super) fn occupied(
    nodes: &[String],
    footprints: impl Iterator<Item = Footprint>,
) -> BTreeMap<String, Occupied> {
    let mut occupied: BTreeMap<String, Occupied> = BTreeMap::new();
    for Footprint { node, data_bytes, log_bytes, memory_bytes } in footprints {
        if !nodes.contains(&node) {
            continue;
        }
        let its = occupied.entry(node).or_default();
        for (extent, seen) in [
            (&mut its.data_bytes, data_bytes),
            (&mut its.log_bytes, log_bytes),
            (&mut its.memory_bytes, memory_bytes),
        ] {
            *extent = seen.map(|seen| Extent::then(*extent, seen)).or(*extent);
        }
    }
    occupied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_and_the_last_that_was_seen_of_each_node_are_kept() {
        let seen = |node: &str, data_bytes, memory_bytes| Footprint {
            node: node.to_owned(),
            data_bytes,
            log_bytes: None,
            memory_bytes,
        };
        let footprints = [
            seen("n1", Some(5), Some(80)),
            seen("n2", Some(1), Some(20)),
            seen("n1", Some(9), Some(90)),
            seen("n1", Some(4), Some(70)),
            // It is down: nothing is known of its memory.
            seen("n1", Some(3), None),
            seen("stranger", Some(1 << 40), None),
        ];
        let nodes = ["n1", "n2", "n3"].map(str::to_owned);
        let occupied = occupied(&nodes, footprints.into_iter());
        let extent = |most, end| Some(Extent { most, end });
        assert_eq!(occupied.keys().collect::<Vec<_>>(), ["n1", "n2"]);
        assert_eq!((occupied["n1"].data_bytes, occupied["n1"].log_bytes), (extent(9, 3), None));
        assert_eq!(occupied["n1"].memory_bytes, extent(90, 70));
        assert_eq!(occupied["n2"].memory_bytes, extent(20, 20));
    }
}

use std::{collections::BTreeMap, fmt::Debug};

use contract::NodeId;

/// At most one value is chosen in each slot of the log.
#[derive(Debug)]
pub struct OneValuePerSlot<V> {
    /// What was first known to be chosen in each slot.
    chosen: BTreeMap<u64, V>,
    /// Up to which slot each node was compared.
    checked: BTreeMap<NodeId, u64>,
}

impl<V> Default for OneValuePerSlot<V> {
    fn default() -> Self {
        Self { chosen: BTreeMap::new(), checked: BTreeMap::new() }
    }
}

impl<V: Clone + Debug + PartialEq> OneValuePerSlot<V> {
    /// `node` knows every slot up to `commit` to be chosen, and `chosen_from` gives what it knows from a slot on.
    /// Calls `first_seen` for each slot that no node knew before.
    ///
    /// # Errors
    /// Another node knew another value to be chosen.
    pub fn check<'a, I>(
        &mut self,
        node: &NodeId,
        commit: u64,
        chosen_from: impl FnOnce(u64) -> I,
        mut first_seen: impl FnMut(u64, &V),
    ) -> Result<(), String>
    where
        I: Iterator<Item = (u64, &'a V)>,
        V: 'a,
    {
        let checked = self.checked.entry(node.clone()).or_default();
        if commit < *checked {
            *checked = 0; // The node restarted.
        }
        for (slot, value) in chosen_from(*checked + 1) {
            match self.chosen.get(&slot) {
                Some(known) if known != value => {
                    return Err(format!("{node} has {value:?} in slot {slot}, not {known:?}"));
                }
                Some(_) => {}
                None => {
                    self.chosen.insert(slot, value.clone());
                    first_seen(slot, value);
                }
            }
        }
        *checked = commit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_value_in_a_slot_is_found() {
        let mut invariant = OneValuePerSlot::default();
        let mut check = |node: &str, log: &[(u64, char)]| {
            let from = |slot| log.iter().filter(move |(at, _)| *at >= slot).map(|(at, v)| (*at, v));
            invariant.check(&node.to_owned(), 0, from, |_, _| {})
        };
        check("n1", &[(1, 'a'), (2, 'b')]).unwrap();
        check("n2", &[(2, 'b'), (3, 'c')]).unwrap();
        assert!(check("n1", &[(3, 'd')]).is_err());
    }
}

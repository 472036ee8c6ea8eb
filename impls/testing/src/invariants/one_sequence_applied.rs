use std::collections::BTreeMap;

use contract::NodeId;

use crate::recorder::Applied;

/// What the nodes have applied are prefixes of one sequence.
#[derive(Debug, Default)]
pub struct OneSequenceApplied {
    /// The longest sequence that any node ever applied.
    sequence: Vec<Applied>,
    /// How much of each node's sequence was compared.
    checked: BTreeMap<NodeId, usize>,
}

impl OneSequenceApplied {
    /// `node` has applied all of `applied`, in this order.
    ///
    /// # Errors
    /// Another node applied something else at the same position.
    pub fn check(&mut self, node: &NodeId, applied: &[Applied]) -> Result<(), String> {
        let checked = self.checked.entry(node.clone()).or_default();
        if applied.len() < *checked {
            *checked = 0; // The node restarted.
        }
        for (position, request) in applied.iter().enumerate().skip(*checked) {
            match self.sequence.get(position) {
                Some(known) if known != request => {
                    return Err(format!(
                        "request {position} that {node} applied is {request:?}, not {known:?}"
                    ));
                }
                Some(_) => {}
                None => self.sequence.push(request.clone()),
            }
        }
        *checked = applied.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_applies_another_order_is_found() {
        let request = |seq| ("c".to_owned(), seq);
        let mut invariant = OneSequenceApplied::default();
        let (one, two) = ("n1".to_owned(), "n2".to_owned());
        invariant.check(&one, &[request(1), request(2)]).unwrap();
        invariant.check(&two, &[request(1)]).unwrap();
        invariant.check(&one, &[]).unwrap();
        assert!(invariant.check(&two, &[request(1), request(3)]).is_err());
    }
}

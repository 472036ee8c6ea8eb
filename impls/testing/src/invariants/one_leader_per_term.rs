use std::{collections::BTreeMap, fmt::Debug};

use contract::NodeId;

/// No two nodes lead in the same term (view, ballot).
#[derive(Debug)]
pub struct OneLeaderPerTerm<T> {
    leaders: BTreeMap<T, NodeId>,
}

impl<T> Default for OneLeaderPerTerm<T> {
    fn default() -> Self {
        Self { leaders: BTreeMap::new() }
    }
}

impl<T: Clone + Debug + Ord> OneLeaderPerTerm<T> {
    /// `node` leads in `term`. Whether that is news.
    ///
    /// # Errors
    /// Another node led in the same term.
    pub fn check(&mut self, node: &NodeId, term: &T) -> Result<bool, String> {
        match self.leaders.get(term) {
            Some(leader) if leader != node => {
                Err(format!("{node} leads in {term:?}, in which {leader} led"))
            }
            Some(_) => Ok(false),
            None => {
                self.leaders.insert(term.clone(), node.clone());
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_leader_of_a_term_is_found() {
        let mut invariant = OneLeaderPerTerm::default();
        let (one, two) = ("n1".to_owned(), "n2".to_owned());
        assert_eq!(invariant.check(&one, &1), Ok(true));
        assert_eq!(invariant.check(&one, &1), Ok(false));
        assert_eq!(invariant.check(&two, &2), Ok(true));
        assert!(invariant.check(&two, &1).is_err());
    }
}

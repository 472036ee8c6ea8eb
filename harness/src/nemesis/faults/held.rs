//! Held: a message that was caught on its way waits.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use network::Caught;

use super::partition::link_names;
use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Work},
};

/// Keeps a message until it is healed.
struct Held {
    link: String,
    /// What was caught; `None` once it went on.
    caught: Mutex<Option<Arc<Caught>>>,
}

/// Keeps this message.
pub(crate) fn chosen(caught: Arc<Caught>) -> Box<dyn Fault> {
    let link = link_names(&[(caught.from.clone(), caught.to.clone())]).concat();
    Box::new(Held { link, caught: Mutex::new(Some(caught)) })
}

impl fmt::Debug for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Held({})", self.link)
    }
}

impl Fault for Held {
    fn form(&self) -> String {
        "held".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        vec![self.link.clone()]
    }

    fn start<'a>(&'a self, _: &'a Environment) -> Work<'a, Hits> {
        Box::pin(async { Hits::on(self.targets()) })
    }

    fn heal<'a>(&'a self, _: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        drop(self.caught.lock().unwrap_or_else(PoisonError::into_inner).take());
        Box::pin(async { Vec::new() })
    }
}

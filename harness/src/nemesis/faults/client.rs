//! Client: clients lose replies and send requests twice, some much later.

use rand::rngs::ChaCha8Rng;

use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Members, Work},
};

/// Makes clients lose replies and send requests twice.
#[derive(Debug)]
struct Client;

/// The only form there is.
pub(in crate::nemesis) fn plan(_: Members<'_>, _: &mut ChaCha8Rng) -> Option<Box<dyn Fault>> {
    Some(Box::new(Client))
}

impl Fault for Client {
    fn form(&self) -> String {
        "lost-replies-and-duplicates".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        vec!["every client".to_owned()]
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        environment.clients.faults.switch_on();
        Box::pin(async { Hits::on(self.targets()) })
    }

    fn observed(&self, environment: &Environment) -> Option<u64> {
        Some(environment.clients.faults.count())
    }

    fn heal<'a>(&'a self, environment: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        environment.clients.faults.switch_off();
        Box::pin(async { Vec::new() })
    }
}

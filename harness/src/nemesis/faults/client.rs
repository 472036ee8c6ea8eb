//! Client: clients lose replies and send requests twice, some much later; only to a store that promises exactly-once.

use rand::rngs::ChaCha8Rng;

use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Members, Work},
};

/// Makes clients lose replies and, where they may, send requests twice.
#[derive(Debug)]
struct Client {
    duplicates: bool,
}

/// The form that suits the store: one without exactly-once may execute a write twice that is sent twice.
pub(in crate::nemesis) fn plan(members: Members<'_>, _: &mut ChaCha8Rng) -> Option<Box<dyn Fault>> {
    Some(Box::new(Client { duplicates: members.exactly_once }))
}

impl Fault for Client {
    fn form(&self) -> String {
        let form = if self.duplicates { "lost-replies-and-duplicates" } else { "lost-replies" };
        form.to_owned()
    }

    fn manner(&self) -> Option<&'static str> {
        (!self.duplicates).then_some("without duplicates: the store does not list `exactly-once`")
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

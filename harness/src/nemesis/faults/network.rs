//! Network: messages are lost, late, doubled and overtaken, on every link.

use network::{Delay, LinkCounters, MessageFaults};
use rand::{RngExt, rngs::ChaCha8Rng};

use crate::{
    environment::{CLIENTS, Environment},
    nemesis::fault::{Fault, Hits, Members, Work},
};

/// A profile of message faults, put on every link.
#[derive(Clone, Copy, Debug)]
enum Profile {
    /// MIT 6.5840: 10 % of requests and of replies lost, delays under 27 ms.
    Mit,
    /// `DSLabs`: 20 % lost.
    Dslabs,
    /// Messages doubled and overtaken, some very late.
    Disorder,
}

/// One of the profiles.
pub(in crate::nemesis) fn plan(_: Members<'_>, rng: &mut ChaCha8Rng) -> Option<Box<dyn Fault>> {
    let profiles = [Profile::Mit, Profile::Dslabs, Profile::Disorder];
    Some(Box::new(profiles[rng.random_range(0..profiles.len())]))
}

impl Profile {
    fn message_faults(self) -> MessageFaults {
        match self {
            Self::Mit => MessageFaults::mit(),
            Self::Dslabs => MessageFaults::dslabs(),
            Self::Disorder => MessageFaults {
                duplicate: 0.1,
                reorder: 0.1,
                delay: Some(Delay { probability: 0.1, min_ms: 50, max_ms: 600 }),
                ..MessageFaults::default()
            },
        }
    }

    /// On client links nothing is doubled: a doubled request that was refused once and executed once would make the
    /// refusal a lie of the bench. Clients send their copies themselves and know about it.
    fn on_link(self, from: &str) -> MessageFaults {
        let faults = self.message_faults();
        if from == CLIENTS { MessageFaults { duplicate: 0.0, ..faults } } else { faults }
    }
}

impl Fault for Profile {
    fn form(&self) -> String {
        let name = match self {
            Self::Mit => "mit",
            Self::Dslabs => "dslabs",
            Self::Disorder => "disorder",
        };
        name.to_owned()
    }

    fn targets(&self) -> Vec<String> {
        vec!["every link".to_owned()]
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        for (from, to, _) in environment.network.counters() {
            environment.network.set_faults(&from, &to, self.on_link(&from));
        }
        Box::pin(async { Hits::on(self.targets()) })
    }

    fn observed(&self, environment: &Environment) -> Option<u64> {
        let touched = |link: &LinkCounters| {
            link.request_dropped
                + link.response_dropped
                + link.duplicated
                + link.delayed
                + link.reordered
        };
        // What clients lose says nothing about what the nodes can bear; a single node has no other links.
        let is_alone = environment.nodes.ids().count() == 1;
        let counters = environment.network.counters();
        let counted = counters.iter().filter(|(from, _, _)| is_alone || from != CLIENTS);
        Some(counted.map(|(_, _, link)| touched(link)).sum())
    }

    fn heal<'a>(&'a self, environment: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        environment.network.clear_faults();
        Box::pin(async { Vec::new() })
    }
}

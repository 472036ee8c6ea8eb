//! Network: messages are lost, late, doubled and overtaken, on every link.

use std::collections::BTreeMap;

use network::{Delay, LinkCounters, MessageFaults};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use crate::{
    environment::{CLIENTS, Environment, is_outside},
    nemesis::{
        fault::{Fault, Hits, Members, Work},
        faults::{kinds, partition::Link},
    },
};

/// So many messages arrive twice, where any do.
const DOUBLED: f64 = 0.1;
/// The delays of uneven links, in milliseconds: two rounds of the longest still fit into an election timeout. One link in four
/// has none.
const DELAYS_MS: [u64; 6] = [1, 4, 10, 25, 50, 90];

/// A profile of message faults, put on every link.
#[derive(Clone, Debug)]
enum Profile {
    /// MIT 6.5840: 10 % of requests and of replies lost, delays under 27 ms.
    Mit,
    /// `DSLabs`: 20 % lost.
    Dslabs,
    /// Messages doubled and overtaken, some very late.
    Disorder,
    /// Each link between nodes has a delay of its own, in milliseconds: what is sent first on one arrives after what is sent
    /// much later on another.
    Uneven(BTreeMap<Link, u64>),
    /// Each kind of messages between nodes has a delay of its own, drawn from this seed.
    UnevenKinds(u64),
}

/// One of the profiles.
pub(in crate::nemesis) fn plan(
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let form = match rng.random_range(0..6) {
        0 => "mit",
        1 => "dslabs",
        2 => "disorder",
        // As probabilistic concurrency testing does with threads (Burckhardt et al., ASPLOS 2010): few priorities, for long,
        // bring up orders that delays drawn for each message do not.
        3 => "uneven",
        _ => "uneven-kinds",
    };
    of_form(form, members, rng)
}

/// The one of this form; `None` where there is no such form.
pub(in crate::nemesis) fn of_form(
    form: &str,
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let profile = match form {
        "mit" => Profile::Mit,
        "dslabs" => Profile::Dslabs,
        "disorder" => Profile::Disorder,
        "uneven" => Profile::uneven(members, rng),
        "uneven-kinds" => Profile::UnevenKinds(rng.random()),
        _ => return None,
    };
    Some(Box::new(profile))
}

impl Profile {
    fn uneven(members: Members<'_>, rng: &mut ChaCha8Rng) -> Self {
        let linked = members.linked();
        let links = linked.iter().flat_map(|from| linked.iter().map(move |to| (from, to)));
        let delay_ms = |link: (&String, &String)| {
            let delay_ms = DELAYS_MS[rng.random_range(0..DELAYS_MS.len())];
            rng.random_bool(0.75).then_some(((link.0.clone(), link.1.clone()), delay_ms))
        };
        Self::Uneven(links.filter_map(delay_ms).collect())
    }

    fn message_faults(&self, from: &str, to: &str) -> MessageFaults {
        let doubled = MessageFaults {
            duplicate: DOUBLED,
            duplicate_late_ms_max: kinds::COPY_LATE_MS_MAX,
            ..MessageFaults::default()
        };
        match self {
            Self::Mit => MessageFaults::mit(),
            Self::Dslabs => MessageFaults::dslabs(),
            Self::Disorder => MessageFaults {
                reorder: 0.1,
                delay: Some(Delay { probability: 0.1, min_ms: 50, max_ms: 600 }),
                ..doubled
            },
            Self::Uneven(delays_ms) => {
                let delay = delays_ms.get(&(from.to_owned(), to.to_owned())).map(|delay_ms| {
                    Delay { probability: 1.0, min_ms: *delay_ms, max_ms: *delay_ms }
                });
                MessageFaults { delay, ..doubled }
            }
            Self::UnevenKinds(_) => doubled,
        }
    }

    /// What happens besides to messages of these kinds, which were seen so far.
    fn of_kinds(&self, kinds: impl Iterator<Item = String>) -> BTreeMap<String, MessageFaults> {
        let Self::UnevenKinds(seed) = self else { return BTreeMap::new() };
        let mut rng = ChaCha8Rng::seed_from_u64(*seed);
        kinds::faults_of_kinds(&kinds::each_late(kinds, &kinds::DELAYS_MS, &mut rng))
    }

    /// On client links nothing is doubled: a doubled request that was refused once and executed once would make the
    /// refusal a lie of the bench. Clients send their copies themselves and know about it.
    fn on_link(&self, from: &str, to: &str) -> MessageFaults {
        let faults = self.message_faults(from, to);
        if is_outside(from) { MessageFaults { duplicate: 0.0, ..faults } } else { faults }
    }
}

/// How many messages between nodes were touched so far: what clients lose says nothing about what the nodes can bear. A single
/// node has no other links.
pub(super) fn touched(environment: &Environment) -> u64 {
    let touched = |link: &LinkCounters| {
        link.request_dropped
            + link.response_dropped
            + link.duplicated
            + link.delayed
            + link.reordered
    };
    let is_alone = environment.nodes.ids().count() == 1;
    let counters = environment.network.counters();
    let counted = counters.iter().filter(|(from, _, _)| is_alone || from != CLIENTS);
    counted.map(|(_, _, link)| touched(link)).sum()
}

impl Fault for Profile {
    fn form(&self) -> String {
        let name = match self {
            Self::Mit => "mit",
            Self::Dslabs => "dslabs",
            Self::Disorder => "disorder",
            Self::Uneven(_) => "uneven",
            Self::UnevenKinds(_) => "uneven-kinds",
        };
        name.to_owned()
    }

    fn targets(&self) -> Vec<String> {
        vec!["every link".to_owned()]
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        let network = &environment.network;
        let of_kinds = self.of_kinds(environment.kinds_between_nodes().into_keys());
        for (from, to, _) in network.counters() {
            network.set_faults(&from, &to, self.on_link(&from, &to));
            if !is_outside(&from) {
                network.set_faults_of_kinds(&from, &to, &of_kinds);
            }
        }
        Box::pin(async { Hits::on(self.targets()) })
    }

    fn observed(&self, environment: &Environment) -> Option<u64> {
        Some(touched(environment))
    }

    fn heal<'a>(&'a self, environment: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        environment.network.clear_faults();
        Box::pin(async { Vec::new() })
    }
}

//! What a run is made of.

use std::{sync::Arc, time::Duration};

use contract::{
    Manifest, NodeId, Operation,
    launch::{SHARDS, SNAPSHOT_BYTES, VIEW_SERVICE},
    manifest::{Capability, Rung, Timeouts},
    mapreduce::COORDINATOR,
};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use workloads::view_service::SERVERS;

use crate::{
    cli::{RunArguments, UpArguments},
    clients::probes::PROBERS,
    confine::Confined,
    environment::build::group_id,
    nemesis::{
        Families, Family,
        fault::Members,
        plan::{PlanInput, plannable},
        recorded_plan::RecordedPlan,
        workers,
    },
    session::CLERKS,
};

/// Nodes of a replicated store, unless something else is said.
const NODES: u32 = 3;
/// Replica groups of a sharded store, and its controllers.
const GROUPS: u32 = 2;
const CONTROLLERS: u32 = 3;
/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The nodes' ids.
    pub nodes: Vec<NodeId>,
    /// The view service, which is no node that clients ask.
    pub view_service: Option<NodeId>,
    /// The replica groups of a sharded store: together they are the nodes. Empty where nothing is sharded.
    pub groups: Vec<Vec<NodeId>>,
    /// Its shard controllers, which clients ask for nothing but configurations.
    pub controllers: Vec<NodeId>,
    /// The coordinator of MapReduce, whose workers are the nodes; clients ask nobody else.
    pub coordinator: Option<NodeId>,
    /// The servers that the bench plays, where the only node is a view service; else nobody.
    pub played: Vec<NodeId>,
    /// Whether a killed node may be started again on its data.
    pub can_restart: bool,
    /// Whether that holds even if all are killed at once.
    pub can_restart_all: bool,
    /// Whether a request may be sent twice.
    pub exactly_once: bool,
    /// Whether the store promises that its log compacts.
    pub compacts: bool,
    /// Whether its nodes show their logs.
    pub shows_log: bool,
    /// `DS_SNAPSHOT_BYTES`; `None`: never.
    pub snapshot_bytes: Option<u64>,
    /// Closed-loop clerks.
    pub clients: u32,
    /// Clerks that ask one node only, when the faults want it.
    pub probers: u32,
    /// Operations a second over all of them.
    pub rate: Option<f64>,
    /// Decides workload and plan.
    pub seed: u64,
    /// The families of faults.
    pub families: Vec<Family>,
    /// From one fault to the next; `None`: as soon as the store serves again.
    pub interval: Option<Duration>,
    /// What is broken instead of a plan from the seed.
    pub recorded: Option<Arc<RecordedPlan>>,
    /// Length of the main phase.
    pub time_limit: Duration,
    /// Whether the run goes on after a violation is proven.
    pub to_the_end: bool,
    /// How long to wait for the store.
    pub timeouts: Timeouts,
    /// What the nodes are kept to.
    pub confined: Confined,
}

/// `DS_SNAPSHOT_BYTES` of a log that is compacted after a few dozen operations.
pub(super) const SMALL_LOG_BYTES: u64 = 4 << 10;

impl Setting {
    /// What was asked for; what was not said is decided by what the store is.
    #[must_use]
    pub fn of(arguments: &RunArguments, manifest: &Manifest, seed: u64) -> Self {
        let mut setting = Self {
            clients: arguments.clients,
            probers: PROBERS,
            rate: arguments.rate,
            seed,
            interval: arguments.fault_interval,
            to_the_end: arguments.to_the_end,
            time_limit: arguments.time_limit,
            ..Self::of_store(arguments.nodes, manifest)
        };
        if let Some(Families(asked)) = &arguments.faults {
            setting.families.clone_from(asked);
        } else {
            setting.families = Family::all().collect();
            setting.families = setting.planned_families();
        }
        setting.snapshot_bytes = setting.snapshot_bytes_of(seed);
        setting
    }

    /// A view service alone, whose servers the bench plays. Nothing else is broken.
    #[must_use]
    pub fn of_view_service(arguments: &RunArguments, manifest: &Manifest, seed: u64) -> Self {
        let played: Vec<NodeId> = SERVERS.map(str::to_owned).to_vec();
        Self {
            nodes: vec![VIEW_SERVICE.to_owned()],
            view_service: None,
            clients: u32::try_from(played.len()).unwrap_or(u32::MAX),
            played,
            compacts: false,
            seed,
            time_limit: arguments.time_limit,
            ..Self::of_store(None, manifest)
        }
    }

    /// A coordinator of MapReduce and its workers, which have nothing that a crash could take from them.
    #[must_use]
    pub fn of_mapreduce(arguments: &RunArguments, manifest: &Manifest, seed: u64) -> Self {
        let workers = arguments.nodes.unwrap_or(NODES);
        let families = arguments.faults.clone().map(|Families(asked)| asked);
        let of_workers = || workers::FAMILIES.iter().filter_map(|name| Family::by_name(name));
        Self {
            nodes: (1..=workers).map(|number| format!("w{number}")).collect(),
            view_service: None,
            coordinator: Some(COORDINATOR.to_owned()),
            can_restart: true,
            can_restart_all: true,
            compacts: false,
            shows_log: false,
            clients: arguments.clients,
            seed,
            families: families.unwrap_or_else(|| of_workers().collect()),
            time_limit: arguments.time_limit,
            ..Self::of_store(None, manifest)
        }
    }

    /// What a session is made of: a person decides what is broken, and for how long.
    #[must_use]
    pub fn by_hand(arguments: &UpArguments, manifest: &Manifest) -> Self {
        Self { clients: CLERKS, compacts: false, ..Self::of_store(arguments.nodes, manifest) }
    }

    /// What the store decides. Nothing is asked of it, and nothing broken.
    fn of_store(nodes: Option<u32>, manifest: &Manifest) -> Self {
        let serves = |rung| manifest.serves.contains(&rung);
        let is_replicated = serves(Rung::ReplicatedKv);
        // What goes on with a majority needs nobody who decides.
        let has_backup = serves(Rung::PrimaryBackup) && !is_replicated;
        let is_sharded = manifest.is_sharded();
        let has_several =
            is_replicated || has_backup || is_sharded || serves(Rung::ShardController);
        let nodes = nodes.or(manifest.nodes).unwrap_or(if has_several { NODES } else { 1 });
        let ids = |letter: char, numbers: std::ops::RangeInclusive<u32>| -> Vec<NodeId> {
            numbers.map(|number| format!("{letter}{number}")).collect()
        };
        let group = |number: u32| ids('n', number * nodes + 1..=(number + 1) * nodes);
        let groups: Vec<Vec<NodeId>> =
            if is_sharded { (0..GROUPS).map(group).collect() } else { Vec::new() };
        Self {
            nodes: if is_sharded { groups.concat() } else { ids('n', 1..=nodes) },
            groups,
            controllers: if is_sharded { ids('c', 1..=CONTROLLERS) } else { Vec::new() },
            view_service: has_backup.then(|| VIEW_SERVICE.to_owned()),
            coordinator: None,
            played: Vec::new(),
            can_restart: manifest.can(Capability::Restart) || manifest.can(Capability::Rejoin),
            can_restart_all: manifest.can(Capability::Restart),
            exactly_once: manifest.can(Capability::ExactlyOnce),
            // What is no submission has promised nothing of its log.
            compacts: is_replicated && manifest.client.is_none(),
            snapshot_bytes: Some(SNAPSHOT_BYTES),
            shows_log: manifest.can(Capability::Log),
            clients: 0,
            probers: 0,
            rate: None,
            seed: 0,
            families: Vec::new(),
            interval: None,
            to_the_end: true,
            time_limit: Duration::ZERO,
            recorded: None,
            timeouts: manifest.timeouts.clone(),
            confined: Confined::Namespaces,
        }
    }

    /// Whether all nodes are killed and started again after the faults.
    #[must_use]
    pub fn restarts_all(&self) -> bool {
        self.breaks("kill") && self.can_restart_all
    }

    /// Whether requests are sent twice.
    #[must_use]
    pub fn sends_again(&self) -> bool {
        self.breaks("client") && self.exactly_once
    }

    /// Whether faults of this family were asked for.
    pub(super) fn breaks(&self, family: &str) -> bool {
        self.families.iter().any(|own| own.name() == family)
    }

    /// A small log sends snapshots to whoever is behind, a large one entries: the seed decides. Where the log must compact
    /// and the nodes are not started anew for that, it is never large.
    fn snapshot_bytes_of(&self, seed: u64) -> Option<u64> {
        const LARGE: u64 = 1 << 20;
        let choices = [Some(SNAPSHOT_BYTES), Some(SMALL_LOG_BYTES), Some(LARGE), None];
        let may_be_large = !self.compacts || self.restarts_all();
        let count = if may_be_large { choices.len() } else { 2 };
        let choice = ChaCha8Rng::seed_from_u64(seed ^ 0x5A4F).random_range(0..count);
        choices[choice]
    }

    /// Whether a killed node comes back with the help of the others.
    #[must_use]
    pub fn rejoins(&self) -> bool {
        self.can_restart && !self.can_restart_all
    }

    /// How long a killed node may take to be back.
    #[must_use]
    pub fn coming_back(&self) -> Duration {
        let ready = if self.rejoins() { self.timeouts.ready() } else { Duration::ZERO };
        self.timeouts.bind() + ready
    }

    /// Of a sharded store, what has its groups serve: they join, together.
    pub fn joins(&self) -> impl Iterator<Item = Operation> {
        let groups = self.groups.iter().enumerate();
        let groups = groups.map(|(place, servers)| (group_id(place), servers.clone())).collect();
        (!self.groups.is_empty()).then_some(Operation::Join { groups }).into_iter()
    }

    /// Of a sharded store, what gives each group every second shard.
    pub fn moves(&self) -> impl Iterator<Item = Operation> {
        let groups = self.groups.len();
        let shards = if groups == 0 { 0 } else { SHARDS };
        (0..shards).map(move |shard| Operation::Move {
            shard: shard as u64,
            group: group_id(shard % groups),
        })
    }

    /// How many clerks there are: clients, the one that sets up and reads last, probers, and of a sharded store whoever moves shards.
    #[must_use]
    pub fn clerks(&self) -> u64 {
        let movers = u64::from(!self.controllers.is_empty());
        u64::from(self.clients) + 1 + u64::from(self.probers) + movers
    }

    /// How many processes are started.
    #[must_use]
    pub fn processes(&self) -> usize {
        let besides = self.view_service.iter().chain(&self.coordinator).count();
        self.nodes.len() + self.controllers.len() + besides
    }

    /// How many nodes were asked for: of a sharded store, those of a group.
    #[must_use]
    pub fn nodes_asked_for(&self) -> usize {
        self.groups.first().unwrap_or(&self.nodes).len()
    }

    /// The nodes, as faults see them.
    #[must_use]
    pub fn members(&self) -> Members<'_> {
        Members {
            nodes: &self.nodes,
            groups: &self.groups,
            controllers: &self.controllers,
            view_service: self.view_service.as_ref().or(self.coordinator.as_ref()),
            can_restart: self.can_restart,
            can_restart_all: self.can_restart_all,
            exactly_once: self.exactly_once,
        }
    }

    /// The families of which anything can be planned.
    #[must_use]
    pub fn planned_families(&self) -> Vec<Family> {
        plannable(&self.plan_input())
    }

    /// Breaks what was recorded, and nothing else.
    pub fn replay(&mut self, plan: RecordedPlan) {
        let is_in_it = |family: &Family| {
            let mut faults = plan.acts.iter().flat_map(|act| &act.faults);
            faults.any(|fault| fault.family == family.name())
        };
        self.families = Family::all().filter(is_in_it).collect();
        self.snapshot_bytes = plan.snapshot_bytes;
        if self.compacts && !self.restarts_all() {
            // Nothing would make a larger log compact.
            self.snapshot_bytes =
                Some(plan.snapshot_bytes.map_or(SNAPSHOT_BYTES, |bytes| bytes.min(SNAPSHOT_BYTES)));
        }
        self.recorded = Some(Arc::new(plan));
    }

    /// What the plan of faults depends on.
    #[must_use]
    pub fn plan_input(&self) -> PlanInput<'_> {
        PlanInput {
            seed: self.seed,
            families: &self.families,
            members: self.members(),
            interval: self.interval,
            time_limit: self.time_limit,
            recorded: self.recorded.as_deref(),
        }
    }
}

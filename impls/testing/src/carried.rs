//! What simulations of a program share that any protocol may replicate.

use contract::{Launch, NodeId};
use node::sim::FaultFamily;

/// The faults that a protocol promises to survive. One that keeps what it promised in memory survives no crashes of more than a
/// minority at once; its own simulation keeps to that.
#[must_use]
pub fn families(survives_crashes: bool) -> Vec<FaultFamily> {
    let mut families = vec![FaultFamily::Partition, FaultFamily::Pause, FaultFamily::Lossy];
    families.extend(survives_crashes.then_some(FaultFamily::Crash));
    families
}

/// The launch of one of these members. Snapshots are early, late or never, which the seed decides.
///
/// # Panics
/// Never: the address is one.
#[must_use]
pub fn launch(node: &NodeId, members: &[NodeId], seed: u64) -> Launch {
    let listen = "127.0.0.1:1".parse().expect("an address");
    Launch {
        members: members.to_vec(),
        snapshot_bytes: [Some(2_000), Some(20_000), None][(seed % 3) as usize],
        ..Launch::alone(node.clone(), listen)
    }
}

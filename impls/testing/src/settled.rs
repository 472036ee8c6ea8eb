//! Whether a cluster agrees in the end.

use contract::NodeId;
use node::{Protocol, sim::Simulator};

/// How long a cluster without faults may take to agree, in virtual microseconds.
const SETTLE_US: u64 = 2_000_000;

/// Waits until nothing is under way; then every node must have applied as much as the others. `applied` says how much
/// a node has.
///
/// # Errors
/// A node is down or behind.
pub fn settled<P: Protocol>(
    simulator: &mut Simulator<P>,
    applied: impl Fn(&P) -> usize,
) -> Result<(), String> {
    settle(simulator);
    let names = simulator.names().to_vec();
    agreed(simulator, &names, applied)
}

/// Waits until nothing is under way.
pub fn settle<P: Protocol>(simulator: &mut Simulator<P>) {
    for name in simulator.names().to_vec() {
        simulator.restart(&name); // A crash planned for the next write may come right after the faults' end.
    }
    simulator.run_for(SETTLE_US);
}

/// Each of these nodes must have applied as much as the others. `applied` says how much a node has.
///
/// # Errors
/// A node is down or behind.
pub fn agreed<P: Protocol>(
    simulator: &Simulator<P>,
    nodes: &[NodeId],
    applied: impl Fn(&P) -> usize,
) -> Result<(), String> {
    let applied = |name: &NodeId| {
        simulator.protocol(name).map(&applied).ok_or_else(|| format!("{name} is down"))
    };
    let lengths = nodes.iter().map(applied).collect::<Result<Vec<usize>, String>>()?;
    if lengths.iter().any(|length| *length != lengths[0]) {
        return Err(format!("a node never caught up: {lengths:?} requests applied"));
    }
    Ok(())
}

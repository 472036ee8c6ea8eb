//! What a run needs of the machine, looked at before anything starts: a store must not be blamed for the lack of it.

use crate::exit::Failure;

/// Raises the limit on open files, and looks whether the machine can carry a run of so many nodes and clients.
///
/// # Errors
/// It cannot: what is lacking, and what to do.
pub fn prepare(nodes: u64, clients: u64) -> Result<(), Failure> {
    // Where the limit is not known, a run that reaches it says so (`open_files`).
    if let Ok(limit) = cluster::raise_open_files_limit() {
        enough_open_files(limit, nodes, clients)?;
    }
    cluster::probe::loopback().map_err(|error| {
        Failure::Failed(format!(
            "nothing can connect to 127.0.0.1 on this machine ({error}). Bring up its loopback interface, perhaps with \
             `ip link set lo up`; `harness doctor` says whether it works"
        ))
    })
}

fn enough_open_files(limit: u64, nodes: u64, clients: u64) -> Result<(), Failure> {
    let needed = open_files_at_least(nodes, clients);
    if limit >= needed {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{nodes} nodes and {clients} clients need at least {needed} open files, and this process may have {limit}. \
         Raise the limit with `ulimit -n {}`, or ask for fewer --nodes or --clients",
        // Stores have connections of their own, and clients come to know more than one node.
        4 * needed
    )))
}

/// With fewer no operation gets through.
fn open_files_at_least(nodes: u64, clients: u64) -> u64 {
    // Standard streams, the runtime, the files of the record.
    const OF_ITS_OWN: u64 = 16;
    // A port that is kept, and pipes to the supervisor.
    const OF_A_NODE: u64 = 5;
    // One socket listens, one keeps the port. There is a link to each node from the clients and from every other node.
    const OF_A_LINK: u64 = 2;
    // The client's end of a connection and the two ends in the proxy.
    const OF_A_CONNECTION: u64 = 3;
    let links = nodes * nodes;
    OF_ITS_OWN + nodes * OF_A_NODE + links * OF_A_LINK + clients * OF_A_CONNECTION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_open_files_are_told_with_what_would_do() {
        enough_open_files(1024, 3, 10).unwrap();
        enough_open_files(64, 1, 4).unwrap();
        let failure = enough_open_files(64, 3, 10).unwrap_err();
        assert!(matches!(failure, Failure::Failed(_)));
        let told = failure.to_string();
        assert!(told.contains("79 open files") && told.contains("may have 64"), "{told}");
        assert!(told.contains("ulimit -n 316"), "{told}");
    }
}

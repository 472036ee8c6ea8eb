//! Asks a store that runs, from the command line. `harness up` says the addresses of its nodes.
//!
//! ```text
//! cargo run -p store-client --example ask -- n1=127.0.0.1:4001,n2=127.0.0.1:4002 '{"type":"put","key":"x","value":"1"}'
//! cargo run -p store-client --example ask -- n1=…,n4=… --controllers c1=…,c2=… '{"type":"get","key":"x"}'
//! ```

use std::{error::Error, net::SocketAddr, time::Duration};

use contract::NodeId;
use store_client::{Client, Servers};

const USAGE: &str = "usage: ask NODE=ADDRESS,… [--controllers NODE=ADDRESS,…] OPERATION_AS_JSON";

fn addresses(list: &str) -> Result<Vec<(NodeId, SocketAddr)>, Box<dyn Error>> {
    let one = |pair: &str| {
        let (node, address) = pair.split_once('=').ok_or(USAGE)?;
        let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
        Ok((node.to_owned(), address))
    };
    list.split(',').map(one).collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (servers, operation) = match &arguments[..] {
        [nodes, operation] => (Servers::alike(addresses(nodes)?), operation),
        [nodes, flag, controllers, operation] if flag == "--controllers" => {
            (Servers::sharded(addresses(nodes)?, addresses(controllers)?), operation)
        }
        _ => return Err(USAGE.into()),
    };
    let operation = serde_json::from_str(operation)?;
    // A name that nobody had before.
    let name =
        format!("ask-{}-{}", std::process::id(), std::time::UNIX_EPOCH.elapsed()?.as_nanos());
    let outcome = Client::new(name, servers, Duration::from_secs(5)).ask(operation).await?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}

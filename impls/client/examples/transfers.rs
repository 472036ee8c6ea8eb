//! Starts the sharded store on this machine and transfers money between accounts of two groups, while a shard moves and the
//! leader of a group is killed. No money gets lost.
//!
//! ```text
//! cargo run -p store-client --example transfers
//! ```

use std::{collections::BTreeMap, path::Path, time::Duration};

use contract::ErrorCode;
use local_cluster::{Cluster, Failure, Store};
use store_client::{Client, Failure as ClientFailure, MicroOperation, Operation};

const TRANSFERS: usize = 300;
/// What each account holds at first.
const OPENING: i64 = 100;
const ACCOUNTS: [&str; 4] = ["account0", "account1", "account2", "account3"];

/// Takes 1 from one account and gives it to another one, in one transaction that commits only on the balances that it was
/// computed from.
async fn transfer(client: &mut Client, from: &str, to: &str) -> Result<(), Failure> {
    loop {
        let balances = client.multi_get(&[from, to]).await?;
        let write = |account: &str, change: i64| -> Result<MicroOperation, Failure> {
            let balance: i64 = balances[account].as_deref().unwrap_or("0").parse()?;
            Ok(MicroOperation::Write(account.to_owned(), (balance + change).to_string()))
        };
        let steps = vec![write(from, -1)?, write(to, 1)?];
        match client.txn(balances, steps).await {
            Ok(Some(_)) => return Ok(()),
            // Somebody else was faster.
            Ok(None) => {}
            // It met another transaction, or a move.
            Err(ClientFailure::Refused(refusal)) if refusal.code == ErrorCode::Aborted => {}
            Err(failure) => return Err(failure.into()),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let store = Store::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../sharded"))?;
    let groups = ["g1", "g2"].map(str::to_owned);
    let mut cluster = Cluster::start_sharded(&store, &groups, &std::env::temp_dir()).await?;
    let mut client = Client::new("bank", cluster.servers(), Duration::from_secs(10));
    let opening = ACCOUNTS.map(|account| (account.to_owned(), OPENING.to_string()));
    client.multi_put(opening.into()).await?;
    for number in 0..TRANSFERS {
        if number == TRANSFERS / 3 {
            println!("{number} transfers: account0 moves from g1 to g2");
            client.ask(Operation::Move { shard: 0, group: "g2".to_owned() }).await?;
        }
        if number == TRANSFERS * 2 / 3 {
            let leader = cluster.leader("g2").await?.name;
            println!("{number} transfers: {leader}, the leader of g2, is killed");
            cluster.kill(&leader)?;
        }
        let (from, to) = (number % ACCOUNTS.len(), (number / 2 + 1) % ACCOUNTS.len());
        if from != to {
            transfer(&mut client, ACCOUNTS[from], ACCOUNTS[to]).await?;
        }
    }
    let balances: BTreeMap<_, _> = client.multi_get(&ACCOUNTS).await?;
    let total: i64 = balances.values().flatten().filter_map(|it| it.parse::<i64>().ok()).sum();
    println!("{balances:?}: {total} in all, as at first");
    assert_eq!(total, OPENING * 4, "money got lost or came from nowhere");
    Ok(())
}

//! The client library on processes of this store.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{collections::BTreeMap, path::Path, time::Duration};

use contract::{ErrorCode, launch::SHARDS};
use local_cluster::{CONTROLLERS, Cluster, Lossy, Store};
use store_client::{Client, Failure, MicroOperation, Operation};

/// On a busy machine elections take long.
const PATIENCE: Duration = Duration::from_secs(30);

fn store() -> Store {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    Store::built(folder, env!("CARGO_BIN_EXE_sharded")).unwrap()
}

async fn started(store: &Store) -> Cluster<'_> {
    let groups = ["g1", "g2"].map(str::to_owned);
    let data = Path::new(env!("CARGO_TARGET_TMPDIR"));
    Cluster::start_sharded(store, &groups, data).await.unwrap()
}

/// Moves shards about, and waits each time until they are served.
async fn move_about(mut admin: Client, servers_of_g2: Vec<String>) -> Result<(), Failure> {
    let groups = [("g2".to_owned(), servers_of_g2)];
    for operation in [
        Operation::Leave { groups: vec!["g2".to_owned()] },
        Operation::Join { groups: groups.into() },
        Operation::Move { shard: 0, group: "g1".to_owned() },
        Operation::Move { shard: 0, group: "g2".to_owned() },
    ] {
        match admin.ask(operation).await {
            // Who got shard 0 after the join is the controllers' choice.
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::NoChange => continue,
            done => drop(done?),
        }
        for shard in 0..SHARDS {
            admin.put(&format!("moved{shard}"), "").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn each_append_happens_once_while_shards_move_and_answers_are_lost() {
    let store = store();
    let cluster = started(&store).await;
    let mut ways = BTreeMap::new();
    for (node, _) in cluster.processes() {
        ways.insert(node.name.clone(), Lossy::to(node.client, 3).await.unwrap());
    }
    let servers = cluster.servers_at(|node| ways[&node.name].address);
    let mut client = Client::new("c", servers, PATIENCE);
    let admin = Client::new("admin", cluster.servers(), PATIENCE);
    let moves = tokio::spawn(move_about(admin, cluster.servers_of("g2")));
    let mut expected = String::new();
    for number in 0.. {
        let is_last = moves.is_finished();
        let added = format!("{number},");
        expected.push_str(&added);
        for shard in 0..SHARDS {
            let key = format!("k{shard}");
            assert_eq!(client.append(&key, &added).await.unwrap(), expected, "{key}");
        }
        if is_last {
            break;
        }
    }
    moves.await.unwrap().unwrap();
    let lost: u64 = ways.values().map(Lossy::lost).sum();
    assert!(lost >= 5, "only {lost} answers were lost");
    assert_eq!(client.owner_of("k0"), Some("g2"), "it was told of the last move");
}

/// Adds to the keys of two shards in one transaction.
async fn add_to_both(client: &mut Client, added: &str) -> Vec<Option<String>> {
    let ops = ["k0", "k1"].map(|key| MicroOperation::Append(key.to_owned(), added.to_owned()));
    loop {
        match client.txn(BTreeMap::new(), ops.to_vec()).await {
            // It met a change of the configuration.
            Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::Aborted => {}
            done => return done.unwrap().expect("there are no guards"),
        }
    }
}

#[tokio::test]
async fn transactions_over_groups_go_on_when_a_leader_and_a_controller_die() {
    let store = store();
    let mut cluster = started(&store).await;
    let mut client = Client::new("c", cluster.servers(), PATIENCE);
    let mut expected = String::new();
    // A group takes a configuration some time after the controllers have answered.
    let mut number = 0;
    while number < 30 || client.owner_of("k0") != Some("g2") {
        assert!(number < 10_000, "it never learned who owns shard 0 now");
        if number == 10 {
            let controller = cluster.servers_of(CONTROLLERS).remove(0);
            let leader = cluster.leader("g1").await.unwrap().name;
            cluster.kill(&controller).unwrap();
            cluster.kill(&leader).unwrap();
        }
        if number == 20 {
            let mut admin = Client::new("admin", cluster.servers(), PATIENCE);
            admin.ask(Operation::Move { shard: 0, group: "g2".to_owned() }).await.unwrap();
        }
        let added = format!("{number},");
        expected.push_str(&added);
        let value = Some(expected.clone());
        assert_eq!(add_to_both(&mut client, &added).await, [value.clone(), value]);
        number += 1;
    }
}

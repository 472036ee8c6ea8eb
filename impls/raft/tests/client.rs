//! The client library on processes of this store.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{path::Path, time::Duration};

use local_cluster::{Cluster, Lossy, Store};
use store_client::Client;

#[tokio::test]
async fn each_append_happens_once_though_answers_are_lost_and_the_leader_dies() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let store = Store::built(folder, env!("CARGO_BIN_EXE_raft")).unwrap();
    let data = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut cluster = Cluster::start(&store, data).await.unwrap();
    let mut ways = std::collections::BTreeMap::new();
    for (node, _) in cluster.processes() {
        ways.insert(node.name.clone(), Lossy::to(node.client, 3).await.unwrap());
    }
    let servers = cluster.servers_at(|node| ways[&node.name].address);
    let mut client = Client::new("c", servers, Duration::from_secs(20));
    let mut expected = String::new();
    for number in 0..40 {
        if number == 20 {
            let leader = cluster.leader("").await.unwrap().name;
            cluster.kill(&leader).unwrap();
        }
        let added = format!("{number},");
        expected.push_str(&added);
        assert_eq!(client.append("x", &added).await.unwrap(), expected);
    }
    let lost: u64 = ways.values().map(Lossy::lost).sum();
    assert!(lost >= 10, "only {lost} answers were lost");
}

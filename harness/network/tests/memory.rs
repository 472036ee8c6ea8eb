//! A body of 100 MB passes with bounded memory. Alone in its process, because it looks at the process' peak.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Helpers of tests say what they expect by unwrapping it, too.

mod common;

use common::LIMIT;
use network::{LinkSpec, MessageFaults, Network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const BODY_MB: usize = 100;

fn peak_mb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[tokio::test]
async fn a_100_mb_body_streams_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    let links = vec![LinkSpec::here("n1", "n2", upstream)];
    let network = Network::open(links, 1, None).await.unwrap();
    let before_mb = peak_mb();
    // With faults on, a message is held until it turns out too large; then it passes.
    for faults in [MessageFaults::default(), MessageFaults { drop_request: 1.0, ..<_>::default() }]
    {
        network.set_faults("n1", "n2", faults);
        let mut client = TcpStream::connect(network.address("n1", "n2").unwrap()).await.unwrap();
        let (mut upstream, _) = listener.accept().await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", BODY_MB << 20);
        let expected = head.len() + (BODY_MB << 20);
        let send = async {
            client.write_all(head.as_bytes()).await.unwrap();
            let block = vec![7; 1 << 20];
            for _ in 0..BODY_MB {
                client.write_all(&block).await.unwrap();
            }
        };
        let receive = async {
            let mut block = vec![0; 1 << 16];
            let mut count = 0;
            while count < expected {
                count += upstream.read(&mut block).await.unwrap();
            }
            count
        };
        let both = async { tokio::join!(send, receive) };
        let ((), count) = tokio::time::timeout(LIMIT, both).await.expect("hangs");
        assert_eq!(count, expected);
    }
    let grown_mb = peak_mb() - before_mb;
    assert!(grown_mb < 60, "{grown_mb} MB for a body of {BODY_MB} MB");
    assert_eq!(network.counters()[0].2.request_dropped, 0);
    network.close().await;
}

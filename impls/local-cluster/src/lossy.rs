//! Answers that are lost.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A way to a node on which answers are lost: the node gets each request, and of its answers one in so many ends the connection
/// instead of arriving.
#[derive(Debug)]
pub struct Lossy {
    /// Where clients connect to.
    pub address: SocketAddr,
    count: Arc<AtomicU64>,
    one_in: u64,
}

impl Lossy {
    /// A way to this node.
    ///
    /// # Errors
    /// There is no port to listen at.
    pub async fn to(node: SocketAddr, one_in: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let lossy = Self { address: listener.local_addr()?, count: Arc::default(), one_in };
        let count = Arc::clone(&lossy.count);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // Where either end is gone, so is the connection.
                tokio::spawn(relay(client, node, Arc::clone(&count), one_in));
            }
        });
        Ok(lossy)
    }

    /// How many answers were lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.count.load(Ordering::SeqCst) / self.one_in
    }
}

/// Each answer is small, so that it comes in one piece.
async fn relay(
    client: TcpStream,
    node: SocketAddr,
    count: Arc<AtomicU64>,
    one_in: u64,
) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_node, mut to_node) = TcpStream::connect(node).await?.into_split();
    let answers = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = from_node.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let is_lost = (count.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(one_in);
            if is_lost {
                return Ok(());
            }
            to_client.write_all(&buffer[..length]).await?;
        }
    };
    tokio::select! {
        ended = answers => ended,
        copied = tokio::io::copy(&mut from_client, &mut to_node) => copied.map(drop),
    }
}

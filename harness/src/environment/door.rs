//! A door into a node's own network, for the bench itself: what it asks a node outside of all faults.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use network::End;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// After a failed accept (usually: out of descriptors).
const RETRY: Duration = Duration::from_millis(20);

/// An address of this machine that leads to a node, until this is dropped.
pub struct Door {
    address: SocketAddr,
    _served: JoinSet<()>,
}

impl Door {
    /// Opens one to where the node listens.
    ///
    /// # Errors
    /// When this machine has no port for it.
    pub async fn open(to: End) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut served = JoinSet::new();
        served.spawn(serve(listener, to));
        Ok(Self { address, _served: served })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: TcpListener, to: End) {
    let mut passing = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((from, _)) => {
                while passing.try_join_next().is_some() {}
                passing.spawn(pass(from, to.clone()));
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

/// A node that is down refuses; so does its door, as far as it can: by a reset.
async fn pass(mut from: TcpStream, to: End) {
    let passed = match to.connect().await {
        Ok(mut node) => copy_bidirectional(&mut from, &mut node).await.map(drop),
        Err(error) => Err(error),
    };
    if passed.is_err() {
        let _ = socket2::SockRef::from(&from).set_linger(Some(Duration::ZERO));
    }
}

//! One end of a link: an address, and whose network it belongs to.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpSocket, TcpStream};

/// How long until there may be a socket again.
const MOMENT: Duration = Duration::from_millis(1);
/// So many moments are worth waiting for a socket to listen with.
const MOMENTS_MAX: u32 = 1000;

/// A network other than this machine's: it gives TCP sockets, for IPv4, neither bound nor connected.
pub trait Sockets: Send + Sync {
    /// A new socket, at once.
    ///
    /// # Errors
    /// `WouldBlock` when there will be one in a moment; else that network is gone, or there are too many open files.
    fn socket(&self) -> io::Result<Socket>;
}

/// An address in some network.
#[derive(Clone)]
pub struct End {
    address: SocketAddr,
    network: Option<Arc<dyn Sockets>>,
}

impl End {
    /// An address of this machine.
    #[must_use]
    pub fn here(address: SocketAddr) -> Self {
        Self { address, network: None }
    }

    /// A port of this machine's loopback that the system chooses.
    #[must_use]
    pub fn any_port() -> Self {
        Self::here((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// An address of that network.
    #[must_use]
    pub fn within(network: Arc<dyn Sockets>, address: SocketAddr) -> Self {
        Self { address, network: Some(network) }
    }

    /// A connection to it.
    ///
    /// # Errors
    /// What the system says.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let stream = match &self.network {
            None => TcpStream::connect(self.address).await?,
            Some(network) => {
                let socket = loop {
                    match network.socket() {
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        given => break given?,
                    }
                    tokio::time::sleep(MOMENT).await;
                };
                socket.set_nonblocking(true)?;
                TcpSocket::from_std_stream(socket.into()).connect(self.address).await?
            }
        };
        let _ = stream.set_nodelay(true); // Fails only where the other side is gone already.
        Ok(stream)
    }

    /// A socket that is bound to it. Two may be, until one of them listens.
    pub(crate) fn bind(&self) -> io::Result<Socket> {
        let socket = match &self.network {
            None => Socket::new(Domain::for_address(self.address), Type::STREAM, None)?,
            Some(network) => soon(&**network)?,
        };
        socket.set_reuse_address(true)?;
        socket.bind(&self.address.into())?;
        Ok(socket)
    }

    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }
}

/// A socket, waited for: only where links begin to listen, which is seldom.
fn soon(network: &dyn Sockets) -> io::Result<Socket> {
    for _ in 0..MOMENTS_MAX {
        match network.socket() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(MOMENT),
            given => return given,
        }
    }
    Err(ErrorKind::WouldBlock.into())
}

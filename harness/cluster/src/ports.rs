//! Loopback ports that nobody else takes.
//!
//! A reservation is a socket that is bound with SO_REUSEADDR but does not listen: the system gives its port to nobody
//! who does not ask for it by number, a node that sets SO_REUSEADDR (the default of nearly every runtime's listener)
//! can bind and listen on it, and while no node does, connections are refused. It survives the node's restarts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A loopback port, reserved until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    /// Close-on-exec, as all sockets of this crate are.
    _socket: Socket,
    address: SocketAddr,
}

impl Reservation {
    /// The address for the node to bind.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Reserves distinct loopback ports.
///
/// A program that binds without SO_REUSEADDR (a plain C socket, Python's `socketserver` as it comes) fails with "address
/// already in use" on a reserved port: the system knows no reservation that such a bind could pass. Its author has to
/// set the option, which a server that is restarted needs anyway.
///
/// # Errors
/// When there are not that many free ports or descriptors.
pub fn reserve(count: usize) -> io::Result<Vec<Reservation>> {
    (0..count).map(|_| reserve_one()).collect()
}

fn reserve_one() -> io::Result<Reservation> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let address = socket.local_addr()?.as_socket();
    let address =
        address.ok_or_else(|| io::Error::other("a loopback socket without an address"))?;
    Ok(Reservation { _socket: socket, address })
}

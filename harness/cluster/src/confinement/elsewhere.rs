//! Systems without namespaces.

use std::io;
use std::path::Path;

use socket2::Socket;

/// A network with nothing in it but loopback, which this system cannot make.
#[derive(Debug)]
pub enum OwnNetwork {}

impl OwnNetwork {
    /// Makes none.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Path) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no namespaces"))
    }

    /// A TCP socket for IPv4 in this network.
    ///
    /// # Errors
    /// There is no such network.
    pub fn socket(&self) -> io::Result<Socket> {
        match *self {}
    }

    /// Whether it is still there.
    pub fn is_there(&self) -> bool {
        match *self {}
    }

    pub(crate) fn keeper(&self) -> u32 {
        match *self {}
    }
}

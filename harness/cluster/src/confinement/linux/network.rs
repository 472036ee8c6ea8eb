//! A network of a node's own: a process that lives in it and makes sockets for the bench.
//!
//! A socket belongs to the network in which it was made, wherever it is bound, listened on or connected later. So one
//! small process in the node's network makes TCP sockets ahead and hands them out over a Unix socket (SCM_RIGHTS,
//! unix(7)); the proxies outside listen and connect with them. The queue of that Unix socket is the stock.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, setsockopt, socketpair, sockopt,
};
use nix::sys::time::TimeVal;
use nix::unistd::setsid;
use socket2::{Domain, Socket, Type};

/// The first argument that makes an executable the keeper of a network.
const ARGUMENT: &str = "__network";
/// How much the stock of sockets may occupy in the kernel, which is some dozen of them.
const STOCK_BYTES: usize = 16 << 10;
/// A keeper that gives nothing for so long gives nothing any more.
const PATIENCE: Duration = Duration::from_secs(10);
/// What its keeper says once the network is there.
const READY: &[u8] = b"ready";
/// What it says with each socket.
const SOCKET: &[u8] = b"s";
/// How long a complaint of the keeper may be.
const MESSAGE_BYTES: usize = 512;

/// A network with nothing in it but loopback, until this is dropped and all that is in it is gone.
#[derive(Debug)]
pub struct OwnNetwork {
    keeper: Mutex<Child>,
    keeper_id: u32,
    stock: OwnedFd,
}

impl OwnNetwork {
    /// Makes one. `shim` as in [`crate::NodeSpec::shim`]. Blocks for some milliseconds.
    ///
    /// # Errors
    /// What this machine does not allow, as a sentence for people.
    pub fn open(shim: &Path) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (stock, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        let keeper = Command::new(shim)
            .arg0("harness-network")
            .arg(ARGUMENT)
            .stdin(theirs)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let keeper_id = keeper.id();
        let network = Self { keeper: Mutex::new(keeper), keeper_id, stock };
        let patience = TimeVal::new(PATIENCE.as_secs().cast_signed(), 0);
        setsockopt(&network.stock, sockopt::ReceiveTimeout, &patience)?;
        network.expect(READY)?;
        network.map_users()?;
        nix::sys::socket::send(network.stock.as_raw_fd(), READY, MsgFlags::MSG_NOSIGNAL)?;
        network.expect(READY)?;
        Ok(network)
    }

    /// A TCP socket for IPv4 in this network, neither bound nor connected. Never waits.
    ///
    /// # Errors
    /// `WouldBlock` when there will be one in a moment; else its keeper is gone, or this process may open no more files.
    pub fn socket(&self) -> io::Result<Socket> {
        let (_, socket) = self.receive(MsgFlags::MSG_DONTWAIT)?;
        socket.map(Socket::from).ok_or_else(|| io::Error::other("a node's network gave no socket"))
    }

    /// Whether it is still there: without its keeper nobody reaches the node any more.
    pub fn is_there(&self) -> bool {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(keeper.try_wait(), Ok(None))
    }

    /// The process that lives in it.
    pub(crate) fn keeper(&self) -> u32 {
        self.keeper_id
    }

    fn expect(&self, word: &[u8]) -> io::Result<()> {
        let (said, _) = self.receive(MsgFlags::empty())?;
        if said == word {
            return Ok(());
        }
        Err(io::Error::other(String::from_utf8_lossy(&said).into_owned()))
    }

    fn receive(&self, flags: MsgFlags) -> io::Result<(Vec<u8>, Option<OwnedFd>)> {
        let mut bytes = [0; MESSAGE_BYTES];
        let mut space = nix::cmsg_space!(RawFd);
        let (count, descriptor) = loop {
            let mut parts = [IoSliceMut::new(&mut bytes)];
            let stock = self.stock.as_raw_fd();
            let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
            match recvmsg::<()>(stock, &mut parts, Some(&mut space), flags) {
                Ok(message) => break (message.bytes, first_descriptor(message.cmsgs()?)),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if count == 0 {
            return Err(io::Error::other("a node's network is gone"));
        }
        Ok((bytes[..count].to_vec(), descriptor))
    }

    /// Inside, users and groups have the ids that they have outside. An ordinary user can only say so of itself.
    fn map_users(&self) -> io::Result<()> {
        let keeper = format!("/proc/{}", self.keeper_id);
        let write = |file: &str, text: String| std::fs::write(format!("{keeper}/{file}"), text);
        let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
        if uid.is_root()
            && write("uid_map", same_ids("uid_map")?).is_ok()
            && write("gid_map", same_ids("gid_map")?).is_ok()
        {
            return Ok(());
        }
        // Else a group could be left that a file shuts out (user_namespaces(7)).
        write("setgroups", "deny".to_owned())?;
        write("uid_map", format!("{uid} {uid} 1"))?;
        write("gid_map", format!("{gid} {gid} 1"))
    }
}

impl Drop for OwnNetwork {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Fails only for one that is gone.
        let _ = keeper.kill();
        let _ = keeper.wait();
    }
}

fn first_descriptor(messages: impl Iterator<Item = ControlMessageOwned>) -> Option<OwnedFd> {
    let mut descriptors = messages.filter_map(|message| match message {
        ControlMessageOwned::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let first = descriptors.next()?.first().copied()?;
    // SAFETY: the kernel has just made it for this process, and nobody else knows of it.
    #[allow(unsafe_code)]
    Some(unsafe { OwnedFd::from_raw_fd(first) })
}

/// All ids of this process's own map, each to itself.
fn same_ids(map: &str) -> io::Result<String> {
    let own = std::fs::read_to_string(format!("/proc/self/{map}"))?;
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (inside, count) = (words.next()?, words.nth(1)?);
        Some(format!("{inside} {inside} {count}\n"))
    };
    Ok(own.lines().filter_map(line).collect())
}

/// Becomes the keeper of a network if this process was started as one.
pub(crate) fn run_if_requested() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        let ended = keep();
        if let Err(error) = &ended {
            let complaint = error.to_string();
            let _ = nix::sys::socket::send(0, complaint.as_bytes(), MsgFlags::MSG_NOSIGNAL);
        }
        std::process::exit(i32::from(ended.is_err()));
    }
}

/// Hands out sockets until nobody takes them any more.
fn keep() -> io::Result<()> {
    let _ = setsid();
    std::env::set_current_dir("/")?;
    let refused = |what: &str, error: &dyn std::fmt::Display| {
        io::Error::other(format!("this machine allows no {what} ({error})"))
    };
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(|error| refused("user and network namespaces", &error))?;
    let say = || nix::sys::socket::send(0, READY, MsgFlags::MSG_NOSIGNAL);
    say()?;
    nix::sys::socket::recv(0, &mut [0; MESSAGE_BYTES], MsgFlags::empty())?;
    bring_up_loopback().map_err(|error| refused("loopback in a network namespace", &error))?;
    say()?;
    let bytes = STOCK_BYTES;
    setsockopt(&io::stdin(), sockopt::SndBuf, &bytes)?;
    loop {
        match hand_out_one() {
            Ok(()) => {}
            Err(error)
                if [libc::EPIPE, libc::ECONNRESET].contains(&error.raw_os_error().unwrap_or(0)) =>
            {
                return Ok(());
            }
            // The machine lacks something, or too many sockets are on their way (unix(7)): that passes.
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Waits while the stock is full.
fn hand_out_one() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let descriptors = [socket.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    sendmsg::<()>(0, &[IoSlice::new(SOCKET)], &rights, MsgFlags::MSG_NOSIGNAL, None)?;
    Ok(())
}

/// A new network's loopback is down (netdevice(7)).
fn bring_up_loopback() -> io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // SAFETY: the structure is plain bytes, for which zero is a value; the kernel reads it during the call only.
    #[allow(unsafe_code)]
    let done = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo\0") {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw const request)
    };
    Errno::result(done)?;
    Ok(())
}

//! Each way around the bench that a node may try: what is there to be reached is reached by a node that is not confined, and by
//! none that is.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;

use cluster::{Confinement, Files, NodeSpec, OwnNetwork};
use common::{Bench, shim, start};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Names a folder with what there is to be reached; the test program is then the node that tries.
const TARGETS: &str = "BYPASS_TARGETS";

/// What there is to be reached, as the bench and a neighbour would have it.
struct Targets {
    bench: Bench,
    visible: tempfile::TempDir,
    tcp: TcpListener,
    udp: UdpSocket,
    _abstract: UnixListener,
    _file: UnixListener,
    neighbour: Child,
    segment: i32,
}

impl Targets {
    fn new() -> Self {
        let bench = Bench::new();
        let visible = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for folder in ["data", "neighbour", "home"] {
            fs::create_dir(bench.path(folder)).unwrap();
        }
        for file in ["plan.json", "history.jsonl", "neighbour/log", "home/secret"] {
            fs::write(bench.path(file), file).unwrap();
        }
        fs::write(visible.path().join("program"), "").unwrap();
        let name = SocketAddr::from_abstract_name(bench.mark()).unwrap();
        let targets = Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            _abstract: UnixListener::bind_addr(&name).unwrap(),
            _file: UnixListener::bind(bench.path("home/socket")).unwrap(),
            neighbour: Command::new("sleep").arg("1000").spawn().unwrap(),
            segment: segment(std::process::id().cast_signed(), libc::IPC_CREAT | 0o600).unwrap(),
            bench,
            visible,
        };
        targets.udp.set_nonblocking(true).unwrap();
        fs::write("/dev/shm/".to_owned() + &targets.in_memory(), "").unwrap();
        let (tcp, udp) = (targets.tcp.local_addr().unwrap(), targets.udp.local_addr().unwrap());
        let facts = [
            tcp.to_string(),
            udp.to_string(),
            targets.neighbour.id().to_string(),
            targets.bench.mark(),
            targets.visible.path().display().to_string(),
            targets.in_memory(),
            std::process::id().to_string(),
        ];
        fs::write(targets.bench.path("data/facts"), facts.join("\n")).unwrap();
        targets
    }

    fn in_memory(&self) -> String {
        format!("bypass-{}", self.neighbour.id())
    }

    /// What a node reached of all this.
    async fn reached(&self, confinement: Option<Confinement>) -> Vec<String> {
        let itself = std::env::current_exe().unwrap();
        let words = ["--exact", "try_everything", "--nocapture"].map(OsString::from);
        let mut spec = NodeSpec { confinement, ..self.bench.node(&["test"]) };
        spec.argv = [itself.into_os_string()].into_iter().chain(words).collect();
        spec.folder = "/".into();
        spec.environment.push((TARGETS.into(), self.bench.path("data").display().to_string()));
        let before = self.bench.stdout().len();
        let node = start(&spec).await;
        let exit = node.exited().await;
        node.kill().await.unwrap();
        assert!(exit.success(), "{}{}", self.bench.stdout(), self.bench.stderr());
        let printed = self.bench.stdout().split_off(before);
        let tried = printed
            .lines()
            .filter(|line| line.starts_with("reached: ") || line.starts_with("not reached: "));
        assert_eq!(tried.count(), WAYS.len(), "{printed}");
        printed
            .lines()
            .filter_map(|line| Some(line.strip_prefix("reached: ")?.to_owned()))
            .collect()
    }
}

impl Drop for Targets {
    fn drop(&mut self) {
        let _ = self.neighbour.kill();
        let _ = self.neighbour.wait();
        let _ = fs::remove_file("/dev/shm/".to_owned() + &self.in_memory());
        // SAFETY: it takes numbers only, and the segment is this test's.
        #[allow(unsafe_code)]
        unsafe {
            libc::shmctl(self.segment, libc::IPC_RMID, std::ptr::null_mut());
        }
    }
}

/// System V shared memory under a key that all processes of this user could agree on.
fn segment(key: i32, flags: i32) -> io::Result<i32> {
    // SAFETY: it takes numbers only.
    #[allow(unsafe_code)]
    let id = unsafe { libc::shmget(key, 64, flags) };
    nix::errno::Errno::result(id).map_err(io::Error::from)
}

/// What a node knows of what it is to reach.
struct Facts {
    tcp: String,
    udp: String,
    neighbour: Pid,
    place: PathBuf,
    visible: PathBuf,
    in_memory: PathBuf,
    segment: i32,
}

type Way = (&'static str, fn(&Facts) -> io::Result<()>);

const WAYS: [Way; 15] = [
    ("read the plan of faults", |facts| read(&facts.place.join("plan.json"))),
    ("change the record", |facts| write(&facts.place.join("history.jsonl"))),
    ("read a neighbour's data", |facts| read(&facts.place.join("neighbour/log"))),
    ("change a neighbour's data", |facts| write(&facts.place.join("neighbour/log"))),
    ("read the user's home", |facts| read(&facts.place.join("home/secret"))),
    ("change its own program", |facts| write(&facts.visible.join("program"))),
    ("share a file in memory", |facts| write(&facts.in_memory)),
    ("connect to a port of this machine", |facts| TcpStream::connect(&facts.tcp).map(drop)),
    ("send a datagram to this machine", |facts| {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(&facts.udp)?;
        socket.send(b"x")?;
        // A refusal comes back as an error of the next call.
        std::thread::sleep(std::time::Duration::from_millis(20));
        socket.send(b"x").map(drop)
    }),
    ("connect to an abstract Unix socket", |facts| {
        UnixStream::connect_addr(&SocketAddr::from_abstract_name(
            facts.place.as_os_str().as_encoded_bytes(),
        )?)
        .map(drop)
    }),
    ("connect to a Unix socket in a folder", |facts| {
        UnixStream::connect(facts.place.join("home/socket")).map(drop)
    }),
    ("share System V memory", |facts| segment(facts.segment, 0).map(drop)),
    ("see a neighbour's process", |facts| {
        fs::read_dir(format!("/proc/{}/task", facts.neighbour)).map(drop)
    }),
    ("stop a neighbour", |facts| {
        signal(facts.neighbour, Signal::SIGSTOP)
            .and_then(|()| signal(facts.neighbour, Signal::SIGCONT))
    }),
    ("read a neighbour's memory", |facts| {
        fs::File::open(format!("/proc/{}/mem", facts.neighbour)).map(drop)
    }),
];

fn read(path: &Path) -> io::Result<()> {
    fs::read(path).map(drop)
}

fn write(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(b"forged")
}

fn signal(pid: Pid, signal: Signal) -> io::Result<()> {
    Ok(kill(pid, signal)?)
}

/// The node. Without anything to reach, as when the test program is run for its tests, it has nothing to do.
#[test]
fn try_everything() {
    let Some(folder) = std::env::var_os(TARGETS) else { return };
    let facts = fs::read_to_string(PathBuf::from(folder).join("facts")).unwrap();
    let [tcp, udp, neighbour, place, visible, in_memory, segment] =
        facts.lines().collect::<Vec<_>>().try_into().unwrap();
    let facts = Facts {
        tcp: tcp.into(),
        udp: udp.into(),
        neighbour: Pid::from_raw(neighbour.parse().unwrap()),
        place: place.into(),
        visible: visible.into(),
        in_memory: Path::new("/dev/shm").join(in_memory),
        segment: segment.parse().unwrap(),
    };
    for (way, try_it) in WAYS {
        match try_it(&facts) {
            Ok(()) => println!("reached: {way}"),
            Err(error) => println!("not reached: {way} ({error})"),
        }
    }
}

#[tokio::test]
async fn a_confined_node_finds_no_way_that_another_one_finds() {
    let targets = Targets::new();
    let all: Vec<&str> = WAYS.iter().map(|(way, _)| *way).collect();
    assert_eq!(targets.reached(None).await, all, "there is something to be reached");
    let network = match OwnNetwork::open(&shim()) {
        Ok(network) => Arc::new(network),
        Err(error) => return eprintln!("SKIPPED: {error}"),
    };
    let program = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let files = Files {
        writable: vec![targets.bench.path("data")],
        hidden: vec![targets.bench.folder.path().into(), "/dev/shm".into()],
        visible: vec![program, targets.visible.path().into()],
    };
    let confinement = Some(Confinement { network, files });
    assert_eq!(targets.reached(confinement).await, [] as [&str; 0]);
    assert_eq!(
        fs::read_to_string(targets.bench.path("history.jsonl")).unwrap(),
        "history.jsonlforged"
    );
}

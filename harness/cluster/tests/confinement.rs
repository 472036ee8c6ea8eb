//! Nodes in a world of their own: what they see, what they reach, and that nothing of them is left.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cluster::{Confinement, Exit, Files, NodeProcess, NodeSpec, OwnNetwork};
use common::{Bench, eventually, shim, start};

/// A network, where this machine allows one.
fn network() -> Option<Arc<OwnNetwork>> {
    match OwnNetwork::open(&shim()) {
        Ok(network) => Some(Arc::new(network)),
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            None
        }
    }
}

/// A socket of that network, whose stock may be empty for a moment.
fn socket(network: &OwnNetwork) -> socket2::Socket {
    let deadline = Instant::now() + common::PATIENCE;
    loop {
        match network.socket() {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                assert!(Instant::now() < deadline, "no socket came");
                std::thread::sleep(Duration::from_millis(1));
            }
            given => return given.unwrap(),
        }
    }
}

/// A node whose data are in `data`, and from whom the rest of the test's folder is hidden.
fn confined(bench: &Bench, network: &Arc<OwnNetwork>, script: &str) -> NodeSpec {
    let data = bench.path("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(bench.path("plan.json"), "what comes next").unwrap();
    let home = std::env::var("HOME").unwrap_or("/root".into());
    let hidden = [&home, "/tmp", "/run", "/dev/shm"].map(Into::into).into();
    let files = Files { writable: vec![data], hidden, visible: Vec::new() };
    let confinement = Some(Confinement { network: Arc::clone(network), files });
    NodeSpec { confinement, folder: "/".into(), ..bench.script(script) }
}

/// What a node that ends by itself prints.
async fn printed(bench: &Bench, network: &Arc<OwnNetwork>, script: &str) -> String {
    let node = start(&confined(bench, network, script)).await;
    node.exited().await;
    assert!(node.kill().await.unwrap());
    bench.stdout() + &bench.stderr()
}

#[tokio::test]
async fn it_writes_to_its_data_and_nowhere_else() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    let (own, plan) = (bench.path("data/x"), bench.path("plan.json"));
    let script = format!(
        "echo kept > {}; cat {1}; echo forged > {1}; touch /usr/x; touch /dev/shm/y /tmp/y && echo in memory",
        own.display(),
        plan.display(),
    );
    let printed = printed(&bench, &network, &script).await;
    assert_eq!(fs::read_to_string(own).unwrap(), "kept\n");
    assert_eq!(fs::read_to_string(plan).unwrap(), "what comes next", "{printed}");
    assert!(!printed.contains("what comes next"), "{printed}");
    assert!(printed.contains("/usr/x': Read-only file system"), "{printed}");
    assert!(printed.contains("in memory"), "{printed}");
    assert!(!std::path::Path::new("/dev/shm/y").exists());
}

#[tokio::test]
async fn it_gets_no_variables_that_are_not_meant_for_it() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    // Set for every test by the package manager.
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
    let printed = printed(&bench, &network, "env").await;
    assert!(printed.contains("\nPATH=") && printed.contains("CLUSTER_TEST_MARK="), "{printed}");
    assert!(!printed.contains("CARGO_PKG_NAME"), "{printed}");
}

#[tokio::test]
async fn it_cannot_undo_what_hides_the_rest() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    let plan = bench.path("plan.json");
    let script = format!(
        "umount /tmp; mount -o remount,rw /; grep CapBnd /proc/self/status; grep NoNewPrivs /proc/self/status; \
         ls /proc/1/root/tmp && echo undone; unshare -Urm umount /tmp && echo undone; cat {}; \
         echo x > /proc/sys/kernel/core_pattern && echo undone; ls /dev",
        plan.display()
    );
    let printed = printed(&bench, &network, &script).await;
    assert!(!printed.contains("undone") && !printed.contains("what comes next"), "{printed}");
    let devices = "fd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n";
    assert!(printed.contains(devices), "{printed}");
    assert!(printed.contains("NoNewPrivs:\t1"), "{printed}");
    let kept = printed.split_once("CapBnd:\t").unwrap().1;
    let kept = u64::from_str_radix(kept.split_whitespace().next().unwrap(), 16).unwrap();
    // CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN.
    assert_eq!(kept & (1 << 12 | 1 << 19 | 1 << 21), 0, "{printed}");
}

#[tokio::test]
async fn it_sees_only_its_own_processes_and_cannot_end_its_shim() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    let script =
        "kill -STOP 1; kill -KILL 1; sleep 0.1; ls /proc | grep -c '^[0-9]'; exec sleep 1000";
    let node = start(&confined(&bench, &network, script)).await;
    eventually("it has looked", || !bench.stdout().is_empty()).await;
    // The shim, the shell, ls and grep.
    assert_eq!(bench.stdout().trim(), "4");
    assert!(node.pause().await.unwrap());
    assert!(node.resume().await.unwrap());
    assert_eq!(node.alive().await.unwrap(), 1);
    assert!(node.memory_bytes().await.unwrap().unwrap() > 0);
    assert!(node.kill().await.unwrap());
    assert_eq!((node.exit(), bench.processes()), (Some(Exit::Signal(9)), vec![]));
}

#[tokio::test]
async fn daemons_go_with_it_when_its_supervisors_are_killed() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    for who in ["harness-shim", "harness"] {
        let node = start(&confined(&bench, &network, "setsid sleep 1000 & exec sleep 1000")).await;
        bench.until_processes(2).await;
        if who == "harness" {
            drop(node);
        } else {
            kill_supervisors(&bench);
        }
        bench.until_processes(0).await;
    }
}

/// Both, in one instant.
fn kill_supervisors(bench: &Bench) {
    let (first, _) = bench.processes()[0];
    let above = |pid| common::parent(pid);
    let mut shim = first;
    while fs::read_to_string(format!("/proc/{shim}/cmdline")).unwrap().split('\0').next()
        != Some("harness-shim")
    {
        shim = above(shim);
    }
    for pid in [above(shim), shim] {
        let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
}

#[tokio::test]
async fn it_is_reached_through_its_network_and_reaches_nothing_else() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = outside.local_addr().unwrap();
    // A peer's address: the bench listens on it inside.
    let peer: SocketAddr = "127.0.0.2:7002".parse().unwrap();
    let listener = socket(&network);
    listener.bind(&peer.into()).unwrap();
    listener.listen(8).unwrap();
    let script = format!(
        "exec python3 -c '
import socket
own = socket.create_server((\"127.0.0.1\", 7001))
for address in [(\"127.0.0.2\", 7002), (\"127.0.0.1\", {}), (\"192.0.2.1\", 80)]:
    try: socket.create_connection(address, 5).sendall(b\"from n1\"); print(\"reached\", flush=True)
    except OSError as error: print(error, flush=True)
own.accept()[0].sendall(b\"welcome\")'",
        theirs.port(),
    );
    let node = start(&confined(&bench, &network, &script)).await;
    let mut heard = String::new();
    listener.accept().unwrap().0.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "from n1");
    let door = socket(&network);
    eventually("it listens", || {
        let own: SocketAddr = "127.0.0.1:7001".parse().unwrap();
        door.connect(&own.into()).is_ok()
    })
    .await;
    let mut door = TcpStream::from(door);
    door.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "from n1welcome");
    node.exited().await;
    let printed = bench.stdout();
    assert!(printed.starts_with("reached\n[Errno 111]"), "{printed}");
    assert!(printed.contains("unreachable"), "{printed}");
    outside.set_nonblocking(true).unwrap();
    assert!(outside.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn a_network_serves_many_sockets_and_all_lives_of_a_node() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    let sockets: Vec<_> = (0..300).map(|_| socket(&network)).collect();
    let address: SocketAddr = "127.0.0.9:9".parse().unwrap();
    sockets[0].bind(&address.into()).unwrap();
    sockets[0].listen(8).unwrap();
    for _ in 0..2 {
        let script = "exec python3 -c 'import socket; socket.create_connection((\"127.0.0.9\", 9), 5); print(\"in\")'";
        let node = NodeProcess::start(&confined(&bench, &network, script)).await.unwrap();
        node.exited().await;
    }
    assert_eq!(bench.stdout().matches("in\n").count(), 2, "{}", bench.stderr());
}

#[tokio::test]
async fn what_the_rest_needs_is_seen_below_what_is_hidden() {
    let (bench, Some(network)) = (Bench::new(), network()) else { return };
    let folder = bench.path("submission");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("run.sh"), "pwd; cat run.sh > /dev/null && echo x > new").unwrap();
    let mut spec = confined(&bench, &network, "sh ./run.sh");
    spec.folder = folder.clone();
    let files = &mut spec.confinement.as_mut().unwrap().files;
    // Itself one of those that would be hidden, as the home of a user who has nothing else.
    files.hidden.push(folder.clone());
    files.visible = vec![folder.clone()];
    let node = start(&spec).await;
    node.exited().await;
    assert_eq!(bench.stdout().trim(), folder.to_str().unwrap(), "{}", bench.stderr());
    assert!(bench.stderr().contains("Read-only"), "{}", bench.stderr());
    assert!(!folder.join("new").exists());
}

#[test]
fn a_network_that_is_dropped_leaves_no_keeper() {
    let Some(network) = network() else { return };
    let is_keeper = |pid: u32| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.starts_with(b"harness-network")
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // Other tests have some of their own, for a while.
    let keepers: Vec<u32> = ids.filter(|pid| is_keeper(*pid)).collect();
    assert!(!keepers.is_empty());
    drop(network);
    let deadline = Instant::now() + common::PATIENCE;
    while keepers.iter().any(|pid| is_keeper(*pid)) {
        assert!(Instant::now() < deadline, "{keepers:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

//! Starting the node's program below the shim.

use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{Pid, getpid};

#[cfg(target_os = "linux")]
use crate::confinement;
use crate::confinement::Files;
use crate::logs::BoundedLog;
use crate::shim::output::Output;
use crate::shim::stamps::Stamps;
use crate::shim::wire::{Failure, Launch};

/// A node's program that was started.
pub(super) struct Launched {
    pub(super) pid: Pid,
    pub(super) outputs: Vec<Output>,
}

/// Starts the program, with pipes for what it prints.
pub(super) fn launch(launch: &Launch) -> Result<Launched, Failure> {
    let mut stdout = open_log(&launch.stdout)?;
    let mut stderr =
        if launch.stderr == launch.stdout { None } else { Some(open_log(&launch.stderr)?) };

    let mut command = Command::new(&launch.program);
    if let Some((name, arguments)) = launch.argv.split_first() {
        command.arg0(name).args(arguments);
    }
    command.current_dir(&launch.folder).stdin(Stdio::null()).process_group(0);
    set_environment(&mut command, launch);
    let pipes = connect(&mut command, stderr.is_some())?;
    let (mut complaint, complain) = io::pipe()?;
    prepare_child(&mut command, launch, complain);

    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            drop(command);
            let mut own = String::new();
            let _ = complaint.read_to_string(&mut own);
            return Err(if own.is_empty() {
                Failure::Program { error: error.to_string(), os_error: error.raw_os_error() }
            } else {
                Failure::Shim(own)
            });
        }
    };
    // Our copies of the pipes' write ends go, or their end would never show.
    drop(command);

    let stamps = || launch.stamps_zero_ns.and_then(Stamps::since);
    for log in [Some(&mut stdout), stderr.as_mut()].into_iter().flatten() {
        separate_lives(log, stamps().as_mut(), &launch.id, child.id());
    }
    let logs = [Some(stdout), stderr].into_iter().flatten();
    let outputs: io::Result<_> =
        pipes.into_iter().zip(logs).map(|(p, l)| Output::new(p, l, stamps())).collect();
    Ok(Launched { pid: Pid::from_raw(child.id().cast_signed()), outputs: outputs? })
}

fn open_log(path: &OsString) -> Result<BoundedLog, Failure> {
    BoundedLog::open(Path::new(path))
        .map_err(|error| Failure::Log { path: path.clone(), error: error.to_string() })
}

/// A restarted node goes on in the same file.
fn separate_lives(log: &mut BoundedLog, stamps: Option<&mut Stamps>, id: &str, pid: u32) {
    if log.is_empty() {
        return;
    }
    // The last line of the life before may lack its end.
    log.append(b"\n");
    let line = format!("[--- {id} was started again, process {pid} ---]\n");
    match stamps {
        Some(stamps) => stamps.append(log, line.as_bytes()),
        None => log.append(line.as_bytes()),
    }
    log.flush();
}

/// What the harness has, without what an outer run may have left, plus what is asked for. One that is confined gets only what
/// finds programs and says how to write: no secrets, and nothing that makes it another store on another machine.
fn set_environment(command: &mut Command, launch: &Launch) {
    for (name, _) in std::env::vars_os() {
        let is_left = name.as_encoded_bytes().starts_with(b"DS_");
        if is_left || launch.files.is_some() && !is_passed_on(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command.envs(launch.environment.iter().map(|(name, value)| (name, value)));
}

/// Whether a confined program gets this variable of the harness.
fn is_passed_on(name: &str) -> bool {
    const NAMES: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "RUST_BACKTRACE"];
    const STARTS: [&str; 1] = ["LC_"];
    // JAVA_HOME, GOPATH, PYENV_ROOT, VIRTUAL_ENV, LD_LIBRARY_PATH.
    const ENDS: [&str; 4] = ["_HOME", "PATH", "ROOT", "_ENV"];
    NAMES.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
        || ENDS.iter().any(|end| name.ends_with(end))
}

/// Pipes for what the node prints. One for both streams when they share a log, so that their order is kept.
fn connect(command: &mut Command, two: bool) -> io::Result<Vec<PipeReader>> {
    let (stdout, stdout_writer) = io::pipe()?;
    let mut readers = vec![stdout];
    if two {
        let (stderr, stderr_writer) = io::pipe()?;
        readers.push(stderr);
        command.stderr(stderr_writer);
    } else {
        command.stderr(stdout_writer.try_clone()?);
    }
    command.stdout(stdout_writer);
    Ok(readers)
}

/// What the child does between fork and exec.
///
/// What the bench could not do for it is no fault of the program: that goes to `complain`.
fn prepare_child(command: &mut Command, launch: &Launch, complain: PipeWriter) {
    let shim = getpid();
    let limits = launch.limits;
    let world = launch.files.clone().map(|files| (files, PathBuf::from(&launch.folder)));
    let prepare = move || {
        reset_signals()?;
        die_with(shim)?;
        limits.apply()?;
        world.as_ref().map_or(Ok(()), |(files, folder)| confine(files, folder))
    };
    let prepare = move || {
        prepare().inspect_err(|error| {
            let _ = write!(&complain, "{error}");
        })
    };
    // SAFETY: the shim has one thread, so no lock can be held by another one at the fork, and the child may do
    // whatever the shim may, allocation included.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(prepare);
    }
}

#[cfg(target_os = "linux")]
fn confine(files: &Files, folder: &Path) -> io::Result<()> {
    confinement::leave_keyring();
    let refused = |error| io::Error::other(format!("the node could not be confined: {error}"));
    files.enter(folder).map_err(refused)?;
    confinement::drop_capabilities()
}

#[cfg(not(target_os = "linux"))]
fn confine(_: &Files, _: &Path) -> io::Result<()> {
    Ok(())
}

/// The node starts with no signal blocked or ignored, whatever the shim blocks and whoever started the harness ignored.
fn reset_signals() -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator() {
        if !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP) {
            // SAFETY: the default action runs no code of ours.
            #[allow(unsafe_code)]
            unsafe { sigaction(signal, &default) }?;
        }
    }
    Ok(SigSet::empty().thread_set_mask()?)
}

/// A second net: the kernel kills the node's main process if the shim is killed itself.
#[cfg(target_os = "linux")]
fn die_with(shim: Pid) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    if nix::unistd::getppid() == shim {
        Ok(())
    } else {
        Err(io::Error::other("the supervisor died during the start"))
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_: Pid) -> io::Result<()> {
    Ok(())
}

//! Measures how many appends with fdatasync a second this disk takes, beside a folder of the machine.
//!
//! ```text
//! cargo run --release -p disk --example throughput [FOLDER [SECONDS]]
//! ```

#[cfg(target_os = "linux")]
#[path = "../tests/namespace/mod.rs"]
mod namespace;

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("only Linux has what this needs");
}

#[cfg(target_os = "linux")]
fn main() -> std::io::Result<()> {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{self, File};
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::{Duration, Instant};

    use disk::{Disk, Durability};

    const RECORD_BYTES: usize = 256;
    const ROUNDS: u32 = 4;

    pub fn main() -> io::Result<()> {
        let mut arguments = std::env::args_os().skip(1);
        let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
        let seconds = arguments.next().and_then(|text| text.to_str()?.parse().ok()).unwrap_or(4.0);
        // Before anything starts a thread.
        super::namespace::enter()?;
        let bare = tempfile::tempdir_in(folder)?;
        let mounted = tempfile::tempdir()?;
        let device = disk::mount(mounted.path())?;
        let disk = Arc::new(Mutex::new(Disk::new(Durability::Ext4Like, 0)));
        let server = thread::spawn(move || disk::serve(device, &disk));

        let round = Duration::from_secs_f64(seconds) / (2 * ROUNDS);
        let (mut here, mut there) = (0.0, 0.0);
        for _ in 0..ROUNDS {
            here += appends_per_second(mounted.path(), round)?;
            there += appends_per_second(bare.path(), round)?;
        }
        nix::mount::umount(mounted.path())?;
        server.join().map_err(|_| io::Error::other("the server panicked"))??;
        println!("this disk    {:>8.0} appends/s", here / f64::from(ROUNDS));
        println!("bare folder  {:>8.0} appends/s", there / f64::from(ROUNDS));
        println!("ratio        {:>8.2}", here / there);
        Ok(())
    }

    fn appends_per_second(folder: &Path, time: Duration) -> io::Result<f64> {
        let path = folder.join("log");
        let mut file = File::create(&path)?;
        let start = Instant::now();
        let mut appends = 0;
        while start.elapsed() < time {
            file.write_all(&[7; RECORD_BYTES])?;
            file.sync_data()?;
            appends += 1;
        }
        let elapsed = start.elapsed();
        fs::remove_file(path)?;
        Ok(f64::from(appends) / elapsed.as_secs_f64())
    }
}

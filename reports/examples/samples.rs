//! Writes one report of each kind, for looking at while working on style and script:
//! `cargo run -p reports --example samples -- FOLDER`.

#[path = "../tests/synthetic/mod.rs"]
#[allow(missing_docs, dead_code, clippy::unwrap_used)]
mod synthetic;

use std::path::{Path, PathBuf};
use std::time::Instant;

use synthetic::Sample;

type Write = fn(&Path);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to write to")?);
    let kinds: [(&str, Write); 7] = [
        ("valid", synthetic::valid),
        ("violation", synthetic::violation),
        ("inconclusive", synthetic::inconclusive),
        ("crowded", synthetic::crowded),
        ("incomplete", synthetic::incomplete),
        ("hostile", synthetic::hostile),
        ("large", |folder| Sample::new(99_990).write(folder)),
    ];
    for (name, write) in kinds {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        write(&folder);
        let started = Instant::now();
        let page = reports::write(&record::Folder::existing(folder.clone()))?;
        let bytes = std::fs::metadata(&page)?.len();
        println!("{} ({bytes} bytes, {:?})", page.display(), started.elapsed());
    }
    Ok(())
}

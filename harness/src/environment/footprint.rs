//! Records what the nodes occupy: their data folders, logs and memory.

use std::{fs, os::unix::fs::MetadataExt, path::Path, sync::Arc, time::Duration};

use record::{Footprint, Mark};

use super::nodes::Nodes;
use crate::stream::Stream;

/// No more files of a data folder are looked at.
const FILES_MAX: usize = 10_000;

/// Measures each node until it is aborted, with a `pause` between two looks.
pub async fn watch(nodes: Arc<Nodes>, stream: Arc<Stream>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        mark(&nodes, &stream).await;
    }
}

/// Measures each node now and puts that into the record.
pub async fn mark(nodes: &Arc<Nodes>, stream: &Stream) -> Vec<Footprint> {
    let footprints = nodes.footprints().await;
    footprints.iter().for_each(|footprint| stream.mark(&Mark::Footprint(footprint.clone())));
    footprints
}

/// The room that all files in a folder and below take; links are not followed. `None` where it cannot be read, or holds too
/// many files.
pub(super) fn folder_bytes(folder: &Path) -> Option<u64> {
    let mut unread = vec![fs::read_dir(folder).ok()?];
    let (mut bytes, mut files) = (0_u64, 0);
    while let Some(entries) = unread.pop() {
        // A file may be gone before it is looked at.
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                unread.extend(fs::read_dir(entry.path()));
            } else {
                // Of a sparse file only what was written.
                bytes = bytes.saturating_add(metadata.len().min(512 * metadata.blocks()));
            }
            files += 1;
            if files == FILES_MAX {
                return None;
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_of_a_folder_count_and_links_out_of_it_do_not() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        fs::create_dir_all(data.join("deep/deeper")).unwrap();
        fs::write(data.join("log"), [0; 100]).unwrap();
        fs::File::create(data.join("sparse")).unwrap().set_len(1 << 30).unwrap();
        fs::write(data.join("deep/deeper/snapshot"), [0; 23]).unwrap();
        let outside = place.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("big"), [0; 5_000]).unwrap();
        std::os::unix::fs::symlink(&outside, data.join("link")).unwrap();
        let bytes = folder_bytes(&data).unwrap();
        assert!((123..1_000).contains(&bytes), "{bytes}");
        assert_eq!(folder_bytes(&place.path().join("none")), None);
    }
}

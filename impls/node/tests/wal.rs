//! The write-ahead log after every kind of crash that a file can show.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{fs, path::Path};

use node::wal::{FRAME_BYTES_MAX, PART_BYTES, RECORD_BYTES_MAX, Recovered, Wal, WalError};

/// The header of a frame: its length and its checksum.
const HEADER_BYTES: usize = 8;

fn open(folder: &Path) -> Result<(Wal<String>, Recovered<String>), WalError> {
    Wal::open(folder)
}

fn records(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Writes one group a word list and returns where each group ends in the file.
fn write(folder: &Path, groups: &[&[&str]]) -> Vec<usize> {
    let (mut wal, _) = open(folder).unwrap();
    let mut ends = vec![usize::try_from(wal.bytes()).unwrap()];
    for group in groups {
        wal.append(&records(group)).unwrap();
        ends.push(usize::try_from(wal.bytes()).unwrap());
    }
    ends
}

const GROUPS: [&[&str]; 4] = [&["a"], &["b", "with \"quotes\" and \0"], &["c"], &["ddd", "e"]];

fn first_groups(count: usize) -> Vec<String> {
    records(&GROUPS[..count].concat())
}

#[test]
fn what_was_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let ends = write(folder.path(), &GROUPS);
    let (wal, recovered) = open(folder.path()).unwrap();
    assert_eq!(recovered, Recovered { records: first_groups(4), cut_bytes: 0 });
    assert_eq!(wal.bytes(), ends[4] as u64);
    assert_eq!(wal.bytes(), fs::metadata(folder.path().join("log")).unwrap().len());
}

#[test]
fn a_log_cut_anywhere_keeps_its_whole_groups_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let ends = write(folder.path(), &GROUPS);
    let path = folder.path().join("log");
    let whole = fs::read(&path).unwrap();
    for length in ends[0]..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let (mut wal, recovered) = open(folder.path()).unwrap();
        let count = ends.iter().rposition(|end| *end <= length).unwrap();
        assert_eq!(recovered.records, first_groups(count), "cut to {length} bytes");
        assert_eq!(recovered.cut_bytes, (length - ends[count]) as u64);
        // What is appended next follows the last whole group, and is found again.
        wal.append(&records(&["next"])).unwrap();
        drop(wal);
        let (_, recovered) = open(folder.path()).unwrap();
        assert_eq!(recovered.records, [first_groups(count), records(&["next"])].concat());
        assert_eq!(recovered.cut_bytes, 0);
    }
}

#[test]
fn every_flipped_bit_of_the_last_group_cuts_exactly_that_group() {
    let folder = tempfile::tempdir().unwrap();
    let ends = write(folder.path(), &GROUPS);
    let path = folder.path().join("log");
    let whole = fs::read(&path).unwrap();
    for position in ends[3]..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[position] ^= 1 << bit;
            fs::write(&path, &damaged).unwrap();
            let (_, recovered) = open(folder.path()).unwrap();
            assert_eq!(recovered.records, first_groups(3), "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn every_flipped_bit_before_the_last_group_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let ends = write(folder.path(), &GROUPS);
    let path = folder.path().join("log");
    let whole = fs::read(&path).unwrap();
    for position in ends[0]..ends[3] {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[position] ^= 1 << bit;
            fs::write(&path, &damaged).unwrap();
            let error = open(folder.path()).unwrap_err();
            let WalError::Damaged { offset, next_offset, .. } = error else {
                panic!("bit {bit} of byte {position}: {error}")
            };
            let count = ends.iter().rposition(|end| *end <= position).unwrap();
            assert_eq!((offset, next_offset), (ends[count], ends[count + 1]));
            // It is reported, not repaired: the evidence stays.
            assert_eq!(fs::read(&path).unwrap(), damaged);
        }
    }
}

#[test]
fn a_tail_of_zeroes_or_noise_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &GROUPS);
    let path = folder.path().join("log");
    let whole = fs::read(&path).unwrap();
    let noise: Vec<u8> =
        (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for tail in [vec![0; 4096], vec![0xFF; 100], noise, b"[\"text\"]".to_vec()] {
        fs::write(&path, [whole.clone(), tail.clone()].concat()).unwrap();
        let (_, recovered) = open(folder.path()).unwrap();
        assert_eq!(recovered, Recovered { records: first_groups(4), cut_bytes: tail.len() as u64 });
    }
}

#[test]
fn a_record_that_looks_like_a_frame_is_not_taken_for_one() {
    let other = tempfile::tempdir().unwrap();
    let ends = write(other.path(), &[&["inner"]]);
    let inner = fs::read(other.path().join("log")).unwrap()[ends[0]..].to_vec();
    let inner = String::from_utf8_lossy(&inner).into_owned();
    let folder = tempfile::tempdir().unwrap();
    let ends = write(folder.path(), &[&["a"], &[&inner]]);
    let path = folder.path().join("log");
    let mut damaged = fs::read(&path).unwrap();
    damaged[ends[1] + HEADER_BYTES] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert_eq!(open(folder.path()).unwrap().1.records, records(&["a"]));
}

#[test]
fn a_rewrite_replaces_everything_and_appends_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path()).unwrap();
    wal.append(&records(&["a", "b"])).unwrap();
    wal.rewrite(&records(&["snapshot"])).unwrap();
    wal.append(&records(&["c"])).unwrap();
    assert_eq!(wal.bytes(), fs::metadata(folder.path().join("log")).unwrap().len());
    drop(wal);
    assert_eq!(open(folder.path()).unwrap().1.records, records(&["snapshot", "c"]));
    assert!(!folder.path().join("log.new").exists());
}

#[test]
fn a_rewrite_that_a_crash_interrupted_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[&["a"]]);
    fs::write(folder.path().join("log.new"), b"half a rew").unwrap();
    assert_eq!(open(folder.path()).unwrap().1.records, records(&["a"]));
    assert!(!folder.path().join("log.new").exists());
}

#[test]
fn rewriting_to_nothing_leaves_an_empty_log() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path()).unwrap();
    wal.append(&records(&["a"])).unwrap();
    wal.rewrite(&[]).unwrap();
    drop(wal);
    assert_eq!(open(folder.path()).unwrap().1.records, Vec::<String>::new());
}

#[test]
fn long_groups_are_split_and_too_long_records_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path()).unwrap();
    let long = "x".repeat(FRAME_BYTES_MAX / 2);
    wal.append(&[long.clone(), long.clone(), long.clone()]).unwrap();
    let before = wal.bytes();
    let error = wal.append(&["y".repeat(RECORD_BYTES_MAX)]).unwrap_err();
    assert!(matches!(error, WalError::TooLong { .. }), "{error}");
    assert_eq!(wal.bytes(), before);
    drop(wal);
    assert_eq!(open(folder.path()).unwrap().1.records, [long.clone(), long.clone(), long]);
}

/// Records around the lengths at which they need one more frame. With its quotes and the brackets one has four bytes more.
fn long_records() -> Vec<String> {
    let limits = [FRAME_BYTES_MAX - 4, 2 * PART_BYTES - 4, 3 * PART_BYTES - 4];
    let lengths = limits.into_iter().flat_map(|limit| limit - 1..=limit + 1);
    lengths.map(|bytes| "z".repeat(bytes)).collect()
}

#[test]
fn a_long_record_goes_on_in_the_next_frames_and_is_read_back() {
    for long in long_records() {
        let folder = tempfile::tempdir().unwrap();
        let (mut wal, _) = open(folder.path()).unwrap();
        let group = [records(&["a", "b"]), vec![long], records(&["c"])].concat();
        wal.append(&group).unwrap();
        wal.append(&records(&["d"])).unwrap();
        drop(wal);
        let (mut wal, recovered) = open(folder.path()).unwrap();
        let expected = [group.clone(), records(&["d"])].concat();
        assert!(recovered == Recovered { records: expected, cut_bytes: 0 });
        wal.rewrite(&group).unwrap();
        drop(wal);
        assert!(open(folder.path()).unwrap().1.records == group);
    }
}

#[test]
fn a_long_record_that_was_not_written_to_its_end_is_cut_as_a_whole() {
    for long in long_records().into_iter().skip(2).step_by(6) {
        let folder = tempfile::tempdir().unwrap();
        let (mut wal, _) = open(folder.path()).unwrap();
        wal.append(&records(&["a"])).unwrap();
        let begin = usize::try_from(wal.bytes()).unwrap();
        wal.append(&[long]).unwrap();
        drop(wal);
        let path = folder.path().join("log");
        let whole = fs::read(&path).unwrap();
        // Each byte near the ends of frames, and some in between.
        let part = HEADER_BYTES + PART_BYTES;
        let near = (begin..whole.len()).step_by(part).chain([whole.len()]).collect::<Vec<_>>();
        let near = near.into_iter().flat_map(|end| end - 3..end + 2 * HEADER_BYTES);
        let cuts = near.chain((begin..whole.len()).step_by(7_654_321));
        for length in cuts.filter(|length| (begin..whole.len()).contains(length)) {
            fs::write(&path, &whole[..length]).unwrap();
            let (mut wal, recovered) = open(folder.path()).unwrap();
            assert_eq!(recovered.records, records(&["a"]), "cut to {length} bytes");
            assert_eq!(recovered.cut_bytes, (length - begin) as u64);
            wal.append(&records(&["next"])).unwrap();
            drop(wal);
            assert_eq!(open(folder.path()).unwrap().1.records, records(&["a", "next"]));
        }
    }
}

#[test]
fn damage_in_the_middle_of_a_long_record_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path()).unwrap();
    let begin = usize::try_from(wal.bytes()).unwrap();
    wal.append(&["z".repeat(3 * PART_BYTES)]).unwrap();
    drop(wal);
    let path = folder.path().join("log");
    let whole = fs::read(&path).unwrap();
    let part = HEADER_BYTES + PART_BYTES;
    for (number, position) in [(0, 3), (0, 500), (1, part), (1, part + 3), (2, 3 * part - 1)] {
        let mut damaged = whole.clone();
        damaged[begin + position] ^= 1;
        fs::write(&path, damaged).unwrap();
        let error = open(folder.path()).unwrap_err();
        let WalError::Damaged { offset, next_offset, .. } = error else { panic!("{error}") };
        assert_eq!((offset, next_offset), (begin + number * part, begin + (number + 1) * part));
    }
}

#[test]
fn a_foreign_file_or_record_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for content in [&b""[..], b"DSWA", b"something else"] {
        fs::write(folder.path().join("log"), content).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, WalError::NotALog { .. }), "{error}");
    }
    fs::remove_file(folder.path().join("log")).unwrap();
    write(folder.path(), &[&["a"]]);
    let error = Wal::<u64>::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("not a record of this protocol"), "{error}");
}

#[test]
fn two_processes_cannot_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()).unwrap_err(), WalError::InUse { .. }));
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn a_write_that_fails_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (mut wal, _) = open(folder.path()).unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    let error = wal.rewrite(&records(&["a"])).unwrap_err();
    assert!(matches!(error, WalError::Io { doing: "create", .. }), "{error}");
}

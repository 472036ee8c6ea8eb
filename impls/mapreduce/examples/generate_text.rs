//! Writes a random text of a given size to stdout, always the same for a seed. Common words are common, as in real texts.
//!
//! ```text
//! cargo run --release -p mapreduce --example generate_text -- 1000 42 > /tmp/text.txt
//! ```

use std::{
    io::{BufWriter, Write},
    process::ExitCode,
};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// How many different words there are: 2 to this power, less one.
const WORDS_LOG2: u32 = 16;

fn main() -> ExitCode {
    let numbers: Vec<Option<u64>> =
        std::env::args().skip(1).map(|argument| argument.parse().ok()).collect();
    let [Some(megabytes), Some(seed)] = numbers[..] else {
        eprintln!("usage: generate_text MEGABYTES SEED > FILE");
        return ExitCode::from(2);
    };
    match write_text(megabytes * 1_000_000, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write the text: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_text(bytes: u64, seed: u64) -> std::io::Result<()> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let words: Vec<String> = (1..1 << WORDS_LOG2).map(|_| word(&mut dice)).collect();
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let mut left = bytes;
    while left > 0 {
        // The logarithm of the rank is uniform, about as Zipf's law has it.
        let scale = 1 << dice.random_range(0..WORDS_LOG2);
        let rank = scale - 1 + dice.random_range(0..scale);
        let end = if dice.random_ratio(1, 12) { ".\n" } else { " " };
        for part in [&words[rank], end] {
            let part =
                &part.as_bytes()[..part.len().min(usize::try_from(left).unwrap_or(part.len()))];
            out.write_all(part)?;
            left -= part.len() as u64;
        }
    }
    out.flush()
}

fn word(dice: &mut ChaCha8Rng) -> String {
    let syllables = ["ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "rü", "sa", "te"];
    (0..dice.random_range(1..=4))
        .map(|_| syllables[dice.random_range(0..syllables.len())])
        .collect()
}

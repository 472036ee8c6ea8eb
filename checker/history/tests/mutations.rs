//! Whatever the bytes, a reader gives events or an error: no panic, and no more events than bytes.
//!
//! A quick slice of what the fuzz targets under `fuzz/` do for hours.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use history::{Events, Format, Pairing, ReadError};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// Texts for each format.
const TEXTS: usize = 5_000;

/// Whole histories, and pieces that mutations put together in new ways.
const PIECES: [&str; 24] = [
    "[{:process 1, :type :invoke, :f :cas, :value [1 2]}\n {:type :ok :process 1 :f :cas :value #{1 nil}}]",
    "{:name \"x\" :history ({:type :ok, :value #inst \"2026\", :time -1 :error [:a \\b 1.5M ##NaN]})}",
    "#jepsen.history.Op{:type :info, :process :nemesis, :value {:a 1, \"b\" #_ c 12N}, :index 18446744073709551615}",
    "{:process 0, :type :invoke, :f :append, :key \"k\", :value \"\\u00e9\\ud83d\\ude00\\n\"}\n",
    "[{\"process\":1,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,-2.5e300]},\n{\"type\":\":ok\",\"time\":-1}]",
    "{\"a\":{\"history\":[1]},\"history\":[{\"type\":\"info\",\"error\":[\"x\"],\"value\":\"\\ud83d\\ude00\"}],\"b\":[]}",
    "{\"index\":0,\"time\":5,\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"start\"}\n",
    "INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:ok\t:cas\t[1 2]\t:timed-out\n",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "\\",
    ":history",
    "#_",
    "#{",
    ";",
    "\n",
    "99999999999999999999999",
    "1e999",
    "\u{feff}é",
];

/// The same bytes in every run.
struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound.max(1))
    }

    fn piece(&mut self) -> &'static [u8] {
        PIECES[self.below(PIECES.len())].as_bytes()
    }
}

fn mutated(random: &mut Random) -> Vec<u8> {
    let mut text = random.piece().to_vec();
    for _ in 0..random.below(8) {
        let at = random.below(text.len() + 1);
        let end = at + random.below(text.len() + 1 - at);
        match random.below(6) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..end)),
            2 => drop(text.splice(at..at, random.piece().iter().copied())),
            3 => text.insert(at, u8::try_from(random.below(256)).unwrap()),
            4 => text.extend_from_within(at..end),
            _ => {
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    text
}

#[test]
fn mutated_histories_give_events_or_an_error() {
    for (seed, format) in (1..).zip(Format::ALL) {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        let mut read = 0;
        for _ in 0..TEXTS {
            let text = mutated(&mut random);
            let mut pairing = Pairing::default();
            let events = Events::new(text.as_slice(), format);
            let count = events.map_while(Result::ok).map(|l| pairing.add(l.event)).count();
            assert!(count <= text.len(), "{}", String::from_utf8_lossy(&text));
            read += count;
        }
        assert!(read > 0, "no mutation was a history any more");
    }
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    for (format, open) in [
        (Format::Edn, "[{:type :ok :value [[{1 "),
        (Format::Edn, "#_"),
        (Format::Edn, "#a "),
        (Format::Edn, "{:type :ok :value #a "),
        (Format::PorcupineKv, "{:type :ok :key #{"),
        (Format::Json, "[{\"type\":\"ok\",\"value\":[{\"a\":"),
        (Format::JsonLines, "{\"type\":\"ok\",\"value\":[["),
        (Format::JepsenLog, "INFO - 0 :ok :read [{#a "),
    ] {
        let nested = open.rsplit([' ', ',']).next().unwrap().repeat(300_000);
        let text = format!("{open}{nested}\n");
        let error = Events::new(text.as_bytes(), format).find_map(Result::err);
        assert!(error.is_some(), "{open}");
    }
    // Closed, so that only the depth can be wrong.
    let text = format!("{{\"type\":\"ok\",\"value\":{}{}}}\n", "[".repeat(200), "]".repeat(200));
    let error = Events::new(text.as_bytes(), Format::JsonLines).find_map(Result::err).unwrap();
    assert!(matches!(error, ReadError::Syntax { .. }), "{error}");
}

//! The readers beside a plain one that makes a tree of the whole text first, and beside themselves with other blocks and
//! threads: on random histories and on broken ones.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::collections::BTreeMap;

use history::edn::{self, Edn, to_json};
use history::{Event, EventKind, Events, Format, Process, Reading};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;

/// Histories for each format.
const HISTORIES: u64 = 600;

/// What a text is read as: its events with their lines, and what is wrong with the rest.
type Read = (Vec<(u64, Event)>, Option<String>, Vec<String>);

fn read(format: Format, text: &[u8], reading: Reading) -> Read {
    let mut events = Events::with(text, format, reading);
    let (mut read, mut failure) = (Vec::new(), None);
    for located in events.by_ref() {
        match located {
            Ok(located) => read.push((located.line, located.event.into())),
            Err(error) => failure = Some(error.to_string()),
        }
    }
    let notes = events.notes();
    (read, failure, notes)
}

/// All at once.
const WHOLE: Reading = Reading { threads: 1, block_bytes: 1 << 20 };

/// The same values in every run.
struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0.random_range(0..bound.max(1))
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    fn edn(&mut self, depth: usize) -> String {
        let leaves = [
            "nil",
            "true",
            "-7",
            "12N",
            "1/2",
            "2/4",
            "1.50",
            "1.5M",
            ":kw",
            "sym",
            "\\a",
            "\"t\\n\\u00e9\"",
            "18446744073709551617",
            "\"a\nb\"",
            "#_ 5 6",
            "##Inf",
            "#inst \"2026\"",
            "[1 -2 333 444444444444444444]",
            "(7 0 -0 1)",
            "[1 2 3 99999999999999999999]",
            "[1  2, 3 4]",
            "[1 2 3 :a]",
        ];
        if depth == 0 || self.below(2) == 0 {
            return self.one_of(&leaves).to_owned();
        }
        let separator = self.one_of(&[" ", ", ", "\n", " ; [ comment\n "]);
        let items: Vec<String> = (0..self.below(4)).map(|_| self.edn(depth - 1)).collect();
        match self.below(4) {
            0 => format!("[{}]", items.join(separator)),
            1 => format!("({})", items.join(separator)),
            2 => format!("#{{{}}}", items.join(separator)),
            _ => {
                let entry = |(key, value): (usize, &String)| format!(":k{key}{separator}{value}");
                let entries: Vec<String> = items.iter().enumerate().map(entry).collect();
                format!("{{{}}}", entries.join(separator))
            }
        }
    }

    fn json(&mut self, depth: usize) -> String {
        let leaves = [
            "null",
            "true",
            "-7",
            "0",
            "1.5",
            "2e3",
            "\"t\\n\\u00e9\"",
            "\"]}\"",
            "\":kw\"",
            "{}",
            "[]",
        ];
        if depth == 0 || self.below(2) == 0 {
            return self.one_of(&leaves).to_owned();
        }
        let items: Vec<String> = (0..self.below(4)).map(|_| self.json(depth - 1)).collect();
        match self.below(2) {
            0 => format!("[{}]", items.join(", ")),
            _ => {
                let entry = |(key, value): (usize, &String)| format!("\"k{key}\" : {value}");
                let entries: Vec<String> = items.iter().enumerate().map(entry).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }

    /// The fields of an event, without those that are left out.
    fn fields(&mut self, json: bool) -> Vec<(&'static str, String)> {
        let quoted = |word: &str| if json { format!("\"{word}\"") } else { format!(":{word}") };
        let kind = self.one_of(&["invoke", "ok", "fail", "info"]);
        let (f, process) =
            (self.one_of(&["read", "write", "txn"]), self.one_of(&["0", "3", "nemesis"]));
        let process = if process == "nemesis" { quoted(process) } else { process.to_owned() };
        let value = if json { self.json(3) } else { self.edn(3) };
        let all = [
            ("process", process),
            ("type", quoted(kind)),
            ("f", quoted(f)),
            ("value", value),
            ("time", self.one_of(&["-1", "5", "123456789"]).to_owned()),
            ("node", "\"n1\"".to_owned()),
            ("extra", if json { "[{}]".to_owned() } else { "#{[1]}".to_owned() }),
        ];
        let is_kept = |name: &str, random: &mut Self| name == "type" || random.below(4) > 0;
        all.into_iter().filter(|(name, _)| is_kept(name, self)).collect()
    }

    fn history(&mut self, format: Format) -> Vec<u8> {
        let is_edn = format == Format::Edn;
        let event = |random: &mut Self| {
            let fields = random.fields(!is_edn);
            let field = |(name, value): &(&str, String)| match is_edn {
                true => format!(":{name} {value}"),
                false => format!("\"{name}\":{value}"),
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        };
        let events: Vec<String> = (0..self.below(6)).map(|_| event(self)).collect();
        if format == Format::JsonLines {
            return events
                .iter()
                .map(|event| format!("{event}\n"))
                .collect::<String>()
                .into_bytes();
        }
        let shape = self.below(3);
        // One after another, JSON has no commas.
        let separators: &[&str] = if is_edn { &[",\n", "\n", " "] } else { &[",\n", ", "] };
        let separator = if shape == 0 { "\n" } else { self.one_of(separators) };
        let events = events.join(separator);
        let text = match (shape, is_edn) {
            (0, _) => events,
            (1, true) => format!("{{:name [:x], :history ({events})\n :valid? true}}"),
            (1, false) => format!(
                "{{\"name\": {{\"history\": 1}}, \"history\":[{events}],\n\"valid\": [true]}}"
            ),
            _ => format!("[\n{events}]\n"),
        };
        text.into_bytes()
    }

    fn broken(&mut self, mut text: Vec<u8>) -> Vec<u8> {
        for _ in 0..1 + self.below(3) {
            let at = self.below(text.len() + 1);
            match self.below(4) {
                0 => text.truncate(at),
                1 => text.insert(at, b" \n\"[]{}():,#;\\0a"[self.below(16)]),
                2 => drop(text.splice(at..at, text.clone())),
                _ => drop(text.drain(at..(at + 2).min(text.len()))),
            }
        }
        text
    }
}

/// The events of a tree of EDN.
fn plain_edn(text: &[u8]) -> Option<Vec<Event>> {
    fn untagged(edn: Edn) -> Edn {
        match edn {
            Edn::Tagged(_, inner) => untagged(*inner),
            other => other,
        }
    }
    let mut events = Vec::new();
    let mut take = |edn: Edn| -> Option<()> {
        let Edn::Map(entries) = untagged(edn) else { return None };
        let of = |name: &str| {
            let key = Edn::Keyword(name.to_owned());
            entries.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
        };
        let word = |edn: &Edn| match edn {
            Edn::Keyword(word) | Edn::String(word) => Some(word.clone()),
            _ => None,
        };
        events.push(Event {
            index: events.len() as u64,
            time_ns: match of("time") {
                Some(Edn::Int(time)) => (*time).max(0).try_into().ok()?,
                None | Some(Edn::Nil) => 0,
                Some(_) => return None,
            },
            process: match of("process") {
                None => Process::Client(0),
                Some(Edn::Int(number)) => Process::Client((*number).try_into().ok()?),
                Some(name) => Process::Named(word(name)?),
            },
            kind: serde_json::from_value(Value::String(match of("type")? {
                Edn::Keyword(kind) => kind.clone(),
                _ => return None,
            }))
            .ok()?,
            f: of("f").map_or(Some(String::new()), word)?.into(),
            value: of("value").map(to_json).unwrap_or_default(),
            error: None,
            node: of("node").map_or(Some(None), |node| word(node).map(Some))?,
        });
        Some(())
    };
    for form in edn::parse(text).ok()? {
        match form {
            Edn::List(all) | Edn::Vector(all) => all.into_iter().try_for_each(&mut take)?,
            Edn::Map(entries) => {
                let history =
                    entries.iter().find(|(key, _)| *key == Edn::Keyword("history".into()));
                match history.map(|(_, value)| untagged(value.clone())) {
                    Some(Edn::List(all) | Edn::Vector(all)) => {
                        all.into_iter().try_for_each(&mut take)?;
                    }
                    Some(_) => return None,
                    None => take(Edn::Map(entries))?,
                }
            }
            _ => return None,
        }
    }
    Some(events)
}

/// The events of trees of JSON.
fn plain_json(text: &[u8]) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    let mut take = |tree: Value| -> Option<()> {
        let Value::Object(mut fields) = tree else { return None };
        let kind = serde_json::from_value::<EventKind>(fields.remove("type")?).ok()?;
        let process = fields.remove("process").map(serde_json::from_value).transpose().ok()?;
        let word = |value: Option<Value>| match value {
            None => Some(None),
            Some(Value::String(word)) => Some(Some(word)),
            Some(_) => None,
        };
        events.push(Event {
            index: events.len() as u64,
            time_ns: match fields.remove("time") {
                None => 0,
                Some(time) => time.as_u64().or(time.as_i64().map(|_| 0))?,
            },
            process: process.unwrap_or(Process::Client(0)),
            kind,
            f: word(fields.remove("f"))?.unwrap_or_default().into(),
            value: fields.remove("value").unwrap_or_default(),
            error: None,
            node: word(fields.remove("node"))?,
        });
        Some(())
    };
    for tree in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        match tree.ok()? {
            Value::Array(all) => all.into_iter().try_for_each(&mut take)?,
            Value::Object(mut fields) => match fields.remove("history") {
                Some(Value::Array(all)) => all.into_iter().try_for_each(&mut take)?,
                _ => take(Value::Object(fields))?,
            },
            _ => return None,
        }
    }
    Some(events)
}

/// The events alone, of a text that was read to its end.
fn events((events, failure, _): Read) -> Option<Vec<Event>> {
    failure.is_none().then(|| events.into_iter().map(|(_, event)| event).collect())
}

#[test]
fn a_tree_of_the_whole_text_has_the_same_events() {
    let mut found = BTreeMap::new();
    for (format, plain) in [
        (Format::Edn, plain_edn as fn(&[u8]) -> Option<Vec<Event>>),
        (Format::Json, plain_json),
        (Format::JsonLines, plain_json),
    ] {
        let mut random = Random(ChaCha8Rng::seed_from_u64(1));
        for _ in 0..HISTORIES {
            let text = random.history(format);
            let expected = plain(&text);
            let shown = || String::from_utf8_lossy(&text).into_owned();
            assert!(expected.is_some(), "{}", shown());
            assert_eq!(events(read(format, &text, WHOLE)), expected, "{}", shown());
            *found.entry(format.name()).or_insert(0) += expected.map_or(0, |events| events.len());
        }
    }
    assert!(found.values().all(|&events| events > 500), "{found:?}");
}

/// What is no EDN is refused, and what both read is the same. Fields of other kinds only the readers know.
#[test]
fn broken_texts_are_refused_or_read_as_their_tree() {
    let (mut refused, mut same) = (0, 0);
    let mut random = Random(ChaCha8Rng::seed_from_u64(2));
    for _ in 0..HISTORIES {
        let text = random.history(Format::Edn);
        let text = random.broken(text);
        let (tree, ours) = (plain_edn(&text), events(read(Format::Edn, &text, WHOLE)));
        let shown = String::from_utf8_lossy(&text);
        // Keys beside the history are passed over, though they be there twice.
        let is_edn = edn::parse(&text).map_or_else(|e| e.message.contains("duplicate"), |_| true);
        assert!(is_edn || ours.is_none(), "{shown}");
        refused += u32::from(ours.is_none());
        if tree.is_some() && ours.is_some() {
            assert_eq!(ours, tree, "{shown}");
            same += 1;
        }
    }
    assert!(refused > 150 && same > 50, "{refused} refused, {same} the same");
}

#[test]
fn blocks_and_threads_make_no_difference() {
    let (mut failures, mut whole) = (0, 0);
    for (seed, format) in
        (3..).zip([Format::Edn, Format::Json, Format::JsonLines, Format::JepsenLog])
    {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        for round in 0..HISTORIES / 4 {
            let mut text = if format == Format::JepsenLog {
                let line = |random: &mut Random| match random.below(4) {
                    0 => "starting\n".to_owned(),
                    1 => "\n".to_owned(),
                    _ => format!(
                        "INFO - 0 :invoke :f {}\n",
                        random.edn(2).replace('\n', " ").replace(';', "")
                    ),
                };
                (0..8).map(|_| line(&mut random)).collect::<String>().into_bytes()
            } else {
                random.history(format)
            };
            if round % 2 == 1 {
                text = random.broken(text);
            }
            let expected = read(format, &text, WHOLE);
            failures += u32::from(expected.1.is_some());
            whole += u32::from(expected.1.is_none());
            for block_bytes in [1, 7, 40, 200] {
                for threads in [1, 3] {
                    let found = read(format, &text, Reading { threads, block_bytes });
                    let shown = String::from_utf8_lossy(&text);
                    assert_eq!(
                        found, expected,
                        "{threads} threads, blocks of {block_bytes}: {shown}"
                    );
                }
            }
        }
    }
    assert!(failures > 60 && whole > 250, "{failures} failures, {whole} read to the end");
}

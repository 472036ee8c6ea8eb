//! How fast histories are read, in bytes a second: `cargo bench -p history`.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::fmt::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use history::{Events, Format, Pairing};

/// Operations in each history: about 20 MB.
const OPERATIONS: u64 = 100_000;

/// A register that twenty clients read, write and compare-and-set, one event a line.
fn history(format: Format) -> String {
    let mut text = String::new();
    for operation in 0..OPERATIONS {
        let process = operation % 20;
        let (f, asked, answered) = match operation % 3 {
            0 => ("read", "nil".to_owned(), operation.to_string()),
            1 => ("write", operation.to_string(), operation.to_string()),
            _ => {
                let pair = format!("[{} {operation}]", operation - 1);
                ("cas", pair.clone(), pair)
            }
        };
        for (event, kind, value) in [(0, "invoke", &asked), (1, "ok", &answered)] {
            let index = 2 * operation + event;
            let time = 10_474_104_701 + 53_419 * index;
            event_line(&mut text, format, index, time, process, kind, f, value);
        }
    }
    text
}

#[allow(clippy::too_many_arguments, reason = "the fields of an event")]
fn event_line(
    text: &mut String,
    format: Format,
    index: u64,
    time: u64,
    process: u64,
    kind: &str,
    f: &str,
    value: &str,
) {
    let json = || value.replace(' ', ",").replace("nil", "null");
    let written = match format {
        Format::Edn => writeln!(
            text,
            "{{:type :{kind}, :f :{f}, :value {value}, :process {process}, :time {time}, :index {index}}}"
        ),
        Format::PorcupineKv => writeln!(
            text,
            "{{:process {process}, :type :{kind}, :f :{f}, :key \"{}\", :value \"{index}\"}}",
            index % 10
        ),
        Format::JepsenLog => {
            writeln!(text, "INFO  jepsen.util - {process}\t:{kind}\t:{f}\t{value}")
        }
        Format::Json | Format::JsonLines => writeln!(
            text,
            "{{\"index\":{index},\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{}}}",
            json()
        ),
    };
    written.expect("writing to a string cannot fail");
}

fn read(criterion: &mut Criterion) {
    for paired in [false, true] {
        let name = if paired { "read and pair" } else { "read" };
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for format in Format::ALL {
            let text = history(format);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(format.name(), |bencher| {
                bencher.iter(|| {
                    let mut pairing = Pairing::default();
                    let mut count = 0_u64;
                    for located in Events::new(text.as_bytes(), format) {
                        let event = located.expect("a history that is right").event;
                        count += event.index & 1;
                        if paired {
                            pairing.add(event).expect("one operation at a time");
                        }
                    }
                    (count, pairing.finish())
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, read);
criterion_main!(benches);

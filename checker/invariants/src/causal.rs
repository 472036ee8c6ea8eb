//! No read returns what its own causes have overwritten.
//!
//! `write` writes a value, `read` (or `read-init`) gives the last one; with `[key value]` as value there are many
//! registers, otherwise one. An operation is caused by those before it in its process, and a read by the write it read.
//! These are the bad patterns of causal consistency for values that are written once: Bouajjani, Enea, Guerraoui and
//! Hamza, "On verifying causal consistency", POPL 2017, §3.

use history::{
    Completion, Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{misfit, only, pair, returned};

/// The most numbers that the clocks of all writes may hold: 256 MB.
const CLOCK_NUMBERS: usize = 64 << 20;

/// Of each process, how many of its writes are in the causal past.
type Clock = Vec<u32>;

struct Write<'a> {
    operation: &'a Operation,
    process: usize,
    /// Its place among the writes of its process, from 1.
    number: u32,
    /// Its causal past, itself included.
    clock: Clock,
}

/// Why a value cannot be where it was seen.
struct Impossible<'a> {
    kind: &'static str,
    writer: Option<&'a Operation>,
    why: String,
}

/// Everything known so far, in an order in which causes come first.
#[derive(Default)]
struct Past<'a> {
    /// Who wrote each value, or tried to.
    writers: FxHashMap<(&'a Value, &'a Value), &'a Operation>,
    writes: Vec<Write<'a>>,
    /// By the event of their invocation.
    places: FxHashMap<u64, usize>,
    /// Of each register, by process, its writes in order.
    registers: FxHashMap<&'a Value, Vec<(usize, Vec<usize>)>>,
    /// The clock of each process.
    clocks: Vec<Clock>,
}

/// No read may return a value that was overwritten in its causal past, or that nobody wrote.
///
/// A register begins with nil, or with 0 where nobody writes that.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["read", "read-init", "write"])?;
    let has_keys = operations.iter().all(|operation| pair(&operation.arguments).is_some());
    let split = |value| {
        if has_keys { pair(value).unwrap_or((&Value::Null, value)) } else { (&Value::Null, value) }
    };
    let mut processes: FxHashMap<u64, usize> = FxHashMap::default();
    for operation in operations {
        let next = processes.len();
        processes.entry(operation.process).or_insert(next);
    }
    if processes.len().saturating_mul(processes.len()) > CLOCK_NUMBERS {
        return Err(format!("{} processes are more than this check can hold.", processes.len()));
    }
    let mut past =
        Past { clocks: vec![vec![0; processes.len()]; processes.len()], ..Past::default() };
    for write in operations.iter().filter(|operation| operation.f == "write") {
        past.premise(write, split(&write.arguments))?;
    }
    if past.writers.len().saturating_mul(processes.len()) > CLOCK_NUMBERS {
        return Err(format!(
            "{} writes by {} processes are more than this check can hold.",
            past.writers.len(),
            processes.len()
        ));
    }
    let mut findings = Findings::default();
    let mut reads = 0_usize;
    for operation in causes_first(operations) {
        let process = processes[&operation.process];
        if operation.f == "write" {
            past.write(operation, split(&operation.arguments).0, process);
        } else if let Some(result) = operation.result() {
            let key = split(&operation.arguments).0;
            let value =
                if has_keys { pair(result).map_or(result, |(_, value)| value) } else { result };
            if value.is_array() {
                return Err(misfit(operation, result, "one value"));
            }
            reads += 1;
            past.read(operation, (key, value), process, &mut findings);
        }
    }
    let untested = match (reads, past.writes.len()) {
        (0, _) => Some("No read succeeded.".to_owned()),
        (_, 0) => Some("Nothing was written.".to_owned()),
        _ => None,
    };
    let writes = counted(past.writes.len(), "write");
    let checked =
        format!("{} of {writes} must return nothing that was overwritten.", counted(reads, "read"));
    Ok(Judgement::of(findings, &checked, untested).with_statistics(
        json!({ "reads": reads, "writes": past.writes.len(), "processes": processes.len() }),
    ))
}

/// Writes at their invocation, reads at their return: what a read returned was invoked before that.
fn causes_first(operations: &[Operation]) -> Vec<&Operation> {
    let mut ordered: Vec<&Operation> =
        operations.iter().filter(|o| !matches!(o.completion, Completion::Fail(..))).collect();
    ordered.sort_by_key(|operation| match operation.f.as_str() {
        "write" => operation.call,
        _ => returned(operation).unwrap_or(u64::MAX),
    });
    ordered
}

impl<'a> Past<'a> {
    /// No value may be written twice to a register: a read could not tell which of them it saw.
    fn premise(
        &mut self,
        write: &'a Operation,
        place: (&'a Value, &'a Value),
    ) -> Result<(), String> {
        self.writers.insert(place, write).map_or(Ok(()), |first| {
            let (first, second, value) = (who(first), who(write), shown(place.1));
            Err(format!(
                "Values must be written once, but {first} and {second} both write {value}."
            ))
        })
    }

    fn write(&mut self, operation: &'a Operation, key: &'a Value, process: usize) {
        let own = &mut self.clocks[process];
        own[process] += 1;
        let (number, clock) = (own[process], own.clone());
        let place = self.writes.len();
        self.places.insert(operation.call, place);
        let register = self.registers.entry(key).or_default();
        match register.iter_mut().find(|(of, _)| *of == process) {
            Some((_, writes)) => writes.push(place),
            None => register.push((process, vec![place])),
        }
        self.writes.push(Write { operation, process, number, clock });
    }

    fn read(
        &mut self,
        reader: &'a Operation,
        place: (&'a Value, &'a Value),
        process: usize,
        findings: &mut Findings,
    ) {
        let saw = || format!("{} saw {}", who(reader), shown(place.1));
        let source = match self.source(place) {
            Ok(source) => source,
            Err(Impossible { kind, writer, why }) => {
                let proof = std::iter::once(reader).chain(writer).map(|operation| operation.call);
                return findings.add(kind, proof, || format!("{}, {why}", saw()));
            }
        };
        if let Some(source) = source {
            for (known, caused) in self.clocks[process].iter_mut().zip(&self.writes[source].clock) {
                *known = (*known).max(*caused);
            }
        }
        let source = source.map(|source| &self.writes[source]);
        let Some(between) = self.overwriting(place.0, source, process) else { return };
        let source = source.map(|source| source.operation);
        let proof = source.into_iter().chain([between.operation, reader]);
        findings.add("overwritten value read", proof.map(|operation| operation.call), || {
            let value = source
                .map_or("the initial value".to_owned(), |by| format!("the value of {}", who(by)));
            let by = who(between.operation);
            format!(
                "{}, {value}, which {by} had overwritten in the causal past of that read",
                saw()
            )
        });
    }

    /// The write that a value comes from; `None` where the register holds it from the beginning.
    fn source(&self, place: (&'a Value, &'a Value)) -> Result<Option<usize>, Impossible<'a>> {
        let Some(writer) = self.writers.get(&place).copied() else {
            let initial = place.1.is_null() || place.1.as_i64() == Some(0);
            let why = "which nobody wrote".to_owned();
            let phantom = Impossible { kind: "phantom value", writer: None, why };
            return if initial { Ok(None) } else { Err(phantom) };
        };
        if let Some(known) = self.places.get(&writer.call) {
            return Ok(Some(*known));
        }
        let (kind, rest) = match writer.completion {
            Completion::Fail(..) => ("aborted read", "which failed and never happened"),
            Completion::Ok(..) | Completion::Info(_) => {
                ("read from the future", "which had not begun when that read returned")
            }
        };
        let why = format!("the value of {}, {rest}", who(writer));
        Err(Impossible { kind, writer: Some(writer), why })
    }

    /// A write to this register that the process knows of and that comes after `source`, or after the beginning.
    fn overwriting(
        &self,
        key: &Value,
        source: Option<&Write<'a>>,
        process: usize,
    ) -> Option<&Write<'a>> {
        let clock = &self.clocks[process];
        let latest = |(by, writes): &(usize, Vec<usize>)| {
            let known = writes.partition_point(|&write| self.writes[write].number <= clock[*by]);
            known.checked_sub(1).map(|at| &self.writes[writes[at]])
        };
        let after = |write: &&Write<'a>| {
            source.is_none_or(|source| {
                write.operation.call != source.operation.call
                    && write.clock[source.process] >= source.number
            })
        };
        // What follows a write in its process has all causes of that write.
        self.registers.get(key)?.iter().filter_map(latest).find(after)
    }
}

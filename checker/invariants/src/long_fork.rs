//! Readers of a group of keys agree on the order in which the keys were written.
//!
//! `write` transactions `[[:w k v]]` write one key each, once; `read` transactions `[[:r k v] …]` read a whole group,
//! nil for what is not written yet (both may also be called `txn`). Of two reads of a group, one must have seen all
//! that the other saw. If neither did, each saw a write before that of the other: a long fork, which parallel snapshot
//! isolation allows (Sovran et al., "Transactional storage for geo-replicated systems", SOSP 2011, §3) and snapshot
//! isolation does not.

use std::collections::BTreeMap;

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{failed, misfit, only};

/// One read of a group.
struct Read<'a> {
    operation: &'a Operation,
    /// The keys that it saw written, by number, sorted.
    seen: Vec<usize>,
}

/// A micro-operation.
enum Step<'a> {
    Read(&'a Value, &'a Value),
    Write(&'a Value, &'a Value),
}

/// The keys of the history, their one value each, and the reads by the keys that they asked for.
#[derive(Default)]
struct Recorded<'a> {
    numbers: FxHashMap<&'a Value, usize>,
    keys: Vec<&'a Value>,
    writes: FxHashMap<&'a Value, &'a Operation>,
    /// The value of each key that was seen, and by whom.
    values: FxHashMap<&'a Value, (&'a Value, &'a Operation)>,
    groups: BTreeMap<Vec<usize>, Vec<Read<'a>>>,
}

/// The reads of each group must form a chain.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["txn", "read", "write"])?;
    let mut recorded = Recorded::default();
    let mut findings = Findings::default();
    for operation in operations.iter().filter(|operation| !failed(operation)) {
        recorded.add_write(operation)?;
    }
    for operation in operations {
        recorded.add_read(operation, &mut findings)?;
    }
    let reads: usize = recorded.groups.values().map(Vec::len).sum();
    let mut partial = 0;
    for (group, reads) in &mut recorded.groups {
        partial +=
            reads.iter().filter(|r| !r.seen.is_empty() && r.seen.len() < group.len()).count();
        check_chain(&recorded.keys, reads, &mut findings);
    }
    let untested = (partial == 0).then(|| {
        "No read saw a group of which a part was written, so no fork could show.".to_owned()
    });
    let groups = counted(recorded.groups.len(), "group");
    let checked = format!(
        "{} of {groups}, {partial} of them of a group half-written, must form a chain.",
        counted(reads, "read")
    );
    Ok(Judgement::of(findings, &checked, untested).with_statistics(
        json!({ "reads": reads, "partial_reads": partial, "groups": recorded.groups.len() }),
    ))
}

impl<'a> Recorded<'a> {
    fn add_write(&mut self, operation: &'a Operation) -> Result<(), String> {
        let steps = steps(operation, &operation.arguments)?;
        let [Step::Write(key, _)] = steps[..] else {
            let reads_only = steps.iter().all(|step| matches!(step, Step::Read(..)));
            let expected = "either one write or nothing but reads";
            return if reads_only {
                Ok(())
            } else {
                Err(misfit(operation, &operation.arguments, expected))
            };
        };
        self.writes.insert(key, operation).map_or(Ok(()), |first| {
            let (first, second) = (who(first), who(operation));
            Err(format!(
                "Keys must be written once, but {first} and {second} both write {}.",
                shown(key)
            ))
        })
    }

    fn add_read(
        &mut self,
        operation: &'a Operation,
        findings: &mut Findings,
    ) -> Result<(), String> {
        let Some(result) = operation.result() else { return Ok(()) };
        let (mut group, mut seen) = (Vec::new(), Vec::new());
        for step in steps(operation, result)? {
            let Step::Read(key, value) = step else { return Ok(()) };
            let number = self.number(key);
            group.push(number);
            if value.is_null() {
                continue;
            }
            seen.push(number);
            self.check_value(operation, key, value, findings)?;
        }
        group.sort_unstable();
        seen.sort_unstable();
        self.groups.entry(group).or_default().push(Read { operation, seen });
        Ok(())
    }

    fn number(&mut self, key: &'a Value) -> usize {
        *self.numbers.entry(key).or_insert_with(|| {
            self.keys.push(key);
            self.keys.len() - 1
        })
    }

    /// A key has the value that was written to it. Where no writes are recorded at all, every value counts as written.
    fn check_value(
        &mut self,
        reader: &'a Operation,
        key: &'a Value,
        value: &'a Value,
        findings: &mut Findings,
    ) -> Result<(), String> {
        let (first, other) = *self.values.entry(key).or_insert((value, reader));
        if self.writes.is_empty() {
            return if first == value {
                Ok(())
            } else {
                let (first, second) = (who(other), who(reader));
                Err(format!(
                    "Keys must be written once, but {first} and {second} saw different values of {}.",
                    shown(key)
                ))
            };
        }
        let writer = self.writes.get(key).copied();
        let written = writer.and_then(|writer| match steps(writer, &writer.arguments).ok()?[..] {
            [Step::Write(_, value)] => Some(value),
            _ => None,
        });
        if written != Some(value) {
            let proof = std::iter::once(reader).chain(writer).map(|operation| operation.call);
            findings.add("phantom value", proof, || {
                format!(
                    "{} saw {} in {}, which nobody wrote there",
                    who(reader),
                    shown(value),
                    shown(key)
                )
            });
        }
        Ok(())
    }
}

/// Sorted by how much they saw, each must have seen all that the one before saw: then so did all of them.
fn check_chain(keys: &[&Value], reads: &mut [Read<'_>], findings: &mut Findings) {
    reads.sort_by_key(|read| read.seen.len());
    for both in reads.windows(2) {
        let [less, more] = both else { continue };
        let lacks = |read: &Read<'_>, key: &usize| read.seen.binary_search(key).is_err();
        let Some(only_less) = less.seen.iter().find(|key| lacks(more, key)) else { continue };
        let Some(only_more) = more.seen.iter().find(|key| lacks(less, key)) else { continue };
        let (x, y) = (shown(keys[*only_less]), shown(keys[*only_more]));
        findings.add("long fork", [less.operation.call, more.operation.call], || {
            let (one, other) = (who(less.operation), who(more.operation));
            format!("{one} saw the write of {x} but not that of {y}, {other} that of {y} but not that of {x}")
        });
    }
}

fn steps<'a>(operation: &Operation, value: &'a Value) -> Result<Vec<Step<'a>>, String> {
    let step = |step: &'a Value| match step.as_array()?.as_slice() {
        [function, key, value] => match function.as_str()?.trim_start_matches(':') {
            "r" | "read" => Some(Step::Read(key, value)),
            "w" | "write" => Some(Step::Write(key, value)),
            _ => None,
        },
        _ => None,
    };
    let steps = value.as_array().and_then(|steps| steps.iter().map(step).collect());
    steps.ok_or_else(|| misfit(operation, value, "a transaction [[:r k v] [:w k v] …]"))
}

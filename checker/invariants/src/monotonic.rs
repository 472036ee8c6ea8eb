//! Values and timestamps grow together.
//!
//! `add` reads the greatest value, inserts a row with the next one, and gives the row
//! `{:val 5 :sts 123 …}` with its transaction's timestamp; `read` gives all rows. The successful read that began last is
//! the final one.

use history::{
    Findings, Operation,
    words::{counted, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{collection, field, integer, misfit, only, precedes, succeeded};

#[derive(Clone, Copy)]
struct Row {
    value: i128,
    timestamp: i128,
}

/// Ordered by timestamp, the values of the final read must grow; none may be there twice, and none that was added
/// before that read may be missing.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["add", "read"])?;
    let last = succeeded(operations, "read").rfind(|(_, value)| !value.is_null());
    let mut findings = Findings::default();
    let Some((read, value)) = last else {
        return Ok(Judgement::of(findings, "", Some("The rows were never read.".to_owned())));
    };
    let rows = collection(value).ok_or_else(|| misfit(read, value, "a collection of rows"))?;
    let mut rows: Vec<Row> = rows.iter().map(|value| row(read, value)).collect::<Result<_, _>>()?;
    let adds = succeeded(operations, "add").map(|(add, value)| Ok((add, row(add, value)?.value)));
    let adds: Vec<(&Operation, i128)> = adds.collect::<Result<_, String>>()?;
    let adders: FxHashMap<i128, &Operation> =
        adds.iter().map(|(add, value)| (*value, *add)).collect();
    rows.sort_unstable_by_key(|row| (row.timestamp, row.value));
    check_order(read, &rows, &adders, &mut findings);
    let values: FxHashMap<i128, Row> = rows.iter().map(|row| (row.value, *row)).collect();
    for (add, value) in adds.iter().filter(|(add, _)| precedes(add, read)) {
        if !values.contains_key(value) {
            findings.add("lost element", [add.call, read.call], || {
                format!("{} had added {value}, yet {} did not see it", who(add), who(read))
            });
        }
    }
    let untested = (rows.len() < 2).then(|| "The final read saw less than two rows.".to_owned());
    let checked = format!(
        "{} of the final read must grow with their timestamps.",
        counted(rows.len(), "row")
    );
    Ok(Judgement::of(findings, &checked, untested)
        .with_statistics(json!({ "rows": rows.len(), "added": adds.len() })))
}

fn row(operation: &Operation, value: &Value) -> Result<Row, String> {
    let number = |name| field(value, name).and_then(integer);
    number("val")
        .zip(number("sts"))
        .map(|(value, timestamp)| Row { value, timestamp })
        .ok_or_else(|| misfit(operation, value, "a row with whole numbers `val` and `sts`"))
}

/// Rows with the same timestamp have no order among themselves.
fn check_order(
    read: &Operation,
    rows: &[Row],
    adders: &FxHashMap<i128, &Operation>,
    findings: &mut Findings,
) {
    let mut greatest: Option<Row> = None;
    let mut seen: FxHashMap<i128, usize> = FxHashMap::default();
    for together in rows.chunk_by(|a, b| a.timestamp == b.timestamp) {
        for row in together {
            let copies = seen.entry(row.value).or_default();
            *copies += 1;
            let adder = adders.get(&row.value).copied();
            if *copies > 1 {
                let proof = std::iter::once(read).chain(adder).map(|operation| operation.call);
                findings.add("duplicated element", proof, || {
                    format!("{} saw two rows with the value {}", who(read), row.value)
                });
            } else if let Some(earlier) = greatest.filter(|earlier| earlier.value > row.value) {
                let other = adders.get(&earlier.value).copied();
                let proof = std::iter::once(read).chain(other).chain(adder);
                findings.add("values out of order", proof.map(|operation| operation.call), || {
                    format!(
                        "{} saw {} at timestamp {} and then {} at timestamp {}",
                        who(read),
                        earlier.value,
                        earlier.timestamp,
                        row.value,
                        row.timestamp
                    )
                });
            }
        }
        let last = together.last().copied();
        greatest = greatest.into_iter().chain(last).max_by_key(|row| row.value);
    }
}

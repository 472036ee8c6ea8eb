//! The configurations of a shard controller follow one another, each made by one change, balanced, and with no shard
//! moved needlessly.
//!
//! `join` adds replica groups with their servers, `leave` removes some, `move` gives one shard to a group: each that
//! succeeds makes one configuration, numbered by one more than the latest. `query` gives the configuration of a number,
//! or the latest for a negative number and for one beyond it. Configuration 0 has no groups.
//!
//! A join of a group that is there, a leave of one that is not, and a move to one that is not or that owns the shard already
//! are to be refused ([`refusals`]). In which order the servers of a group are named does not matter.
//!
//! What is certain of the moment at which each configuration was made comes from the queries and from how many changes
//! were asked for and acknowledged ([`windows`]). Where two configurations in a row were seen, so was the change between
//! them ([`contents`]). Each acknowledged change must then have made a configuration, and each configuration must have
//! been made by a change ([`causes`]). What several changes between two seen configurations can come to together is not
//! looked at.

mod causes;
mod contents;
mod matching;
mod reading;
mod refusals;
mod steps;
mod windows;

use history::{Findings, Operation, words::counted};
use serde_json::json;

use self::causes::Causes;
use self::contents::Contents;
use self::windows::Windows;
use crate::judgement::Judgement;
use crate::shape::{only, returned};

/// All queries must be explained by one row of configurations, and all acknowledged changes must be in it.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["join", "leave", "move", "query"])?;
    let attempts = reading::attempts(operations)?;
    let mut queries = reading::queries(operations)?;
    let asked = queries.len();
    let mut findings = Findings::default();
    windows::keep_possible(&mut queries, &attempts, &mut findings);
    windows::mark_stale(&mut queries, &attempts, &mut findings);
    refusals::report(&attempts, &mut findings);
    let contents = Contents::new(&queries, &mut findings)?;
    let windows = Windows::new(&queries, &attempts);
    let highest = windows.highest();
    let steps = contents.steps(highest, &mut findings);
    let known = steps.known.iter().flatten().count();
    let too_much = Causes::new(&attempts, &steps.known, windows).report(&contents, &mut findings);

    let acknowledged = attempts.iter().filter(|attempt| returned(attempt.operation).is_some());
    let acknowledged = acknowledged.count();
    let untested = match (asked, acknowledged) {
        (0, _) => Some("No query succeeded, so no configuration was seen.".to_owned()),
        (_, 0) => Some("No join, leave or move succeeded.".to_owned()),
        _ => too_much,
    };
    let checked = format!(
        "{} saw {}, with numbers up to {highest}: each of {} from one to the next must be one right change, and {} must \
         have made one each.",
        if asked == 1 { "1 query".to_owned() } else { format!("{asked} queries") },
        counted(contents.count(), "configuration"),
        counted(known, "step"),
        counted(acknowledged, "acknowledged change"),
    );
    Ok(Judgement::of(findings, &checked, untested).with_statistics(json!({
        "queries": asked, "configurations": contents.count(), "highest": highest,
        "changes": acknowledged, "changes_in_doubt": attempts.len() - acknowledged,
        "steps": known, "shards_moved": steps.shards_moved,
    })))
}

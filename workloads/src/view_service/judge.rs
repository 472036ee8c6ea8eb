//! One result a script: what a student reads first.

use std::collections::BTreeSet;

use contract::View;
use history::{CheckResult, Findings, Operation, words::counted};

use super::{
    NAMED, Named,
    follow::{Outcome, follow},
    record::{self, Act, End, Played},
    why::{Broken, name},
};

/// The name of the result of all random scripts.
pub const RANDOM: &str = "random-scripts";
/// The name of the result that says whether enough was seen.
const EVIDENCE: &str = "evidence";
/// So many views are told of a script.
const VIEWS_TOLD_MAX: usize = 12;
/// So many changes of the view must have been seen, at least.
const CHANGES_MIN: usize = 10;

/// What the scripts of a record come to.
#[derive(Clone, Debug)]
pub struct Scripts {
    /// One result a named script that was played, one for all random ones, and one that says whether enough was seen.
    pub checks: Vec<CheckResult>,
    /// How many scripts were played.
    pub scripts: usize,
    /// How many requests were answered.
    pub answers: usize,
    /// How often the view changed.
    pub changes: usize,
}

/// Judges the record of some scripts, its operations alone.
///
/// # Errors
/// What in it is no record of scripts.
pub fn judge(operations: &[Operation]) -> Result<Scripts, String> {
    let played = record::read(operations)?;
    let judged: Vec<Judged> = played.iter().map(Judged::of).collect();
    let of = |name: &str| judged.iter().filter(|one| one.name == name).collect::<Vec<_>>();
    let mut checks: Vec<CheckResult> =
        NAMED.iter().filter_map(|named| of_named(named, &of(named.name))).collect();
    let is_named = |one: &&Judged| NAMED.iter().any(|named| named.name == one.name);
    let random: Vec<&Judged> = judged.iter().filter(|one| !is_named(one)).collect();
    if !random.is_empty() {
        checks.push(of_random(&random));
    }
    let changes = judged.iter().map(Judged::changes).sum();
    checks.push(evidence(&judged, random.len(), changes));
    let answers = played.iter().flat_map(|script| &script.acts).filter(|act| act.end.is_some());
    Ok(Scripts { checks, scripts: played.len(), answers: answers.count(), changes })
}

/// What came of one script.
struct Judged {
    name: String,
    broken: Option<Broken>,
    is_undecided: bool,
    /// The first request that was not answered.
    unanswered: Option<String>,
    /// Each view as it was told, in that order.
    views: Vec<View>,
}

impl Judged {
    fn of(script: &Played) -> Self {
        let unanswered = script.acts.iter().find(|act| act.end.is_none()).map(Act::who);
        let name = script.script.clone();
        let mut ends: Vec<&End> = script.acts.iter().filter_map(|act| act.end.as_ref()).collect();
        ends.sort_by_key(|end| end.index);
        let mut views: Vec<View> = ends.into_iter().map(|end| end.view.clone()).collect();
        views.dedup();
        let (broken, is_undecided) = match follow(script) {
            Outcome::Right => (None, false),
            Outcome::Wrong(broken) => (Some(broken), false),
            Outcome::Undecided => (None, true),
        };
        Self { name, broken, is_undecided, unanswered, views }
    }

    /// How often the view changed, as was told.
    fn changes(&self) -> usize {
        let nums: BTreeSet<u64> = self.views.iter().map(|view| view.num).collect();
        nums.into_iter().filter(|num| *num > 0).count()
    }

    /// Why nothing can be said of it, though no answer was wrong.
    fn lack(&self) -> Option<String> {
        let why = if let Some(who) = &self.unanswered {
            format!("{who} got no answer")
        } else if self.is_undecided {
            "there were too many possibilities to follow".to_owned()
        } else {
            return None;
        };
        Some(why)
    }

    fn add_to(&self, findings: &mut Findings) {
        if let Some(Broken { kind, sentence, proof }) = &self.broken {
            let script = history::words::cut(&self.name, 40);
            findings.add(kind, proof.iter().copied(), || {
                format!("in the script `{script}`, {sentence}")
            });
        }
    }

    /// `Views: 1 (n1, no backup), 2 (n1, n2).`
    fn views(&self) -> String {
        let short = |view: &View| match (&view.primary, &view.backup) {
            (Some(primary), Some(backup)) => {
                format!("{} ({}, {})", view.num, name(primary), name(backup))
            }
            (Some(primary), None) => format!("{} ({}, no backup)", view.num, name(primary)),
            (None, _) => format!("{} (nobody)", view.num),
        };
        let is_only = self.views.len() == 1;
        let told = self.views.iter().filter(|view| view.num > 0 || is_only).map(short);
        let mut told: Vec<String> = told.take(VIEWS_TOLD_MAX + 1).collect();
        if told.len() > VIEWS_TOLD_MAX {
            told[VIEWS_TOLD_MAX] = "…".to_owned();
        }
        if told.is_empty() {
            "No view was told.".to_owned()
        } else {
            format!("Views: {}.", told.join(", "))
        }
    }
}

/// `None`: the script was not played. It may have been played again, where it did not come to its end.
fn of_named(named: &Named, tries: &[&Judged]) -> Option<CheckResult> {
    let last = tries.last()?;
    let mut findings = Findings::default();
    tries.iter().for_each(|judged| judged.add_to(&mut findings));
    let views = last.views();
    if !findings.is_empty() {
        return Some(findings.into_result(named.name, &views));
    }
    let inconclusive = |why: String| {
        CheckResult::inconclusive(named.name, format!("`{}` is not decided: {why}", named.name))
    };
    if let Some(lack) = tries.iter().find_map(|judged| judged.lack()) {
        return Some(inconclusive(format!("{lack}.")));
    }
    let is_whole = last.views.last().is_some_and(|latest| named.has_come_to_its_end(latest));
    Some(if is_whole {
        CheckResult::valid(named.name, views)
    } else {
        let times = counted(tries.len(), "time");
        inconclusive(format!(
            "no answer was wrong, but the script did not come to its end, {times}. {views}"
        ))
    })
}

fn of_random(random: &[&Judged]) -> CheckResult {
    let mut findings = Findings::default();
    random.iter().for_each(|judged| judged.add_to(&mut findings));
    let changes = random.iter().map(|judged| judged.changes()).sum::<usize>();
    let scripts = counted(random.len(), "random script");
    let checked = format!(
        "Servers fell silent, restarted, came back and acknowledged late: {scripts}, {}.",
        counted(changes, "view")
    );
    match random.iter().find_map(|judged| judged.lack()) {
        Some(lack) if findings.is_empty() => {
            CheckResult::inconclusive(RANDOM, format!("{checked} Not decided: {lack}."))
        }
        _ => findings.into_result(RANDOM, &checked),
    }
}

/// What was not played was not tested.
fn evidence(judged: &[Judged], random: usize, changes: usize) -> CheckResult {
    let is_missing = |named: &&Named| !judged.iter().any(|one| one.name == named.name);
    let missing: Vec<&str> = NAMED.iter().filter(is_missing).map(|named| named.name).collect();
    let mut lacks = Vec::new();
    if !missing.is_empty() {
        lacks.push(format!(
            "these scripts were not played: {}; give the run more time",
            missing.join(", ")
        ));
    }
    if random == 0 {
        lacks.push("no random script was played; give the run more time".to_owned());
    }
    if changes < CHANGES_MIN {
        lacks.push(format!("{} told, of at least {CHANGES_MIN}", counted(changes, "view")));
    }
    if lacks.is_empty() {
        let sentence = format!(
            "All {} scripts of the courses and {} were played; {} told.",
            NAMED.len(),
            counted(random, "random one"),
            counted(changes, "view")
        );
        return CheckResult::valid(EVIDENCE, sentence);
    }
    CheckResult::inconclusive(EVIDENCE, format!("Too little was seen: {}.", lacks.join("; ")))
}

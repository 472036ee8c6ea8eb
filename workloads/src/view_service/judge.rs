//! One result a script: what a student reads first.

use history::{CheckResult, Findings, Operation, words::counted};

use super::{
    NAMED, Named,
    follow::{Outcome, follow},
    record::{self, Act, Played},
    why::{Broken, shown},
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
        NAMED.iter().filter_map(|named| of_named(named, of(named.name).first()?)).collect();
    let is_named = |one: &&Judged| NAMED.iter().any(|named| named.name == one.name);
    let random: Vec<&Judged> = judged.iter().filter(|one| !is_named(one)).collect();
    if !random.is_empty() {
        checks.push(of_random(&random));
    }
    let changes = judged.iter().map(|one| one.changes).sum();
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
    views: Vec<contract::View>,
    changes: usize,
}

impl Judged {
    fn of(script: &Played) -> Self {
        let unanswered = script.acts.iter().find(|act| act.end.is_none()).map(Act::who);
        let name = script.script.clone();
        let told = script.acts.iter().filter_map(|act| Some(&act.end.as_ref()?.view));
        let mut nums: Vec<u64> = told.map(|view| view.num).collect();
        nums.sort_unstable();
        nums.dedup();
        let mut judged = Self {
            name,
            broken: None,
            is_undecided: false,
            unanswered,
            views: Vec::new(),
            changes: nums.iter().filter(|num| **num > 0).count(),
        };
        match follow(script) {
            Outcome::Right(views) => judged.views = views.into_iter().cloned().collect(),
            Outcome::Wrong(broken) => judged.broken = Some(broken),
            Outcome::Undecided => judged.is_undecided = true,
        }
        judged
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

    /// `view 1 (primary n1, no backup), …`.
    fn views(&self) -> String {
        let more = if self.views.len() > VIEWS_TOLD_MAX { ", …" } else { "" };
        let views: Vec<String> = self.views.iter().take(VIEWS_TOLD_MAX).map(shown).collect();
        if views.is_empty() { "nothing".to_owned() } else { format!("{}{more}", views.join(", ")) }
    }
}

fn of_named(named: &Named, judged: &Judged) -> Option<CheckResult> {
    let Named { name, about, goal, .. } = named;
    let mut findings = Findings::default();
    judged.add_to(&mut findings);
    if !findings.is_empty() {
        return Some(findings.into_result(name, about));
    }
    if let Some(lack) = judged.lack() {
        return Some(CheckResult::inconclusive(*name, format!("{about} Not decided: {lack}.")));
    }
    let seen = judged.views();
    Some(match judged.views.last() {
        Some(last) if goal.is(last) => CheckResult::valid(*name, format!("{about} Seen: {seen}.")),
        _ => CheckResult::inconclusive(
            *name,
            format!(
                "{about} It did not come to its end, though no answer was wrong. Seen: {seen}."
            ),
        ),
    })
}

fn of_random(random: &[&Judged]) -> CheckResult {
    let mut findings = Findings::default();
    random.iter().for_each(|judged| judged.add_to(&mut findings));
    let changes = random.iter().map(|judged| judged.changes).sum::<usize>();
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

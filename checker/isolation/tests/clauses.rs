//! What a sentence about a cycle says that somebody wrote or read, the history holds.

use checker_testing::isolation::compare::plans;
use checker_testing::isolation::stores::history;
use isolation::{
    CycleStep, Datatype, History, MicroOp, Options, Outcome, Seen, Transaction, check,
};

/// A history, and what may be said of it.
struct Truth<'a>(&'a [Transaction]);

impl Truth<'_> {
    fn of(&self, event: u64) -> &Transaction {
        self.0.iter().find(|txn| txn.call == event).expect("a transaction of the history")
    }

    fn wrote(&self, event: u64, key: &str, shown: &str) -> bool {
        let txn = self.of(event);
        let is_it = |op: &MicroOp| match op {
            MicroOp::Write { key: of, value } => {
                of.to_string() == key && value.to_string() == shown
            }
            MicroOp::Read { .. } => false,
        };
        txn.outcome != Outcome::Fail && txn.micro_ops.iter().any(is_it)
    }

    fn read(&self, event: u64, key: &str, shown: &str) -> bool {
        let is_it = |op: &MicroOp| match op {
            MicroOp::Read { key: of, seen } => of.to_string() == key && is_shown(seen, shown),
            MicroOp::Write { .. } => false,
        };
        self.of(event).micro_ops.iter().any(is_it)
    }

    fn was_read(&self, key: &str, shown: &str) -> bool {
        let ok = self.0.iter().filter(|txn| txn.outcome == Outcome::Ok);
        ok.map(|txn| txn.call).any(|event| self.read(event, key, shown))
    }

    /// The first clause of the reason that the history does not bear out, and how many were looked at.
    fn check(&self, step: &CycleStep) -> Result<usize, String> {
        let Some(key) = &step.key else { return Ok(0) };
        let [from, _] = &step.names;
        let event = |name: &str| if name == from { step.from } else { step.to };
        let mut claims = Vec::new();
        let (said, known) = step.reason.split_once(": ").unwrap_or((&step.reason, ""));
        let verb = [" appended ", " wrote "].into_iter().find(|verb| said.contains(verb));
        if let Some((who, rest)) = verb.and_then(|verb| said.split_once(verb)) {
            let (value, rest) = rest.split_once(" to ").expect("where it was written");
            claims.push((self.wrote(event(who), key, value), said));
            let rest = rest.split_once(" and ").expect("what followed").1;
            match rest.split_once(" then ") {
                Some((who, value)) => claims.push((self.wrote(event(who), key, value), said)),
                None => {
                    let (who, shown) = rest.split_once(" read ").expect("who read it");
                    let shown = if shown == "it" { value } else { shown };
                    claims.push((self.read(event(who), key, shown), said));
                }
            }
        } else {
            let (who, rest) = said.split_once(" read ").expect("who read");
            let (shown, rest) = rest.split_once(" in ").expect("where");
            claims.push((self.read(event(who), key, shown), said));
            let rest = rest.split_once(", without ").expect("what is missing").1;
            let (who, value) = rest.split_once("'s ").expect("whose");
            let value = value.split(',').next().unwrap_or_default();
            claims.push((self.wrote(event(who), key, value), said));
        }
        let bracket = known.find('[').map(|at| &known[at..=known.find(']').expect("its end")]);
        claims.extend(bracket.map(|list| (self.was_read(key, list), known)));
        for said in known.split(" of event ").skip(1) {
            let mut words = said.split([' ', ',']);
            let mut word = || words.next().unwrap_or_default();
            let (event, verb, value) = (word().parse().expect("an event"), word(), word());
            let is_true = match verb {
                "wrote" => self.wrote(event, key, value),
                "read" => self.read(event, key, value),
                _ => false,
            };
            claims.push((is_true, known));
        }
        match claims.iter().find(|(is_true, _)| !is_true) {
            Some((_, clause)) => Err((*clause).to_owned()),
            None => Ok(claims.len()),
        }
    }
}

/// Is this what is shown, of a long list perhaps only parts?
fn is_shown(seen: &Seen, shown: &str) -> bool {
    match seen {
        Seen::Unknown => false,
        Seen::Register(None) => shown == "nil",
        Seen::Register(Some(value)) => value.to_string() == shown,
        Seen::List(list) => {
            let elements: Vec<String> = list.iter().map(ToString::to_string).collect();
            let shown: Vec<&str> = shown.trim_matches(['[', ']']).split_whitespace().collect();
            fits(&elements, &shown)
        }
    }
}

fn fits(elements: &[String], shown: &[&str]) -> bool {
    match (elements, shown) {
        (rest, ["…", shown @ ..]) => (1..=rest.len()).any(|gap| fits(&rest[gap..], shown)),
        ([first, rest @ ..], [word, shown @ ..]) => first == word && fits(rest, shown),
        (elements, shown) => elements.is_empty() && shown.is_empty(),
    }
}

#[test]
fn every_clause_of_a_cycle_is_true_of_the_history() {
    for datatype in Datatype::ALL {
        let (mut clauses, mut wrong) = (0, Vec::new());
        for plan in plans(6).filter(|plan| plan.datatype == datatype) {
            for seed in 0..200 {
                let transactions = history(plan, seed);
                let report = check(
                    &History::from_transactions(datatype, &transactions).unwrap(),
                    &Options::default(),
                );
                let truth = Truth(&transactions);
                for step in report.anomalies.iter().flat_map(|finding| &finding.steps) {
                    match truth.check(step) {
                        Ok(count) => clauses += count,
                        Err(clause) => wrong.push(format!("{clause} ({})", step.reason)),
                    }
                }
            }
        }
        println!("{}: {clauses} clauses, {} wrong", datatype.name(), wrong.len());
        assert!(wrong.is_empty(), "{}: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
        assert!(clauses > 1000, "{clauses}");
    }
}

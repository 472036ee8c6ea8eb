//! What the checker says of small histories, against the definitions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;

use isolation::{
    Consistency, Datatype, MicroOp, Options, Outcome, Seen, Transaction, check, notation,
};

use super::of_transactions;
use super::oracle::{commit_orders, version_orders};
use super::stores::{Plan, STORES, history};

/// How the two compare over many histories.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Histories that are strict serializable.
    pub right: usize,
    /// Histories that are not.
    pub wrong: usize,
    /// Of those, such that reveal everything: each violated model must be named.
    pub complete: usize,
    /// A model was said to be violated that some order explains.
    pub false_alarms: usize,
    /// A complete history violates a model, and nobody said so.
    pub missed: usize,
    /// How often a model was found to be kept, and how often to be broken, by its definition.
    pub decided: BTreeMap<Consistency, [usize; 2]>,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.complete += other.complete;
        self.false_alarms += other.false_alarms;
        self.missed += other.missed;
        for (model, counts) in other.decided {
            let sum = self.decided.entry(model).or_default();
            *sum = [sum[0] + counts[0], sum[1] + counts[1]];
        }
    }
}

impl Tally {
    /// The models, a line each: how often the definition was asked because the checker said that the model is violated,
    /// or had to say so.
    pub fn models(&self) -> String {
        let line = |(model, [kept, broken]): (&Consistency, &[usize; 2])| {
            let name = model.name();
            format!("{name:<34} {kept:>9} times kept by definition, {broken:>9} broken")
        };
        self.decided.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { right, wrong, complete, false_alarms, missed, .. } = self;
        write!(
            f,
            "{right:>9} strict serializable, {wrong:>9} not ({complete:>9} complete), {false_alarms} false alarms, \
             {missed} missed"
        )
    }
}

/// Every kind of small history.
pub fn plans(transactions: usize) -> impl Iterator<Item = Plan> {
    let flags = [(false, false), (false, true), (true, false), (true, true)];
    Datatype::ALL.into_iter().flat_map(move |datatype| {
        STORES.into_iter().flat_map(move |store| {
            flags.map(|(complete, mutated)| Plan {
                datatype,
                store,
                transactions,
                complete,
                mutated,
            })
        })
    })
}

/// The models that a checker says are violated.
pub fn violated(datatype: Datatype, history: &[Transaction]) -> Vec<Consistency> {
    let models = check(&of_transactions(datatype, history), &Options::default()).models;
    [models.violated, models.also_violated].concat()
}

/// Compares the checker with the definitions on so many histories by the plan.
pub fn compare(
    plan: Plan,
    seeds: impl Iterator<Item = u64>,
    judge: impl Fn(Datatype, &[Transaction]) -> Vec<Consistency>,
) -> Tally {
    let mut sum = Tally::default();
    for seed in seeds {
        let history = history(plan, seed);
        let tally = compare_one(plan.datatype, &history, &judge(plan.datatype, &history));
        if tally.false_alarms + tally.missed > 0 && sum.false_alarms + sum.missed == 0 {
            println!("{plan} seed {seed}: {tally}\n{}", notation::print(plan.datatype, &history));
        }
        sum += tally;
    }
    sum
}

fn compare_one(datatype: Datatype, history: &[Transaction], violated: &[Consistency]) -> Tally {
    let strict = commit_orders::explain(datatype, history, Consistency::StrictSerializable);
    let right = strict == Some(true);
    let complete = reveals_everything(datatype, history);
    let mut tally = Tally {
        right: usize::from(right),
        wrong: usize::from(!right),
        complete: usize::from(!right && complete),
        ..Tally::default()
    };
    let mut broken: Vec<Consistency> = Vec::new();
    // Weaker models come first: what breaks one breaks those that imply it.
    for model in Consistency::all().filter(|model| version_orders::knows(*model)) {
        let said = violated.contains(&model);
        let must_be_said = complete && is_characterized(model);
        if !said && (right || !must_be_said) {
            continue;
        }
        let holds = !broken.iter().any(|weaker| model.implies(*weaker))
            && by_definition(datatype, history, model);
        broken.extend((!holds).then_some(model));
        tally.decided.entry(model).or_default()[usize::from(!holds)] += 1;
        tally.false_alarms += usize::from(said && holds);
        tally.missed += usize::from(!said && !holds);
    }
    tally
}

/// Serializability and snapshot isolation by their executions, the other models by Adya's graphs.
fn by_definition(datatype: Datatype, history: &[Transaction], model: Consistency) -> bool {
    let executed = commit_orders::explain(datatype, history, model);
    executed.or_else(|| version_orders::explain(history, model)) == Some(true)
}

/// Whether the checker has all it takes to see every violation: lists, every outcome known, and of each key the appends
/// of at most one transaction unread, which then come last.
fn reveals_everything(datatype: Datatype, history: &[Transaction]) -> bool {
    let committed = || history.iter().filter(|transaction| transaction.outcome == Outcome::Ok);
    let mut read = BTreeSet::new();
    for micro_op in committed().flat_map(|transaction| &transaction.micro_ops) {
        if let MicroOp::Read { key, seen: Seen::List(list) } = micro_op {
            read.extend(list.iter().map(|value| (*key, *value)));
        }
    }
    let mut unread = BTreeMap::<_, BTreeSet<_>>::new();
    for transaction in committed() {
        for micro_op in &transaction.micro_ops {
            if let MicroOp::Write { key, value } = micro_op
                && !read.contains(&(*key, *value))
            {
                unread.entry(*key).or_default().insert(transaction.call);
            }
        }
    }
    let unknown = history.iter().any(|transaction| transaction.outcome == Outcome::Info);
    let in_order = unread.values().all(|writers| writers.len() == 1);
    datatype == Datatype::ListAppend && in_order && !unknown
}

/// Whether the anomalies say all about the model. Of uncommitted reads Adya says nothing, and read atomic and cursor
/// stability forbid more than the lattice has names for.
fn is_characterized(model: Consistency) -> bool {
    model.implies(Consistency::ReadCommitted)
        && ![Consistency::CursorStability, Consistency::ReadAtomic, Consistency::UpdateAtomic]
            .contains(&model)
}

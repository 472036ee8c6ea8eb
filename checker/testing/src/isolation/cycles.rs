//! The cycles that the checker tells of histories of lists, against all cycles that there are.
//!
//! The dependencies are those of Adya (PhD thesis, 1999, §4.4), derived here once more; then every cycle that meets no
//! transaction twice is tried.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use isolation::{
    Anomaly, Consistency, Cycle, Datatype, MicroOp, Options, Order, Outcome, Seen, Transaction,
    check, notation,
};

use super::of_transactions;
use super::oracle::commit_orders;
use super::orders::LEVELS;
use super::stores::{Plan, history};

/// A class of cycles, and of how many transactions its shortest one is.
pub type Told = (Anomaly, usize);

/// How the two compare over many histories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cycles {
    /// Histories that were compared.
    pub histories: usize,
    /// Those left out: their lists contradict each other, so that nobody knows the order of versions.
    pub unordered: usize,
    /// Classes that components of theirs hold.
    pub classes: usize,
    /// Those that are not told, or with more transactions than the shortest cycle has.
    pub missing: usize,
    /// Told, though no component holds it with so few transactions.
    pub wrong: usize,
    /// Classes that stand for something else: no component holds them, but what they rule out has no order of events.
    pub standing_for: usize,
}

impl AddAssign for Cycles {
    fn add_assign(&mut self, other: Self) {
        self.histories += other.histories;
        self.unordered += other.unordered;
        self.classes += other.classes;
        self.missing += other.missing;
        self.wrong += other.wrong;
        self.standing_for += other.standing_for;
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { histories, unordered, classes, missing, wrong, standing_for } = self;
        write!(
            f,
            "{histories} histories ({unordered} without an order left out), {classes} classes of cycles: {missing} missing or \
             too long, {wrong} wrong; {standing_for} stand for the lack of any order"
        )
    }
}

/// What the checker tells.
#[must_use]
pub fn told(transactions: &[Transaction]) -> Vec<Told> {
    let history = of_transactions(Datatype::ListAppend, transactions);
    let anomalies = check(&history, &Options::default()).anomalies;
    let cycles = anomalies.iter().filter(|finding| matches!(finding.anomaly, Anomaly::Cycle(..)));
    cycles.map(|finding| (finding.anomaly, finding.size())).collect()
}

/// Compares what a checker tells of so many histories by the plan; prints the first of which it is not so.
pub fn compare(
    plan: Plan,
    seeds: impl Iterator<Item = u64>,
    told: impl Fn(&[Transaction]) -> Vec<Told>,
) -> Cycles {
    let mut sum = Cycles::default();
    for seed in seeds {
        let history = history(plan, seed);
        let Some(held) = held(&history) else {
            sum.unordered += 1;
            continue;
        };
        let told = told(&history);
        let without = |all: &[Told], some: &[Told]| {
            let mut left = all.to_vec();
            for one in some {
                if let Some(at) = left.iter().position(|other| other == one) {
                    left.swap_remove(at);
                }
            }
            left
        };
        let (missing, wrong) = (without(&held, &told), without(&told, &held));
        let (standing_for, wrong): (Vec<_>, Vec<_>) =
            wrong.into_iter().partition(|told| stands_for_no_order(&history, &held, told.0));
        let is_first = sum.missing + sum.wrong == 0;
        if is_first && missing.len() + wrong.len() > 0 {
            let text = notation::print(plan.datatype, &history);
            println!("{plan} seed {seed}: missing {missing:?}, wrong {wrong:?}\n{text}");
        }
        sum += Cycles {
            histories: 1,
            unordered: 0,
            classes: held.len(),
            missing: missing.len(),
            wrong: wrong.len(),
            standing_for: standing_for.len(),
        };
    }
    sum
}

/// Whether no component holds the anomaly, the levels that it rules out have no order of events, and one of them is not
/// ruled out by what is held.
fn stands_for_no_order(history: &[Transaction], held: &[Told], anomaly: Anomaly) -> bool {
    let has_order =
        |level| commit_orders::explain(Datatype::ListAppend, history, level) == Some(true);
    let is_broken = |level: &Consistency| held.iter().any(|(held, _)| level.forbids(*held));
    let mut ruled_out =
        LEVELS.into_iter().filter(|level| level.forbids(anomaly) && !is_broken(level));
    let first = ruled_out.next();
    first.is_some_and(|level| !has_order(level)) && !ruled_out.any(has_order)
}

/// The classes of all components by definition: of each the shortest cycle, in time where that is shorter than without.
/// `None` where lists contradict each other.
#[must_use]
pub fn held(history: &[Transaction]) -> Option<Vec<Told>> {
    let graph = Graph::new(history)?;
    let cycles = graph.cycles();
    let mut held = Vec::new();
    for order in Order::ALL {
        for kind in KINDS {
            for component in graph.components(kind, order) {
                let shortest = |of: &dyn Fn(Order) -> bool| {
                    let within = cycles.iter().filter(|(nodes, cycle, order)| {
                        nodes & !component == 0 && *cycle == kind && of(*order)
                    });
                    within.map(|(nodes, ..)| nodes.count_ones() as usize).min()
                };
                let without = shortest(&|other| other < order).unwrap_or(usize::MAX);
                let shortest = shortest(&|other| other == order);
                held.extend(
                    shortest
                        .filter(|len| *len < without)
                        .map(|len| (Anomaly::Cycle(kind, order), len)),
                );
            }
        }
    }
    Some(held)
}

const KINDS: [Cycle; 5] =
    [Cycle::G0, Cycle::G1c, Cycle::GSingleItem, Cycle::GNonadjacentItem, Cycle::G2Item];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Data {
    Ww,
    Wr,
    Rw,
}

/// Transactions as bits.
type Nodes = u32;

/// What leads from each transaction to each other one.
struct Graph {
    nodes: usize,
    /// Of data only the strongest.
    data: BTreeMap<(usize, usize), Data>,
    time: Vec<(usize, usize, Order)>,
}

impl Graph {
    fn new(history: &[Transaction]) -> Option<Self> {
        let lists = Lists::new(history)?;
        let mut graph = Self { nodes: history.len(), data: BTreeMap::new(), time: Vec::new() };
        for (key, order) in &lists.orders {
            graph.add_key(history, &lists, *key, order);
        }
        let committed = |i: &usize| history[*i].outcome == Outcome::Ok;
        for from in (0..history.len()).filter(committed) {
            for to in (0..history.len()).filter(|to| history[*to].outcome != Outcome::Fail) {
                let (earlier, later) = (&history[from], &history[to]);
                if earlier.ret.is_none_or(|ret| ret > later.call) {
                    continue;
                }
                graph.time.push((from, to, Order::Realtime));
                if earlier.process == later.process {
                    graph.time.push((from, to, Order::Process));
                }
            }
        }
        Some(graph)
    }

    fn add(&mut self, from: usize, to: usize, data: Data) {
        if from != to {
            let known = self.data.entry((from, to)).or_insert(data);
            *known = data.min(*known);
        }
    }

    /// An append that its own transaction followed with another one is no version of Adya's: who appends on top of it saw
    /// it.
    fn add_key(&mut self, history: &[Transaction], lists: &Lists, key: u32, order: &[u32]) {
        let writer = |value: &u32| lists.writers.get(&(key, *value)).copied();
        let happened: Vec<(u32, usize)> =
            order.iter().filter_map(|value| Some((*value, writer(value)?))).collect();
        let overwriting = |(value, by): (u32, usize)| {
            let last = writes(&history[by]).filter(|(other, _)| *other == key).last();
            if last == Some((key, value)) { Data::Ww } else { Data::Wr }
        };
        for pair in happened.windows(2) {
            self.add(pair[0].1, pair[1].1, overwriting(pair[0]));
        }
        let unread: Vec<usize> = (lists.writers.iter())
            .filter(|((other, value), by)| {
                *other == key && !order.contains(value) && lists.happened[**by]
            })
            .map(|(_, by)| *by)
            .collect();
        for &by in &unread {
            if let Some(&last) = happened.last() {
                self.add(last.1, by, overwriting(last));
            }
        }
        for (reader, list) in
            lists.reads.iter().filter(|(_, other, _)| *other == key).map(|(i, _, l)| (*i, l))
        {
            let mut seen = list.iter().rev().filter_map(writer);
            if let Some(from) = seen.find(|from| *from != reader) {
                self.add(from, reader, Data::Wr);
            }
            match order[list.len()..].iter().find_map(writer) {
                Some(to) => self.add(reader, to, Data::Rw),
                None => unread.iter().for_each(|&to| self.add(reader, to, Data::Rw)),
            }
        }
    }

    /// The edges that cycles of this kind may have, up to an order of time.
    fn allowed(&self, kind: Cycle, order: Order) -> impl Iterator<Item = (usize, usize)> {
        let data = self.data.iter().filter(move |(_, data)| match kind {
            Cycle::G0 => **data == Data::Ww,
            Cycle::G1c => **data != Data::Rw,
            _ => true,
        });
        let time = self.time.iter().filter(move |(.., other)| *other <= order);
        data.map(|(ends, _)| *ends).chain(time.map(|(from, to, _)| (*from, *to)))
    }

    /// Transactions that all lead to each other.
    fn components(&self, kind: Cycle, order: Order) -> Vec<Nodes> {
        let mut reached: Vec<Nodes> = vec![0; self.nodes];
        for (from, to) in self.allowed(kind, order) {
            reached[from] |= 1 << to;
        }
        for by in 0..self.nodes {
            for from in 0..self.nodes {
                if reached[from] & 1 << by != 0 {
                    reached[from] |= reached[by];
                }
            }
        }
        let mutual = |i: usize| {
            let back = |j: &usize| reached[i] & 1 << j != 0 && reached[*j] & 1 << i != 0;
            (0..self.nodes).filter(back).fold(0, |all, j| all | 1 << j)
        };
        let mut components: Vec<Nodes> =
            (0..self.nodes).map(mutual).filter(|nodes| *nodes != 0).collect();
        components.sort_unstable();
        components.dedup();
        components
    }

    /// Every cycle: its transactions, kind and order. Where several are the same in all three, one.
    fn cycles(&self) -> Vec<(Nodes, Cycle, Order)> {
        let mut next: Vec<Vec<(usize, Edge)>> = vec![Vec::new(); self.nodes];
        for (&(from, to), &data) in &self.data {
            next[from].push((to, Edge::Data(data)));
        }
        for &(from, to, order) in &self.time {
            next[from].push((to, Edge::Time(order)));
        }
        let mut cycles = Vec::new();
        for first in 0..self.nodes {
            // Paths over larger numbers than the first, by their transactions and the last of them.
            let mut paths = BTreeMap::from([((1 << first, first), vec![Path::default()])]);
            while let Some(((nodes, last), states)) = paths.pop_first() {
                for &(to, edge) in &next[last] {
                    let longer = states.iter().map(|path| path.with(edge));
                    if to == first {
                        cycles.extend(longer.map(|path| (nodes, path.kind(), path.order)));
                    } else if to > first && nodes & 1 << to == 0 {
                        let known = paths.entry((nodes | 1 << to, to)).or_default();
                        known.extend(longer);
                        known.sort_unstable();
                        known.dedup();
                    }
                }
            }
        }
        cycles.sort_unstable();
        cycles.dedup();
        cycles
    }
}

#[derive(Clone, Copy, Debug)]
enum Edge {
    Data(Data),
    Time(Order),
}

/// What matters of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Path {
    begins_with_rw: Option<bool>,
    ends_with_rw: bool,
    has_wr: bool,
    /// Two at most are counted.
    rws: u8,
    has_adjacent: bool,
    order: Order,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            begins_with_rw: None,
            ends_with_rw: false,
            has_wr: false,
            rws: 0,
            has_adjacent: false,
            order: Order::Data,
        }
    }
}

impl Path {
    fn with(self, edge: Edge) -> Self {
        let is_rw = matches!(edge, Edge::Data(Data::Rw));
        Self {
            begins_with_rw: self.begins_with_rw.or(Some(is_rw)),
            ends_with_rw: is_rw,
            has_wr: self.has_wr || matches!(edge, Edge::Data(Data::Wr)),
            rws: (self.rws + u8::from(is_rw)).min(2),
            has_adjacent: self.has_adjacent || self.ends_with_rw && is_rw,
            order: if let Edge::Time(order) = edge { order.max(self.order) } else { self.order },
        }
    }

    /// The kind of cycle that it is, back where it began.
    fn kind(self) -> Cycle {
        let closes = self.ends_with_rw && self.begins_with_rw == Some(true);
        match self.rws {
            0 if self.has_wr => Cycle::G1c,
            0 => Cycle::G0,
            1 => Cycle::GSingleItem,
            _ if self.has_adjacent || closes => Cycle::G2Item,
            _ => Cycle::GNonadjacentItem,
        }
    }
}

/// What the reads show.
struct Lists {
    /// The longest list of each key; empty where none was read.
    orders: BTreeMap<u32, Vec<u32>>,
    /// Who appended what, but for those that failed.
    writers: BTreeMap<(u32, u32), usize>,
    /// Committed, or in doubt and seen.
    happened: Vec<bool>,
    /// Of committed transactions: who, which key, what.
    reads: Vec<(usize, u32, Vec<u32>)>,
}

impl Lists {
    fn new(history: &[Transaction]) -> Option<Self> {
        let mut lists = Self {
            orders: BTreeMap::new(),
            writers: BTreeMap::new(),
            happened: history.iter().map(|txn| txn.outcome == Outcome::Ok).collect(),
            reads: Vec::new(),
        };
        for (i, transaction) in history.iter().enumerate() {
            for micro_op in &transaction.micro_ops {
                lists.add(i, transaction.outcome, micro_op);
            }
        }
        for (_, key, list) in &lists.reads {
            let is_twice = (1..list.len()).any(|at| list[..at].contains(&list[at]));
            if is_twice || !lists.orders[key].starts_with(list) {
                return None;
            }
            for value in list {
                if let Some(&by) = lists.writers.get(&(*key, *value)) {
                    lists.happened[by] = true;
                }
            }
        }
        Some(lists)
    }

    fn add(&mut self, by: usize, outcome: Outcome, micro_op: &MicroOp) {
        match micro_op {
            MicroOp::Write { key, value } => {
                self.orders.entry(*key).or_default();
                if outcome != Outcome::Fail {
                    self.writers.insert((*key, *value), by);
                }
            }
            MicroOp::Read { key, seen: Seen::List(list) } if outcome == Outcome::Ok => {
                let order = self.orders.entry(*key).or_default();
                if list.len() > order.len() {
                    order.clone_from(list);
                }
                self.reads.push((by, *key, list.clone()));
            }
            MicroOp::Read { .. } => {}
        }
    }
}

fn writes(transaction: &Transaction) -> impl Iterator<Item = (u32, u32)> {
    transaction.micro_ops.iter().filter_map(|micro_op| match micro_op {
        MicroOp::Write { key, value } => Some((*key, *value)),
        MicroOp::Read { .. } => None,
    })
}

//! A search of the whole graph for a short cycle, after the rules that can say more have found nothing.

use std::collections::VecDeque;

use crate::{
    narrate::{self, Told, Untold},
    transactions::{Transactions, Version},
};

/// How many edges the search for a short cycle follows before it settles for the shortest so far.
const WORK: usize = 20_000_000;

/// Why one transaction must come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Because {
    /// The later saw a version the earlier wrote.
    Saw,
    /// The earlier saw a version the later replaced.
    Missed,
    /// The earlier had ended before the later began.
    RealTime,
}

/// Finds one short cycle, if there is any.
pub(crate) fn search<'t>(transactions: &'t Transactions<'_>) -> Vec<Untold<'t>> {
    let graph = Graph::new(transactions);
    let components = graph.components();
    let Some(cycle) = graph.short_cycle(&components) else { return Vec::new() };
    vec![Untold::new(kind(&cycle), move || tell(transactions, &cycle))]
}

/// Transactions first, then one node for each moment at which a transaction returned. A transaction leads to the
/// moment of its return, each moment to the next, and the last moment before an invocation to the transaction
/// invoked: real time in a linear number of edges.
struct Graph {
    transactions: usize,
    /// Where each node's edges start.
    starts: Vec<usize>,
    edges: Vec<(usize, Because)>,
}

impl Graph {
    fn new(transactions: &Transactions<'_>) -> Self {
        let mut edges = dependencies(transactions);
        let nodes = real_time(transactions, &mut edges);
        let mut starts = vec![0; nodes + 1];
        for (from, ..) in &edges {
            starts[from + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut sorted = vec![(0, Because::RealTime); edges.len()];
        for (from, to, because) in edges {
            sorted[next[from]] = (to, because);
            next[from] += 1;
        }
        Self { transactions: transactions.happened.len(), starts, edges: sorted }
    }

    fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    fn after(&self, node: usize) -> &[(usize, Because)] {
        &self.edges[self.starts[node]..self.starts[node + 1]]
    }

    /// The strongly connected component of each node (Tarjan 1972, with a stack of its own: histories are long).
    fn components(&self) -> Vec<usize> {
        const NEW: usize = usize::MAX;
        let nodes = self.nodes();
        let (mut order, mut low) = (vec![NEW; nodes], vec![0; nodes]);
        let mut component = vec![NEW; nodes];
        let (mut open, mut path) = (Vec::new(), Vec::new());
        let (mut visited, mut found) = (0, 0);
        for root in 0..nodes {
            if order[root] == NEW {
                path.push((root, 0));
            }
            while let Some((node, at)) = path.pop() {
                if at == 0 {
                    order[node] = visited;
                    low[node] = visited;
                    visited += 1;
                    open.push(node);
                }
                if let Some(&(next, _)) = self.after(node).get(at) {
                    path.push((node, at + 1));
                    if order[next] == NEW {
                        path.push((next, 0));
                    } else if component[next] == NEW {
                        low[node] = low[node].min(order[next]);
                    }
                    continue;
                }
                if low[node] == order[node] {
                    while let Some(member) = open.pop() {
                        component[member] = found;
                        if member == node {
                            break;
                        }
                    }
                    found += 1;
                }
                if let Some(&(parent, _)) = path.last() {
                    low[parent] = low[parent].min(low[node]);
                }
            }
        }
        component
    }

    /// A cycle through as few transactions as the work allows to find: each with the reason why it precedes the next.
    fn short_cycle(&self, components: &[usize]) -> Option<Vec<(usize, Because)>> {
        let mut sizes = vec![0_usize; self.nodes()];
        for transaction in 0..self.transactions {
            sizes[components[transaction]] += 1;
        }
        let mut starts: Vec<usize> =
            (0..self.transactions).filter(|&node| sizes[components[node]] > 1).collect();
        starts.sort_by_key(|&node| (sizes[components[node]], node));
        let mut search = Search {
            graph: self,
            components,
            best: None,
            work: WORK,
            distance: Vec::new(),
            from: Vec::new(),
        };
        for start in starts {
            if search.work == 0 || search.best.as_ref().is_some_and(|best| best.len() == 2) {
                break;
            }
            search.through(start);
        }
        search.best
    }
}

fn dependencies(transactions: &Transactions<'_>) -> Vec<(usize, usize, Because)> {
    let mut edges = Vec::new();
    for version in &transactions.versions {
        for &reader in &version.readers {
            if let Some(writer) = version.writer.filter(|&writer| writer != reader) {
                edges.push((writer, reader, Because::Saw));
            }
            // More than one replacer is a violation already: the first will do.
            if let Some(&(replacer, _)) = version.replacers.first().filter(|(by, _)| *by != reader)
            {
                edges.push((reader, replacer, Because::Missed));
            }
        }
    }
    edges
}

/// Adds the edges of real time and returns the number of nodes.
fn real_time(transactions: &Transactions<'_>, edges: &mut Vec<(usize, usize, Because)>) -> usize {
    let count = transactions.happened.len();
    let mut returns: Vec<(u64, usize)> = Vec::with_capacity(count);
    for (number, transaction) in transactions.happened.iter().enumerate() {
        returns.extend(transaction.record.ret.map(|returned| (returned, number)));
    }
    returns.sort_unstable();
    for (moment, &(_, transaction)) in returns.iter().enumerate() {
        edges.push((transaction, count + moment, Because::RealTime));
        if moment > 0 {
            edges.push((count + moment - 1, count + moment, Because::RealTime));
        }
    }
    for (number, transaction) in transactions.happened.iter().enumerate() {
        let before = returns.partition_point(|(returned, _)| *returned < transaction.record.call);
        if before > 0 {
            edges.push((count + before - 1, number, Because::RealTime));
        }
    }
    count + returns.len()
}

/// Breadth-first searches that count transactions and pass through moments for free.
struct Search<'g> {
    graph: &'g Graph,
    components: &'g [usize],
    best: Option<Vec<(usize, Because)>>,
    work: usize,
    distance: Vec<usize>,
    from: Vec<(usize, Because)>,
}

impl Search<'_> {
    /// Looks for a cycle through `start` that is shorter than the best so far.
    fn through(&mut self, start: usize) {
        const FAR: usize = usize::MAX;
        let graph = self.graph;
        self.distance.clear();
        self.distance.resize(graph.nodes(), FAR);
        self.from.resize(graph.nodes(), (0, Because::RealTime));
        let mut queue = VecDeque::from([start]);
        self.distance[start] = 0;
        while let Some(node) = queue.pop_front() {
            let limit = self.best.as_ref().map_or(FAR, Vec::len);
            for &(next, because) in graph.after(node) {
                self.work = self.work.saturating_sub(1);
                if self.components[next] != self.components[start] {
                    continue;
                }
                let transaction = next < graph.transactions;
                let distance = self.distance[node] + usize::from(transaction);
                if next == start {
                    if distance < limit {
                        self.best = Some(self.cycle_back(start, node, because));
                    }
                    return;
                }
                if distance >= self.distance[next] || distance >= limit {
                    continue;
                }
                self.distance[next] = distance;
                self.from[next] = (node, because);
                if transaction { queue.push_back(next) } else { queue.push_front(next) }
            }
            if self.work == 0 {
                return;
            }
        }
    }

    /// The cycle that closes by an edge from `last` to `start`, moments left out.
    fn cycle_back(&self, start: usize, last: usize, closing: Because) -> Vec<(usize, Because)> {
        let mut cycle = Vec::new();
        let (mut node, mut because) = (last, closing);
        loop {
            if node < self.graph.transactions {
                cycle.push((node, because));
            }
            if node == start {
                break;
            }
            let (before, reason) = self.from[node];
            // An edge that leaves a moment is real time, and so is the step it belongs to.
            because = reason;
            node = before;
        }
        cycle.reverse();
        cycle
    }
}

fn kind(cycle: &[(usize, Because)]) -> &'static str {
    let count = |wanted| cycle.iter().filter(|(_, because)| *because == wanted).count();
    match (count(Because::RealTime), count(Because::Missed)) {
        (0, 0) => "circular information flow",
        (0, 1) => "read skew",
        (0, _) => "write skew or long fork",
        _ => "real-time order violated",
    }
}

fn tell(transactions: &Transactions<'_>, cycle: &[(usize, Because)]) -> Told {
    let record = |number: usize| transactions.happened[number].record;
    let steps: Vec<String> = (0..cycle.len())
        .map(|at| {
            let ((earlier, because), (later, _)) = (cycle[at], cycle[(at + 1) % cycle.len()]);
            let names = (narrate::who(record(earlier)), narrate::who(record(later)));
            format!(
                "{} must come before {}, which {}",
                names.0,
                names.1,
                reason(transactions, earlier, later, because)
            )
        })
        .collect();
    let sentence = format!("no order explains these operations: {}", steps.join("; and "));
    (sentence, cycle.iter().map(|&(number, _)| record(number).call).collect())
}

fn reason(
    transactions: &Transactions<'_>,
    earlier: usize,
    later: usize,
    because: Because,
) -> String {
    let happened = &transactions.happened;
    let find = |numbers: &[usize], fits: &dyn Fn(&Version<'_>) -> bool| {
        let mut versions = numbers.iter().map(|&number| &transactions.versions[number]);
        versions
            .find(|version| fits(version))
            .map(|version| (version.key, narrate::value(version.value)))
    };
    let told = match because {
        Because::RealTime => None,
        Because::Saw => find(&happened[later].reads, &|version| version.writer == Some(earlier))
            .map(|(key, value)| format!("saw its {key} = {value}")),
        Because::Missed => {
            let replaced =
                |version: &Version<'_>| version.replacers.iter().any(|(by, _)| *by == later);
            find(&happened[earlier].reads, &replaced)
                .map(|(key, value)| format!("replaced the {key} = {value} it saw"))
        }
    };
    told.unwrap_or_else(|| "began after it had ended".to_owned())
}

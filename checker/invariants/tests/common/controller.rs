//! A shard controller, right or with one fault.

use std::collections::BTreeMap;

use checker_testing::simulation::{Object, Request, Rng};
use history::Operation;
use rand::{RngExt, seq::SliceRandom};
use serde_json::{Value, json};

type Groups = BTreeMap<String, Value>;

/// What a wrong controller does once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers a query for the latest configuration with an earlier one.
    StaleQuery,
    /// Answers a query for an earlier configuration with the one before it.
    WrongNumber,
    /// Shows a configuration as it never was.
    ChangedContent,
    /// Acknowledges a change and does nothing.
    LostChange,
    /// Makes two configurations of one change.
    DoubledChange,
    /// Gives a shard too many to the group that has most.
    Unbalanced,
    /// Exchanges two shards that should have stayed.
    NeedlessMove,
}

/// How a controller is used.
#[derive(Clone, Copy)]
pub struct Use {
    pub shards: usize,
    pub groups: usize,
    /// Of a hundred operations, how many are changes.
    pub changes_percent: u32,
    /// One joins at the beginning, and the latest configuration is asked for at the end.
    pub is_framed: bool,
    /// At the end every configuration is asked for.
    pub looks_back: bool,
}

impl Default for Use {
    fn default() -> Self {
        Self { shards: 10, groups: 8, changes_percent: 30, is_framed: true, looks_back: true }
    }
}

#[derive(Clone)]
struct Configuration {
    shards: Vec<Option<String>>,
    groups: Groups,
}

pub struct Controller {
    how: Use,
    configurations: Vec<Configuration>,
    fault: Option<Fault>,
    /// The operation that was answered or carried out wrongly.
    pub struck: Option<u64>,
    /// How many operations are to pass before the fault strikes.
    patience: u32,
}

impl Controller {
    pub fn new(how: Use, fault: Option<Fault>, patience: u32) -> Self {
        let first = Configuration { shards: vec![None; how.shards], groups: Groups::new() };
        Self { how, configurations: vec![first], fault, struck: None, patience }
    }

    fn latest(&self) -> &Configuration {
        self.configurations.last().expect("configuration 0")
    }

    fn shown(&self, number: usize) -> Value {
        let Configuration { shards, groups } = &self.configurations[number];
        json!({"num": number, "shards": shards, "groups": groups})
    }

    fn query(&self, arguments: &Value) -> Value {
        let latest = self.configurations.len() - 1;
        let asked = usize::try_from(arguments["num"].as_i64().unwrap()).unwrap_or(latest);
        self.shown(asked.min(latest))
    }

    /// The configuration after a change, unless that is refused.
    fn changed(&self, operation: &Operation, rng: &mut Rng) -> Option<Configuration> {
        let mut next = self.latest().clone();
        match operation.f.as_str() {
            "join" => {
                for (id, servers) in operation.arguments["groups"].as_object()? {
                    if next.groups.insert(id.clone(), servers.clone()).is_some() {
                        return None;
                    }
                }
                next.balance(rng);
            }
            "leave" => {
                for id in operation.arguments["groups"].as_array()? {
                    next.groups.remove(id.as_str()?)?;
                }
                next.balance(rng);
            }
            _ => {
                let group = operation.arguments["group"].as_str()?.to_owned();
                let shard = usize::try_from(operation.arguments["shard"].as_u64()?).ok()?;
                if !next.groups.contains_key(&group) || next.shards[shard].as_ref() == Some(&group)
                {
                    return None;
                }
                next.shards[shard] = Some(group);
            }
        }
        Some(next)
    }

    /// What a wrong controller does instead, where there is anything to do wrong.
    fn wrong(&mut self, fault: Fault, operation: &Operation, rng: &mut Rng) -> Option<Value> {
        let latest = self.configurations.len() - 1;
        let is_query = operation.f == "query";
        let asked = is_query.then(|| operation.arguments["num"].as_i64().unwrap());
        match fault {
            Fault::StaleQuery => {
                asked.filter(|&asked| asked < 0 && latest > 0)?;
                Some(self.shown(latest - rng.random_range(1..=latest.min(3))))
            }
            Fault::WrongNumber => {
                let asked = usize::try_from(asked?).ok().filter(|&n| n > 0 && n < latest)?;
                Some(self.shown(asked - 1))
            }
            Fault::ChangedContent => {
                asked?;
                let mut shown = self.query(&operation.arguments);
                let shards = shown["shards"].as_array_mut()?;
                let other = (1..shards.len()).find(|&at| shards[at] != shards[0])?;
                shards.swap(0, other);
                Some(shown)
            }
            Fault::LostChange | Fault::DoubledChange => {
                let next = self.changed(operation, rng).filter(|_| !is_query)?;
                if fault == Fault::DoubledChange {
                    self.configurations.extend([next.clone(), next]);
                }
                Some(json!({}))
            }
            Fault::Unbalanced | Fault::NeedlessMove => {
                if !["join", "leave"].contains(&operation.f.as_str()) {
                    return None;
                }
                let mut next = self.changed(operation, rng)?;
                let is_done = match fault {
                    Fault::Unbalanced => next.unbalance(),
                    _ => next.exchange(self.latest()),
                };
                is_done?;
                self.configurations.push(next);
                Some(json!({}))
            }
        }
    }
}

impl Configuration {
    fn count(&self, group: &String) -> usize {
        self.shards.iter().flatten().filter(|owner| *owner == group).count()
    }

    /// Spreads the shards evenly with the fewest moves, in one of the ways that are left.
    fn balance(&mut self, rng: &mut Rng) {
        let mut ids: Vec<String> = self.groups.keys().cloned().collect();
        if ids.is_empty() {
            self.shards.fill(None);
            return;
        }
        let (share, larger) = (self.shards.len() / ids.len(), self.shards.len() % ids.len());
        ids.shuffle(rng);
        ids.sort_by_key(|id| self.count(id) <= share);
        let mut order: Vec<usize> = (0..self.shards.len()).collect();
        order.shuffle(rng);
        let mut free: Vec<usize> = order.clone();
        let mut missing: Vec<String> = Vec::new();
        for (at, id) in ids.into_iter().enumerate() {
            let quota = share + usize::from(at < larger);
            let own = order.iter().filter(|&&shard| self.shards[shard].as_ref() == Some(&id));
            let kept: Vec<usize> = own.take(quota).copied().collect();
            free.retain(|shard| !kept.contains(shard));
            missing.extend(vec![id; quota - kept.len()]);
        }
        for (shard, id) in free.into_iter().zip(missing) {
            self.shards[shard] = Some(id);
        }
    }

    fn unbalance(&mut self) -> Option<()> {
        let ids = || self.groups.keys();
        let most = ids().max_by_key(|id| self.count(id))?.clone();
        let least = ids().filter(|id| **id != most).min_by_key(|id| self.count(id))?.clone();
        let shard = self.shards.iter().position(|owner| owner.as_ref() == Some(&least))?;
        self.shards[shard] = Some(most);
        Some(())
    }

    /// Exchanges two shards that have the same owners as before.
    fn exchange(&mut self, before: &Self) -> Option<()> {
        let stayed =
            |at: &usize| self.shards[*at].is_some() && self.shards[*at] == before.shards[*at];
        let stayed: Vec<usize> = (0..self.shards.len()).filter(stayed).collect();
        let first = *stayed.first()?;
        let second = *stayed.iter().find(|&&at| self.shards[at] != self.shards[first])?;
        self.shards.swap(first, second);
        Some(())
    }
}

impl Object for Controller {
    fn setup(&self) -> Vec<Request> {
        let first = ("join", json!({"groups": {"g0": ["n0"]}}));
        if self.how.is_framed { vec![first] } else { Vec::new() }
    }

    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        let Use { shards, groups, changes_percent, .. } = self.how;
        let id = |rng: &mut Rng| format!("g{}", rng.random_range(0..groups));
        if rng.random_range(0..100) >= changes_percent {
            let near = i64::try_from(self.configurations.len()).unwrap() + 2;
            let number = if rng.random_bool(0.6) { -1 } else { rng.random_range(0..near) };
            return ("query", json!({"num": number}));
        }
        let group =
            |rng: &mut Rng| (id(rng), json!([["n1", "n2"], ["n3", "n4"]][rng.random_range(0..2)]));
        let few = rng.random_range(1..3);
        match rng.random_range(0..3) {
            0 => {
                let groups: Groups = (0..few).map(|_| group(rng)).collect();
                ("join", json!({"groups": groups}))
            }
            1 => {
                let groups: BTreeMap<String, ()> = (0..few).map(|_| (id(rng), ())).collect();
                ("leave", json!({"groups": groups.keys().collect::<Vec<_>>()}))
            }
            _ => ("move", json!({"shard": rng.random_range(0..shards), "group": id(rng)})),
        }
    }

    fn apply(&mut self, client: usize, operation: &Operation, rng: &mut Rng) -> Option<Value> {
        self.patience = self.patience.saturating_sub(1);
        if let Some(fault) = self.fault.filter(|_| self.patience == 0)
            && let Some(result) = self.wrong(fault, operation, rng)
        {
            (self.fault, self.struck) = (None, Some(operation.call));
            return Some(result);
        }
        self.apply_without_fault(client, operation, rng)
    }

    fn apply_without_fault(
        &mut self,
        _: usize,
        operation: &Operation,
        rng: &mut Rng,
    ) -> Option<Value> {
        if operation.f == "query" {
            return Some(self.query(&operation.arguments));
        }
        let next = self.changed(operation, rng)?;
        self.configurations.push(next);
        Some(json!({}))
    }

    fn last(&self) -> Vec<Request> {
        let query = |number: i64| ("query", json!({"num": number}));
        let count = i64::try_from(self.configurations.len()).unwrap();
        let all = (0..count).filter(|_| self.how.looks_back).map(query);
        all.chain(self.how.is_framed.then(|| query(-1))).collect()
    }
}

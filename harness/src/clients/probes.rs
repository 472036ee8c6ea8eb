//! Probes: single operations at one node. Reads of what clients have just used, at moments when a node may answer from a state
//! that is over; writes to a node that nobody hears, and that no other node is asked for.

use std::sync::Arc;

use contract::Operation;
use rand::{RngExt, rngs::ChaCha8Rng};
use tokio::sync::{Mutex, mpsc, watch};
use workloads::Client;

use super::clerk::Clerk;

/// Clerks that do nothing else.
pub const PROBERS: u32 = 6;
/// Reads at a node that is to be probed.
const READS: usize = 3;
/// The latest of the things that can be read are read in so many of a hundred probes, older ones in the others.
const LATEST_PERCENT: u32 = 75;
/// So many are the latest.
const LATEST: usize = 10;
/// A client that has so many reads in a row has no writes.
const WRITE_TRIES: usize = 100;

/// Where to read next. Where all probers still wait for answers, probes are forgotten: none must come late.
#[derive(Debug)]
pub struct Probes {
    asked: mpsc::Sender<Asked>,
    waiting: Mutex<mpsc::Receiver<Asked>>,
}

/// What is wanted at the node at this place.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Read(usize),
    Write(usize),
}

/// An operation at a node, by its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    node: usize,
    /// `None`: a write of the prober's own.
    read: Option<Operation>,
}

impl Default for Probes {
    fn default() -> Self {
        let (asked, waiting) = mpsc::channel(PROBERS as usize);
        Self { asked, waiting: Mutex::new(waiting) }
    }
}

impl Probes {
    /// Has the node at this place probed now.
    pub fn at(&self, node: usize) {
        for _ in 0..READS {
            // Full: the probers are busy.
            let _ = self.asked.try_send(Asked::Read(node));
        }
    }

    /// Has a prober write at the node at this place now.
    pub fn write_at(&self, node: usize) {
        let _ = self.asked.try_send(Asked::Write(node));
    }

    /// Hands out what is asked for, for ever; `reads` says what can be read, the latest last.
    pub async fn hand_out(
        &self,
        to: &mpsc::Sender<Probe>,
        reads: impl Fn() -> Vec<Operation>,
        mut rng: ChaCha8Rng,
    ) {
        let mut waiting = self.waiting.lock().await;
        while let Some(asked) = waiting.recv().await {
            let probe = match asked {
                Asked::Read(node) => {
                    let read = chosen(reads(), &mut rng);
                    read.map(|read| Probe { node, read: Some(read) })
                }
                Asked::Write(node) => Some(Probe { node, read: None }),
            };
            // Full: the probers are busy.
            let _ = probe.map(|probe| to.try_send(probe));
        }
        std::future::pending::<()>().await;
    }
}

/// One of these, rather a late one.
fn chosen(mut reads: Vec<Operation>, rng: &mut ChaCha8Rng) -> Option<Operation> {
    let latest = reads.len().min(LATEST);
    if latest == 0 {
        return None;
    }
    let is_late = rng.random_ratio(LATEST_PERCENT, 100);
    let from = if is_late { reads.len() - latest } else { 0 };
    Some(reads.swap_remove(rng.random_range(from..reads.len())))
}

/// The next write of this client; `None` where it writes too seldom.
fn write_of(client: &mut dyn Client) -> Option<Operation> {
    for _ in 0..WRITE_TRIES {
        let operation = client.next();
        if !operation.is_read_only() {
            return Some(operation);
        }
        client.completed(&operation, None);
    }
    None
}

/// Carries out one probe after the other, until it is stopped.
pub async fn prober(
    mut clerk: Clerk,
    mut client: Box<dyn Client>,
    probes: Arc<Mutex<mpsc::Receiver<Probe>>>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let next = async { probes.lock().await.recv().await };
        let probe = tokio::select! {
            probe = next => probe,
            _ = stopped.wait_for(|stop| *stop) => None,
        };
        let Some(Probe { node, read }) = probe else { break };
        if let Some(read) = read {
            clerk.perform_at(&read, node).await;
        } else if let Some(write) = write_of(&mut *client) {
            let performed = clerk.perform_at(&write, node).await;
            client.completed(&write, performed.outcome());
        }
    }
    clerk.retire().await;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::*;

    fn read(number: usize) -> Operation {
        Operation::Get { key: format!("k{number:03}") }
    }

    #[test]
    fn what_was_used_last_is_read_most_and_all_else_sometimes() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let reads: Vec<Operation> = (0..100).map(read).collect();
        let chosen: Vec<Operation> =
            (0..2000).filter_map(|_| chosen(reads.clone(), &mut rng)).collect();
        let late = chosen.iter().filter(|read| reads[90..].contains(read)).count();
        assert!((1400..1750).contains(&late), "{late}");
        let different: BTreeSet<String> = chosen.iter().map(|read| format!("{read:?}")).collect();
        assert_eq!(different.len(), 100);
        assert_eq!(super::chosen(Vec::new(), &mut rng), None);
    }

    #[test]
    fn a_write_is_the_next_one_of_the_client_if_it_has_any() {
        struct Alternating(bool);
        impl Client for Alternating {
            fn next(&mut self) -> Operation {
                self.0 = !self.0;
                let (key, value) = ("k".to_owned(), "v".to_owned());
                if self.0 { Operation::Get { key } } else { Operation::Put { key, value } }
            }
        }
        struct Reading;
        impl Client for Reading {
            fn next(&mut self) -> Operation {
                read(1)
            }
        }
        assert!(matches!(write_of(&mut Alternating(false)), Some(Operation::Put { .. })));
        assert_eq!(write_of(&mut Reading), None);
    }

    #[tokio::test]
    async fn probes_that_nobody_can_carry_out_now_are_forgotten() {
        let probes = Probes::default();
        (0..100).for_each(|_| probes.at(1));
        let (to, mut from) = mpsc::channel(1000);
        let rng = ChaCha8Rng::seed_from_u64(1);
        let handing = probes.hand_out(&to, || vec![read(0)], rng);
        let _ = tokio::time::timeout(std::time::Duration::from_millis(50), handing).await;
        let mut count = 0;
        while let Ok(probe) = from.try_recv() {
            assert_eq!(probe, Probe { node: 1, read: Some(read(0)) });
            count += 1;
        }
        assert_eq!(count, PROBERS);
    }
}

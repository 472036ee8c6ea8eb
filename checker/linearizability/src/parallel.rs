//! The same question about many things, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The most threads: the machine is also somebody else's.
pub(crate) const THREADS_MAX: usize = 8;

/// Asks about each; the answers are in their order, whichever came first.
pub(crate) fn in_parallel<T: Send, A: Send>(
    things: Vec<T>,
    threads: usize,
    ask: impl Fn(T) -> A + Sync,
) -> Vec<A> {
    let threads = threads.min(things.len());
    if threads <= 1 {
        return things.into_iter().map(ask).collect();
    }
    let left = Mutex::new(things.into_iter().enumerate());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut answers = Vec::new();
        while let Some((number, thing)) = next() {
            answers.push((number, ask(thing)));
        }
        answers
    };
    let mut answers: Vec<(usize, A)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut answers = work();
        for other in others {
            answers.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        answers
    });
    answers.sort_by_key(|&(number, _)| number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Is there something earlier in a [`race`] that decides it?
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outrun<'r> {
    first: &'r AtomicUsize,
    number: usize,
}

impl Outrun<'_> {
    pub(crate) fn is_outrun(self) -> bool {
        self.first.load(Ordering::Relaxed) < self.number
    }
}

/// Asks about each until one decides. The answers up to the first that does, in order: the same whatever the number of
/// threads. Whoever comes after it may be asked in vain, and should end soon.
pub(crate) fn race<T: Send, A: Send>(
    things: Vec<T>,
    threads: usize,
    ask: impl Fn(T, Outrun<'_>) -> A + Sync,
    decides: impl Fn(&A) -> bool + Sync,
) -> Vec<A> {
    let first = AtomicUsize::new(usize::MAX);
    let numbered = things.into_iter().enumerate().collect();
    let answers = in_parallel(numbered, threads, |(number, thing)| {
        let outrun = Outrun { first: &first, number };
        if outrun.is_outrun() {
            return None;
        }
        let answer = ask(thing, outrun);
        if decides(&answer) {
            first.fetch_min(number, Ordering::Relaxed);
        }
        Some(answer)
    });
    let last = first.into_inner();
    answers.into_iter().take(last.saturating_add(1)).flatten().collect()
}

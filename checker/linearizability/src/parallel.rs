//! The same question about many things, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The most threads: the machine is also somebody else's.
pub(crate) const THREADS_MAX: usize = 8;

/// Threads of a check that are idle at the moment. Whoever has work to share may take some; the result does not depend on
/// who gets how many.
#[derive(Debug)]
pub(crate) struct Threads {
    idle: AtomicUsize,
}

/// For work on one thread.
pub(crate) static ALONE: Threads = Threads::new(1);

impl Threads {
    /// So many with the one that asks.
    pub(crate) const fn new(threads: usize) -> Self {
        Self { idle: AtomicUsize::new(threads.saturating_sub(1)) }
    }

    fn permit(&self) -> Option<Permit<'_>> {
        let one_less = |idle: usize| idle.checked_sub(1);
        self.idle.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).ok()?;
        Some(Permit(self))
    }
}

/// A thread, until it is dropped.
struct Permit<'t>(&'t Threads);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.idle.fetch_add(1, Ordering::Relaxed);
    }
}

/// Asks about each; the answers are in their order, whichever came first.
pub(crate) fn in_parallel<T: Send, A: Send>(
    things: Vec<T>,
    threads: &Threads,
    ask: impl Fn(T) -> A + Sync,
) -> Vec<A> {
    let permits: Vec<_> = (1..things.len()).map_while(|_| threads.permit()).collect();
    if permits.is_empty() {
        return things.into_iter().map(ask).collect();
    }
    let mut answers: Vec<Option<A>> = things.iter().map(|_| None).collect();
    let left = Mutex::new(things.into_iter().zip(&mut answers));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    on_threads(permits, &|| {
        while let Some((thing, answer)) = next() {
            *answer = Some(ask(thing));
        }
    });
    answers.into_iter().flatten().collect()
}

/// Does both, at the same time where a thread is idle.
pub(crate) fn both<A: Send, B>(
    threads: &Threads,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    let Some(_until_both_are_done) = threads.permit() else { return (one(), other()) };
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
}

/// The same work on this thread and on another for each permit, until all are done. Not generic: what begins a thread is
/// much code.
fn on_threads(permits: Vec<Permit<'_>>, work: &(dyn Fn() + Sync)) {
    std::thread::scope(|scope| {
        let begin = |permit| {
            scope.spawn(move || {
                let _until_there_is_nothing_left = permit;
                work();
            })
        };
        let others: Vec<_> = permits.into_iter().map(begin).collect();
        work();
        for other in others {
            other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Tells one member of a [`race`] whether an earlier one has decided it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cancelled<'r> {
    first: &'r AtomicUsize,
    number: usize,
}

impl Cancelled<'_> {
    pub(crate) fn is_cancelled(self) -> bool {
        self.first.load(Ordering::Relaxed) < self.number
    }
}

/// Asks about each until one decides. The answers up to the first that does, in order: the same whatever the number of
/// threads. Whoever comes after it may be asked in vain, and should end soon.
pub(crate) fn race<T: Send, A: Send>(
    things: Vec<T>,
    threads: &Threads,
    ask: impl Fn(T, Cancelled<'_>) -> A + Sync,
    decides: impl Fn(&A) -> bool + Sync,
) -> Vec<A> {
    let first = AtomicUsize::new(usize::MAX);
    let numbered = things.into_iter().enumerate().collect();
    let answers = in_parallel(numbered, threads, |(number, thing)| {
        let cancelled = Cancelled { first: &first, number };
        if cancelled.is_cancelled() {
            return None;
        }
        let answer = ask(thing, cancelled);
        if decides(&answer) {
            first.fetch_min(number, Ordering::Relaxed);
        }
        Some(answer)
    });
    let last = first.into_inner();
    answers.into_iter().take(last.saturating_add(1)).flatten().collect()
}

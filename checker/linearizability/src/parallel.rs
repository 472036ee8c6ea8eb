//! The same question about many things, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The most threads: the machine is also somebody else's.
pub(crate) const THREADS_MAX: usize = 8;

/// Asks about each; the answers are in their order, whichever came first.
pub(crate) fn in_parallel<T: Copy + Sync, A: Send>(
    things: &[T],
    threads: usize,
    ask: impl Fn(T) -> A + Sync,
) -> Vec<A> {
    let threads = threads.min(things.len());
    if threads <= 1 {
        return things.iter().map(|&thing| ask(thing)).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(&thing) = things.get(number) else { return answers };
            answers.push((number, ask(thing)));
        }
    };
    let mut answers: Vec<(usize, A)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    answers.sort_by_key(|&(number, _)| number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

//! Threads that read blocks ahead.
//!
//! Each block is read on the assumption that an event begins with it and that what matters of the blocks before is as it
//! was when it was handed out, such as the brackets around the events. Who takes it says whether that was so, and
//! otherwise reads it anew.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, Sender};

use crate::blocks::{Block, Blocks};
use crate::source::{Found, Piece, Source};

/// What the threads make of the events of a block.
pub(crate) trait Work: Send + 'static {
    /// What is made.
    type Made: Send + 'static;

    /// The same work, for one block.
    fn hand_out(&mut self) -> Self;

    /// Does it; events that are left behind are dropped.
    fn make(&mut self, events: &mut Vec<Found>) -> Self::Made;

    /// Whether the other makes the same of every block.
    fn is_same(&self, other: &Self) -> bool;
}

/// A block that was read.
pub(crate) struct Done<W: Work> {
    pub(crate) block: Block,
    /// The reader before it, and what was to be done, as they were assumed.
    pub(crate) before: Source,
    pub(crate) work: W,
    pub(crate) after: Source,
    pub(crate) piece: Piece,
    pub(crate) made: W::Made,
}

/// The threads, which begin with the second block, and the blocks that they have.
pub(crate) struct Readers<W: Work> {
    threads: usize,
    begun: bool,
    workers: Vec<Worker<W>>,
    /// The worker of each block that is under way, in the order of the file.
    under_way: VecDeque<usize>,
    next_worker: usize,
    /// The file could not be read further: told once all before it is done.
    failure: Option<io::Error>,
    /// How often in a row an assumption was wrong.
    misses: u32,
}

struct Worker<W: Work> {
    blocks: Sender<(Block, Source, W)>,
    done: Receiver<Done<W>>,
}

/// After so many wrong assumptions in a row no more are made.
const MISSES_MAX: u32 = 8;

impl<W: Work> Readers<W> {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            threads,
            begun: false,
            workers: Vec::new(),
            under_way: VecDeque::new(),
            next_worker: 0,
            failure: None,
            misses: 0,
        }
    }

    /// The next block of the file, read; nothing after the last one.
    pub(crate) fn next(
        &mut self,
        blocks: &mut Blocks<impl Read>,
        source: &Source,
        work: &mut W,
    ) -> Option<io::Result<Done<W>>> {
        if std::mem::replace(&mut self.begun, true) && self.threads > 1 {
            self.hand_out(blocks, source, work);
        }
        if self.under_way.is_empty() {
            let block = self.next_block(blocks)?;
            let mut events = Vec::new();
            return Some(
                block.map(|block| read(block, source.clone(), work.hand_out(), &mut events)),
            );
        }
        Some(self.receive())
    }

    /// The next block of the file; what was read of it does not count.
    pub(crate) fn next_block(
        &mut self,
        blocks: &mut Blocks<impl Read>,
    ) -> Option<io::Result<Block>> {
        if !self.under_way.is_empty() {
            return Some(self.receive().map(|done| done.block));
        }
        match self.failure.take() {
            Some(failure) => Some(Err(failure)),
            None => blocks.next().transpose(),
        }
    }

    /// Whether the assumption about the last block was right.
    pub(crate) fn note(&mut self, was_right: bool) {
        self.misses = if was_right { 0 } else { self.misses + 1 };
    }

    fn hand_out(&mut self, blocks: &mut Blocks<impl Read>, source: &Source, work: &mut W) {
        /// What each thread has to do, so that none waits.
        const BLOCKS_EACH: usize = 2;
        while self.failure.is_none()
            && self.misses < MISSES_MAX
            && self.under_way.len() < self.threads * BLOCKS_EACH
        {
            match blocks.next() {
                Ok(None) => return,
                Err(failure) => self.failure = Some(failure),
                Ok(Some(block)) => {
                    if self.workers.len() < self.threads {
                        self.workers.push(Worker::start());
                    }
                    let worker = self.next_worker % self.threads;
                    self.next_worker += 1;
                    // A thread that has ended is noticed where its answer is waited for.
                    let _ =
                        self.workers[worker].blocks.send((block, source.clone(), work.hand_out()));
                    self.under_way.push_back(worker);
                }
            }
        }
    }

    fn receive(&mut self) -> io::Result<Done<W>> {
        let worker = self.under_way.pop_front().map(|worker| &self.workers[worker]);
        let done = worker.and_then(|worker| worker.done.recv().ok());
        done.ok_or_else(|| io::Error::other("a thread that reads the file has ended"))
    }
}

impl<W: Work> Worker<W> {
    /// It ends when it gets no more blocks, or nobody takes what it read.
    fn start() -> Self {
        let (blocks, to_read) = mpsc::channel();
        let (finished, done) = mpsc::channel();
        std::thread::spawn(move || {
            // Their room serves for one block after the other.
            let mut events = Vec::new();
            for (block, source, work) in to_read {
                if finished.send(read(block, source, work, &mut events)).is_err() {
                    return;
                }
            }
        });
        Self { blocks, done }
    }
}

fn read<W: Work>(block: Block, before: Source, mut work: W, events: &mut Vec<Found>) -> Done<W> {
    let mut after = before.clone();
    let piece = after.read(&block.bytes, block.is_last, events);
    let made = work.make(events);
    events.clear();
    Done { block, before, work, after, piece, made }
}

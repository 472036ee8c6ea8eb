//! `mapreduce`: jobs over seeded documents, whose outputs must be those of a sequential run, whatever happens to workers.
//!
//! It is no store, so there are no operations on keys. A client starts a [`Job`] ([`JOB`]), asks until it has ended, and
//! reads the outputs. When all is over, the outputs of each finished job are read again ([`READ`]). The record holds the
//! documents and the outputs, so that it alone decides.
//!
//! ```text
//! jobs         which jobs clients start
//! record       what is recorded of them
//! sequential   the sequential run
//! differences  what is wrong with outputs
//! judge        one result a rule
//! ```

mod differences;
mod jobs;
mod judge;
mod record;
mod sequential;

pub use jobs::Jobs;
pub use judge::{OUTPUTS, PROGRESS, STAY, judge};
pub use record::{Again, Content, Document, End, Ended, Job, Output, ReadAgain};

/// Its name.
pub const NAME: &str = "mapreduce";

/// One sentence for people: what is done and what must hold.
pub const ABOUT: &str = "Clients start jobs that count the words of documents, or say where each is, while workers are killed, \
                         paused and cut off; outputs must be those of a sequential run. Only for the rung `mapreduce`.";

/// The operation of one job: it is started, ends, and its outputs are read. The arguments are a [`Job`], the result is [`Ended`].
pub const JOB: &str = "job";
/// The outputs of a finished job are read once more. The arguments are a [`ReadAgain`], the result is [`Again`].
pub const READ: &str = "read-again";

/// How the reason begins for which a job has no end: none came, and no other job went on either, long after all faults.
pub const NOT_DONE: &str = "not done: ";
/// How it begins where jobs still went on when nobody wanted to wait any longer.
pub const TOO_SLOW: &str = "still going on: ";

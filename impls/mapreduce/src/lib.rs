//! MapReduce as in Dean and Ghemawat, "MapReduce: Simplified Data Processing on Large Clusters" (OSDI 2004), and in MIT
//! 6.5840, lab 1: one coordinator (the paper's master), and workers that may die, stall and come back.
//!
//! An application is two functions, an [`App`]. `map` takes a piece of text and emits pairs of key and value; `reduce`
//! gets each key with all of its values. The outputs are those of a sequential run, byte for byte, whatever happens to
//! workers. [`main_with`] makes a program of applications: a node, and the commands `run` and `sequential`.
//! `examples/longest_lines.rs` is such a program.
//!
//! # A job
//!
//! 1. The inputs are cut into splits of at most 16 MiB, at ends of lines or between words, and each split is a map task
//!    (section 3.1; `split.rs`).
//! 2. A worker asks the coordinator for a task (`worker.rs`). The output of its map function goes into a buffer of 32 MiB. When
//!    that is full it is sorted by reduce task and key, combined (section 4.3) and spilled to the worker's own disk
//!    (`buffer.rs`). At the end the sorted runs are merged into one intermediate file for each reduce task, in the shared
//!    folder (`task.rs`). A key belongs to the reduce task that its FNV-1a hash says (section 4.1; `partition.rs`).
//! 3. When all map tasks are done, reduce tasks are given out. One merges its intermediate files, at most 64 at a time
//!    (`merge.rs`), and hands each key to the reduce function, in order (section 4.2), with values that are read from disk
//!    as they are asked for. Values have an order, too, so that no result depends on who was faster.
//! 4. The output is made durable under the attempt's own name, and then renamed to `mr-out-<job>-<reduce task>`
//!    (`files.rs`).
//!
//! So a worker needs memory for one split, one buffer and one block of each open file, however large the job is. Only a
//! word longer than a split, and what the application itself keeps, comes to that.
//!
//! # Workers that fail
//!
//! The coordinator's rules are a state machine without a clock, a network or files (`coordinator/rules.rs`). Each time that a
//! task is given out is an attempt with a number of its own.
//!
//! - An attempt without a heartbeat for `DS_TASK_MS` is silent, and its task is given to another worker (section 3.3). If
//!   it comes back, it may go on: the attempt that finishes first counts, and all others are told that they do not.
//! - When a phase has no task left to give out, an attempt that takes twice as long as tasks of the phase do on average is a straggler.
//!   Its task is given to an idle worker as well, as a backup task (section 3.6).
//! - An attempt writes only files that have its number in their names. A map task's files are read by reduce tasks only if
//!   that attempt counts, and a reduce task's file is renamed by the coordinator, at the moment in which it decides. In the
//!   paper the worker renames it, which needs functions whose results depend on nothing else; here each output is the work of
//!   exactly one attempt in any case. So a worker that was paused for long does no harm when it goes on.
//! - A function that returns an error or panics fails its attempt, and three failures of a task fail the job. The paper skips
//!   bad records instead (section 4.6). An input that is no UTF-8 is no failure: it is read with replacement characters.
//! - Intermediate files are in the shared folder, so that they outlive the worker that wrote them. In the paper they are on its own
//!   disk, and the map tasks of a dead worker are done again (section 3.3).
//! - The coordinator keeps its books in memory. One that is killed loses its jobs, as in the paper (section 3.3): the next one
//!   answers 404 for them and removes their temporary files, and whoever waits starts them again. It never replaces an output of
//!   an earlier job. Two coordinators must not share a folder.
//!
//! Nothing here depends on where the data is: there is no locality (section 3.4), and one shared folder takes the place of
//! the file system GFS.
//!
//! # Requests to the coordinator
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/jobs`, `GET /v1/jobs/j1` | those of the contract (`contract::mapreduce`) |
//! | `POST /v1/task`, `/v1/heartbeat`, `/v1/report` | for workers, see `wire.rs` |
//! | `GET /healthz`, `/readyz` | status 200; a worker is ready once the coordinator has answered it |
//!
//! A refusal is `{"error":{"code":"bad_request","message":"…"}}` with status 400, `not_found` with 404, or `internal` with 500.
//! A path that is not absolute counts from the folder in which the nodes were started.
//!
//! # A gigabyte
//!
//! ```text
//! cargo run --release -p mapreduce --example generate_text -- 1000 42 > /tmp/text.txt
//! cargo run --release -p mapreduce -- run --app wordcount --workers 2 --out /tmp/out /tmp/text.txt
//! ```
//!
//! On two processors shared with other work this took 24 s (28 s of processor time), and each worker 53 MiB of memory at
//! most. `sequential` gave the same outputs (December 2026).

pub mod app;
pub mod apps;
mod buffer;
mod cli;
mod client;
mod coordinator;
mod failure;
mod files;
mod launch;
mod merge;
mod node;
mod partition;
mod sequential;
mod sorted_run;
mod split;
mod task;
mod wire;
mod worker;

pub use app::{App, Apps, Combiner, Emit, Entry, Values};
pub use cli::{main_with, node_main};

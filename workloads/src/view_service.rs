//! `view-service`: what servers do to a view service, and what it may answer.
//!
//! It is no store, so there are no clients: the bench plays the servers. A [`Script`] says who pings with which number, round
//! by round: the [named scripts](NAMED) are the tests of the courses, [random ones](random()) follow. The service starts anew for
//! each. The record of a script begins with the operation [`START`]; then follow the pings and their answers.
//!
//! ```text
//! script   what servers do in a round, and what they were told
//! named    the scripts of the courses
//! random   servers that fall silent, restart, come back, acknowledge late
//! record   the scripts of a record
//! times    how long a server may have been silent
//! rules    which views may follow, and which one is due
//! follow   all states in which a right service can be, along the record
//! why      which rule an answer breaks, in a sentence
//! judge    one result a script
//! ```
//!
//! When a service takes a server for dead cannot be known from outside, nor when exactly a ping arrived. So the check follows all
//! states in which a right service can be. Only an answer that none of them gives is a violation.

mod follow;
mod judge;
mod named;
mod random;
mod record;
mod rules;
mod script;
mod times;
mod why;

pub use judge::{RANDOM, Scripts, judge};
pub use named::{NAMED, Named};
pub use random::random;
pub use record::who;
pub use script::{Heard, Round, Script};

/// Its name.
pub const NAME: &str = "view-service";

/// One sentence for people: what is done and what must hold.
pub const ABOUT: &str = "The bench plays three servers that ping a view service, fall silent, restart and come back; each \
                         view must follow from the one before by the rules. Only for the rung `view-service`.";

/// The servers that the bench plays.
pub const SERVERS: [&str; 3] = ["n1", "n2", "n3"];

/// The operation with which a script begins: the service is started. Its arguments are the script's name (`script`), how
/// often servers ping (`ping_ms`), and after how long without a ping they are dead (`dead_ms`).
pub const START: &str = "start";
/// A server's ping: the arguments are those of the contract, the result is a view.
pub const PING: &str = "ping";
/// The question for the current view.
pub const LOOK: &str = "view";

/// How the reason begins for which a request has no answer, where none came in time.
pub const TOO_LATE: &str = "nothing came in time: ";
/// How the reason begins for which a request has no answer, where there was one that breaks the contract.
pub const BROKE_CONTRACT: &str = "the answer breaks the contract: ";

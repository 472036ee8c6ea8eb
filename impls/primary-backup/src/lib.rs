//! A store of a primary and a backup, whom a view service appoints.
//!
//! The primary puts the clients' operations in order and answers once its backup has them too (Alsberg and Day, "A
//! Principle for Resilient Sharing of Distributed Resources", 1976; Budhiraja, Marzullo, Schneider and Toueg, "The
//! Primary-Backup Approach", 1993). Who is primary and who backup is a *view*, and one node decides about it: the view
//! service, as in lab 2 of MIT's 6.824 (2012 to 2015) and of the DSLabs. Any number of servers may stand by idle.
//!
//! ```text
//!             view service     pings, views
//!            ╱      │     ╲
//! clients ─▶ primary ─▶ backup   idle     operations, and before them the state
//! ```
//!
//! # Why it is linearizable
//!
//! - **One order.** Within a view the primary numbers the operations, and the backup carries them out by number, without a
//!   gap, after it got the state that they follow on ([`transfer`], which holds the table of answers as well: a retry at
//!   the next primary changes nothing). So the backup's operations are always the first ones of the primary's.
//! - **Nothing is lost.** In a view that its primary has acknowledged, an answer leaves once the backup has the operation
//!   on its disk. In one that it has not acknowledged it answers alone, because [`Views`] lets nobody follow it; before it
//!   acknowledges, the backup has all of that. Either way the next primary, which is this one or this backup, has everything
//!   that was answered.
//! - **Nothing is stale.** Reads are operations like all others, forwarded and answered only then. A primary that was
//!   replaced without hearing of it gets nothing acknowledged, since its former backup entered a later view before anybody
//!   could serve there, and refuses operations of earlier ones. A primary without a backup cannot be replaced.
//!
//! # What fails, and what is promised then
//!
//! Nodes stop and come up again, messages are lost, doubled, late and overtaken, links are cut. A server keeps on its disk
//! the operations, and where it stands ([`message::Standing`]): it comes up as if it had been away, and what was
//! acknowledged survives even when all are killed at once. A server whose disk is gone pings with 0 and counts as dead.
//! The view service keeps its view on its disk as well.
//!
//! The store serves while the primary of an acknowledged view reaches its backup, or the primary of another view lives,
//! or the view service can do something about it. It does not while the only server with the whole state is down: a
//! majority does not help. Nor can anything change while the view service is away: it is one node, as in the labs.
//!
//! Beyond the labs: the primary serves while it transfers its state; and its pings say when its backup does not answer,
//! so that a cut link between the two holds up nobody.

pub mod config;
pub mod message;
pub mod node;
pub mod server;
pub mod transfer;
pub mod view;
pub mod view_service;
pub mod views;

pub use config::Config;
pub use node::Node;
pub use server::Server;
pub use view::View;
pub use view_service::ViewService;
pub use views::Views;

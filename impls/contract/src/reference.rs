//! The reference page and the `OpenAPI` document, generated from the registries so that they cannot drift.

mod markdown;
mod openapi;

pub use markdown::markdown;
pub use openapi::openapi;

use crate::{Request, catalogue::OperationEntry};

/// One field of the answer of `GET /v1/status`; a node leaves out what it does not have.
#[derive(Clone, Copy, Debug)]
pub struct StatusEntry {
    /// The field.
    pub name: &'static str,
    /// Its JSON type.
    pub kind: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every field of the answer of `GET /v1/status`.
pub const STATUS: [StatusEntry; 9] = [
    status("role", "string", "What the node is at the moment, such as `leader`."),
    status("term", "integer", "Its term, view or ballot round."),
    status("leader", "string", "The id of the node it takes for the leader."),
    status("commit", "integer", "The last slot it knows to be chosen."),
    status("applied", "integer", "The last slot it has applied."),
    status("config", "integer", "The number of its shard configuration."),
    status("log_bytes", "integer", "The size of its log."),
    status("snapshot_bytes", "integer", "The size of its last snapshot."),
    status("shards", "array", "The shards it serves."),
];

const fn status(name: &'static str, kind: &'static str, meaning: &'static str) -> StatusEntry {
    StatusEntry { name, kind, meaning }
}

/// The example request of an operation, as it travels.
fn example_request(entry: &OperationEntry) -> Request {
    Request { client: "c7".to_owned(), seq: 12, op: (entry.example)().0 }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// `UPDATE_REFERENCE=1` writes the file anew instead of comparing it.
    fn is_up_to_date(name: &str, generated: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(&path, generated).unwrap();
        }
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        let same = checked_in.replace("\r\n", "\n") == generated;
        let alike =
            checked_in.lines().zip(generated.lines()).take_while(|(old, new)| old == new).count();
        assert!(
            same,
            "{} is not what the registries say from line {} on.\n\
             Look at the change, then run: UPDATE_REFERENCE=1 cargo test -p contract",
            path.display(),
            alike + 1
        );
    }

    #[test]
    fn the_reference_page_is_up_to_date() {
        is_up_to_date("CONTRACT.md", &markdown());
    }

    #[test]
    fn the_openapi_document_is_up_to_date() {
        is_up_to_date("openapi.json", &openapi());
    }
}

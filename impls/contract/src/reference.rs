//! The reference page and the `OpenAPI` document, generated from the registries so that they cannot drift.

mod markdown;
mod openapi;

pub use markdown::markdown;
pub use openapi::openapi;

use crate::{Request, operations::OperationEntry};

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

//! Files that cannot be written: what a person can do about it.

use std::io::{Error, ErrorKind};

/// What the system said, and what to do next where that is known.
#[must_use]
pub fn explain(error: &Error) -> String {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; make room there, and try again",
        ErrorKind::FileTooLarge => "; raise the limit on the size of a file with `ulimit -f`",
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            "; choose a place where you may write"
        }
        _ => "",
    };
    format!("{error}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_comes_with_advice() {
        for (kind, advice) in
            [(ErrorKind::StorageFull, "make room"), (ErrorKind::FileTooLarge, "ulimit -f")]
        {
            assert!(explain(&kind.into()).contains(advice));
        }
        assert_eq!(explain(&Error::other("odd")), "odd");
    }
}

//! The key-value application and its exactly-once wrapper.

//! The disk without FUSE.

mod legal_states;
mod naive;
mod plain_tree;
mod program;

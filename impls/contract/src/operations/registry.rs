//! The registry of operations. It is made from the definition of [`Operation`] itself.

use super::Operation;
use crate::{Outcome, manifest::Capability, shape::Shape};

/// One row of the registry of operations.
#[derive(Clone, Copy, Debug)]
pub struct OperationEntry {
    /// The operation's name: its `type` on the wire, its `f` in a history.
    pub name: &'static str,
    /// The capability that a manifest must claim; `None`: every store serves it.
    pub capability: Option<Capability>,
    /// The fields beside `type`.
    pub fields: &'static [Field],
    /// The fields of the result.
    pub result: &'static [Field],
    /// What it does, in one sentence.
    pub meaning: &'static str,
    /// A request and every kind of answer it can get.
    pub example: fn() -> (Operation, Vec<Outcome>),
}

/// A field of an operation or of its result.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// Defines [`Operation`] and, from the same lines, the registry: names, fields and doc comments are written once.
/// `#[serde(default)]` on a field says that it may be left out.
macro_rules! operations {
    ($(
        #[doc = $meaning:literal]
        $variant:ident $name:tt ($capability:expr, $example:expr) {
            $(
                #[doc = $about:literal]
                $(#[serde($default:ident)])?
                $field:ident: $holds:ty,
            )*
        } => {
            $(
                #[doc = $result_about:literal]
                $(#[serde($result_default:ident)])?
                $result:ident: $result_holds:ty,
            )*
        }
    )*) => {
        /// One operation of a client, as it travels in `{"type":"put","key":"x","value":"1"}`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(tag = "type")]
        pub enum Operation {
            $(
                #[doc = $meaning]
                #[serde(rename = $name)]
                $variant {
                    $(
                        #[doc = $about]
                        $(#[serde($default)])?
                        $field: $holds,
                    )*
                },
            )*
            /// A command of the nodes' own, in their log. It is none of the client API: a node refuses it from a client.
            #[serde(rename = "internal")]
            Internal {
                /// What only the nodes understand.
                command: String,
            },
        }

        /// Every operation of the client API.
        pub const OPERATIONS: &[OperationEntry] = &[$(OperationEntry {
            name: $name,
            capability: $capability,
            fields: &[$(Field {
                name: stringify!($field),
                shape: <$holds as Shaped>::SHAPE,
                required: <[&str]>::is_empty(&[$(stringify!($default))?]),
                meaning: $about.trim_ascii(),
            },)*],
            result: &[$(Field {
                name: stringify!($result),
                shape: <$result_holds as Shaped>::SHAPE,
                required: <[&str]>::is_empty(&[$(stringify!($result_default))?]),
                meaning: $result_about.trim_ascii(),
            },)*],
            meaning: $meaning.trim_ascii(),
            example: $example,
        },)*];

        impl Operation {
            /// The operation's name on the wire, which is also its `f` in a history.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                    Self::Internal { .. } => "internal",
                }
            }
        }
    };
}
pub(super) use operations;

//! How keys, values and lists are written for people.

use crate::Datatype;
use crate::history::{History, Micro};
use crate::ids::{Txn, Version};

/// Elements shown at the start of a list, and on each side of the one that decides.
const SHOWN: usize = 2;
/// Lists up to this length are shown whole.
const WHOLE: usize = 8;

impl History {
    pub(crate) fn key_name(&self, key: u32) -> String {
        self.names.key_name(key)
    }

    pub(crate) fn value_name(&self, version: Version) -> String {
        self.names.value_name(version)
    }

    /// `[1 2 … 7 8 9 …]`: long lists around the element that decides, which is the last one unless said.
    pub(crate) fn list_words(&self, list: &[Version], deciding: Option<usize>) -> String {
        let deciding = deciding.unwrap_or(list.len().saturating_sub(1));
        let mut words = Vec::new();
        let mut is_gap = false;
        for (position, &version) in list.iter().enumerate() {
            let is_near = position.abs_diff(deciding) <= SHOWN;
            if list.len() <= WHOLE || position < SHOWN || is_near {
                words.push(self.value_name(version));
                is_gap = false;
            } else if !is_gap {
                words.push("…".to_owned());
                is_gap = true;
            }
        }
        format!("[{}]", words.join(" "))
    }

    /// `appended 3 to x`, `wrote 3 to x`.
    pub(crate) fn wrote_words(&self, key: u32, version: Version) -> String {
        let verb = match self.datatype {
            Datatype::ListAppend => "appended",
            Datatype::Register => "wrote",
        };
        format!("{verb} {} to {}", self.value_name(version), self.key_name(key))
    }

    /// `append x 3`, `r x [1 2]`: a micro-operation on its own.
    pub(crate) fn micro_words(&self, micro: Micro) -> String {
        let key = self.key_name(micro.key());
        match (micro, self.list(micro)) {
            (Micro::Write { version, .. }, _) => {
                let f = if self.datatype == Datatype::ListAppend { "append" } else { "w" };
                format!("{f} {key} {}", self.value_name(version))
            }
            (Micro::Value { version, .. }, _) => format!("r {key} {}", self.value_name(version)),
            (_, Some(list)) => format!("r {key} {}", self.list_words(list, None)),
            (_, None) => format!("r {key} ?"),
        }
    }

    /// The whole transaction: `append x 3, r y []`.
    pub(crate) fn txn_words(&self, txn: Txn) -> String {
        const MOST: usize = 8;
        let micros = self.micros_of(txn);
        let shown = micros.iter().take(MOST).map(|&micro| self.micro_words(micro));
        let rest = micros.len().saturating_sub(MOST);
        let rest = (rest > 0).then(|| format!("… {rest} more"));
        shown.chain(rest).collect::<Vec<_>>().join(", ")
    }
}

//! Events → transactions. What an event holds is read at once, so that a long history stays small.

use history::{Event, EventKind, PairError, Process};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::build::{Builder, Frame};
use crate::history::{Header, History, NONE, id};
use crate::names::display;
use crate::{Datatype, Outcome};

/// Why a history cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The events of a process contradict each other.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// A value that is no list of micro-operations.
    #[error("event {index}: {problem}")]
    Value {
        /// The event.
        index: u64,
        /// What is wrong with it.
        problem: String,
    },
}

/// The processes and what they are doing.
#[derive(Debug, Default)]
pub(crate) struct Pairing {
    processes: FxHashMap<u64, State>,
    /// How many events there were.
    events: u32,
    previous: Option<u64>,
}

#[derive(Debug)]
enum State {
    Open(Invocation),
    Idle,
    /// Its last transaction is in doubt since this event.
    Lost(u64),
}

#[derive(Debug)]
struct Invocation {
    header: Header,
    rank: u32,
    value: Value,
}

impl Builder {
    /// The next event of the history. Those of the bench itself, which have no client's process, are passed over.
    pub fn event(&mut self, event: Event) -> Result<(), BuildError> {
        let index = event.index;
        if let Some(previous) = self.pairing.previous.filter(|&previous| index <= previous) {
            return Err(PairError::Order { index, previous }.into());
        }
        self.pairing.previous = Some(index);
        let Process::Client(process) = event.process else { return Ok(()) };
        let rank = self.pairing.events;
        self.pairing.events = id(rank as usize + 1);
        let state = self.pairing.processes.entry(process).or_insert(State::Idle);
        if let State::Lost(info) = *state {
            return Err(PairError::UsedAfterInfo { index, process, info }.into());
        }
        if event.kind == EventKind::Invoke {
            if let State::Open(invocation) = state {
                let open = invocation.header.call;
                return Err(PairError::Overlap { index, process, f: event.f, open }.into());
            }
            let (call_ns, ret, return_ns) = (event.time_ns, None, None);
            let header = Header { process, call: index, ret, call_ns, return_ns };
            *state = State::Open(Invocation { header, rank, value: event.value });
            return Ok(());
        }
        let after = match event.kind {
            EventKind::Info => State::Lost(index),
            EventKind::Ok | EventKind::Fail | EventKind::Invoke => State::Idle,
        };
        let State::Open(invocation) = std::mem::replace(state, after) else {
            return Err(PairError::NotInvoked { index, process, f: event.f }.into());
        };
        self.complete(invocation, &event, rank)
    }

    fn complete(
        &mut self,
        invocation: Invocation,
        event: &Event,
        rank: u32,
    ) -> Result<(), BuildError> {
        let Invocation { header, rank: call, value } = invocation;
        let (outcome, index, value) = match event.kind {
            EventKind::Ok => (Outcome::Ok, header.call, &event.value),
            EventKind::Fail => (Outcome::Fail, header.call, &value),
            EventKind::Info | EventKind::Invoke => (Outcome::Info, header.call, &value),
        };
        let is_known = outcome != Outcome::Info;
        let (ret, return_ns) = (is_known.then_some(event.index), is_known.then_some(event.time_ns));
        let header = Header { ret, return_ns, ..header };
        self.add(&Frame { header, outcome, call, ret: rank }, value, index)
    }

    /// The history of all events; what is still open stays so for ever.
    pub fn finish(mut self) -> Result<History, BuildError> {
        let mut open: Vec<Invocation> = std::mem::take(&mut self.pairing.processes)
            .into_values()
            .filter_map(|state| match state {
                State::Open(invocation) => Some(invocation),
                State::Idle | State::Lost(_) => None,
            })
            .collect();
        open.sort_by_key(|invocation| invocation.rank);
        for Invocation { header, rank, value } in open {
            let frame = Frame { header, outcome: Outcome::Info, call: rank, ret: NONE };
            self.add(&frame, &value, header.call)?;
        }
        Ok(self.settle())
    }

    fn add(&mut self, frame: &Frame, value: &Value, index: u64) -> Result<(), BuildError> {
        self.begin(frame);
        let micro_ops = value.as_array().map(Vec::as_slice);
        // Of what failed it is enough that it did.
        let nothing = frame.outcome == Outcome::Fail && value.is_null();
        let micro_ops = if nothing { Some(&[][..]) } else { micro_ops };
        let ask = match frame.outcome {
            Outcome::Ok => "of an ok, with what its reads saw",
            Outcome::Fail | Outcome::Info => "of an invocation",
        };
        micro_ops
            .ok_or_else(|| format!("the value {ask} must be a list of micro-operations"))
            .and_then(|micro_ops| micro_ops.iter().try_for_each(|micro| self.micro(micro)))
            .map_err(|problem| BuildError::Value { index, problem })?;
        self.end();
        Ok(())
    }

    fn micro(&mut self, micro: &Value) -> Result<(), String> {
        // What a tool wrote may be long.
        let told = || display(micro);
        let (f, key, value) = match micro.as_array().map(Vec::as_slice) {
            Some([f, key, value]) => (f, key, value),
            Some([f, key]) => (f, key, &Value::Null),
            _ => return Err(format!("{} is no micro-operation [function, key, value]", told())),
        };
        let key = self.names.datum(key);
        let f = f.as_str().unwrap_or_default();
        match (f.strip_prefix(':').unwrap_or(f), self.datatype) {
            ("append", Datatype::ListAppend) | ("w", Datatype::Register) => {
                if value.is_null() {
                    return Err(format!("{} writes nothing: nil is what was there before", told()));
                }
                let value = self.names.datum(value);
                self.write(key, value);
            }
            ("r", Datatype::Register) => {
                let value = (!value.is_null()).then(|| self.names.datum(value));
                self.read_value(key, value);
            }
            ("r", Datatype::ListAppend) => {
                let elements = match value {
                    Value::Null => &[][..],
                    Value::Array(elements) => elements,
                    other => {
                        return Err(format!("a read must show a list, not {}", display(other)));
                    }
                };
                let list = elements.iter().map(|element| self.names.datum(element)).collect();
                self.read_list(key, list);
            }
            (_, Datatype::ListAppend) => return Err(format!("{} is neither append nor r", told())),
            (_, Datatype::Register) => return Err(format!("{} is neither w nor r", told())),
        }
        Ok(())
    }
}

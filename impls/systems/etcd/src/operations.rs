//! The operations of the contract, carried out by etcd.
//!
//! A put is a put. All others are worked out here ([`adapter::effect`]) from what one transaction read, and written by a second
//! one on the condition that none of these keys has changed since. Where one has, the second transaction tells the values of
//! that moment, and the effect is worked out anew: nothing has happened until then. An operation that changes nothing ends with
//! the first transaction, which is a read.

use std::collections::BTreeMap;

use adapter::{State, effect, refusals};
use contract::{Operation, Outcome, Refusal};

use crate::{
    gateway::Gateway,
    messages::{
        Compare, DeleteRange, Put, PutAnswer, Range, RequestOp, Txn, TxnAnswer, decode, encode,
    },
};

/// So often an operation is worked out anew before it is given up.
const ATTEMPTS_MAX: usize = 16;

/// The keys of an operation as they were at one moment: the revision of the last change of each, and its value.
struct Snapshot {
    state: State,
    revisions: BTreeMap<String, String>,
}

pub(crate) async fn perform(
    gateway: &mut Gateway,
    operation: &Operation,
    serializable_reads: bool,
) -> Result<Outcome, Refusal> {
    if operation.is_of_controllers() {
        return Err(refusals::unsupported(operation));
    }
    if let Operation::Put { key, value } = operation {
        let put = Put { key: encode(key), value: encode(value) };
        let PutAnswer {} = gateway.post("/v3/kv/put", &put).await?;
        return Ok(Outcome::Done {});
    }
    let mut keys: Vec<&str> = operation.keys();
    keys.sort_unstable();
    keys.dedup();
    let read = Txn {
        compare: Vec::new(),
        success: ranges(&keys, serializable_reads),
        failure: Vec::new(),
    };
    let answer = if keys.is_empty() {
        TxnAnswer { succeeded: true, responses: Vec::new() }
    } else {
        // A read changes nothing: without it the operation was never proposed.
        let answer = gateway.post("/v3/kv/txn", &read).await;
        answer.map_err(|refusal| refusals::not_sent(refusal.message))?
    };
    let mut snapshot = Snapshot::new(&keys, answer)?;
    for _ in 0..ATTEMPTS_MAX {
        let effect = effect(operation, &snapshot.state)?;
        if effect.writes.is_empty() {
            // The read was the operation. Where it was not linearizable, this outcome may be that of a former state.
            return Ok(effect.outcome);
        }
        let write = Txn {
            compare: snapshot.unchanged(),
            success: effect.writes.into_iter().map(|(key, value)| change(&key, value)).collect(),
            // Within a proposal all reads are of the moment in which it is applied.
            failure: ranges(&keys, false),
        };
        let answer: TxnAnswer = gateway.post("/v3/kv/txn", &write).await?;
        if answer.succeeded {
            return Ok(effect.outcome);
        }
        snapshot = Snapshot::new(&keys, answer)?;
    }
    Err(refusals::aborted(format!("other clients were faster, {ATTEMPTS_MAX} times")))
}

fn ranges(keys: &[&str], serializable: bool) -> Vec<RequestOp> {
    keys.iter().map(|key| RequestOp::Range(Range { key: encode(key), serializable })).collect()
}

fn change(key: &str, value: Option<String>) -> RequestOp {
    let key = encode(key);
    match value {
        Some(value) => RequestOp::Put(Put { key, value: encode(&value) }),
        None => RequestOp::DeleteRange(DeleteRange { key }),
    }
}

impl Snapshot {
    /// What a transaction answered that read these keys.
    fn new(keys: &[&str], answer: TxnAnswer) -> Result<Self, Refusal> {
        if answer.responses.len() != keys.len() {
            return Err(refusals::unknown("etcd answered for other keys"));
        }
        let (mut state, mut revisions) = (State::new(), BTreeMap::new());
        for (key, response) in keys.iter().zip(answer.responses) {
            let range = response.response_range;
            let found = range.and_then(|range| range.kvs.into_iter().next());
            let revision =
                found.as_ref().map_or_else(|| "0".to_owned(), |kv| kv.mod_revision.clone());
            state.insert((*key).to_owned(), found.map(|kv| decode(&kv.value)));
            revisions.insert((*key).to_owned(), revision);
        }
        Ok(Self { state, revisions })
    }

    /// The conditions under which all of it is still so.
    fn unchanged(&self) -> Vec<Compare> {
        let unchanged = |(key, revision): (&String, &String)| Compare {
            key: encode(key),
            target: "MOD",
            result: "EQUAL",
            mod_revision: revision.clone(),
        };
        self.revisions.iter().map(unchanged).collect()
    }
}

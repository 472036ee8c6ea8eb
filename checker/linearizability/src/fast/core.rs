//! A violation's proof: a few operations for which every order is tried.
//!
//! Taking operations out of a history is sound only where none that stays depends on them. Here stay: the operations
//! named, and for each value that they saw or left its writer. What stood between two such values of a chain is left
//! out, so that the later one's writer replaces the earlier value directly; a writer that builds on nothing that
//! stays becomes a plain write. Any order of the whole history gives one of these.

use super::step::{INITIAL, Step};
use super::times::NEVER;
use super::{Finding, Register};
use crate::{Call, CallOf, Model, oracle};

/// The most operations of a witness.
const WITNESS_MAX: usize = 6;

/// Tries every order of the finding's core. The operations of the witness, those that the finding names first, or an
/// error where there is a legal order.
pub(super) fn verify<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    register: &Register<'_>,
    finding: Finding,
) -> Result<Vec<u32>, String> {
    let core = Core::of(register, finding);
    let refuted = !oracle::is_linearizable(&OneRegister, &core.calls);
    // Plain reads and writes say themselves what they do, so that the model can be asked too.
    let by_model = || {
        let real: Vec<CallOf<M>> =
            core.calls.iter().map(|call| calls[call.process as usize].clone()).collect();
        !oracle::is_linearizable(model, &real)
    };
    if !refuted || (core.is_plain && !by_model()) {
        return Err(format!(
            "Internal error: the fast path found no order for operations that have one ({finding:?})."
        ));
    }
    let mut witness = finding.operations();
    for call in &core.calls {
        if witness.len() < WITNESS_MAX && !witness.contains(&(call.process as u32)) {
            witness.push(call.process as u32);
        }
    }
    Ok(witness)
}

/// The core as a history of one register.
struct Core {
    /// Each with its position in the whole history for its process.
    calls: Vec<CallOf<OneRegister>>,
    /// Only reads and writes, none of them shortened.
    is_plain: bool,
}

impl Core {
    fn of(register: &Register<'_>, finding: Finding) -> Self {
        let happened = |op: &u32| !register.failed[*op as usize];
        let step = |op: u32| register.steps[op as usize];
        let named: Vec<u32> = finding.operations().into_iter().filter(happened).collect();
        let mut values: Vec<u32> = vec![INITIAL];
        values.extend(named.iter().flat_map(|&op| [step(op).saw(), step(op).leaves()]).flatten());
        let mut writers = vec![
            None;
            register.steps.iter().filter_map(|s| s.leaves()).max().unwrap_or(INITIAL)
                as usize
                + 1
        ];
        for (op, step) in register.happened() {
            if let Some(value) = step.leaves() {
                writers[value as usize] = Some(op);
            }
        }
        let writer = |value: u32| writers.get(value as usize).copied().flatten();
        let mut core = Self { calls: Vec::new(), is_plain: true };
        for &op in &named {
            if let Step::Read(_) = step(op) {
                core.add(register, op, step(op));
            }
        }
        // What never returned took effect for certain only where somebody saw it.
        let mut next = 0;
        while let Some(&value) = values.get(next) {
            next += 1;
            let in_doubt =
                writer(value).is_some_and(|op| register.times.returns[op as usize] == NEVER);
            let Some(op) = in_doubt.then(|| register.observer(value)).flatten() else { continue };
            match step(op).leaves() {
                None => core.add(register, op, step(op)),
                Some(new) if !values.contains(&new) => values.push(new),
                Some(_) => {}
            }
        }
        for &value in &values {
            let Some(op) = writer(value) else { continue };
            // The closest of the values that stay on which this one builds, or one that nobody wrote.
            let mut before = step(op).saw();
            for _ in 0..writers.len() {
                let Some(now) = before.filter(|now| !values.contains(now)) else { break };
                let Some(op) = writer(now) else { break };
                before = step(op).saw();
            }
            let shortened = match before {
                Some(old) => Step::Swap { old, new: value },
                None => Step::Write(value),
            };
            core.add(register, op, shortened);
        }
        // One operation may be there twice: as a read of its own and as nothing else.
        core.calls.sort_by_key(|call| call.process);
        core.calls.dedup_by_key(|call| call.process);
        core
    }

    fn add(&mut self, register: &Register<'_>, op: u32, step: Step) {
        let plain = matches!(step, Step::Read(_) | Step::Write(_));
        self.is_plain &= plain && step == register.steps[op as usize];
        let ret = register.times.returns[op as usize];
        self.calls.push(Call {
            id: u64::from(op),
            process: u64::from(op),
            input: step,
            output: Some(()),
            call: register.times.calls[op as usize].into(),
            ret: (ret != NEVER).then_some(ret.into()),
            call_ns: 0,
            return_ns: None,
            failed: false,
        });
    }
}

impl Register<'_> {
    /// Somebody who saw this value: one who returned, where there is one.
    fn observer(&self, value: u32) -> Option<u32> {
        let saw = |&(_, step): &(u32, Step)| step.saw() == Some(value);
        let returned = |op: u32| self.times.returns[op as usize] != NEVER;
        let took_effect = |&(op, step): &(u32, Step)| returned(op) || step.leaves().is_some();
        let all = || self.happened().filter(saw).filter(took_effect);
        all().find(|&(op, _)| returned(op)).or_else(|| all().next()).map(|(op, _)| op)
    }
}

/// The register that the steps are about.
pub(super) struct OneRegister;

impl Model for OneRegister {
    type Input = Step;
    type Output = ();
    type State = u32;

    fn initial(&self) -> u32 {
        INITIAL
    }

    fn step(&self, state: &u32, input: &Step, _: Option<&()>) -> Option<u32> {
        input.apply(*state)
    }

    fn describe(&self, input: &Step, _: Option<&()>) -> String {
        format!("{input:?}")
    }
}

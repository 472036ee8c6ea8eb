//! Compare-and-set registers over numbers.

use linearizability::models::cas_register::{CasInput, CasOutput, CasRegister};
use linearizability::{Effects, Model};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::Value;

use super::{Workload, bare};

/// Which operations, over which values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntFlavour {
    /// Reads and writes of different values.
    Register,
    /// The same with compare-and-set.
    Unique,
    /// Compare-and-set over three values.
    Few,
}

/// The model under a workload.
pub struct CasWorkload {
    /// The register.
    pub model: CasRegister,
    flavour: IntFlavour,
}

impl CasWorkload {
    /// A register that holds nothing at first, under these operations.
    pub fn new(flavour: IntFlavour) -> Self {
        Self { model: CasRegister::default(), flavour }
    }
}

impl Model for CasWorkload {
    type Input = CasInput;
    type Output = CasOutput;
    type State = Value;

    fn initial(&self) -> Value {
        self.model.initial()
    }
    fn step(&self, state: &Value, input: &CasInput, output: Option<&CasOutput>) -> Option<Value> {
        self.model.step(state, input, output)
    }
    fn effects<'a>(&'a self, input: &'a CasInput, output: Option<&'a CasOutput>) -> Effects<'a> {
        bare(&self.model.effects(input, output))
    }
    fn describe(&self, input: &CasInput, output: Option<&CasOutput>) -> String {
        self.model.describe(input, output)
    }
}

impl Workload for CasWorkload {
    fn input(&self, rng: &mut ChaCha8Rng, fresh: usize) -> CasInput {
        let fresh = fresh as u64 + 1;
        let few = |rng: &mut ChaCha8Rng| Value::from(rng.random_range(0..3));
        // What somebody may have written, or nobody yet.
        let known = |rng: &mut ChaCha8Rng| match rng.random_range(0..=fresh) {
            0 => Value::Null,
            value => value.into(),
        };
        match (self.flavour, rng.random_range(0..3)) {
            (IntFlavour::Few | IntFlavour::Unique, 0) => CasInput::Read,
            (IntFlavour::Register, 0..2) if rng.random_bool(0.75) => CasInput::Read,
            (IntFlavour::Register, _) | (IntFlavour::Unique, 1) => CasInput::Write(fresh.into()),
            (IntFlavour::Unique, _) => CasInput::Cas(known(rng), fresh.into()),
            (IntFlavour::Few, 1) => CasInput::Write(few(rng)),
            (IntFlavour::Few, _) => CasInput::Cas(few(rng), few(rng)),
        }
    }

    fn output(&self, state: &Value, input: &CasInput) -> CasOutput {
        match input {
            CasInput::Read => CasOutput::Value(state.clone()),
            CasInput::Write(_) => CasOutput::Done,
            CasInput::Cas(expect, _) => CasOutput::Cas(state == expect),
        }
    }

    fn blurred(&self, _: &mut ChaCha8Rng, output: CasOutput) -> CasOutput {
        output
    }
}

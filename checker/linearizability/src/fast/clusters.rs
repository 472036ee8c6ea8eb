//! Every value with its writer and its readers.

use super::step::{INITIAL, Step};
use super::times::{BEFORE, NEVER};
use super::{Finding, Register};

/// No operation, or no value.
pub(super) const NONE: u32 = u32::MAX;

/// One value: its writer and the reads of it.
#[derive(Clone, Copy)]
pub(super) struct Cluster {
    /// Who wrote it; [`NONE`] for the initial value.
    pub(super) writer: u32,
    /// The value that replaced it in sight of it, or [`NONE`].
    pub(super) next: u32,
    /// The least return, and whose.
    pub(super) first_return: u32,
    pub(super) first_returner: u32,
    /// The greatest call, and whose.
    pub(super) last_call: u32,
    pub(super) last_caller: u32,
    /// It took effect for certain.
    pub(super) active: bool,
}

/// The values by number.
pub(super) struct Clusters {
    pub(super) all: Vec<Cluster>,
    /// How many are active.
    pub(super) active: usize,
    /// Operations that were refused because of a value: placed last.
    pub(super) refused: Vec<u32>,
}

impl Clusters {
    /// `None` where two operations write the same value.
    pub(super) fn of(register: &Register<'_>) -> Result<Option<Self>, Finding> {
        let Some(mut clusters) = Self::with_writers(register) else { return Ok(None) };
        clusters.activate(register)?;
        clusters.add_reads(register)?;
        clusters.link(register)?;
        Ok(Some(clusters))
    }

    fn with_writers(register: &Register<'_>) -> Option<Self> {
        let highest = |step: &Step| step.saw().max(step.leaves()).unwrap_or(INITIAL);
        let size = register.steps.iter().map(highest).max().unwrap_or(INITIAL) as usize + 1;
        let empty = Cluster {
            writer: NONE,
            next: NONE,
            first_return: NEVER,
            first_returner: NONE,
            last_call: BEFORE,
            last_caller: NONE,
            active: false,
        };
        let mut all = vec![empty; size];
        for (op, step) in register.happened() {
            if let Some(value) = step.leaves() {
                let cluster = &mut all[value as usize];
                if value == INITIAL || cluster.writer != NONE {
                    return None;
                }
                cluster.writer = op;
            }
        }
        let initial = Cluster { first_return: BEFORE, active: true, ..empty };
        all[INITIAL as usize] = initial;
        Some(Self { all, active: 1, refused: Vec::new() })
    }

    /// Whatever returned took effect, and so did whatever somebody saw who took effect.
    fn activate(&mut self, register: &Register<'_>) -> Result<(), Finding> {
        let mut seen = Vec::new();
        for (op, step) in register.happened() {
            if register.times.returns[op as usize] == NEVER {
                continue;
            }
            self.take(register, op);
            seen.extend(step.saw());
            while let Some(value) = seen.pop() {
                let Cluster { writer, active, .. } = self.all[value as usize];
                if active {
                    continue;
                }
                if writer == NONE {
                    return Err(register.unwritten(value, op));
                }
                // A writer that returned is taken when its turn comes, too.
                self.take(register, writer);
                seen.extend(register.steps[writer as usize].saw());
            }
            if let Step::Refused(_) = step {
                self.refused.push(op);
            }
        }
        Ok(())
    }

    /// This operation took effect.
    fn take(&mut self, register: &Register<'_>, op: u32) {
        let Some(value) = register.steps[op as usize].leaves() else { return };
        let cluster = &mut self.all[value as usize];
        if !cluster.active {
            cluster.active = true;
            self.active += 1;
            cluster.include(register, op);
        }
    }

    fn add_reads(&mut self, register: &Register<'_>) -> Result<(), Finding> {
        for (op, step) in register.happened() {
            let Step::Read(value) = step else { continue };
            let returned = register.times.returns[op as usize];
            if returned == NEVER {
                continue;
            }
            let cluster = &mut self.all[value as usize];
            let writer = cluster.writer;
            if writer != NONE && returned < register.times.calls[writer as usize] {
                return Err(Finding::Future { reader: op, writer });
            }
            cluster.include(register, op);
        }
        Ok(())
    }

    fn link(&mut self, register: &Register<'_>) -> Result<(), Finding> {
        for value in 0..self.all.len() as u32 {
            let Cluster { writer, active, .. } = self.all[value as usize];
            if !active || writer == NONE {
                continue;
            }
            let Some(old) = register.steps[writer as usize].saw() else { continue };
            let next = std::mem::replace(&mut self.all[old as usize].next, value);
            if next != NONE {
                let other = self.all[next as usize].writer;
                let (first, second) = (other.min(writer), other.max(writer));
                return Err(Finding::LostUpdate { first, second });
            }
        }
        Ok(())
    }
}

impl Cluster {
    fn include(&mut self, register: &Register<'_>, op: u32) {
        let (call, ret) = (register.times.calls[op as usize], register.times.returns[op as usize]);
        if ret < self.first_return {
            (self.first_return, self.first_returner) = (ret, op);
        }
        if call > self.last_call {
            (self.last_call, self.last_caller) = (call, op);
        }
    }
}

impl Register<'_> {
    /// The operations that may have taken effect.
    pub(super) fn happened(&self) -> impl Iterator<Item = (u32, Step)> {
        let steps = self.steps.iter().zip(&self.failed).zip(0..);
        steps.filter(|((_, failed), _)| !**failed).map(|((step, _), op)| (op, *step))
    }

    /// Nobody wrote this, or nobody whose write took effect.
    fn unwritten(&self, value: u32, reader: u32) -> Finding {
        let wrote = |&op: &usize| self.failed[op] && self.steps[op].leaves() == Some(value);
        match (0..self.steps.len()).find(wrote) {
            Some(writer) => Finding::Aborted { reader, writer: writer as u32 },
            None => Finding::Phantom { reader },
        }
    }
}

//! The steps of `faults.jsonl`, gathered: one entry a fault.

use std::collections::BTreeMap;

use record::{FaultRecord, FaultStep, Folder, FolderError, Reading};

use crate::markup::cut;

/// More faults than this are counted, not shown.
const FAULTS_MAX: usize = 5_000;
const NAME_CHARS_MAX: usize = 40;

/// One fault and its life.
#[derive(Clone, Debug, Default)]
pub struct Fault {
    /// Its number in the plan.
    pub number: u64,
    /// Its family.
    pub family: String,
    /// Its form.
    pub form: String,
    /// What it was aimed at.
    pub targets: Vec<String>,
    /// When it was written into the plan.
    pub planned_ns: Option<u64>,
    /// When it was seen to take hold.
    pub started_ns: Option<u64>,
    /// When it was seen not to take hold.
    pub missed_ns: Option<u64>,
    /// When it was undone.
    pub healed_ns: Option<u64>,
    /// What was noted on the way.
    pub notes: Vec<String>,
}

/// All faults of a run.
#[derive(Debug, Default)]
pub struct Faults {
    /// By number.
    pub list: Vec<Fault>,
    /// How many more there were.
    pub left_out: u64,
    /// The time of the last step.
    pub end_ns: u64,
}

impl Fault {
    /// Whether it never took hold.
    pub fn is_missed(&self) -> bool {
        self.started_ns.is_none() && self.missed_ns.is_some()
    }

    /// From when to when it was (or was tried to be) in force; `None`: nothing but planned.
    pub fn span(&self, end_ns: u64) -> Option<(u64, u64)> {
        let start =
            self.started_ns.or_else(|| self.missed_ns.map(|at| self.planned_ns.unwrap_or(at)))?;
        let end = self.healed_ns.or(self.missed_ns.filter(|_| self.is_missed())).unwrap_or(end_ns);
        Some((start, end.max(start)))
    }

    /// `partition halves`.
    pub fn name(&self) -> String {
        format!("{} {}", self.family, self.form).trim().to_owned()
    }

    /// The CSS class of its family: one of ours, whatever the file says.
    pub fn class(&self) -> &'static str {
        family_class(&self.family)
    }
}

/// The CSS class of a family.
pub fn family_class(family: &str) -> &'static str {
    match family {
        "partition" => "partition",
        "kill" => "kill",
        "pause" => "pause",
        "network" => "network",
        "client" => "client",
        "disk" => "disk",
        "clock" => "clock",
        _ => "other",
    }
}

impl Faults {
    /// Reads the steps, as far as they can be read.
    pub fn read(folder: &Folder) -> (Self, Result<Reading, FolderError>) {
        let mut faults: BTreeMap<u64, Fault> = BTreeMap::new();
        let mut all = Self::default();
        let reading = folder.read_faults(|record| {
            all.end_ns = all.end_ns.max(record.time_ns);
            if faults.len() >= FAULTS_MAX && !faults.contains_key(&record.fault) {
                all.left_out += u64::from(record.step == FaultStep::Planned);
                return;
            }
            faults.entry(record.fault).or_default().take(record);
        });
        all.list = faults.into_values().collect();
        (all, reading)
    }

    /// The families in order of appearance.
    pub fn families(&self) -> Vec<&str> {
        let mut families: Vec<&str> = Vec::new();
        for fault in &self.list {
            if !families.contains(&fault.family.as_str()) && families.len() < 12 {
                families.push(&fault.family);
            }
        }
        families
    }
}

impl Fault {
    fn take(&mut self, record: FaultRecord) {
        self.number = record.fault;
        self.family = cut(&record.family, NAME_CHARS_MAX);
        self.form = cut(&record.form, NAME_CHARS_MAX);
        if !record.targets.is_empty() {
            self.targets = record.targets;
        }
        let at = Some(record.time_ns);
        match record.step {
            FaultStep::Planned => self.planned_ns = at,
            FaultStep::Started => self.started_ns = at,
            FaultStep::Missed => self.missed_ns = at,
            FaultStep::Healing => {}
            FaultStep::Healed => self.healed_ns = at,
        }
        if !record.note.is_empty() && self.notes.len() < 8 {
            self.notes.push(record.note);
        }
    }
}

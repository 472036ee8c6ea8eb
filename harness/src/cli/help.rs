//! What the help says that is taken from registries.

use contract::manifest::Rung;
use history::Format;
use invariants::Invariant;
use isolation::Datatype;
use linearizability::Named;
use record::Evidence;

use crate::nemesis::Family;

pub(super) fn workloads() -> String {
    let names: Vec<&str> = workloads::names().collect();
    format!(
        "What the clients do and what must hold, see below: {} [default: bank; of what serves nothing but `{2}`, {1}]",
        names.join(", "),
        workloads::mapreduce::NAME,
        Rung::Mapreduce.name()
    )
}

pub(super) fn workloads_in_sentences() -> String {
    let sentences: Vec<String> =
        workloads::all().map(|(name, about)| format!("  {name}: {about}")).collect();
    format!("Workloads:\n{}", sentences.join("\n"))
}

pub(super) fn models() -> String {
    let objects = Named::ALL.map(Named::name).join(", ");
    let invariants = Invariant::ALL.map(Invariant::name).join(", ");
    format!(
        "What the history must be linearizable as: {objects}; or an invariant to check without a search: \
         {invariants}; or what its transactions work on: {} [default for a results folder: what its workload checks]",
        datatype_names()
    )
}

pub(super) fn formats() -> String {
    let formats = Format::ALL.map(Format::name).join(", ");
    format!("How the file is written: {formats} [default: guessed from name and content]")
}

pub(super) fn datatypes() -> String {
    format!("What the keys hold: {}", datatype_names())
}

fn datatype_names() -> String {
    Datatype::ALL.map(Datatype::name).join(", ")
}

pub(super) fn faults() -> String {
    let families: Vec<_> =
        Family::all().map(|family| format!("{family} ({})", family.about())).collect();
    format!(
        "Fault families, separated by commas, or `none`: {} [default: all that can be \
         planned]",
        families.join(", ")
    )
}

pub(super) fn require() -> String {
    let row = |evidence: Evidence| {
        format!("{}={} ({})", evidence.name(), evidence.default_minimum(), evidence.about())
    };
    format!(
        "What the run must have seen to be called valid, separated by commas, or `none`: {}",
        Evidence::ALL.map(row).join(", ")
    )
}

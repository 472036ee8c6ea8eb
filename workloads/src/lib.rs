//! What clients do and what must hold: one file a workload.

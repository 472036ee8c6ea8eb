//! Node processes: supervising shim, ports, logs, data folders.

//! The keys of a manifest.

/// One row of the registry of manifest keys.
#[derive(Clone, Copy, Debug)]
pub struct KeyEntry {
    /// The key.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// An example value, as TOML.
    pub example: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// Every key of the manifest.
pub const KEYS: [KeyEntry; 12] = [
    key("name", true, "\"multi-paxos\"", "The implementation's name, for reports."),
    key(
        "build",
        false,
        "[\"cargo\", \"build\", \"--release\"]",
        "A command run once, in the folder, before the first node starts.",
    ),
    key(
        "run",
        true,
        "[\"target/release/multi-paxos\"]",
        "The command of one node, no shell; a program with a `/` in it is relative to the folder.",
    ),
    key(
        "environment",
        false,
        "{ CACHE_MB = \"64\" }",
        "Variables of a node, besides those of the launch.",
    ),
    key(
        "ports",
        false,
        "[2379, 2380]",
        "The ports that every node listens on at an address of its own, the one for clients first; one that the bench chooses by \
         default. See below.",
    ),
    key(
        "client",
        false,
        "{ run = [\"./adapter\"], environment = { READS = \"stale\" } }",
        "A program that speaks the contract for a node that does not: a command, and its variables. See below.",
    ),
    key(
        "nodes",
        false,
        "1",
        "How many nodes there are, unless a run says otherwise; as many as its rungs have by default.",
    ),
    key("serves", true, "[\"replicated-kv\"]", "The rungs of the ladder it serves, at least one."),
    key("peer", false, "\"http\"", "How peers talk to each other; `http` by default."),
    key(
        "caps",
        false,
        "[\"append\", \"cas\", \"exactly-once\", \"restart\"]",
        "The optional parts of the contract it speaks; none by default.",
    ),
    key(
        "promises",
        false,
        "\"strict-serializable\"",
        "The consistency level that it promises, such as `snapshot-isolation` or `linearizable`; `strict-serializable` by default.",
    ),
    key(
        "timeouts",
        false,
        "{ attempt_ms = 500, operation_ms = 2000 }",
        "How long the bench waits for it, in milliseconds.",
    ),
];

const fn key(
    name: &'static str,
    required: bool,
    example: &'static str,
    meaning: &'static str,
) -> KeyEntry {
    KeyEntry { name, required, example, meaning }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Manifest;

    #[test]
    fn the_registry_of_keys_is_the_manifest() {
        let lines: Vec<String> =
            KEYS.iter().map(|entry| format!("{} = {}", entry.name, entry.example)).collect();
        let manifest = Manifest::parse(&lines.join("\n")).unwrap();
        let fields = serde_json::to_value(&manifest).unwrap();
        let known: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let mut declared: Vec<&str> = KEYS.iter().map(|entry| entry.name).collect();
        declared.sort_unstable();
        assert_eq!(known, declared);
        for (at, entry) in KEYS.iter().enumerate() {
            let mut without = lines.clone();
            without.remove(at);
            let read = Manifest::parse(&without.join("\n"));
            // Without ports, a program for clients has nothing to reach.
            let is_needed = entry.required || entry.name == "ports";
            assert_eq!(read.is_err(), is_needed, "without {}", entry.name);
        }
    }
}

//! The variables that start an adapter.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use contract::NodeId;

/// How long an operation may take, where `DS_LIMIT_MS` does not say: longer than clients wait by default.
const LIMIT_MS: u64 = 10_000;

/// What an adapter needs to know at its start.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `DS_NODE`: whose adapter it is.
    pub node: NodeId,
    /// `DS_LISTEN`: where it serves the contract.
    pub listen: SocketAddr,
    /// `DS_TARGETS`: of each node, where each of its ports is reached.
    pub targets: BTreeMap<NodeId, BTreeMap<u16, SocketAddr>>,
    /// `DS_LIMIT_MS`: how long an operation may take before its outcome is called unknown.
    pub limit: Duration,
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// Names the variable that is missing or does not parse.
    pub fn from_process() -> Result<Self, String> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_variables(std::env::vars_os().filter_map(text).collect())
    }

    /// Reads these variables.
    ///
    /// # Errors
    /// Names the variable that is missing or does not parse.
    pub fn from_variables(variables: BTreeMap<String, String>) -> Result<Self, String> {
        let need = |name: &str| variables.get(name).ok_or_else(|| format!("{name} is not set"));
        let (listen, targets) = (need("DS_LISTEN")?, need("DS_TARGETS")?);
        let limit_ms = match variables.get("DS_LIMIT_MS") {
            None => LIMIT_MS,
            Some(text) => text
                .parse()
                .map_err(|_| format!("DS_LIMIT_MS={text}: expected a number of milliseconds"))?,
        };
        Ok(Self {
            node: need("DS_NODE")?.clone(),
            listen: listen
                .parse()
                .map_err(|_| format!("DS_LISTEN={listen}: expected address:port"))?,
            targets: serde_json::from_str(targets)
                .map_err(|error| format!("DS_TARGETS={targets}: {error}"))?,
            limit: Duration::from_millis(limit_ms),
            variables,
        })
    }

    /// Where this port of the adapter's own node is reached.
    ///
    /// # Errors
    /// `DS_TARGETS` does not say.
    pub fn own(&self, port: u16) -> Result<SocketAddr, String> {
        let ports = self.targets.get(&self.node);
        let address = ports.and_then(|ports| ports.get(&port)).copied();
        address.ok_or_else(|| format!("DS_TARGETS says nothing of port {port} of {}", self.node))
    }

    /// The value that a variable names among these; the first one where it is not set.
    ///
    /// # Errors
    /// It names none of them.
    pub fn choice<T: Clone>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, String> {
        let value = self.variables.get(name).map(String::as_str);
        let known: Vec<&str> = choices.iter().map(|(known, _)| *known).collect();
        let chosen = choices.iter().find(|(known, _)| value.is_none_or(|value| value == *known));
        chosen.map(|(_, chosen)| chosen.clone()).ok_or_else(|| {
            format!("{name}={}: expected one of {}", value.unwrap_or_default(), known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(changed: &[(&str, &str)]) -> BTreeMap<String, String> {
        let base = [
            ("DS_NODE", "n2"),
            ("DS_LISTEN", "127.0.0.1:4101"),
            ("DS_TARGETS", r#"{"n1":{"2379":"127.0.0.1:1"},"n2":{"2379":"127.0.0.1:2"}}"#),
        ];
        base.iter().chain(changed).map(|&(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn an_adapter_talks_to_its_own_node() {
        let environment = Environment::from_variables(variables(&[])).unwrap();
        assert_eq!(environment.own(2379), Ok("127.0.0.1:2".parse().unwrap()));
        assert!(environment.own(2380).unwrap_err().contains("port 2380 of n2"));
        let strange = Environment::from_variables(variables(&[("DS_NODE", "n9")])).unwrap();
        assert!(strange.own(2379).is_err());
    }

    #[test]
    fn what_is_missing_or_does_not_parse_is_named() {
        for missing in ["DS_NODE", "DS_LISTEN", "DS_TARGETS"] {
            let mut variables = variables(&[]);
            variables.remove(missing);
            assert!(Environment::from_variables(variables).unwrap_err().contains(missing));
        }
        for (name, value) in [
            ("DS_LISTEN", "localhost"),
            ("DS_TARGETS", "{"),
            ("DS_TARGETS", r#"{"n1":{"http":"127.0.0.1:1"}}"#),
            ("DS_TARGETS", r#"{"n1":{"2379":"elsewhere"}}"#),
            ("DS_LIMIT_MS", "-1"),
        ] {
            let error = Environment::from_variables(variables(&[(name, value)])).unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn a_choice_has_a_default_and_refuses_the_rest() {
        let choices = [("linearizable", 1), ("serializable", 2)];
        let chosen = |changed: &[(&str, &str)]| {
            Environment::from_variables(variables(changed)).unwrap().choice("READS", &choices)
        };
        assert_eq!(chosen(&[]), Ok(1));
        assert_eq!(chosen(&[("READS", "serializable")]), Ok(2));
        let error = chosen(&[("READS", "fast")]).unwrap_err();
        assert_eq!(error, "READS=fast: expected one of linearizable, serializable");
    }
}

//! The nodes in a table, and how to reach each.

use contract::{NodeId, Operation, Request};
use history::words::cut;
use serde_json::Value;

use crate::nemesis::steps::What;
use crate::{
    environment::{Environment, PERSON, node::State},
    nemesis::faults::partition::link_names,
};

/// So much of a word that a node says of itself is shown.
const WORD_CHARS_MAX: usize = 20;

/// What a node is supposed to be doing, and what it says of itself.
type Said = (NodeId, State, Option<Value>);

/// One row a node, then the links that are cut.
pub(super) fn table<'a>(nodes: &[Said], broken: impl Iterator<Item = &'a What>) -> String {
    let broken: Vec<&What> = broken.collect();
    let header = ["node", "process", "role", "term", "commit"].map(str::to_owned);
    let rows = nodes.iter().map(|(node, state, says)| {
        let field = |name: &str| match says.as_ref().map(|says| &says[name]) {
            Some(Value::String(text)) => cut(text, WORD_CHARS_MAX),
            Some(Value::Number(number)) => number.to_string(),
            _ => "-".to_owned(),
        };
        let is_paused = broken.contains(&&What::Paused(node.clone()));
        let process = match state {
            State::Running if is_paused => "paused",
            State::Running => "running",
            State::Killed => "killed",
            State::Ended => "ended by itself",
            State::Off => "off",
        };
        [node.clone(), process.to_owned(), field("role"), field("term"), field("commit")]
    });
    let rows: Vec<[String; 5]> = std::iter::once(header).chain(rows).collect();
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    let cut: Vec<String> = broken
        .iter()
        .filter_map(|what| match what {
            What::Cut(links) => Some(link_names(links)),
            What::Killed(_) | What::Paused(_) | What::Held(_) | What::Kinds(..) => None,
        })
        .flatten()
        .collect();
    let cut = if cut.is_empty() {
        "no link is cut".to_owned()
    } else {
        format!("cut: {}", cut.join(" "))
    };
    lines.chain([cut]).collect::<Vec<_>>().join("\n")
}

/// A command for a shell for each node.
pub(super) fn curl(environment: &Environment) -> String {
    let get = Operation::Get { key: "x".to_owned() };
    let request = Request { client: PERSON.to_owned(), seq: 1, op: get };
    let body = serde_json::to_string(&request).unwrap_or_default();
    let reach = |node: &NodeId| {
        let address = environment.network.address(PERSON, node)?;
        let header = "Content-Type: application/json";
        Some(format!("  {node}  curl -s http://{address}/v1/op -H '{header}' -d '{body}'"))
    };
    let nodes: Vec<String> = environment.clients.nodes.iter().filter_map(reach).collect();
    format!(
        "From another terminal, past the record, after which answers are not judged any more (each operation of a client \
         has the next `seq`):\n{}",
        nodes.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_node_has_its_row_and_cut_links_are_named() {
        let said = json!({ "role": "leader", "term": 3, "commit": 17, "leader": null });
        let nodes = [
            ("n1".to_owned(), State::Running, Some(said)),
            ("n2".to_owned(), State::Running, None),
            ("n3".to_owned(), State::Killed, None),
        ];
        let links = vec![("n1".to_owned(), "n3".to_owned())];
        let broken = [What::Paused("n2".to_owned()), What::Cut(links)];
        let expected = "node  process  role    term  commit\nn1    running  leader  3     17\n\
                        n2    paused   -       -     -\nn3    killed   -       -     -\ncut: n1>n3";
        assert_eq!(table(&nodes, broken.iter()), expected);
        assert!(table(&[], [].iter()).ends_with("no link is cut"));
    }
}

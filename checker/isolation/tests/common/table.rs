//! Cases written as `history => anomalies => the strongest models that stand`, one a line.

use isolation::{Anomaly, Consistency, Datatype, Transaction, notation};

#[derive(Debug)]
pub struct Case {
    pub text: String,
    pub datatype: Datatype,
    pub history: Vec<Transaction>,
    /// Sorted.
    pub anomalies: Vec<Anomaly>,
    /// Sorted.
    pub standing: Vec<Consistency>,
}

/// The cases of a file; lines that begin with `#` are comments.
pub fn cases(file: &str) -> Vec<Case> {
    file.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(case)
        .collect()
}

fn case(line: &str) -> Case {
    let parts: Vec<_> = line.split("=>").collect();
    let [text, anomalies, standing] = parts[..] else { panic!("three parts: {line}") };
    let (datatype, history) =
        notation::parse(text).unwrap_or_else(|error| panic!("{line}: {error}"));
    let anomaly = |name: &str| Anomaly::all().find(|anomaly| anomaly.name() == name).expect(line);
    let mut anomalies: Vec<_> = anomalies.split_whitespace().map(anomaly).collect();
    anomalies.sort_unstable();
    let model = |name: &str| name.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut standing: Vec<Consistency> = standing.split_whitespace().map(model).collect();
    standing.sort_unstable();
    Case { text: text.trim_end().to_owned(), datatype, history, anomalies, standing }
}

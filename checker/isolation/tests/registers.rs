//! Small histories of registers: what is found, what is not, and how it is told.

use isolation::{History, Options, Report, check, notation};

fn report_with(text: &str, options: &Options) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(&History::from_transactions(datatype, &transactions), options)
}

fn report(text: &str) -> Report {
    report_with(text, &Options::default())
}

fn found(report: &Report) -> Vec<String> {
    report.anomalies.iter().map(|finding| finding.anomaly.name()).collect()
}

#[test]
fn each_anomaly_is_found_by_its_name() {
    for (text, expected) in [
        ("wx1 wy1 / rx1 ry1", &[][..]),
        ("rx_ wx1 / rx1 wx2 / rx2", &[]),
        // Without reads nothing is known of the order of 1 and 2.
        ("wx1 wy2 / wx2 wy1 / rx1 ry1", &[]),
        ("wx1 ry1 / wy1 rx1", &["G1c"]),
        ("wx1 wy1 / rx1 ry_", &["G-single-item"]),
        ("wx1 ry_ / wy1 rx_", &["G2-item"]),
        ("wx1 / wy1 / rx1 ry_ / rx_ ry1", &["G-nonadjacent-item"]),
        ("[wx1] [rx_] / rx1", &["G-single-item-process"]),
        ("[wx1]\n      [rx_]\nrx1", &["G-single-item-realtime"]),
        ("rx_ wx1 / rx_ wx2", &["G2-item", "lost-update"]),
        ("wx1 / rx1 wx2 / rx1 wx3", &["G2-item", "lost-update"]),
        ("wx1 ! / rx1", &["G1a"]),
        ("wx1 ! / rx1 wx2", &["G1a", "dirty-update"]),
        ("wx1 wx2 / rx1", &["G1b"]),
        ("wx1 rx_", &["internal"]),
        ("wx1 / wx2 / rx1 rx2", &["internal"]),
        ("rx1 wx1", &["future-read"]),
        ("wx1 / rx3", &["garbage-read"]),
        // The reader of 1 missed 2, which replaced it.
        ("[wx1]\n      [rx1 wx2]\n                [rx1]", &["G-single-item-realtime"]),
    ] {
        assert_eq!(found(&report(text)), expected, "{text}");
    }
}

#[test]
fn promised_keys_give_an_order_of_versions() {
    let linearizable = Options { linearizable_keys: true, ..Options::default() };
    let sequential = Options { sequential_keys: true, ..Options::default() };
    let stale = "[wx1]\n      [wx2]\n            [rx1]";
    assert_eq!(found(&report(stale)), [""; 0]);
    let told = report_with(stale, &linearizable);
    assert_eq!(found(&told), ["cyclic-versions"]);
    assert_eq!(
        told.anomalies[0].sentence,
        "23 held 1 before 2 (T1 left the one, and T2, which came later, found the other), \
         and 2 before 1 (T2 left the one, and T3, which came later, found the other)."
    );
    assert_eq!(found(&report_with("[wx1] [wx2] [rx1]", &sequential)), ["cyclic-versions"]);
    let forgotten = report_with("[wx1] [rx_]", &sequential);
    assert_eq!(found(&forgotten), ["G-single-item-process", "cyclic-versions"]);
    // The order of x, from time, and that of y make a cycle.
    let fractured = "[wx1]\n      [wx2 wy2]\n rx1 ry2";
    assert_eq!(found(&report(fractured)), [""; 0]);
    assert_eq!(found(&report_with(fractured, &linearizable)), ["G-single-item"]);
}

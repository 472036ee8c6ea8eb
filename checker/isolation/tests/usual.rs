//! What people call the anomalies.

use isolation::{History, Options, Report, check, notation};

fn report(text: &str) -> Report {
    let (datatype, transactions) = notation::parse(text).expect("a history");
    check(
        &History::from_transactions(datatype, &transactions).expect("fitting reads"),
        &Options::default(),
    )
}

#[test]
fn a_cycle_has_its_usual_name_where_it_has_the_shape() {
    // Near misses: of three transactions, or by the order of time alone, it is none of the two-transaction anomalies.
    for (text, formal, usual) in [
        ("ax1 ay1 / rx1 ry_ / ry1", "G-single-item", Some("read skew")),
        ("ax1 / rx1 ay1 / rx_ ry1", "G-single-item", None),
        ("rx_ ax1 / ax2 / rx21", "G-single-item", Some("lost update")),
        ("rx_ ay1 / ry_ ax1", "G2-item", Some("write skew")),
        ("rx_ ay1 / ry_ az1 / rz_ ax1", "G2-item", None),
        ("[ax1]\n      [rx_]", "G-single-item-realtime", Some("stale read")),
        ("ax1 / ay1 / rx1 ry_ / rx_ ry1", "G-nonadjacent-item", Some("long fork")),
        ("ax1! / rx1", "G1a", Some("aborted read")),
        ("wx1 wy1 / rx1 ry_", "G-single-item", Some("read skew")),
    ] {
        let report = report(text);
        let first = report.clearest().unwrap_or_else(|| panic!("nothing found in {text}"));
        assert_eq!((first.anomaly.name().as_str(), first.usual_name()), (formal, usual), "{text}");
    }
}

#[test]
fn the_sentence_says_the_name_and_the_weakest_levels_that_it_breaks() {
    let report = report("rx_ ay1 / ry_ ax1");
    let title = "G2-item (write skew; breaks repeatable-read and all stronger levels). T1 must";
    let sentence = &report.check_result().violations[0].sentence;
    assert!(sentence.starts_with(title), "{sentence}");
    let start = format!("The history is not strict-serializable: {title}");
    assert!(report.sentence.starts_with(&start), "{}", report.sentence);
}

//! The string notation of histories.

use isolation::notation::{parse, print};
use isolation::{Datatype, MicroOp, Outcome, Seen, Transaction};

fn transactions(text: &str) -> Vec<Transaction> {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).1
}

fn positions(text: &str) -> Vec<(u64, u64, Option<u64>)> {
    transactions(text)
        .iter()
        .map(|transaction| (transaction.process, transaction.call, transaction.ret))
        .collect()
}

#[test]
fn words_are_micro_operations() {
    let list = |key, elements: &[u32]| MicroOp::Read { key, seen: Seen::List(elements.to_vec()) };
    let (datatype, history) = parse("ax12 ry12 rz_ ra rx12, rx12,3").unwrap();
    assert_eq!(datatype, Datatype::ListAppend);
    assert_eq!(
        history[0].micro_ops,
        [
            MicroOp::Write { key: 23, value: 12 },
            list(24, &[1, 2]),
            list(25, &[]),
            MicroOp::Read { key: 0, seen: Seen::Unknown },
            list(23, &[12]),
            list(23, &[12, 3]),
        ]
    );
    let register = |key, value| MicroOp::Read { key, seen: Seen::Register(value) };
    let (datatype, history) = parse("wx12 ry12 rz_").unwrap();
    assert_eq!(datatype, Datatype::Register);
    assert_eq!(history[0].micro_ops[1..], [register(24, Some(12)), register(25, None)]);
}

#[test]
fn columns_are_time() {
    assert_eq!(positions("[ax1] [rx1]"), [(0, 0, Some(1)), (0, 2, Some(3))]);
    assert_eq!(positions("[ax1]\n     [rx1]"), [(0, 0, Some(1)), (1, 2, Some(3))]);
    assert_eq!(
        positions("[ax1]\n    [rx1]"),
        [(0, 0, Some(2)), (1, 1, Some(3))],
        "one column is no order"
    );
    assert_eq!(positions("[ax1 ]? /       [rx1]"), [(0, 0, None), (1, 1, Some(2))]);
    assert_eq!(
        positions("rx_ / [ax1]"),
        [(0, 0, Some(3)), (1, 1, Some(2))],
        "no brackets: overlaps everything"
    );
}

#[test]
fn marks_are_outcomes() {
    let outcomes =
        |text| transactions(text).iter().map(|transaction| transaction.outcome).collect::<Vec<_>>();
    let all = [Outcome::Ok, Outcome::Fail, Outcome::Info];
    assert_eq!(outcomes("[ax1] [ax2]! [rx]?"), all);
    assert_eq!(outcomes("ax1 / ax2 ! / rx ?"), all);
}

#[test]
fn what_cannot_be_read_is_named() {
    for (text, word) in [
        ("ax1 / wx1", "lists and writes"),
        ("bx1", "`bx1`"),
        ("ax", "`ax`"),
        ("rx1-2", "`rx1-2`"),
        ("ax1,2", "`ax1,2`"),
        ("rX1", "`rX1`"),
        ("[ax1", "between"),
        ("[ax1] ax2", "between"),
        ("[ax1] y [ax2]", "`y` stands outside"),
        ("[ax1]? [ax2]", "follow"),
        ("rx99999999999,", "`rx99999999999,`"),
        ("é", "`é`"),
    ] {
        let message = parse(text).expect_err(text).to_string();
        assert!(message.contains(word), "{text}: {message}");
    }
}

#[test]
fn what_is_printed_parses_as_the_same_history() {
    for text in [
        "ax1 ry_ / ay1 rx_",
        "[ax1 ay1]      [rx12]\n     [ax2  ]",
        "[ax10] [rx10,] [rx10,11]! [rx]?\n [ay1]?",
        "[wx1] [rx1]\n   [rx_ ry_]\n [wy22 rx1]?",
        "[] []!",
    ] {
        let (datatype, history) = parse(text).unwrap();
        let printed = print(datatype, &history);
        assert_eq!(parse(&printed).unwrap(), (datatype, history), "{text}\n{printed}");
    }
    let (datatype, history) = parse("[ax1 ay1]   [rx12]\n   [ax2  ]").unwrap();
    assert_eq!(print(datatype, &history), "[ax1 ay1] [rx12]\n [ax2    ]");
}

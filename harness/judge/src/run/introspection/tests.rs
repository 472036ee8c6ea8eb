use history::Verdict;

use super::*;

const S: u64 = 1_000_000_000;

fn run(caps: &[&str]) -> RunFile {
    let run = serde_json::json!({
        "version": 1, "harness": "", "target": "", "target_folder": "", "serves": ["replicated-kv"],
        "caps": caps, "workload": "register", "seed": 1, "nodes": ["n1", "n2", "n3"], "clients": 1,
        "rate": null, "faults": [], "fault_interval_ms": 1, "time_limit_ms": 1, "started": "",
        "command": "", "machine": {},
    });
    serde_json::from_value(run).unwrap()
}

/// A record of these lines: the node, when it answered, what it said.
fn judged(caps: &[&str], lines: &[(&str, u64, Said)]) -> Introspection {
    read(&run(caps), lines)
}

fn read(run: &RunFile, lines: &[(&str, u64, Said)]) -> Introspection {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::existing(place.path().to_owned());
    let mut file = folder.create_introspection().unwrap();
    for (node, answered_ns, said) in lines {
        let (node, answered_ns) = ((*node).to_owned(), *answered_ns);
        let asked_ns = answered_ns - 1000;
        let record = IntrospectionRecord { node, asked_ns, answered_ns, said: said.clone() };
        file.append(&record).unwrap();
    }
    file.flush().unwrap();
    Introspection::read(&folder, run).unwrap()
}

fn log(entries: &[(u64, &str)]) -> Said {
    let entries = entries.iter().map(|(slot, value)| (*slot, (*value).to_owned())).collect();
    Said::Log { from: 0, to: u64::MAX, entries }
}

fn leads(term: u64) -> Said {
    Said::status("leader", Some(term))
}

fn follows(term: u64) -> Said {
    Said::status("follower", Some(term))
}

/// The names and verdicts of the checks.
fn verdicts(introspection: &Introspection) -> Vec<(String, Verdict)> {
    introspection.checks().map(|check| (check.checker, check.verdict)).collect()
}

fn sentences(introspection: &Introspection) -> Vec<String> {
    let violations = introspection.checks().flat_map(|check| check.violations);
    violations.map(|violation| violation.sentence).collect()
}

#[test]
fn nodes_that_agree_are_valid_and_the_slots_that_were_compared_are_counted() {
    let all = judged(
        &["log"],
        &[
            ("n1", S, log(&[(1, "a"), (2, "b"), (3, "c")])),
            ("n2", S, log(&[(2, "b"), (3, "c"), (4, "d")])),
            ("n3", S, log(&[(3, "c")])),
            ("n1", S, leads(4)),
            ("n2", S, follows(4)),
            ("n2", 2 * S, leads(5)),
            ("n1", 2 * S, follows(5)),
            ("n2", 3 * S, leads(5)),
        ],
    );
    let valid = |name: &str| (name.to_owned(), Verdict::Valid);
    assert_eq!(verdicts(&all), [valid(slots::ONE_VALUE_A_SLOT), valid(leaders::ONE_LEADER_A_TERM)]);
    let seen: Vec<String> = all.promises().map(|promise| promise.seen).collect();
    assert!(seen[0].starts_with("Of 2 slots two nodes or more said"), "{seen:?}");
    assert!(seen[1].starts_with("Of 2 terms that nodes said"), "{seen:?}");
}

#[test]
fn two_values_in_a_slot_are_a_violation_whenever_they_were_said() {
    let (early, late) = (12 * S + S / 10 * 3, 20 * S + S / 10);
    let all = judged(
        &["log"],
        &[
            ("n1", early, log(&[(811, "x"), (812, "A"), (813, "p")])),
            ("n2", early, log(&[(812, "A")])),
            ("n3", late, log(&[(811, "x"), (812, "B"), (813, "q")])),
        ],
    );
    assert_eq!(verdicts(&all), [(slots::ONE_VALUE_A_SLOT.to_owned(), Verdict::Violation)]);
    assert_eq!(
        sentences(&all),
        [
            "slot 812 was chosen as A by n1 (12.300 s) and as B by n3 (20.100 s). Two values were said in 1 other slot, too."
        ]
    );
}

#[test]
fn a_node_must_not_take_back_what_it_said() {
    let all = judged(&["log"], &[("n1", S, log(&[(7, "A")])), ("n1", 2 * S, log(&[(7, "B")]))]);
    assert_eq!(
        sentences(&all),
        ["slot 7 was chosen as A by n1 (1.000 s) and as B by n1 (2.000 s)."]
    );
}

#[test]
fn two_leaders_in_a_term_are_a_violation_whenever_they_led() {
    for (one, other) in [("leader", "leader"), ("primary", "primary"), ("leader", "primary")] {
        let all = judged(
            &["log"],
            &[
                ("n1", S, Said::status(one, Some(7))),
                ("n1", 2 * S, follows(7)),
                ("n2", 3 * S, Said::status(other, Some(7))),
            ],
        );
        assert_eq!(verdicts(&all), [(leaders::ONE_LEADER_A_TERM.to_owned(), Verdict::Violation)]);
        assert_eq!(
            sentences(&all),
            ["both n1 (1.000 s) and n2 (3.000 s) said that they led in term 7."]
        );
    }
}

/// Without `log`, two leaders may share what a store calls its term.
#[test]
fn a_store_that_does_not_promise_it_gets_no_verdict() {
    let contradictory = [
        ("n1", S, leads(7)),
        ("n2", S, leads(7)),
        ("n1", S, log(&[(1, "a")])),
        ("n2", S, log(&[(1, "b")])),
    ];
    assert_eq!(verdicts(&judged(&["log"], &contradictory)).len(), 2);
    let all = judged(&["introspect"], &contradictory);
    assert_eq!(verdicts(&all), []);
    for promise in all.promises() {
        assert!(promise.how.contains("has `log` in its caps"), "{}", promise.how);
        assert_eq!((promise.verdict, promise.seen.as_str()), (None, ""));
    }
}

#[test]
fn where_nothing_could_be_compared_there_is_no_verdict_and_the_reason_is_told() {
    let told = |lines: &[(&str, u64, Said)]| {
        let all = judged(&["log"], lines);
        assert_eq!(verdicts(&all), []);
        all.promises().map(|promise| promise.seen).collect::<Vec<_>>()
    };
    assert!(told(&[])[0].starts_with("No node showed"));
    let apart = told(&[("n1", S, log(&[(1, "a")])), ("n2", S, log(&[(2, "b")]))]);
    assert!(apart[0].starts_with("No slot was shown by two nodes"), "{apart:?}");
    let alone = told(&[("n1", S, leads(1)), ("n1", 2 * S, leads(2))]);
    assert!(alone[1].starts_with("Only one node"), "{alone:?}");
    let silent = told(&[("n1", S, follows(1)), ("n2", S, follows(1))]);
    assert!(silent[1].starts_with("No node said a term"), "{silent:?}");
    let without_terms =
        [("n1", S, Said::status("leader", None)), ("n2", S, Said::status("leader", None))];
    assert!(told(&without_terms)[1].starts_with("No node said a term"));
    let unusable = told(&[("n2", S, Said::unusable("GET /v1/log: status 404"))]);
    assert!(unusable[0].ends_with("An answer of n2 could not be used: GET /v1/log: status 404."));
}

#[test]
fn what_nodes_say_is_shown_short_and_harmless() {
    let long = format!("\u{1b}[2J{}", "v".repeat(10_000));
    let all = judged(
        &["log"],
        &[("n1", S, log(&[(u64::MAX, &long)])), ("n2", S, log(&[(u64::MAX, "")]))],
    );
    let [sentence] = &sentences(&all)[..] else { panic!() };
    assert!(!sentence.contains('\u{1b}') && sentence.len() < 200, "{sentence}");
    assert!(sentence.starts_with("slot 18446744073709551615 was chosen as"), "{sentence}");
}

fn promised(term: u64, voted: &str) -> Said {
    Said::promised(term, Some(voted))
}

#[test]
fn promises_that_grow_are_kept_and_those_of_each_node_are_its_own() {
    let all = judged(
        &["log"],
        &[
            ("n1", S, promised(4, "")),
            ("n2", S, promised(9, "n2")),
            ("n1", 2 * S, promised(4, "n1")),
            ("n1", 3 * S, promised(4, "n1")),
            ("n2", 3 * S, promised(12, "")),
        ],
    );
    assert_eq!(verdicts(&all), [(promised::PROMISES_ARE_KEPT.to_owned(), Verdict::Valid)]);
    let seen = all.promises().last().unwrap().seen;
    assert_eq!(
        seen,
        "What 2 nodes said that they had promised was compared 3 times with what the same node had said before, and nothing was taken back."
    );
    let once = judged(&["log"], &[("n1", S, promised(4, "")), ("n2", S, promised(3, ""))]);
    assert_eq!(verdicts(&once), []);
}

#[test]
fn a_lower_promise_and_another_vote_in_a_term_are_violations() {
    for (before, after, sentence) in [
        (
            promised(7, "n2"),
            promised(6, "n2"),
            "n1 said that it had promised term 7 (1.000 s), and later only term 6 (2.000 s): it may vote again in terms in which it has voted.",
        ),
        (
            promised(7, "n2"),
            promised(7, "n3"),
            "n1 said that it had voted for n2 in term 7 (1.000 s), and later for n3 (2.000 s): one term may have two leaders.",
        ),
        (
            promised(7, "n2"),
            promised(7, ""),
            "n1 said that it had voted for n2 in term 7 (1.000 s), and later for nobody (2.000 s): one term may have two leaders.",
        ),
    ] {
        let all = judged(
            &["log"],
            &[("n1", S, before), ("n2", S, promised(9, "")), ("n1", 2 * S, after)],
        );
        assert_eq!(verdicts(&all), [(promised::PROMISES_ARE_KEPT.to_owned(), Verdict::Violation)]);
        assert_eq!(sentences(&all), [sentence]);
    }
}

#[test]
fn who_says_nothing_of_votes_takes_none_back() {
    let silent = Said::promised(7, None);
    let all = judged(
        &["log"],
        &[
            ("n1", S, silent.clone()),
            ("n1", 2 * S, promised(7, "n2")),
            ("n1", 3 * S, silent.clone()),
            ("n2", S, promised(7, "")),
            ("n2", 2 * S, promised(7, "n1")),
        ],
    );
    assert_eq!(verdicts(&all), [(promised::PROMISES_ARE_KEPT.to_owned(), Verdict::Valid)]);
}

/// A node is asked all the time, and once more before it is killed: an answer that came first may be the later one.
#[test]
fn answers_to_two_questions_at_once_are_not_compared() {
    let said = |asked_ns, time_ns, term| Promised {
        by: Statement { node: "n1".to_owned(), log: 0, time_ns },
        asked_ns,
        term,
        voted: None,
    };
    let verdict = |later: Promised| {
        let mut all = AllPromised::default();
        [said(0, 10, 5), said(20, 40, 7), later].into_iter().for_each(|said| all.take(said));
        all.check().unwrap().verdict
    };
    assert_eq!(verdict(said(30, 50, 6)), Verdict::Valid);
    assert_eq!(verdict(said(30, 50, 4)), Verdict::Violation, "it had said 5 long before");
    let (one, other) = (said(0, 10, 7), said(5, 12, 6));
    let mut all = AllPromised::default();
    [one, other, said(20, 30, 6)].into_iter().for_each(|said| all.take(said));
    assert_eq!(
        all.check().unwrap().verdict,
        Verdict::Violation,
        "whichever it said first, 7 was before"
    );
    assert_eq!(verdict(said(41, 50, 6)), Verdict::Violation);
}

/// Not that of a run: whoever is no node of it says nothing.
#[test]
fn strangers_and_torn_ends_say_nothing_and_a_damaged_line_is_told() {
    let stranger = judged(&["log"], &[("n1", S, log(&[(1, "a")])), ("n9", S, log(&[(1, "b")]))]);
    assert_eq!(verdicts(&stranger), []);
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::existing(place.path().to_owned());
    let path = place.path().join(files::INTROSPECTION);
    let line = r#"{"node":"n1","asked":1,"answered":2,"said":{"log":{"from":0,"to":9,"entries":[[1,"a"]]}}}"#;
    let other = line.replace("n1", "n2").replace("\"a\"", "\"b\"");
    let read = |text: String| {
        std::fs::write(&path, text).unwrap();
        Introspection::read(&folder, &run(&["log"]))
    };
    assert_eq!(verdicts(&read(format!("{line}\n{other}\n")).unwrap()).len(), 1);
    assert_eq!(verdicts(&read(format!("{line}\n{}", &other[..60])).unwrap()), []);
    let negative = line.replace("[1,", "[-1,");
    for damaged in ["{}", "[[[[", &negative] {
        assert!(read(format!("{damaged}\n{line}\n")).is_err(), "{damaged}");
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(verdicts(&Introspection::read(&folder, &run(&["log"])).unwrap()), []);
}

#[test]
fn each_group_has_a_log_of_its_own_and_so_have_the_controllers() {
    let groups = [["n1", "n2"], ["n3", "n4"]].map(|group| group.map(str::to_owned).to_vec());
    let run = RunFile {
        nodes: groups.concat(),
        groups: groups.to_vec(),
        controllers: ["c1", "c2"].map(str::to_owned).to_vec(),
        ..run(&["log"])
    };
    let right = [
        ("n1", S, log(&[(1, "a")])),
        ("n2", S, log(&[(1, "a")])),
        ("n3", S, log(&[(1, "b")])),
        ("c1", S, log(&[(1, "c")])),
        ("c2", S, log(&[(1, "c")])),
        ("n1", S, leads(4)),
        ("n2", S, follows(4)),
        ("n3", S, leads(4)),
        ("c1", S, leads(4)),
    ];
    let all = read(&run, &right);
    let valid = |name: &str| (name.to_owned(), Verdict::Valid);
    assert_eq!(verdicts(&all), [valid(slots::ONE_VALUE_A_SLOT), valid(leaders::ONE_LEADER_A_TERM)]);
    let seen: Vec<String> = all.promises().map(|promise| promise.seen).collect();
    assert!(seen[0].starts_with("Of 2 slots two nodes or more said"), "{seen:?}");
    // Of the others only one node each said its role.
    assert!(seen[1].starts_with("Of 1 term that a node said"), "{seen:?}");
    for wrong in [("n4", S, log(&[(1, "a")])), ("c2", 2 * S, leads(4))] {
        let lines: Vec<_> = right.iter().cloned().chain([wrong]).collect();
        assert_eq!(sentences(&read(&run, &lines)).len(), 1);
    }
}

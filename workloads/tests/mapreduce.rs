//! Records of jobs made by hand, with right outputs and wrong ones: the check finds each mistake, and nothing in what is right.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::collections::BTreeMap;

use history::{CheckResult, Completion, Operation, Verdict};
use serde_json::{Value, json};
use workloads::mapreduce::{
    Again, Content, Document, End, Ended, JOB, Job, Jobs, NOT_DONE, OUTPUTS, Output, PROGRESS,
    READ, ReadAgain, STAY, TOO_SLOW, judge,
};

const NS_A_MS: u64 = 1_000_000;

fn operation(call: u64, f: &str, arguments: Value, completion: Completion) -> Operation {
    let call_ns = call * NS_A_MS;
    Operation {
        call,
        process: 0,
        f: f.into(),
        arguments,
        return_ns: completion.is_known().then_some(call_ns + 200 * NS_A_MS),
        completion,
        call_ns,
        node: Some("c1".to_owned()),
        phase: "main".to_owned(),
    }
}

fn ended(call: u64, job: &Job, end: End) -> Operation {
    let ended = Ended { job: "j1".to_owned(), end };
    operation(call, JOB, json!(job), Completion::Ok(call + 1, json!(ended)))
}

fn read_again(call: u64, of: u64, again: &Again) -> Operation {
    let arguments = json!(ReadAgain { job: "j1".to_owned(), of });
    operation(call, READ, arguments, Completion::Ok(call + 1, json!(again)))
}

/// Two documents.
fn job(app: &str) -> Job {
    let document = |name: &str, text: &str| Document {
        path: format!("/shared/in/{name}"),
        text: text.to_owned(),
    };
    let documents = vec![document("a", "one two, two\n"), document("b", "two 2 THREE")];
    Job { app: app.to_owned(), reducers: 2, documents }
}

/// These texts, as outputs.
fn outputs(texts: &[&str]) -> Vec<Output> {
    let output = |(number, text): (usize, &&str)| Output {
        path: format!("/shared/mr-out-j1-{number}"),
        content: Content::Text((*text).to_owned()),
    };
    texts.iter().enumerate().map(output).collect()
}

fn done(texts: &[&str]) -> End {
    End::Done { outputs: outputs(texts) }
}

/// What is said of a record: of the check with this name.
fn check(operations: &[Operation], name: &str) -> CheckResult {
    let checks = judge(operations).unwrap();
    checks.into_iter().find(|check| check.checker == name).unwrap()
}

#[track_caller]
fn finds(result: &CheckResult, kind: &str, sentence: &str) {
    assert_eq!(result.verdict, Verdict::Violation, "{result:?}");
    assert_eq!(result.violations[0].kind, kind);
    let found = &result.violations[0].sentence;
    assert!(found.contains(sentence), "`{sentence}` is not in `{found}`");
    assert!(!result.violations[0].operations.is_empty());
}

/// In which file a line is, and where in it, is free.
#[test]
fn right_outputs_are_right_however_they_are_spread() {
    let index = "two 2 /shared/in/a,/shared/in/b\none 1 /shared/in/a\nTHREE 1 /shared/in/b\n";
    for (app, texts) in [
        ("wordcount", vec!["one 1\n", "two 3\nTHREE 1\n"]),
        ("wordcount", vec!["THREE 1\ntwo 3\none 1"]),
        ("wordcount", vec!["", "two 3\none 1\nTHREE 1\n", ""]),
        ("index", vec![index]),
    ] {
        let record = [ended(1, &job(app), done(&texts)), read_again(9, 1, &Again::Unchanged)];
        for check in judge(&record).unwrap() {
            assert_eq!(check.verdict, Verdict::Valid, "{texts:?}: {check:?}");
        }
    }
}

#[test]
fn each_kind_of_wrong_output_is_told_in_a_sentence() {
    for (texts, kind, sentence) in [
        (
            vec!["one 1\ntwo 2\nTHREE 1\n"],
            "wrong result",
            "says that `two` occurs 2 times, and it occurs 3 times",
        ),
        (vec!["one 1\ntwo 4\nTHREE 1\n"], "wrong result", "`two` occurs 4 times, and it occurs 3"),
        (vec!["one 1\ntwo 3\n"], "missing word", "has no line for `THREE`, whose result is `1`"),
        (vec!["one 1\ntwo 3\n", "two 3\nTHREE 1\n"], "word twice", "two lines for `two`"),
        (vec!["one 1\ntwo 3\nTHREE 1\nfour 1\n"], "foreign word", "a line for `four`"),
        (vec!["one 1\ntwo 3\nTHREE 1\nfour\n"], "no line of an output", "`four` in mr-out-j1-0"),
        (vec![], "missing word", "3 of 3 words"),
    ] {
        let result = check(&[ended(7, &job("wordcount"), done(&texts))], OUTPUTS);
        finds(&result, kind, sentence);
        let whose = "job j1 (wordcount of 2 documents with 2 reduce tasks, 0.007–0.207 s)";
        assert!(result.violations[0].sentence.starts_with(whose), "{result:?}");
    }
    let index = "two 1 /shared/in/b\none 1 /shared/in/a\nTHREE 1 /shared/in/b\n";
    let result = check(&[ended(7, &job("index"), done(&[index]))], OUTPUTS);
    finds(
        &result,
        "wrong result",
        "does not say that it is in a, of `two`, which is in 2 documents",
    );
    let other_order = index.replace("1 /shared/in/b\none", "2 /shared/in/b,/shared/in/a\none");
    let result = check(&[ended(7, &job("index"), done(&[&other_order]))], OUTPUTS);
    finds(&result, "wrong result", "says `2 /shared/in/b,/shared/in/a`");
}

#[test]
fn a_job_that_fails_or_is_forgotten_or_has_no_readable_output_is_a_violation() {
    let trouble = Output {
        path: "/etc/passwd".to_owned(),
        content: Content::Trouble("/etc/passwd is not in DS_SHARED".to_owned()),
    };
    for (end, kind, sentence) in [
        (
            End::Failed { error: "map task 3 \u{1b}[2J".to_owned() },
            "job failed",
            "map task 3 \u{fffd}[2J",
        ),
        (End::Forgotten, "job lost", "did not know it"),
        (End::Done { outputs: vec![trouble] }, "unreadable output", "is not in DS_SHARED"),
    ] {
        finds(&check(&[ended(3, &job("wordcount"), end)], OUTPUTS), kind, sentence);
    }
}

#[test]
fn outputs_that_change_after_the_end_are_a_violation_and_the_line_is_told() {
    let right = "one 1\ntwo 3\nTHREE 1\n";
    let changed = |texts: &[&str]| {
        let again = Again::Changed(outputs(texts));
        let record = [ended(1, &job("wordcount"), done(&[right])), read_again(900, 1, &again)];
        assert_eq!(check(&record, OUTPUTS).verdict, Verdict::Valid, "they were right");
        check(&record, STAY)
    };
    let kind = "changed after the end";
    finds(&changed(&["one 1\ntwo 2\nTHREE 1\n"]), kind, "had the line `two 2` instead of `two 3`");
    finds(&changed(&["one 1\n"]), kind, "the line `two 3` was gone from mr-out-j1-0");
    finds(&changed(&["one 1\ntwo 3\nTHREE 1\nx 1\n"]), kind, "had one more line, `x 1`");
    finds(&changed(&[right, ""]), kind, "their number had changed");
    assert!(changed(&["one 1\n"]).violations[0].operations == [1, 900]);
}

#[test]
fn a_job_without_an_end_is_a_violation_and_one_that_was_perhaps_not_started_is_none() {
    let open = |reason: String| {
        let completion = Completion::Info(Some(reason));
        check(&[operation(5, JOB, json!(job("index")), completion)], PROGRESS)
    };
    let stuck = open(format!("{NOT_DONE}of job j1, 3 of 8 map tasks were done"));
    finds(&stuck, "no progress", "started at 0.005 s did not come to its end: of job j1, 3 of 8");
    let slow = open(format!("{TOO_SLOW}of job j1, 3 of 8 map tasks were done"));
    assert_eq!(slow.verdict, Verdict::Inconclusive);
    let doubtful = open("c1: no answer within 2000 ms".to_owned());
    assert_eq!(doubtful.verdict, Verdict::Valid);
    assert!(doubtful.summary.contains("Whether 1 other had been started"), "{doubtful:?}");
}

#[test]
fn where_nothing_was_seen_nothing_is_valid() {
    assert_eq!(check(&[], OUTPUTS).verdict, Verdict::Inconclusive);
    assert_eq!(check(&[], STAY).verdict, Verdict::Inconclusive);
}

#[test]
fn what_is_no_record_of_jobs_is_refused_with_what_is_wrong() {
    let garbage = operation(4, JOB, json!({ "app": 7 }), Completion::Ok(5, json!({})));
    assert!(judge(&[garbage]).unwrap_err().contains("the job of process 0"));
    let foreign = read_again(9, 1, &Again::Unchanged);
    assert!(judge(&[foreign]).unwrap_err().contains("does not show"));
    let unknown = ended(1, &job("sort"), done(&[]));
    assert!(judge(&[unknown]).unwrap_err().contains("no app `sort`"));
}

/// Seeded jobs, counted here in a way of its own: one line that is changed is found, whichever it is.
#[test]
fn of_seeded_jobs_each_wrong_line_is_found() {
    let mut found = BTreeMap::new();
    for (number, job) in Jobs::new(3, 0, "/in".to_owned()).take(40).enumerate() {
        let mut lines = BTreeMap::<String, (u64, Vec<&str>)>::new();
        for document in &job.documents {
            let is_letter = |byte: &u8| byte.is_ascii_alphabetic();
            for word in document.text.as_bytes().split(|byte| !is_letter(byte)) {
                if word.is_empty() {
                    continue;
                }
                let word = String::from_utf8(word.to_vec()).unwrap();
                let (count, places) = lines.entry(word).or_default();
                *count += 1;
                if !places.contains(&document.path.as_str()) {
                    places.push(&document.path);
                }
            }
        }
        let line = |(word, (count, places)): (&String, &(u64, Vec<&str>))| {
            let mut places = places.clone();
            places.sort_unstable();
            match job.app.as_str() {
                "wordcount" => format!("{word} {count}\n"),
                _ => format!("{word} {} {}\n", places.len(), places.join(",")),
            }
        };
        let lines: Vec<String> = lines.iter().map(line).collect();
        let right = lines.concat();
        let verdict = |text: &str| check(&[ended(1, &job, done(&[text]))], OUTPUTS).verdict;
        assert_eq!(verdict(&right), Verdict::Valid, "{job:?}");
        if lines.is_empty() {
            continue;
        }
        let at = number % lines.len();
        let mut wrong = lines.clone();
        wrong[at] = wrong[at].trim_end().to_owned() + "1\n";
        assert_eq!(verdict(&wrong.concat()), Verdict::Violation);
        wrong.remove(at);
        assert_eq!(verdict(&wrong.concat()), Verdict::Violation);
        *found.entry(job.app.clone()).or_insert(0) += 1;
    }
    assert!(found.values().all(|count| *count > 5) && found.len() == 2, "{found:?}");
}

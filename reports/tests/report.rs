//! Pages from synthetic folders: what must be on them, and what must never be.

// Helpers of tests are tests, too.
#![allow(clippy::unwrap_used)]

mod synthetic;

use std::fs;
use std::path::Path;

use history::{CheckResult, Event, EventKind, Process, Verdict, Violation};
use record::{Folder, FolderError, files};
use reports::{Page, ReportError};
use serde_json::{Value, json};
use synthetic::{S, Sample};

fn render(folder: &Path) -> Result<String, ReportError> {
    Page::of_run(&Folder::existing(folder.to_owned())).map(|page| reports::render(&page))
}

fn write(folder: &Path) -> Result<std::path::PathBuf, ReportError> {
    reports::write(&Folder::existing(folder.to_owned()))
}

fn page(write: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    render(folder.path()).unwrap()
}

#[track_caller]
fn has(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "the page lacks {text:?}");
    }
}

fn embedded(page: &str) -> Value {
    let start = "id='operations'>";
    let from = page.find(start).expect("operations are embedded") + start.len();
    let json = page[from..].split("</script>").next().unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_valid_run_says_so_in_word_sign_and_colour() {
    let page = page(synthetic::valid);
    has(
        &page,
        &[
            "<title>Valid: registers on multi-paxos</title>",
            "<header class='verdict valid'><p class='sign' aria-hidden='true'>✓</p>",
            "<small>held to serializable · seed 42",
            "<dt>Timeouts</dt><dd>750 ms a request, 2 s an operation<small>bind 10 s · ready 15 s · recovery 8 s · stop 2 s",
            "2,000 operations are linearizable",
            "seed 42",
            "harness run impls/paxos --workload registers",
            "a world of its own for each node",
            "not confined: they could go around the links",
            "decided by",
            "no node said that it leads",
            "class='strip partition missed'",
            "<th scope='row'>n1 → n2",
            "heartbeat",
            "became leader of term 3",
            "n1 stdout: empty",
        ],
    );
    assert!(!page.contains("id='violations'"));
}

#[test]
fn how_the_store_behaved_is_shown_in_figures_with_their_meaning() {
    let page = page(synthetic::valid);
    has(
        &page,
        &[
            "<h2 id='behaviour-heading'>How the store behaved</h2>",
            "none of these figures decides the verdict",
            "<th scope='row'>Fail-over<td class='wide'>median 412 ms, at most 903 ms (3 times)",
            "1 of these faults ended before another node served",
            "<th scope='row'>Recovery<td class='wide'>median 40 ms; 1 of 3 faults not within the record",
            "<th scope='row'>Longest outage<td class='wide'>880 ms, from 9.0 s on",
            "<th scope='row'>Longest wait<td class='wide'>940 ms, from 9.0 s on",
            "6.5 messages and 2.1 KiB a successful operation",
            "1,204 different, 14 of them only in the last tenth of the run",
            "a new one with 0.37 %",
            "Until 28.4 s, where the trace is full.",
            "<th scope='row'>Data folder<td class='wide'>at most 586 KiB (n3), at the end 88 KiB (n1)",
            "A log beyond 64 KiB is to be compacted (DS_SNAPSHOT_BYTES at the first start).",
            "<th scope='row'>Memory<td class='wide'>at most 12 MiB",
        ],
    );
    assert!(!page.contains("<th scope='row'>Log<"), "no node says how long its log is");
}

#[test]
fn a_page_of_results_from_before_there_were_such_figures_does_without() {
    let page = page(|folder| {
        synthetic::valid(folder);
        let mut results = synthetic::results_file(Verdict::Valid, "Fine.", Vec::new());
        results.behaviour = None;
        synthetic::write_results(folder, &results);
    });
    assert!(!page.contains("id='behaviour'"));
}

#[test]
fn a_violation_is_proved_on_a_timeline() {
    let page = page(synthetic::violation);
    has(
        &page,
        &[
            "<header class='verdict violation'>",
            "<strong>stale read</strong>",
            "process 2 had read 4 at 9.988 s",
            "<tspan class='number'>4</tspan> get x → 3</text>",
            "<tspan class='number'>1</tspan> put x=3</text>",
            "<rect class='bar fail'",
            "<rect class='bar info'",
            "class='band partition'",
            "In force meanwhile: partition isolate-leader (fault 1",
            "unknown (given up 17.000000 s)",
            "10.005000 s",
            "Node logs around these operations (6 lines)",
            "<span class='dim'>9.500000 s n1</span> INFO n1 became leader of term 3",
            "if x=b: r x, w y=2",
        ],
    );
    let operations = embedded(&page);
    assert_eq!(operations["witnesses"].as_object().unwrap().len(), 10);
    assert_eq!(operations["index"].as_array().unwrap().len(), 2013);
}

#[test]
fn a_witness_shows_its_requests_and_the_timeline_what_the_nodes_did() {
    let page = page(synthetic::violation);
    has(
        &page,
        &[
            "3 requests: n2 refused (not_leader), copy to n3 no answer, n1 answered</summary>",
            "<b>n3</b> (a copy that the bench sent), 10.000000 s to 10.001000 s: no answer – <code>n3: no answer within 500 ms</code>",
            "<title>n2 leads</title>",
            "<title>n3 leads</title>",
            "<title>n1 paused</title>",
        ],
    );
    assert!(!page.contains("not_shown"), "only of operations that prove something");
    assert!(!page.contains("<title>n1 leads</title>"));
}

#[test]
fn a_run_that_recorded_no_attempts_has_a_report_that_says_so() {
    let page = page(|folder| {
        synthetic::violation(folder);
        fs::remove_file(folder.join(files::ATTEMPTS)).unwrap();
    });
    has(&page, &["There is no attempts.jsonl.", "stale read"]);
    assert!(!page.contains("<tr class='attempts'>"));
}

/// The page of a violation whose check drew these.
fn page_with_pictures(pictures: &Value) -> String {
    page(|folder| {
        synthetic::violation(folder);
        let path = folder.join(files::RESULTS);
        let mut results: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let check = results["checks"].as_array_mut().unwrap();
        let check = check.iter_mut().find(|check| check["violations"].is_array()).unwrap();
        check["pictures"] = pictures.clone();
        fs::write(path, results.to_string()).unwrap();
    })
}

fn picture(boxes: &[(&str, &str)], arrows: &Value, explanation: &[String]) -> Value {
    let boxes: Vec<Value> =
        boxes.iter().map(|(title, text)| json!({ "title": title, "text": text })).collect();
    json!({ "violation": 0, "boxes": boxes, "arrows": arrows, "explanation": explanation })
}

/// The drawing on a page, as SVG again.
fn drawing(page: &str) -> String {
    let start = "src='data:image/svg+xml,";
    let from = page.find(start).expect("a drawing") + start.len();
    let mut bytes = page[from..].split('\'').next().unwrap().bytes();
    let mut svg = Vec::new();
    while let Some(byte) = bytes.next() {
        let digits = (byte == b'%').then(|| bytes.by_ref().take(2).map(char::from).collect());
        let digits: Option<String> = digits;
        svg.push(digits.map_or(byte, |digits| u8::from_str_radix(&digits, 16).unwrap()));
    }
    String::from_utf8(svg).unwrap()
}

#[test]
fn a_cycle_has_a_box_for_each_transaction_and_an_arrow_for_each_edge() {
    let boxes = [("T1 · event 0", "append 23 1"), ("T2", "r 23 [1], append 24 1"), ("T3", "r 24")];
    let arrows = json!([
        { "from": 0, "to": 1, "kind": "wr", "key": "23", "sentence": "T1 < T2, because." },
        { "from": 1, "to": 2, "kind": "wr", "key": "24", "sentence": "T2 < T3, because." },
        { "from": 2, "to": 0, "kind": "rt", "sentence": "T3 < T1, because." },
        { "from": 7, "to": 0, "kind": "ww", "sentence": "From no box." },
    ]);
    let page = page_with_pictures(&json!([picture(&boxes, &arrows, &[])]));
    let svg = drawing(&page);
    assert_eq!(svg.matches("<rect class='t'").count(), 3, "{svg}");
    assert_eq!(svg.matches("marker-end").count(), 3, "{svg}");
    let parts =
        ["<title>stale read</title>", ">wr 23<", ">wr 24<", ">rt<", ">T3 &lt; T1, because.<"];
    has(&svg, &parts);
    has(&svg, &[">T1 · event 0<", ">r 23 [1], append 24 1<", "class='time'"]);
}

#[test]
fn a_picture_is_an_image_and_its_explanation_text_however_hostile() {
    let lines: Vec<String> = (0..100).map(|line| format!("T{line} <script>")).collect();
    let evil = "</text><script>alert('x')</script>&\u{1}";
    let arrows = json!([{ "from": 0, "to": 0, "kind": evil, "key": evil, "sentence": evil }]);
    let mut of_nothing = picture(&[("of-nothing", "")], &json!([]), &[]);
    of_nothing["violation"] = json!(99);
    let page = page_with_pictures(&json!([picture(&[(evil, evil)], &arrows, &lines), of_nothing]));
    has(&page, &["<li>T59 &lt;script&gt;</li>", "40 lines more in results.json"]);
    assert!(!page.contains("alert('x')") && !page.contains("T60 ") && !page.contains("of-nothing"));
    let svg = drawing(&page);
    assert!(svg.contains("alert") && !svg.contains("<script") && !svg.contains('\u{1}'), "{svg}");
}

#[test]
fn a_picture_too_large_is_left_out() {
    let boxes: Vec<(&str, &str)> = vec![("T1", "append 23 1"); 5_000];
    let of_many = picture(&boxes, &json!([]), &["T1 = a".to_owned()]);
    let page = page_with_pictures(&json!([of_many]));
    assert!(page.contains("<li>T1 = a</li>") && !page.contains("data:image"));
    assert!(page.len() < 1 << 20);
}

/// Results of an older bench hold a drawing instead of boxes: their explanation is still shown.
#[test]
fn without_boxes_there_is_only_the_explanation() {
    let old = json!([{ "violation": 0, "svg": "<svg/>", "explanation": ["T1 = a"] }]);
    let page = page_with_pictures(&old);
    assert!(page.contains("<li>T1 = a</li>") && !page.contains("data:image"));
}

#[test]
fn a_long_proof_is_drawn_whole() {
    let page = page(synthetic::crowded);
    assert_eq!(page.matches("<a class='operation'").count(), 40);
    assert_eq!(page.matches("<tspan class='number'>").count(), 40);
}

#[test]
fn an_inconclusive_run_is_neither_green_nor_red() {
    let page = page(synthetic::inconclusive);
    has(
        &page,
        &[
            "<header class='verdict inconclusive'><p class='sign' aria-hidden='true'>?</p>",
            "ran out of time",
            "liveness is not judged",
            "<span class='badge inconclusive'>",
        ],
    );
}

#[test]
fn a_run_killed_midway_has_a_report() {
    let page = page(synthetic::incomplete);
    has(
        &page,
        &[
            "<header class='verdict unjudged'>",
            "Not judged yet",
            "<code>harness check ",
            "There is no messages.jsonl.",
            "The last line of history.jsonl is incomplete",
            "Left out because unreadable: 1 line of history.jsonl.",
            "Latency over time",
        ],
    );
}

#[test]
fn the_least_folder_has_a_report() {
    let page = page(|folder| fs::write(folder.join(files::HISTORY), "").unwrap());
    has(&page, &["Not judged yet", "There is no run.json"]);
}

#[test]
fn damaged_results_are_no_verdict() {
    let page = page(|folder| {
        synthetic::valid(folder);
        fs::write(folder.join(files::RESULTS), "{\"verdict\":\"val").unwrap();
    });
    has(&page, &["Not judged yet", "results.json is damaged"]);
}

/// What a store put in the place of a file once cost the whole page.
#[test]
fn what_is_no_file_is_left_out_and_named() {
    let names = [files::RUN, files::RESULTS, files::FAULTS, files::MESSAGES];
    let page = page(|folder| {
        synthetic::valid(folder);
        for name in names {
            fs::remove_file(folder.join(name)).unwrap();
            std::os::unix::fs::symlink("/dev/zero", folder.join(name)).unwrap();
        }
    });
    let remarks = names.map(|name| format!("{name} is a symbolic link"));
    has(&page, &remarks.each_ref().map(String::as_str));
    has(&page, &["Latency over time"]);
}

#[test]
fn logs_behind_a_link_are_not_shown() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("n1")).unwrap();
    fs::write(elsewhere.path().join("n1/stdout.log"), "a secret\n").unwrap();
    let page = page(|folder| {
        synthetic::valid(folder);
        fs::remove_dir_all(folder.join(files::NODES)).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.join(files::NODES)).unwrap();
    });
    assert!(!page.contains("a secret"));
}

#[test]
fn another_folder_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let error = render(folder.path()).unwrap_err();
    assert!(matches!(error, ReportError::NotAResultsFolder(_)));
    assert!(error.to_string().contains("results/latest"));
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    synthetic::valid(folder.path());
    fs::write(folder.path().join(files::RESULTS), "{\"version\":999}").unwrap();
    let error = render(folder.path()).unwrap_err();
    assert!(
        matches!(error, ReportError::Folder(FolderError::Newer { version: 999, .. })),
        "{error}"
    );
}

#[test]
fn writing_replaces_the_page_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    synthetic::valid(folder.path());
    fs::write(folder.path().join(files::REPORT), "old").unwrap();
    let path = write(folder.path()).unwrap();
    assert_eq!(path, folder.path().join(files::REPORT));
    assert!(fs::read_to_string(path).unwrap().starts_with("<!doctype html>"));
    let left = fs::read_dir(folder.path()).unwrap().flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with('.')));
}

#[test]
fn a_page_that_cannot_be_written_leaves_no_draft() {
    let folder = tempfile::tempdir().unwrap();
    synthetic::valid(folder.path());
    // A folder in the page's place cannot be replaced by a file.
    fs::create_dir(folder.path().join(files::REPORT)).unwrap();
    let error = write(folder.path()).unwrap_err();
    assert!(error.to_string().contains("report.html"), "{error}");
    let mut left = fs::read_dir(folder.path()).unwrap().flatten();
    assert!(left.all(|entry| !entry.file_name().to_string_lossy().starts_with('.')));
}

/// What a browser would make of it: tags by name, with script and style contents skipped.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let tag = &rest[..rest.find('>').expect("every tag is closed")];
        assert!(!tag.contains('<'), "a tag in a tag: {tag}");
        tags.push(tag.to_owned());
        rest = &rest[tag.len() + 1..];
        if let Some(raw) = ["script", "style"].into_iter().find(|raw| tag.starts_with(raw)) {
            let end = format!("</{raw}>");
            rest = &rest[rest.find(&end).expect("every script is closed") + end.len()..];
        }
    }
    tags
}

#[test]
fn hostile_text_stays_text() {
    let page = page(synthetic::hostile);
    let tags = tags(&page);
    let count = |name: &str| tags.iter().filter(|tag| tag.starts_with(name)).count();
    // The embedded operations and our own script; no image anywhere.
    assert_eq!((count("script"), count("img"), count("style")), (2, 0, 1));
    assert!(!page.contains("<!--"));
    for tag in &tags {
        assert!(!tag.contains("onerror"), "an attribute from outside: {tag}");
    }
    let invisible = |c: char| matches!(c, '\0' | '\u{202e}' | '\u{2028}' | '\u{feff}' | '\u{ffff}');
    assert!(!page.contains(invisible));
    has(&page, &["&lt;/script&gt;&lt;script&gt;alert(1)", "‹U+202E›evil", "␀"]);
    // The script gets the same text, harmless.
    let functions = embedded(&page)["functions"].clone();
    assert!(functions.to_string().contains("alert(1)"), "{functions}");
}

#[test]
fn hostile_amounts_stay_bounded() {
    let page = page(synthetic::hostile);
    assert!(page.len() < 2 << 20, "{} bytes", page.len());
    assert!(!page.contains(&"A".repeat(70_000)));
    has(&page, &["30 violations more in results.json", "more rows in messages.jsonl", "…"]);
}

#[test]
fn the_checker_of_these_tests_sees_an_injection() {
    let forged = page(synthetic::valid).replace("seed 42", "<img src=x onerror=alert(1)>");
    assert!(tags(&forged).iter().any(|tag| tag.contains("onerror")));
}

#[test]
fn nothing_is_fetched() {
    for page in [page(synthetic::violation), page(synthetic::hostile)] {
        has(
            &page,
            &[
                "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:;",
            ],
        );
        for tag in tags(&page) {
            for attribute in ["src=", "srcset=", "action=", "data="] {
                assert!(!tag.contains(&format!(" {attribute}")), "{tag}");
            }
            if let Some(at) = tag.find("href='") {
                assert!(tag[at + 6..].starts_with('#'), "{tag}");
            }
        }
        for loader in ["@import", "fetch(", "XMLHttpRequest", "innerHTML", "eval("] {
            assert!(!page.contains(loader), "{loader}");
        }
    }
}

/// A long record, written line by line as the sample's events would take long to sort.
fn long_history(folder: &Path, operations: u64) {
    let mut text = String::new();
    for number in 0..operations {
        for (kind, place) in [(EventKind::Invoke, 0), (EventKind::Ok, 1)] {
            let event = Event {
                index: 2 * number + place,
                time_ns: (2 * number + place) * 100_000,
                process: Process::Client(0),
                kind,
                f: "get".into(),
                value: if place == 0 { json!({"key": "x"}) } else { json!(number) },
                error: None,
                node: None,
            };
            text += &serde_json::to_string(&event).unwrap();
            text.push('\n');
        }
    }
    fs::write(folder.join(files::HISTORY), text).unwrap();
}

#[test]
fn a_long_record_is_embedded_around_its_violations() {
    let last = 2 * 119_000;
    let page = page(|folder| {
        long_history(folder, 120_000);
        let violation = Violation {
            kind: "stale read".into(),
            sentence: "Stale.".into(),
            operations: vec![last],
        };
        let check = CheckResult::found("linearizability", "No.", vec![violation]);
        synthetic::write_results(
            folder,
            &synthetic::results_file(Verdict::Violation, "No.", vec![check]),
        );
    });
    has(&page, &["100,000 of 120,000 operations are here: the first 99,599 and those around"]);
    let operations = embedded(&page);
    let index = operations["index"].as_array().unwrap();
    let at = index.iter().position(|index| *index == json!(last)).unwrap();
    assert_eq!(operations["label"][at], json!("get x → 119000"));
    assert_eq!(index.len(), 100_000);
    assert!(operations["label"].as_array().unwrap().iter().all(|label| label != ""));
}

#[test]
fn charts_do_not_grow_with_the_record() {
    let svgs = |page: &str| -> usize {
        let charts = page.split("id='charts'").nth(1).unwrap();
        charts.split("</section>").next().unwrap().len()
    };
    let short = page(|folder| Sample::new(3_000).write(folder));
    let long = page(|folder| Sample::new(30_000).write(folder));
    assert!(svgs(&long) < svgs(&short) * 3 / 2, "{} {}", svgs(&short), svgs(&long));
}

/// A store that hung once took all memory with it: the latency axis of a run in which nothing succeeded never ended.
#[test]
fn a_run_in_which_nothing_succeeded_has_a_report() {
    let page = page(|folder| {
        synthetic::valid(folder);
        let path = folder.join("history.jsonl");
        let history = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, history.replace("\"type\":\"ok\"", "\"type\":\"info\"")).unwrap();
    });
    has(&page, &["Latency of successful operations", "Completed operations a second"]);
    assert!(!page.contains("class='slowest' cx="), "no latency is drawn");
}

#[test]
fn a_witness_that_the_record_lacks_is_told() {
    let page = page(|folder| {
        Sample::new(20).write(folder);
        let violation = |operations| Violation {
            kind: "stale read".into(),
            sentence: "Stale.".into(),
            operations,
        };
        let violations = vec![violation(vec![1_000_000]), violation(Vec::new())];
        let check = CheckResult::found("linearizability", "No.", violations);
        synthetic::write_results(
            folder,
            &synthetic::results_file(Verdict::Violation, "No.", vec![check]),
        );
    });
    has(
        &page,
        &["1 operation of the witness not in the record", "No single operation proves this"],
    );
}

/// A process goes on after an operation of unknown outcome: no rule says what that means, so no bar is drawn.
#[test]
fn events_against_the_rules_of_a_history_are_left_out_with_a_remark() {
    let page = page(|folder| {
        let mut sample = Sample::new(0);
        let put = |value: &str| json!({"key": "x", "value": value});
        let timeout = Err((EventKind::Info, "timeout"));
        sample.operation(9, "put", put("1"), (S, 2 * S), timeout);
        sample.operation(9, "put", put("2"), (3 * S, 4 * S), Ok(json!({})));
        sample.write(folder);
    });
    has(&page, &["Left out because against the rules of a history: 2 events; the first: event "]);
    let labels = embedded(&page)["label"].to_string();
    assert!(labels.contains("put x=1 ✗ timeout") && !labels.contains("put x=2"), "{labels}");
}

#[test]
fn an_operation_without_end_stays_open() {
    let page = page(|folder| {
        let mut sample = Sample::new(0);
        sample.operation(9, "put", json!({"key": "x", "value": "1"}), (S, 2 * S), Ok(json!({})));
        sample.events.pop();
        sample.write(folder);
    });
    let operations = embedded(&page);
    let labels = operations["label"].as_array().unwrap();
    let at = labels.iter().position(|label| label == "put x=1 ? no answer recorded").unwrap();
    assert_eq!(operations["duration_us"][at], json!(-1));
    assert_eq!(&operations["outcome"].as_str().unwrap()[at..=at], "p");
}

#[test]
fn a_log_that_is_a_link_is_not_followed() {
    let page = page(|folder| {
        Sample::new(5).write(folder);
        fs::write(folder.join("secret"), "a secret").unwrap();
        let log = folder.join(files::NODES).join("n1").join("stdout.log");
        fs::remove_file(&log).unwrap();
        std::os::unix::fs::symlink(folder.join("secret"), log).unwrap();
    });
    assert!(!page.contains("a secret"));
}

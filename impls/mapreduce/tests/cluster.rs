//! Real processes: jobs while workers are killed and paused, functions that fail, and what the coordinator answers.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

mod common;
#[allow(dead_code)] // Its `main`.
#[path = "../examples/longest_lines.rs"]
mod longest_lines;

use std::{collections::BTreeSet, fs, process, thread::sleep, time::Duration};

use common::{Cluster, documents, names, sequential, wait_for};
use mapreduce::{App, Combiner, Emit, Entry, Values, apps::WordCount};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// The word count, slow enough to be disturbed.
struct Slow;

impl App for Slow {
    fn map(&self, document: &str, text: &str, emit: &mut Emit) -> Result<(), String> {
        sleep(Duration::from_millis(60));
        WordCount.map(document, text, emit)
    }

    fn reduce(&self, key: &str, values: &mut Values) -> Result<String, String> {
        sleep(Duration::from_millis(5));
        WordCount.reduce(key, values)
    }

    fn combiner(&self) -> Option<Combiner> {
        WordCount.combiner()
    }
}

/// The result of every key is the number of the process that reduced it.
struct Signature;

impl App for Signature {
    fn map(&self, document: &str, text: &str, emit: &mut Emit) -> Result<(), String> {
        Slow.map(document, text, emit)
    }

    fn reduce(&self, key: &str, values: &mut Values) -> Result<String, String> {
        Slow.reduce(key, values)?;
        Ok(process::id().to_string())
    }
}

/// Its functions fail or panic on certain words.
struct Poisoned;

impl App for Poisoned {
    fn map(&self, document: &str, text: &str, emit: &mut Emit) -> Result<(), String> {
        match text {
            "bad" => Err(format!("{document} is bad")),
            "panic" => panic!("what a text"),
            _ => WordCount.map(document, text, emit),
        }
    }

    fn reduce(&self, key: &str, values: &mut Values) -> Result<String, String> {
        if key == "badkey" { Err("bad key".to_owned()) } else { WordCount.reduce(key, values) }
    }
}

const APPS: &[Entry] = &[
    ("slow", &Slow),
    ("signature", &Signature),
    ("poisoned", &Poisoned),
    ("longest_lines", &longest_lines::LongestLines),
];

/// The nodes of the other tests are this one.
#[test]
fn node_process() {
    common::node_process(APPS);
}

/// Waits until a job has reached a point in this phase.
fn wait_for_phase(cluster: &Cluster, job: &str, phase: &str, done: u64) {
    wait_for(phase, || {
        let status = cluster.status(job);
        let reached = status["state"] == phase && status[phase]["done"].as_u64()? >= done;
        assert_ne!(status["state"], "done", "{phase} was over too soon");
        reached.then_some(())
    });
}

/// Kills one worker and pauses another for longer than the coordinator waits for news.
fn disturb(cluster: &mut Cluster, killed: &str, paused: &str) {
    cluster.kill(killed);
    cluster.signal(paused, Signal::SIGSTOP);
    sleep(Duration::from_millis(700));
    cluster.signal(paused, Signal::SIGCONT);
    cluster.restart(killed);
}

#[test]
fn workers_that_are_killed_and_paused_change_nothing_in_the_outputs() {
    let texts = tempfile::tempdir().unwrap();
    let inputs = documents(texts.path(), 24);
    let expected = sequential("wordcount", &inputs, 6);
    let mut cluster = Cluster::start(3, 300);
    let job = cluster.submit("slow", &inputs, 6);
    wait_for_phase(&cluster, &job, "map", 2);
    disturb(&mut cluster, "w1", "w2");
    wait_for_phase(&cluster, &job, "reduce", 0);
    disturb(&mut cluster, "w2", "w3");
    assert_eq!(cluster.outputs(&job), expected);
    let outputs: Vec<String> = (0..6).map(|number| format!("mr-out-{job}-{number}")).collect();
    cluster.wait_until_clean();
    assert_eq!(names(&cluster.shared()), outputs);
    // A paused worker that went on has had the time to do harm.
    assert_eq!(cluster.outputs(&job), expected);
}

#[test]
fn each_output_is_the_work_of_one_attempt() {
    let texts = tempfile::tempdir().unwrap();
    let inputs = documents(texts.path(), 6);
    let mut cluster = Cluster::start(3, 300);
    let job = cluster.submit("signature", &inputs, 4);
    wait_for_phase(&cluster, &job, "reduce", 0);
    disturb(&mut cluster, "w1", "w3");
    let outputs = cluster.outputs(&job);
    for output in &outputs {
        let processes: BTreeSet<&str> =
            output.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(processes.len(), 1, "{output}");
    }
    cluster.wait_until_clean();
    sleep(Duration::from_millis(300));
    assert_eq!(cluster.outputs(&job), outputs, "a late attempt has replaced an output");
}

#[test]
fn several_jobs_run_at_once_and_one_that_fails_leaves_nothing() {
    let texts = tempfile::tempdir().unwrap();
    let inputs = documents(texts.path(), 5);
    let write = |name: &str, text: &[u8]| {
        let path = texts.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let cluster = Cluster::start(2, 2000);
    let count = cluster.submit("wordcount", &inputs, 3);
    let index = cluster.submit("index", &inputs, 2);
    for (name, text, expected) in [
        ("bad", "bad", "/bad is bad"),
        ("panic", "panic", "the app panicked: what a text"),
        ("key", "badkey good", "reduce task 0 failed 3 times"),
    ] {
        let job = cluster.submit("poisoned", &[write(name, text.as_bytes())], 1);
        let status = cluster.wait(&job);
        let error = status["error"].as_str().unwrap();
        assert_eq!((status["state"].as_str(), status.get("outputs")), (Some("failed"), None));
        assert!(error.contains("failed 3 times") && error.contains(expected), "{error}");
    }
    assert_eq!(cluster.outputs(&count), sequential("wordcount", &inputs, 3));
    assert_eq!(cluster.outputs(&index), sequential("index", &inputs, 2));
    cluster.wait_until_clean();
    assert_eq!(names(&cluster.shared()).len(), 5);
    // The example of an application of one's own.
    let lines = [write("lines", b"a\nfour\nlong\nab")];
    let job = cluster.submit("longest_lines", &lines, 1);
    assert_eq!(cluster.outputs(&job), [format!("{} four\n", lines[0].display())]);
    // Neither bytes that are no text nor the lack of any are a failure.
    for text in [&b"caf\xc3\xa9 caf\xff"[..], b""] {
        let input = [write("odd", text)];
        let job = cluster.submit("wordcount", &input, 2);
        assert_eq!(cluster.outputs(&job), sequential("wordcount", &input, 2));
    }
}

#[test]
fn a_coordinator_that_is_killed_loses_its_jobs_and_nothing_else() {
    let texts = tempfile::tempdir().unwrap();
    let inputs = documents(texts.path(), 8);
    let mut cluster = Cluster::start(2, 300);
    let first = cluster.submit("wordcount", &inputs, 2);
    let outputs = cluster.outputs(&first);
    let lost = cluster.submit("slow", &inputs, 2);
    wait_for_phase(&cluster, &lost, "map", 1);
    cluster.kill("c1");
    cluster.restart("c1");
    let (status, answer) = cluster.get(&format!("/v1/jobs/{lost}"));
    assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("not_found")), "{answer}");
    let next = cluster.submit("wordcount", &inputs, 2);
    assert_eq!(cluster.outputs(&next), outputs);
    let old = fs::read_to_string(cluster.shared().join(format!("mr-out-{first}-0"))).unwrap();
    assert_eq!(old, outputs[0], "an output of the earlier life is still there");
    cluster.wait_until_clean();
    assert_eq!(names(&cluster.shared()).len(), 4);
}

/// The test takes the part of a worker.
#[test]
fn only_reports_of_this_coordinators_own_attempts_count() {
    let texts = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(0, 1000);
    let job = cluster.submit("wordcount", &documents(texts.path(), 1), 1);
    let (_, answer) = cluster.post("/v1/task", &json!({ "worker": "w1" }).to_string());
    let mut id = answer["ok"]["task"]["id"].clone();
    let report = |id: &Value| {
        let (status, answer) = cluster.post("/v1/report", &json!({ "id": id }).to_string());
        assert_eq!(status, 200, "{answer}");
        let done = cluster.status(&job)["map"]["done"].as_u64().unwrap();
        (answer["ok"]["needed"].as_bool().unwrap(), done)
    };
    // An attempt of an earlier coordinator may have the same number.
    let life = id["life"].as_u64().unwrap();
    id["life"] = json!(life - 1);
    assert_eq!(report(&id), (false, 0));
    id["life"] = json!(life);
    assert_eq!(report(&id), (true, 1));
    // The answer was lost, and the report is sent again.
    assert_eq!(report(&id), (true, 1));
    // An output that is reported and not there fails the attempt, not the coordinator.
    for attempt in 1..=3 {
        let (_, answer) = cluster.post("/v1/task", &json!({ "worker": "w1" }).to_string());
        assert_eq!(report(&answer["ok"]["task"]["id"]), (false, 1), "{attempt}");
    }
    let status = cluster.wait(&job);
    let error = status["error"].as_str().unwrap();
    assert!(error.contains("reduce task 0 failed 3 times") && error.contains("rename"), "{error}");
}

#[test]
fn wrong_requests_are_refused_with_what_to_do() {
    let cluster = Cluster::start(0, 1000);
    let job = |app: &str, inputs: &[&str], reducers: i64| {
        json!({ "app": app, "inputs": inputs, "reducers": reducers }).to_string()
    };
    for (body, expected) in [
        (job("sort", &["/etc/hostname"], 1), "there is no app \"sort\": use one of index,"),
        (job("wordcount", &["/no/such/file"], 1), "/no/such/file: No such file"),
        (job("wordcount", &["/"], 1), "it is no regular file"),
        (job("wordcount", &["/dev/zero"], 1), "it is no regular file"),
        (job("wordcount", &["a\u{0}b"], 1), "cannot read the input"),
        (job("wordcount", &[], 1), "`inputs` is empty"),
        (job("wordcount", &["/etc/hostname"], 0), "`reducers` is 0: expected 1 to 1000"),
        (job("wordcount", &["/etc/hostname"], 1001), "`reducers` is 1001"),
        (job("wordcount", &["/etc/hostname"], -1), "the body is not as expected"),
        (json!({ "app": "wordcount" }).to_string(), "missing field `inputs`"),
        (json!({ "application": "wordcount" }).to_string(), "unknown field `application`"),
        ("{".to_owned(), "the body is not as expected"),
        (String::new(), "the body is not as expected"),
    ] {
        let (status, answer) = cluster.post("/v1/jobs", &body);
        let error = &answer["error"];
        assert_eq!(
            (status, error["code"].as_str()),
            (400, Some("bad_request")),
            "{body}: {answer}"
        );
        assert!(error["message"].as_str().unwrap().contains(expected), "{body}: {answer}");
    }
    assert_eq!(names(&cluster.shared()), [""; 0], "nothing is begun for a request that is refused");
    for path in ["/v1/jobs/j1", "/v1/jobs/1", "/v1/jobs/j", "/v1/nothing"] {
        let (status, answer) = cluster.get(path);
        assert_eq!((status, answer["error"]["code"].as_str()), (404, Some("not_found")), "{path}");
    }
    for path in ["/v1/task", "/v1/heartbeat", "/v1/report"] {
        assert_eq!(cluster.post(path, "{}").0, 400, "{path}");
    }
    // Reports of attempts that nobody has been given.
    let id = json!({ "life": 1, "attempt": 1 });
    assert_eq!(cluster.post("/v1/heartbeat", &id.to_string()).1, json!({"ok": {"needed": false}}));
    let report = json!({ "id": id }).to_string();
    assert_eq!(cluster.post("/v1/report", &report).1, json!({"ok": {"needed": false}}));
}

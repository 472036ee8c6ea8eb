//! Results folders that no run wrote: what a run would have left behind, in a few lines.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use contract::manifest::Timeouts;
use history::HARNESS;
use history::{CheckResult, Event, EventKind, Process, Verdict, Violation};
use record::{
    AttemptEnd, AttemptRecord, Behaviour, Counts, Extent, Fate, FaultCounts, FaultRecord,
    FaultStep, Measured, MessageRecord, Occupied, Orders, Promise, Quantiles, Required,
    ResultsFile, RunFile, Stretch, Times, Traffic, VERSION, files,
};
use serde::Serialize;
use serde_json::{Value, json};

pub const MS: u64 = 1_000_000;
pub const S: u64 = 1000 * MS;

/// A run of three nodes and five clients with faults, checked by nobody yet.
pub struct Sample {
    pub run: RunFile,
    pub events: Vec<Event>,
    pub faults: Vec<FaultRecord>,
    pub messages: Vec<MessageRecord>,
    pub attempts: Vec<AttemptRecord>,
}

/// Numbers that look random and are always the same (Knuth's MMIX generator).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

impl Sample {
    /// About `operations` operations over 30 s.
    pub fn new(operations: u64) -> Self {
        let mut sample = Self {
            run: run_file(),
            events: Vec::new(),
            faults: fault_records(),
            messages: message_records(),
            attempts: Vec::new(),
        };
        sample.phase(2 * MS, "setup");
        sample.phase(100 * MS, "main");
        sample.operations(operations);
        sample.phase(29_500 * MS, "final");
        for process in 0..3 {
            let key = json!({"key": "x"});
            sample.operation(
                process,
                "get",
                key,
                (29_600 * MS, 29_604 * MS),
                Ok(json!({"value": "9"})),
            );
        }
        sample
    }

    fn operations(&mut self, operations: u64) {
        let mut noise = Noise(7);
        let mut clients: Vec<(u64, u64)> =
            (0..5).map(|process| (100 + process, 110 * MS)).collect();
        let pause = 28 * S * 5 / operations.max(1);
        for number in 0..operations {
            let place = (0..5).min_by_key(|place| clients[*place].1).unwrap();
            let (process, start) = clients[place];
            let is_cut = (8 * S..12 * S).contains(&start) || (20 * S..22 * S).contains(&start);
            let usual = pause / 4 + noise.below(pause / 2 + 1);
            let took =
                if is_cut && noise.below(4) == 0 { usual + noise.below(400) * MS } else { usual };
            let key = format!("k{}", noise.below(8));
            let (f, arguments, result) = match noise.below(3) {
                0 => ("put", json!({"key": key, "value": number.to_string()}), json!({})),
                1 => (
                    "append",
                    json!({"key": key, "value": "a"}),
                    json!({"value": format!("{number}a")}),
                ),
                _ => ("get", json!({"key": key}), json!({"value": number.to_string()})),
            };
            let ended = match noise.below(100) {
                0 if is_cut => Err((EventKind::Info, "timeout after 1000 ms")),
                1..4 if is_cut => Err((EventKind::Fail, "not_leader from every node")),
                _ => Ok(result),
            };
            let next =
                if matches!(ended, Err((EventKind::Info, _))) { process + 5 } else { process };
            self.operation(process, f, arguments, (start, start + took), ended);
            clients[place] = (next, start + took + pause / 3);
        }
        self.events.sort_by_key(|event| event.time_ns);
        self.number();
    }

    fn number(&mut self) {
        for (index, event) in (0..).zip(&mut self.events) {
            event.index = index;
        }
    }

    pub fn phase(&mut self, at: u64, name: &str) {
        self.push(at, Process::Named(HARNESS.into()), EventKind::Info, "phase", json!(name), None);
    }

    /// From this moment on a node leads, or none does.
    pub fn leader(&mut self, at: u64, node: Option<&str>) {
        self.push(at, Process::Named(HARNESS.into()), EventKind::Info, "leader", json!(node), None);
    }

    /// A request behind an operation.
    pub fn attempt(&mut self, operation: u64, node: &str, end: AttemptEnd, reason: &str) {
        self.attempts.push(AttemptRecord {
            operation,
            process: 0,
            node: node.into(),
            sent_ns: 10 * S,
            ended_ns: 10 * S + MS,
            copy: end == AttemptEnd::NoAnswer,
            end,
            reason: reason.into(),
        });
    }

    /// An operation; gives the index of its invocation. Events are in the order of the calls.
    pub fn operation(
        &mut self,
        process: u64,
        f: &str,
        arguments: Value,
        (start, end): (u64, u64),
        ended: Result<Value, (EventKind, &str)>,
    ) -> u64 {
        let who = Process::Client(process);
        let index = self.push(start, who.clone(), EventKind::Invoke, f, arguments, None);
        match ended {
            Ok(result) => self.push(end, who, EventKind::Ok, f, result, None),
            Err((kind, error)) => self.push(end, who, kind, f, Value::Null, Some(error.into())),
        };
        index
    }

    fn push(
        &mut self,
        time_ns: u64,
        process: Process,
        kind: EventKind,
        f: &str,
        value: Value,
        error: Option<String>,
    ) -> u64 {
        let index = self.events.len() as u64;
        let node = match process {
            Process::Client(number) => Some(format!("n{}", number % 3 + 1)),
            Process::Named(_) => None,
        };
        self.events.push(Event { index, time_ns, process, kind, f: f.into(), value, error, node });
        index
    }

    /// Everything but the verdict.
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join(files::RUN), serde_json::to_vec_pretty(&self.run).unwrap()).unwrap();
        fs::write(folder.join(files::HISTORY), lines(&self.events)).unwrap();
        fs::write(folder.join(files::FAULTS), lines(&self.faults)).unwrap();
        fs::write(folder.join(files::MESSAGES), lines(&self.messages)).unwrap();
        fs::write(folder.join(files::ATTEMPTS), lines(&self.attempts)).unwrap();
        for (node, line) in
            [("n1", "became leader of term 3"), ("n2", "voted for n1"), ("n3", "stepping down")]
        {
            let logs = folder.join(files::NODES).join(node);
            fs::create_dir_all(&logs).unwrap();
            fs::write(logs.join("stdout.log"), "").unwrap();
            let mut text = String::new();
            for second in 0..30 {
                let _ = writeln!(text, "{second}.500000 INFO {node} {line}");
            }
            fs::write(logs.join("stderr.log"), text).unwrap();
        }
    }
}

fn lines<T: Serialize>(records: &[T]) -> String {
    records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect()
}

pub fn write_results(folder: &Path, results: &ResultsFile) {
    fs::write(folder.join(files::RESULTS), serde_json::to_vec_pretty(results).unwrap()).unwrap();
}

fn run_file() -> RunFile {
    RunFile {
        version: VERSION,
        harness: "0.1.0".into(),
        target: "multi-paxos".into(),
        target_folder: "impls/paxos".into(),
        serves: vec!["replicated-kv".into()],
        caps: Vec::new(),
        workload: "registers".into(),
        consistency: None,
        seed: 42,
        nodes: vec!["n1".into(), "n2".into(), "n3".into()],
        view_service: None,
        groups: Vec::new(),
        controllers: Vec::new(),
        coordinator: None,
        played: Vec::new(),
        snapshot_bytes: Some(65_536),
        clients: 5,
        probers: 0,
        rate: None,
        faults: vec!["partition".into(), "kill".into(), "network".into()],
        fault_interval_ms: Some(5000),
        time_limit_ms: 30_000,
        timeouts: Timeouts { attempt_ms: 750, ..Timeouts::default() },
        started: "2026-03-01T11:00:00+01:00".into(),
        require: Required::default(),
        command: "harness run impls/paxos --workload registers --faults partition,kill,network --nodes 3 --clients 5 --time-limit 30s --seed 42".into(),
        machine: BTreeMap::from([
            ("os".into(), "Linux 6.1 x86_64".into()),
            ("cores".into(), "2".into()),
            ("memory".into(), "24 GB".into()),
        ]),
        spoken_for: false,
        confinement: Some("none".into()),
        lacks: vec!["a world of its own for each node (not allowed here): a node could have written outside its data folder unseen.".into()],
    }
}

fn fault_records() -> Vec<FaultRecord> {
    let mut records = Vec::new();
    let mut add =
        |fault, family: &str, form: &str, targets: &[&str], steps: &[(u64, FaultStep, &str)]| {
            for (at_ms, step, note) in steps {
                records.push(FaultRecord {
                    fault,
                    time_ns: at_ms * MS,
                    family: family.into(),
                    form: form.into(),
                    step: *step,
                    targets: targets.iter().map(|target| (*target).into()).collect(),
                    note: (*note).into(),
                    ..FaultRecord::default()
                });
            }
        };
    use FaultStep::{Healed, Missed, Planned, Started};
    add(
        0,
        "network",
        "delay",
        &["n1>n2"],
        &[(3000, Planned, ""), (3001, Started, ""), (5500, Healed, "")],
    );
    add(
        1,
        "partition",
        "isolate-leader",
        &["n1>n2", "n1>n3", "n2>n1", "n3>n1"],
        &[(8000, Planned, ""), (8004, Started, ""), (12_000, Healed, "")],
    );
    add(
        2,
        "kill",
        "minority",
        &["n3"],
        &[
            (15_000, Planned, ""),
            (15_006, Started, ""),
            (15_900, Healed, "ready again after 880 ms"),
        ],
    );
    add(
        3,
        "partition",
        "isolate-leader",
        &[],
        &[(17_500, Planned, ""), (18_500, Missed, "no node said that it leads")],
    );
    add(
        4,
        "network",
        "drop-response",
        &["n2>n3"],
        &[(20_000, Planned, ""), (20_002, Started, ""), (22_000, Healed, "")],
    );
    add(
        5,
        "partition",
        "halves",
        &["n1>n3", "n3>n1"],
        &[
            (25_000, Planned, ""),
            (25_003, Started, ""),
            (29_400, Healed, "at the end of the main phase"),
        ],
    );
    records
}

fn message_records() -> Vec<MessageRecord> {
    let mut records = Vec::new();
    let mut noise = Noise(3);
    for number in 0..3000_u64 {
        let from = number % 3 + 1;
        let to = (from + noise.below(2)) % 3 + 1;
        let fate = match noise.below(60) {
            0 => Fate::RequestDropped,
            1 => Fate::ResponseDropped,
            2 => Fate::Delayed,
            3 => Fate::Duplicated,
            4 => Fate::Stalled,
            _ => Fate::Delivered,
        };
        let kind =
            ["prepare", "accept", "heartbeat", "decided"][usize::try_from(noise.below(4)).unwrap()];
        records.push(MessageRecord {
            time_ns: number * 10 * MS,
            from: format!("n{from}"),
            to: format!("n{to}"),
            method: "POST".into(),
            path: "/peer".into(),
            kind: (noise.below(10) > 0).then(|| kind.into()),
            clocks: None,
            bytes: 180 + noise.below(300),
            fate,
        });
    }
    records
}

/// Figures of three nodes.
fn behaviour() -> Behaviour {
    let node = |number: u64| {
        let occupied = Occupied {
            data_bytes: Some(Extent { most: 200_000 * number, end: 90_000 / number }),
            log_bytes: None,
            memory_bytes: Some(Extent { most: 12 << 20, end: 9 << 20 }),
        };
        (format!("n{number}"), occupied)
    };
    Behaviour {
        fail_over_ms: Times::of([412, 903, 388].map(|ms| Some(ms * MS)).to_vec()),
        fail_over_healed_before: 1,
        recovery_ms: Times::of(vec![Some(3 * MS), None, Some(40 * MS)]),
        longest_outage: Some(Stretch::between((9 * S, 9 * S + 880 * MS))),
        longest_wait: Some(Stretch::between((9 * S, 9 * S + 940 * MS))),
        shards_paused_ms: Times::of(vec![Some(41 * MS), Some(83 * MS)]),
        beside_moves_ms: Times::of(vec![Some(12 * MS), Some(30 * MS)]),
        traffic: Some(Traffic {
            messages_per_operation: 6.54,
            bytes_per_operation: 2_150.0,
            until_ms: Some(28_400.0),
        }),
        orders: Some(Orders {
            different: 1_204,
            by_tenth: vec![400, 700, 850, 940, 1_010, 1_080, 1_120, 1_160, 1_190, 1_204],
            next_is_new: 0.0037,
        }),
        snapshot_limit_bytes: Some(65_536),
        nodes: (1..=3).map(node).collect(),
    }
}

/// Results without checks.
pub fn results_file(verdict: Verdict, summary: &str, checks: Vec<CheckResult>) -> ResultsFile {
    ResultsFile {
        verdict,
        version: VERSION,
        consistency: Some("serializable".into()),
        summary: summary.into(),
        checks,
        operations: BTreeMap::from([
            ("append".into(), Counts { ok: 660, fail: 4, info: 2 }),
            ("get".into(), Counts { ok: 671, fail: 5, info: 1 }),
            ("put".into(), Counts { ok: 652, fail: 3, info: 2 }),
        ]),
        latency_ms: Some(Quantiles { p50: 35.1, p95: 61.0, p99: 302.5, max: 431.7 }),
        evidence: vec![
            Measured { what: "operations that succeeded".into(), asked: 100, seen: 1983 },
            Measured { what: "operations that succeeded of client 3".into(), asked: 5, seen: 2 },
        ],
        promises: vec![
            Promise {
                promise: "right answers".into(),
                how: "what `register` checks: linearizability".into(),
                verdict: Some(verdict),
                seen: "1983 operations that succeeded".into(),
            },
            Promise {
                promise: "the log compacts".into(),
                how: "not checked yet".into(),
                verdict: None,
                seen: String::new(),
            },
        ],
        faults: BTreeMap::from([
            ("kill".into(), FaultCounts { planned: 1, effective: 1 }),
            ("network".into(), FaultCounts { planned: 2, effective: 2 }),
            ("partition".into(), FaultCounts { planned: 3, effective: 2 }),
        ]),
        behaviour: Some(behaviour()),
        notes: Vec::new(),
        folder: "results/2026-03-01T11-00-00-registers-42".into(),
    }
}

pub fn valid(folder: &Path) {
    Sample::new(2000).write(folder);
    let checks = vec![
        CheckResult::valid("linearizability", "All 2,000 operations on 8 keys have a legal order.")
            .with_statistics(
                json!({"operations": 2000, "keys": 8, "decided_by": "fast path", "time_ms": 3.2}),
            ),
        CheckResult::valid("availability", "The majority answered within 1.2 s of every heal."),
    ];
    let summary = "2,000 operations are linearizable, under 5 faults that took hold.";
    write_results(folder, &results_file(Verdict::Valid, summary, checks));
}

pub fn inconclusive(folder: &Path) {
    Sample::new(2000).write(folder);
    let checks = vec![
        CheckResult::inconclusive(
            "linearizability",
            "The search used up its 60 s on key k3; the other 7 keys hold.",
        )
        .with_statistics(json!({"keys_decided": 7, "keys": 8})),
        CheckResult::valid("availability", "The majority answered within 1.2 s of every heal."),
    ];
    let mut results =
        results_file(Verdict::Inconclusive, "The check of one key ran out of time.", checks);
    results.notes =
        vec!["The machine was busy for 12 % of the run: liveness is not judged.".into()];
    write_results(folder, &results);
}

pub fn violation(folder: &Path) {
    let mut sample = Sample::new(2000);
    let put = |value: &str| json!({"key": "x", "value": value});
    let get = || json!({"key": "x"});
    let at = 10 * S;
    let stale = vec![
        sample.operation(3, "put", put("3"), (at - 900 * MS, at - 881 * MS), Ok(json!({}))),
        sample.operation(1, "put", put("4"), (at - 700 * MS, at + 40 * MS), Ok(json!({}))),
        sample.operation(2, "get", get(), (at - 30 * MS, at - 12 * MS), Ok(json!({"value": "4"}))),
        sample.operation(4, "get", get(), (at + 5 * MS, at + 21 * MS), Ok(json!({"value": "3"}))),
    ];
    let lost = vec![
        sample.operation(
            0,
            "append",
            put("a"),
            (16 * S, 16 * S + 3 * MS),
            Ok(json!({"value": "a"})),
        ),
        sample.operation(
            7,
            "append",
            put("b"),
            (16 * S + 2 * MS, 17 * S),
            Err((EventKind::Info, "timeout after 1000 ms")),
        ),
        sample.operation(
            2,
            "cas",
            json!({"key": "x", "expect": "a", "value": "z"}),
            (16 * S + 4 * MS, 16 * S + 9 * MS),
            Err((EventKind::Fail, "aborted")),
        ),
        sample.operation(
            2,
            "get",
            get(),
            (16 * S + 10 * MS, 16 * S + 11 * MS),
            Ok(json!({"value": "a"})),
        ),
        sample.operation(0, "get", get(), (26 * S, 26 * S + 2 * MS), Ok(json!({"value": "b"}))),
        sample.operation(
            1,
            "txn",
            json!({"guards": {"x": "b"}, "ops": [["r", "x"], ["w", "y", "2"]]}),
            (26 * S + MS, 26 * S + 4 * MS),
            Ok(json!({"committed": true, "results": ["b", null]})),
        ),
    ];
    for (step, time_ns) in [(FaultStep::Started, 9 * S), (FaultStep::Healed, 10 * S)] {
        sample.faults.push(FaultRecord {
            fault: 50,
            time_ns,
            family: "pause".into(),
            form: "one".into(),
            step,
            targets: vec!["n1".into()],
            ..FaultRecord::default()
        });
    }
    sample.leader(S, Some("n2"));
    sample.leader(10 * S, None);
    sample.leader(10 * S + 2 * MS, Some("n3"));
    sample.attempt(stale[3], "n2", AttemptEnd::Refused, "not_leader");
    sample.attempt(stale[3], "n3", AttemptEnd::NoAnswer, "n3: no answer within 500 ms");
    sample.attempt(stale[3], "n1", AttemptEnd::Answered, "");
    // Of an operation that proves nothing.
    sample.attempt(1, "n1", AttemptEnd::Refused, "not_shown");
    sample.write(folder);
    let linearizability = CheckResult::found(
        "linearizability",
        "Key x has no legal order; the other 8 keys hold.",
        vec![
            Violation {
                kind: "stale read".into(),
                sentence: "get x → 3 by process 4 began at 10.005 s, after process 2 had read 4 at 9.988 s; but put x=3 had finished at 9.119 s, before put x=4 began at 9.300 s.".into(),
                operations: stale,
            },
            Violation {
                kind: "lost append".into(),
                sentence: "append x=a was acknowledged at 16.003 s and read at 16.011 s, yet get x at 26.000 s returned b, which does not contain it.".into(),
                operations: lost,
            },
        ],
    )
    .with_statistics(json!({"operations": 2010, "keys": 9, "decided_by": "fast path"}));
    let checks = vec![
        linearizability,
        CheckResult::valid("availability", "The majority answered within 1.2 s of every heal."),
        CheckResult::inconclusive("durability", "No kill of a majority took hold."),
    ];
    let summary = "The store is not linearizable: it returned values that had already been overwritten (2 violations).";
    write_results(folder, &results_file(Verdict::Violation, summary, checks));
}

/// A long proof, many clients, many faults.
pub fn crowded(folder: &Path) {
    let mut sample = Sample::new(2000);
    let mut noise = Noise(11);
    let mut witness = Vec::new();
    let mut free = [10 * S; 9];
    for number in 0..40 {
        let process = noise.below(9);
        let place = usize::try_from(process).unwrap();
        let start = free[place] + noise.below(9) * MS;
        let end = start + MS + noise.below(6_000_000);
        free[place] = end;
        let (f, arguments) = match noise.below(3) {
            0 => ("get", json!({"key": "x"})),
            1 => ("put", json!({"key": "x", "value": number.to_string()})),
            _ => {
                ("txn", json!([["r", "x", null], ["append", "y", number], ["append", "z", number]]))
            }
        };
        let result = json!({"value": number.to_string()});
        witness.push(sample.operation(process, f, arguments, (start, end), Ok(result)));
    }
    for number in 0..60_u64 {
        for (after, step) in [(0, FaultStep::Started), (250 * MS, FaultStep::Healed)] {
            sample.faults.push(FaultRecord {
                fault: 100 + number,
                time_ns: number * 480 * MS + after,
                family: ["pause", "clock", "disk", "client"][usize::try_from(number % 4).unwrap()]
                    .into(),
                form: "minority".into(),
                step,
                targets: vec!["n1".into()],
                ..FaultRecord::default()
            });
        }
    }
    sample.write(folder);
    let violation = Violation {
        kind: "no legal order".into(),
        sentence: "These 40 operations on x have no order that respects both time and values."
            .into(),
        operations: witness,
    };
    let check = CheckResult::found("linearizability", "Key x has no legal order.", vec![violation]);
    write_results(folder, &results_file(Verdict::Violation, "Not linearizable.", vec![check]));
}

/// Killed in the middle of writing: no verdict, no messages, a torn last line, a damaged one.
pub fn incomplete(folder: &Path) {
    Sample::new(500).write(folder);
    fs::remove_file(folder.join(files::MESSAGES)).unwrap();
    let path = folder.join(files::HISTORY);
    let mut history = fs::read(&path).unwrap();
    let first_end = history.iter().position(|byte| *byte == b'\n').unwrap();
    history[first_end - 4] = 0xff;
    history.truncate(history.len() - 20);
    fs::write(path, history).unwrap();
}

pub const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`<!--]]>&amp;\0\u{202e}evil\u{2028}\u{feff}\u{ffff}{}";

/// Every text is an attack or a burden.
pub fn hostile(folder: &Path) {
    let mut sample = Sample::new(50);
    let huge = format!("{HOSTILE}{}", "A".repeat(200_000));
    let mut witness = vec![
        sample.operation(
            1,
            HOSTILE,
            json!({"key": HOSTILE, "value": huge}),
            (S, 2 * S),
            Ok(json!(HOSTILE)),
        ),
        sample.operation(
            u64::MAX,
            &huge,
            json!({HOSTILE: [HOSTILE, {"a": HOSTILE}]}),
            (S, u64::MAX),
            Err((EventKind::Fail, &huge)),
        ),
        sample.operation(2, "get", json!([[[[HOSTILE]]]]), (0, 0), Err((EventKind::Info, HOSTILE))),
    ];
    for event in &mut sample.events {
        event.node = event.node.as_ref().map(|_| HOSTILE.into());
    }
    witness.extend([u64::MAX, 999_999]);
    sample.phase(S, HOSTILE);
    for _ in 0..100 {
        sample.leader(S, Some(HOSTILE));
        sample.attempt(witness[0], HOSTILE, AttemptEnd::Refused, HOSTILE);
        sample.attempt(witness[0], &huge, AttemptEnd::Garbled, &huge);
    }
    for (number, family) in [HOSTILE, &huge, ""].into_iter().enumerate() {
        for step in [FaultStep::Planned, FaultStep::Started] {
            sample.faults.push(FaultRecord {
                fault: 100 + number as u64,
                time_ns: S,
                family: family.into(),
                form: huge.clone(),
                step,
                targets: vec![HOSTILE.into(), huge.clone()],
                note: huge.clone(),
                ..FaultRecord::default()
            });
        }
    }
    for number in 0..5000 {
        sample.messages.push(MessageRecord {
            time_ns: u64::MAX,
            from: format!("{HOSTILE}{number}"),
            to: huge[..1000].into(),
            method: HOSTILE.into(),
            path: format!("/{HOSTILE}/{number}"),
            kind: (number % 2 == 0).then(|| format!("{number}{HOSTILE}")),
            clocks: None,
            bytes: u64::MAX,
            fate: Fate::Reordered,
        });
    }
    let run = &mut sample.run;
    for text in [
        &mut run.harness,
        &mut run.target,
        &mut run.target_folder,
        &mut run.workload,
        &mut run.started,
        &mut run.command,
    ] {
        *text = huge.clone();
    }
    run.nodes = vec![huge.clone(), HOSTILE.into()];
    run.faults = vec![huge.clone()];
    run.rate = Some(f64::MAX);
    run.time_limit_ms = u64::MAX;
    run.machine = BTreeMap::from([(HOSTILE.into(), huge.clone())]);
    run.lacks = vec![HOSTILE.into(); 60];
    sample.write(folder);
    let logs = folder.join(files::NODES).join("n1");
    fs::write(logs.join("stdout.log"), format!("1.000000 {HOSTILE}\n{huge}\n")).unwrap();
    let violation = Violation { kind: huge.clone(), sentence: huge.clone(), operations: witness };
    let check = CheckResult::found(huge.clone(), huge.clone(), vec![violation; 50])
        .with_statistics(json!({HOSTILE: huge.clone(), "list": [HOSTILE]}));
    let mut results = results_file(Verdict::Violation, &huge, vec![check]);
    results.operations.insert(HOSTILE.into(), Counts { ok: 1, fail: 0, info: 0 });
    let behaviour = results.behaviour.as_mut().unwrap();
    let most = Some(Extent { most: u64::MAX, end: u64::MAX });
    let occupied = Occupied { data_bytes: most, log_bytes: most, memory_bytes: most };
    behaviour.nodes = BTreeMap::from([(huge.clone(), occupied), (HOSTILE.into(), occupied)]);
    behaviour.longest_wait = Some(Stretch { from_ms: f64::MAX, lasted_ms: -f64::MAX });
    results.faults.insert(huge.clone(), FaultCounts::default());
    results.latency_ms = Some(Quantiles { p50: f64::MAX, p95: -1.0, p99: 0.0, max: 1e300 });
    results.notes = vec![huge];
    write_results(folder, &results);
}

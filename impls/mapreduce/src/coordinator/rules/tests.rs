//! The rules with a clock that is moved by hand, and in random runs.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::*;

const TASK_MS: u64 = 1000;

/// Rules with one job, 7, of so many tasks.
fn rules(maps: usize, reducers: u32) -> Rules {
    let mut rules = Rules::new(TASK_MS, 7);
    assert_eq!(rules.submit(maps, reducers), 7);
    rules
}

/// The number of an attempt that a worker gets, and which task that is.
fn assign(rules: &mut Rules, worker: &str, now_ms: u64) -> Option<(u64, Phase, u32)> {
    let assignment = rules.assign(worker, now_ms)?;
    Some((assignment.attempt, assignment.task.phase, assignment.task.number))
}

fn state(rules: &Rules) -> State {
    rules.state(7).unwrap().0
}

use Phase::{Map, Reduce};

#[test]
fn a_job_goes_from_map_to_reduce_to_done() {
    let mut rules = rules(2, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    assert_eq!(assign(&mut rules, "w2", 0), Some((2, Map, 1)));
    assert!(rules.finished(2, 5));
    assert_eq!(
        (state(&rules), rules.progress(7, Map)),
        (State::Map, Some(Progress { done: 1, total: 2 }))
    );
    // No reduce task begins before the last map task is done.
    assert_eq!(assign(&mut rules, "w2", 5), None);
    assert!(rules.finished(1, 6));
    assert_eq!(state(&rules), State::Reduce);
    let reduce = rules.assign("w2", 7).unwrap();
    assert_eq!((reduce.task.phase, reduce.inputs), (Reduce, vec![1, 2]));
    assert!(rules.finished(3, 8));
    assert_eq!((state(&rules), rules.state(7).unwrap().1), (State::Done, None));
    assert_eq!(assign(&mut rules, "w1", 9), None);
}

#[test]
fn a_job_without_text_has_reduce_tasks_only() {
    let mut rules = rules(0, 1);
    assert_eq!(state(&rules), State::Reduce);
    assert_eq!(rules.assign("w1", 0).unwrap().inputs, [0; 0]);
    assert!(rules.finished(1, 0));
    assert_eq!(state(&rules), State::Done);
}

#[test]
fn a_task_without_news_is_given_to_another_worker() {
    let mut rules = rules(2, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    assert_eq!(assign(&mut rules, "w2", 0), Some((2, Map, 1)));
    assert!(rules.heard(2, 900));
    assert_eq!(assign(&mut rules, "w3", 999), None);
    // A silent attempt does not have to be a straggler: 900 ms are what a task takes here.
    assert!(rules.finished(2, 999));
    assert_eq!(assign(&mut rules, "w3", 999), None);
    assert_eq!(assign(&mut rules, "w3", 1000), Some((3, Map, 0)));
}

#[test]
fn a_late_report_of_a_replaced_attempt_changes_nothing() {
    let mut rules = rules(1, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    assert_eq!(assign(&mut rules, "w2", 1000), Some((2, Map, 0)));
    assert!(rules.finished(2, 1100));
    assert!(!rules.heard(1, 1200), "w1 need not go on");
    assert!(!rules.finished(1, 1200));
    (0..5).for_each(|_| rules.failed(1, "late"));
    assert_eq!(rules.assign("w3", 1200).unwrap().inputs, [2]);
    assert_eq!(rules.progress(7, Map), Some(Progress { done: 1, total: 1 }));
    // Nor does it after the end of the job.
    assert!(rules.finished(3, 1300));
    assert!(!rules.heard(1, 1300) && !rules.finished(1, 1300) && !rules.finished(99, 1300));
    assert_eq!(state(&rules), State::Done);
}

#[test]
fn an_attempt_that_was_silent_counts_if_it_finishes_first() {
    let mut rules = rules(1, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    assert_eq!(assign(&mut rules, "w2", 1000), Some((2, Map, 0)));
    assert!(rules.finished(1, 1100));
    assert!(!rules.finished(2, 1200));
    assert_eq!(rules.assign("w3", 1200).unwrap().inputs, [1]);
}

#[test]
fn a_straggler_gets_one_backup_task_and_whoever_finishes_first_counts() {
    let mut rules = rules(3, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    assert_eq!(assign(&mut rules, "w2", 0), Some((2, Map, 1)));
    assert!(rules.finished(2, 100));
    // While there is something else to do, nobody gets a backup task.
    assert_eq!(assign(&mut rules, "w2", 300), Some((3, Map, 2)));
    assert!(rules.finished(3, 400));
    // Map tasks take 100 ms; w1 has taken more than twice as long.
    assert!(rules.heard(1, 400));
    assert_eq!(assign(&mut rules, "w2", 400), Some((4, Map, 0)));
    assert_eq!(assign(&mut rules, "w3", 900), None, "one backup task is enough");
    assert!(rules.finished(4, 950));
    assert!(!rules.finished(1, 951));
    assert!(rules.finished(4, 952), "a report that is sent again has the same answer");
}

#[test]
fn a_task_that_takes_no_longer_than_others_gets_no_backup_task() {
    let mut rules = rules(2, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    assert!(rules.finished(1, 100));
    assert_eq!(assign(&mut rules, "w1", 100), Some((2, Map, 1)));
    assert_eq!(assign(&mut rules, "w2", 299), None);
    assert_eq!(assign(&mut rules, "w2", 300), Some((3, Map, 1)));
}

#[test]
fn a_worker_that_asks_again_has_dropped_its_task() {
    let mut rules = rules(1, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    // It was started anew, or the answer was lost.
    assert_eq!(assign(&mut rules, "w1", 10), Some((2, Map, 0)));
    assert_eq!(assign(&mut rules, "w2", 20), None);
}

#[test]
fn a_task_that_fails_three_times_fails_its_job() {
    let mut rules = rules(1, 1);
    let other = rules.submit(1, 1);
    // w1 has failed the first job's task, and gets the other job's.
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    rules.failed(1, "bad record");
    (0..5).for_each(|_| rules.failed(1, "the same report, sent again"));
    assert_eq!(rules.assign("w1", 1).unwrap().task.job, other);
    // With nothing else to do, a worker tries again.
    for attempt in [3, 4] {
        assert_eq!((state(&rules), rules.state(7).unwrap().1), (State::Map, None));
        assert_eq!(assign(&mut rules, "w2", 2), Some((attempt, Map, 0)));
        rules.failed(attempt, "bad record");
    }
    let expected = "map task 0 failed 3 times (workers w1, w2, w2), the last time with: bad record";
    assert_eq!(rules.state(7), Some((State::Failed, Some(expected))));
    assert_eq!(rules.state(other), Some((State::Map, None)), "another job goes on");
}

#[test]
fn a_failed_task_goes_to_another_worker_if_there_is_other_work() {
    let mut rules = rules(2, 1);
    assert_eq!(assign(&mut rules, "w1", 0), Some((1, Map, 0)));
    rules.failed(1, "disk full");
    assert_eq!(assign(&mut rules, "w1", 1), Some((2, Map, 1)));
    assert_eq!(assign(&mut rules, "w2", 1), Some((3, Map, 0)));
}

#[test]
fn a_failure_does_not_matter_once_another_attempt_finished() {
    let mut rules = rules(1, 1);
    for (worker, now_ms) in [("w1", 0), ("w2", 1000), ("w3", 2000)] {
        assert!(assign(&mut rules, worker, now_ms).is_some());
    }
    assert!(rules.finished(2, 2100));
    rules.failed(1, "late");
    rules.failed(3, "late");
    assert_eq!(state(&rules), State::Reduce);
}

#[test]
fn jobs_are_done_one_after_the_other_and_side_by_side() {
    let mut rules = rules(1, 1);
    let second = rules.submit(1, 1);
    assert_eq!(second, 8);
    assert_eq!(rules.assign("w1", 0).unwrap().task.job, 7);
    assert_eq!(rules.assign("w2", 0).unwrap().task.job, 8);
    assert!(rules.state(9).is_none());
}

/// A worker of a random run.
#[derive(Default)]
struct Worker {
    works_on: Option<u64>,
    /// Attempts that it has finished or failed, and will report at some time or never.
    late: Vec<u64>,
    dead_until_ms: u64,
}

/// What a random run has seen.
#[derive(Default)]
struct Seen {
    tasks: BTreeMap<u64, TaskId>,
    /// The attempts that were told that they count.
    counted: BTreeMap<TaskId, BTreeSet<u64>>,
    inputs: Vec<(TaskId, Vec<u64>)>,
}

impl Seen {
    fn report(&mut self, rules: &mut Rules, attempt: u64, now_ms: u64) {
        if rules.finished(attempt, now_ms) {
            self.counted.entry(self.tasks[&attempt]).or_default().insert(attempt);
        }
    }

    fn assign(&mut self, rules: &mut Rules, worker: &str, now_ms: u64) -> Option<u64> {
        let Assignment { attempt, task, inputs } = rules.assign(worker, now_ms)?;
        assert!(self.tasks.insert(attempt, task).is_none(), "an attempt's number is its own");
        if task.phase == Reduce {
            self.inputs.push((task, inputs));
        }
        Some(attempt)
    }
}

/// Workers die, stall, forget to report, report late and twice, and fail with probability `fails`.
fn random_run(seed: u64, fails: f64) -> (Rules, Seen, usize) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut rules = Rules::new(TASK_MS, 1);
    let jobs = dice.random_range(1..=3);
    for _ in 0..jobs {
        rules.submit(dice.random_range(0..6), dice.random_range(1..5));
    }
    let mut workers: Vec<Worker> =
        (0..dice.random_range(1..5)).map(|_| Worker::default()).collect();
    let mut seen = Seen::default();
    let mut now_ms = 0;
    let running =
        |rules: &Rules, job| matches!(rules.state(job).unwrap().0, State::Map | State::Reduce);
    for step in 0.. {
        if !(1..=jobs).any(|job| running(&rules, job)) {
            break;
        }
        assert!(step < 100_000, "seed {seed}: a job does not end");
        now_ms += dice.random_range(0..300);
        let number = dice.random_range(0..workers.len());
        let (worker, name) = (&mut workers[number], format!("w{number}"));
        if dice.random_bool(0.3) && !worker.late.is_empty() {
            let late = worker.late[dice.random_range(0..worker.late.len())];
            seen.report(&mut rules, late, now_ms);
        }
        if now_ms < worker.dead_until_ms {
            continue;
        }
        let Some(attempt) = worker.works_on.take() else {
            worker.works_on = seen.assign(&mut rules, &name, now_ms);
            continue;
        };
        match dice.random_range(0..10) {
            // It dies, and starts anew after a while.
            0 => worker.dead_until_ms = now_ms + dice.random_range(0..3 * TASK_MS),
            // It stalls, and then goes on.
            1 => {
                worker.dead_until_ms = now_ms + dice.random_range(0..3 * TASK_MS);
                worker.works_on = Some(attempt);
            }
            // It finishes; the report is lost, or comes late.
            2 => worker.late.push(attempt),
            3 | 4 if dice.random_bool(fails) => rules.failed(attempt, "the function failed"),
            3 | 4 => {
                seen.report(&mut rules, attempt, now_ms);
                worker.late.push(attempt);
            }
            _ if rules.heard(attempt, now_ms) => worker.works_on = Some(attempt),
            _ => {}
        }
    }
    for attempt in workers.iter().flat_map(|worker| &worker.late) {
        seen.report(&mut rules, *attempt, now_ms);
    }
    let failed = (1..=jobs).filter(|job| rules.state(*job).unwrap().0 == State::Failed).count();
    (rules, seen, failed)
}

#[test]
fn every_job_ends_and_takes_each_output_from_one_attempt() {
    for seed in 0..4000 {
        let (rules, seen, failed) = random_run(seed, 0.0);
        assert_eq!(failed, 0, "seed {seed}");
        for (task, attempts) in &seen.counted {
            assert_eq!(attempts.len(), 1, "seed {seed}: {task:?} counted {attempts:?}");
        }
        for (job, books) in &rules.jobs {
            let counted = seen.counted.keys().filter(|task| task.job == *job).count();
            assert_eq!(counted, books.map.tasks.len() + books.reduce.tasks.len(), "seed {seed}");
        }
        for (task, inputs) in &seen.inputs {
            let counted = |input: &u64| seen.counted[&seen.tasks[input]].contains(input);
            assert!(inputs.iter().all(counted), "seed {seed}: {task:?} reads {inputs:?}");
            assert_eq!(inputs.len(), rules.jobs[&task.job].map.tasks.len(), "seed {seed}");
        }
        assert!(rules.attempts.is_empty() && rules.latest.is_empty(), "seed {seed}: leftovers");
    }
}

#[test]
fn jobs_whose_functions_fail_end_as_well() {
    let mut failed = 0;
    for seed in 0..1000 {
        let (rules, seen, failed_here) = random_run(seed, 0.5);
        failed += failed_here;
        assert!(seen.counted.values().all(|attempts| attempts.len() == 1), "seed {seed}");
        for books in rules.jobs.values() {
            let tasks = books.map.tasks.iter().chain(&books.reduce.tasks);
            let most = tasks.map(|task| task.failures.len()).max().unwrap_or(0);
            assert_eq!(books.error.is_some(), most == FAILURES_MAX, "seed {seed}");
        }
    }
    assert!(failed > 50, "{failed}");
}

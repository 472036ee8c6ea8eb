//! Carries a plan out: starts each fault when it is due, says whether it took hold, heals it when it is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use record::FaultStep;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    Family,
    fault::{Fault, Hits},
    planned::PlannedFault,
};
use crate::{environment::Environment, stream::Stream};

/// From one attempt to start a fault to the next.
const RETRY: Duration = Duration::from_millis(50);
/// From one look for the effects of a fault to the next.
const LOOK: Duration = Duration::from_millis(20);

/// A plan that is on disk: only such a plan is carried out.
#[derive(Debug)]
pub struct WrittenPlan(Vec<PlannedFault>);

impl WrittenPlan {
    /// Writes a plan down and returns once all of it is in the file.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn write(plan: Vec<PlannedFault>, stream: &Stream) -> std::io::Result<Self> {
        for fault in &plan {
            stream.fault(fault.planned_record());
        }
        stream.flush().await?;
        Ok(Self(plan))
    }

    fn by_family(self) -> BTreeMap<Family, Vec<PlannedFault>> {
        let mut families: BTreeMap<Family, Vec<PlannedFault>> = BTreeMap::new();
        for fault in self.0 {
            families.entry(fault.family).or_default().push(fault);
        }
        families
    }
}

/// Carries the plan out from `begin` on and returns when every fault has healed. Once `stop` turns true, nothing new
/// starts and what is on heals at once. Within a family one fault follows the other, families overlap.
pub async fn carry_out(
    plan: WrittenPlan,
    environment: Arc<Environment>,
    begin: Instant,
    stop: watch::Receiver<bool>,
) {
    let mut families = JoinSet::new();
    for faults in plan.by_family().into_values() {
        let (environment, stop) = (Arc::clone(&environment), stop.clone());
        families.spawn(async move {
            for planned in faults {
                let (environment, stop) = (Arc::clone(&environment), stop.clone());
                let deadline = begin + planned.latest();
                Execution { planned, environment, begin, latest: deadline, stop }.run().await;
            }
        });
    }
    // A panic in here is a panic of the nemesis.
    families.join_all().await;
}

/// One fault from its start to its end.
struct Execution {
    planned: PlannedFault,
    environment: Arc<Environment>,
    begin: Instant,
    /// When it must have taken hold.
    latest: Instant,
    stop: watch::Receiver<bool>,
}

impl Execution {
    /// Families get into each other's way: no node can be paused that is dead, no link be cut between dead nodes. So
    /// a fault waits for its effect as long as its interval has room for it, and then lasts as planned, from there on.
    async fn run(mut self) {
        if !self.sleep_until(self.begin + self.planned.at).await {
            return;
        }
        if Instant::now() > self.latest {
            let note = "the fault before it took too long".to_owned();
            return self.record(FaultStep::Missed, Vec::new(), note);
        }
        let before = self.observed();
        let hits = self.start().await;
        let (note, Hits { aimed_at, hit, .. }) = (hits.note(), hits);
        let seen = match before {
            Some(before) => self.shows(before).await,
            None => !hit.is_empty(),
        };
        let now = Instant::now();
        // To start may itself take long: a node that is being started cannot be paused before it is ready.
        let step = if seen && now <= self.latest { FaultStep::Started } else { FaultStep::Missed };
        self.record(step, hit.clone(), note);
        if step == FaultStep::Started {
            let end = (self.begin + self.planned.until).min(now + self.planned.lasts);
            self.sleep_until(end).await;
        }
        self.record(FaultStep::Healing, Vec::new(), String::new());
        let notes = self.fault().heal(&self.environment, &aimed_at).await;
        self.record(FaultStep::Healed, hit, notes.join("; "));
    }

    /// Tries to start the fault until something was hit, or it is too late.
    async fn start(&mut self) -> Hits {
        let mut aimed_at = BTreeSet::new();
        loop {
            let hits = self.fault().start(&self.environment).await;
            aimed_at.extend(hits.aimed_at);
            let next = Instant::now() + RETRY;
            if !hits.hit.is_empty() || next > self.latest || !self.sleep_until(next).await {
                return Hits { aimed_at: aimed_at.into_iter().collect(), ..hits };
            }
        }
    }

    /// Waits until the fault has shown more often than `before`, or it is too late.
    async fn shows(&mut self, before: u64) -> bool {
        while self.observed() == Some(before) {
            let next = Instant::now() + LOOK;
            if next > self.latest || !self.sleep_until(next).await {
                return self.observed() != Some(before);
            }
        }
        true
    }

    fn observed(&self) -> Option<u64> {
        self.fault().observed(&self.environment)
    }

    fn fault(&self) -> &dyn Fault {
        self.planned.fault.as_ref()
    }

    fn record(&self, step: FaultStep, targets: Vec<String>, note: String) {
        let stream = &self.environment.stream;
        stream.fault(self.planned.record(stream.now_ns(), step, targets, note));
    }

    /// False where `stop` turned true first.
    async fn sleep_until(&mut self, when: Instant) -> bool {
        tokio::select! {
            () = tokio::time::sleep_until(when) => true,
            _ = self.stop.wait_for(|stop| *stop) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    };

    use record::FaultRecord;

    use super::*;
    use crate::{
        nemesis::fault::Work,
        stream::{Reader, RunEvent},
    };

    /// Hits something at the given attempt; counts what was planned on disk when it first tried.
    #[derive(Debug, Default)]
    struct Scripted {
        hits_at: usize,
        tries: AtomicUsize,
        healed: Mutex<Vec<String>>,
        disk: Disk,
        on_disk: AtomicUsize,
        /// Whether it shows only in what passes, and how often it has.
        shows: Option<AtomicU64>,
    }

    impl Fault for Arc<Scripted> {
        fn form(&self) -> String {
            "scripted".to_owned()
        }

        fn targets(&self) -> Vec<String> {
            vec!["something".to_owned()]
        }

        fn start<'a>(&'a self, _: &'a Environment) -> Work<'a, Hits> {
            let tries = self.tries.fetch_add(1, Ordering::SeqCst) + 1;
            if tries == 1 {
                self.on_disk.store(self.disk.0.lock().unwrap().len(), Ordering::SeqCst);
            }
            let mut hits = Hits::default();
            let hit = if tries == self.hits_at { Ok(()) } else { Err("not there".to_owned()) };
            hits.add(format!("target-{tries}"), hit);
            Box::pin(async { hits })
        }

        fn observed(&self, _: &Environment) -> Option<u64> {
            self.shows.as_ref().map(|count| count.load(Ordering::SeqCst))
        }

        fn heal<'a>(&'a self, _: &'a Environment, aimed_at: &'a [String]) -> Work<'a, Vec<String>> {
            *self.healed.lock().unwrap() = aimed_at.to_vec();
            Box::pin(async { Vec::new() })
        }
    }

    /// A disk that takes its time.
    #[derive(Clone, Debug, Default)]
    struct Disk(Arc<Mutex<Vec<FaultRecord>>>);

    impl Reader for Disk {
        fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
            std::thread::sleep(Duration::from_millis(20));
            if let RunEvent::Fault(record) = event {
                self.0.lock().unwrap().push(record.clone());
            }
            Ok(())
        }
    }

    /// Plans the same fault `times` times, all due at once, and carries the plan out; the steps that came of it.
    async fn run(scripted: &Arc<Scripted>, times: u64, lasts: Duration) -> Vec<FaultStep> {
        let disk = scripted.disk.clone();
        let (stream, _) = Stream::start(vec![Box::new(disk.clone())]).unwrap();
        let environment = Arc::new(Environment::empty(Arc::clone(&stream)).await);
        let family = Family::by_name("kill").unwrap();
        let planned = |number| PlannedFault {
            number,
            family,
            at: Duration::ZERO,
            lasts,
            until: Duration::from_secs(1),
            fault: Box::new(Arc::clone(scripted)),
        };
        let plan = WrittenPlan::write((0..times).map(planned).collect(), &stream).await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        carry_out(plan, environment, Instant::now(), stopped).await;
        stream.flush().await.unwrap();
        let records = disk.0.lock().unwrap();
        records.iter().map(|record| record.step).collect()
    }

    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn the_whole_plan_is_on_disk_before_the_first_fault_starts() {
        let scripted = Arc::new(Scripted { hits_at: 1, ..Scripted::default() });
        run(&scripted, 5, SHORT).await;
        assert_eq!(scripted.on_disk.load(Ordering::SeqCst), 5);
    }

    #[tokio::test]
    async fn a_fault_is_tried_again_until_something_is_hit_and_heals_all_it_was_aimed_at() {
        let scripted = Arc::new(Scripted { hits_at: 3, ..Scripted::default() });
        let steps = run(&scripted, 1, SHORT).await;
        assert_eq!(
            steps,
            [FaultStep::Planned, FaultStep::Started, FaultStep::Healing, FaultStep::Healed]
        );
        assert_eq!(*scripted.healed.lock().unwrap(), ["target-1", "target-2", "target-3"]);
        let records = scripted.disk.0.lock().unwrap();
        assert_eq!(records[1].targets, ["target-3"]);
    }

    #[tokio::test]
    async fn a_fault_that_hits_nothing_or_does_not_show_is_missed_and_healed_all_the_same() {
        let misses = Arc::new(Scripted::default());
        let hidden = Scripted { hits_at: 1, shows: Some(AtomicU64::new(3)), ..Scripted::default() };
        for scripted in [misses, Arc::new(hidden)] {
            // It would have to hold for a quarter of this, so it gives up before its second is over.
            let steps = run(&scripted, 1, Duration::from_secs(3)).await;
            assert_eq!(
                steps,
                [FaultStep::Planned, FaultStep::Missed, FaultStep::Healing, FaultStep::Healed]
            );
            assert!(!scripted.healed.lock().unwrap().is_empty());
        }
    }
}

//! Carries a plan out: starts each fault when it is due, says whether it took hold, heals it when it is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use record::{
    FaultStep,
    evidence::{ABSENCE_MIN_NS, GONE_ON_MIN},
};
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
/// What ends an absence: more than the judge asks for, which sees less of it.
const ABSENCE_MIN: Duration =
    Duration::from_nanos(ABSENCE_MIN_NS).saturating_add(Duration::from_millis(200));
const GONE_ON: u64 = 2 * GONE_ON_MIN as u64;

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
            self.hold_until(end).await;
        }
        self.record(FaultStep::Healing, Vec::new(), String::new());
        let notes = self.fault().heal(&self.environment, &aimed_at).await;
        self.record(FaultStep::Healed, hit, notes.join("; "));
    }

    /// It has taken hold. An absence ends sooner, once it has shown what it is for.
    async fn hold_until(&mut self, end: Instant) {
        if self.planned.away.is_empty() {
            self.sleep_until(end).await;
            return;
        }
        let clients = Arc::clone(&self.environment.clients);
        // Of a sharded store, the others of that group have to go on.
        let mut others = self.environment.focused();
        others.retain(|node| !self.planned.away.contains(node));
        let (operations, writes) = clients.served_by(&others);
        let have_gone_on = || {
            let now = clients.served_by(&others);
            now.0 >= operations + GONE_ON && now.1 > writes
        };
        let mut next = (Instant::now() + ABSENCE_MIN).min(end);
        while self.sleep_until(next).await && next < end && !have_gone_on() {
            next = (next + LOOK).min(end);
        }
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
            away: Vec::new(),
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

    /// n1 is away, from the third attempt on; n2 serves so much before, and so much once it has. How long it was away.
    async fn absence(before: u64, after: u64, lasts: Duration) -> Duration {
        let disk = Disk::default();
        let (stream, _) = Stream::start(vec![Box::new(disk.clone())]).unwrap();
        let environment =
            Environment::of_nodes_that_never_run(Arc::clone(&stream), &["n1", "n2"]).await;
        let environment = Arc::new(environment);
        let serve = |node: &str, count: u64| {
            for number in 0..count {
                environment.clients.succeeded_at(&node.to_owned(), number % 2 == 0);
            }
        };
        serve("n2", before);
        let planned = PlannedFault {
            number: 0,
            family: Family::by_name("kill").unwrap(),
            at: Duration::ZERO,
            lasts,
            until: lasts + Duration::from_secs(1),
            away: vec!["n1".to_owned()],
            fault: Box::new(Arc::new(Scripted { hits_at: 3, ..Scripted::default() })),
        };
        let plan = WrittenPlan::write(vec![planned], &stream).await.unwrap();
        let (_stop, stopped) = watch::channel(false);
        let time_of = |step: FaultStep| {
            let records = disk.0.lock().unwrap();
            records.iter().find(|record| record.step == step).map(|record| record.time_ns)
        };
        let serving = async {
            while time_of(FaultStep::Started).is_none() {
                tokio::time::sleep(SHORT).await;
            }
            serve("n1", 1000);
            serve("n2", after);
        };
        let carried_out = carry_out(plan, Arc::clone(&environment), Instant::now(), stopped);
        tokio::join!(carried_out, serving);
        stream.flush().await.unwrap();
        let [from, to] =
            [FaultStep::Started, FaultStep::Healing].map(|step| time_of(step).unwrap());
        Duration::from_nanos(to - from)
    }

    /// What was served before a node was away, or by that node, once ended its absence.
    #[tokio::test]
    async fn an_absence_ends_once_the_others_have_gone_on_since_it_took_hold() {
        let longest = ABSENCE_MIN + Duration::from_millis(300);
        assert!(absence(1000, GONE_ON - 1, longest).await >= longest);
        let minute = Duration::from_secs(60);
        assert!(absence(0, GONE_ON, minute).await < minute);
    }

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

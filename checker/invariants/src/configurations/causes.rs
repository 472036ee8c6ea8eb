//! Which change made which configuration.

use std::ops::Range;

use history::{
    Findings, Operation,
    words::{counted, who},
};
use rustc_hash::FxHashMap;

use super::contents::Contents;
use super::matching::Matching;
use super::reading::{Attempt, Change};
use super::windows::Windows;

/// How often the moments of the steps are brought together with those of their changes. Each time says less.
const ROUNDS: usize = 8;

/// How many changes may be looked at for that.
const LOOKS: usize = 50_000_000;

/// How many operations a violation names beside the one it is about.
const SUSPECTS: usize = 4;

/// The changes and the steps that are the same.
#[derive(Default)]
struct Class {
    /// In the order of their invocations.
    attempts: Vec<usize>,
    /// In their order.
    steps: Vec<usize>,
    /// Where its steps begin among the places.
    start: usize,
}

/// The changes that may have happened, and the steps that were taken.
pub(super) struct Causes<'a, 'o> {
    attempts: &'a [Attempt<'o>],
    steps: &'a [Option<Change>],
    windows: Windows<'o>,
    classes: Vec<Class>,
    /// The class of each change, and of each step that was seen.
    class_of_attempt: Vec<usize>,
    class_of_step: Vec<Option<usize>>,
    /// The steps that were not seen, which any change may have taken.
    unseen: Vec<usize>,
}

impl<'a, 'o> Causes<'a, 'o> {
    pub(super) fn new(
        attempts: &'a [Attempt<'o>],
        steps: &'a [Option<Change>],
        windows: Windows<'o>,
    ) -> Self {
        let mut classes: Vec<Class> = Vec::new();
        let mut places: FxHashMap<&Change, usize> = FxHashMap::default();
        let mut class = |change: &'a Change, classes: &mut Vec<Class>| {
            *places.entry(change).or_insert_with(|| {
                classes.push(Class::default());
                classes.len() - 1
            })
        };
        let mut class_of_attempt = Vec::with_capacity(attempts.len());
        for (number, attempt) in attempts.iter().enumerate() {
            let class = class(&attempt.change, &mut classes);
            classes[class].attempts.push(number);
            class_of_attempt.push(class);
        }
        let (mut class_of_step, mut unseen) = (Vec::with_capacity(steps.len()), Vec::new());
        for (number, step) in steps.iter().enumerate() {
            let class = step.as_ref().map(|change| class(change, &mut classes));
            class.map_or(&mut unseen, |class| &mut classes[class].steps).push(number);
            class_of_step.push(class);
        }
        let mut start = 0;
        for class in &mut classes {
            class.start = start;
            start += class.steps.len();
        }
        Self { attempts, steps, windows, classes, class_of_attempt, class_of_step, unseen }
    }

    /// Each acknowledged change must have taken a step of its own, and each step must have been taken by a change. Where
    /// there is too much to look at, the reason why that is not decided.
    ///
    /// If all those changes can have steps, and all steps changes, then both can be at once.
    pub(super) fn report(
        mut self,
        contents: &Contents<'o>,
        findings: &mut Findings,
    ) -> Option<String> {
        self.narrow();
        let ranges = self.attempts.iter().zip(&self.class_of_attempt).map(|(attempt, &class)| {
            let Class { steps, start, .. } = &self.classes[class];
            let same = self.windows.during(attempt, steps);
            let any = self.windows.during(attempt, &self.unseen);
            let start_of_any = self.steps.len() - self.unseen.len();
            [shifted(&same, *start), shifted(&any, start_of_any)]
        });
        let mut matching = Matching::new(ranges.collect(), self.steps.len());
        let places: Vec<usize> = self
            .classes
            .iter()
            .flat_map(|class| &class.steps)
            .chain(&self.unseen)
            .copied()
            .collect();
        for (place, step) in places.iter().enumerate() {
            if !self.windows.is_open(*step) {
                matching.close(place);
            }
        }
        let (seen, others) = self.seen_and_others();
        for attempt in seen.iter().chain(&others) {
            matching.add(*attempt);
        }
        if matching.is_too_much() {
            let changes = counted(self.attempts.len(), "change");
            return Some(format!(
                "Which of {changes} made which configuration takes too long to find out."
            ));
        }
        for attempt in seen.into_iter().filter(|attempt| !matching.has_place(*attempt)) {
            self.report_lost(attempt, contents, findings);
        }
        let mut without: Vec<usize> = (0..places.len())
            .filter(|&place| matching.is_free(place))
            .map(|place| places[place])
            .collect();
        without.sort_unstable();
        for step in without {
            self.report_causeless(step, contents, findings);
        }
        None
    }

    /// A step that was seen was taken by one of the changes that are the same, which says more about when.
    fn narrow(&mut self) {
        let mut looks = 0;
        for _ in 0..ROUNDS {
            let mut is_new = false;
            for class in &self.classes {
                looks += class.attempts.len() * class.steps.len();
                if looks > LOOKS {
                    break;
                }
                for &step in &class.steps {
                    let same = class.attempts.iter().map(|&attempt| &self.attempts[attempt]);
                    is_new |= self.windows.narrow(step, same);
                }
            }
            self.windows.spread();
            if !is_new || looks > LOOKS {
                return;
            }
        }
    }

    /// The acknowledged changes whose configurations somebody must have seen, or a later one, and all the others.
    fn seen_and_others(&self) -> (Vec<usize>, Vec<usize>) {
        let beyond = self.windows.beyond().map_or(0, |beyond| beyond.event);
        let (mut seen, others): (Vec<usize>, Vec<usize>) =
            (0..self.attempts.len()).partition(|&attempt| self.attempts[attempt].end() <= beyond);
        seen.sort_unstable_by_key(|&attempt| self.attempts[attempt].end());
        (seen, others)
    }

    fn report_lost(&self, number: usize, contents: &Contents<'o>, findings: &mut Findings) {
        let attempt = &self.attempts[number];
        let all: Vec<usize> = (0..self.steps.len()).collect();
        let during = self.windows.during(attempt, &all);
        let same: Vec<usize> = self.classes[self.class_of_attempt[number]]
            .steps
            .iter()
            .filter(|step| during.contains(*step))
            .copied()
            .collect();
        let looked = self.windows.beyond().map(|bound| bound.by);
        let shown = if same.is_empty() { during.clone().collect() } else { same.clone() };
        let around = shown.iter().take(SUSPECTS).map(|step| *step as u64 + 1);
        let witnesses = around.filter_map(|number| contents.witness(number));
        let rivals = self.rivals(&same, number);
        let proof = std::iter::once(attempt.operation).chain(looked).chain(witnesses).chain(rivals);
        findings.add("change lost", proof.map(|operation| operation.call), || {
            let (change, highest) = (attempt.change.in_words(), self.steps.len());
            let why = if during.is_empty() {
                "none of them can have been made while it ran".to_owned()
            } else if same.is_empty() {
                format!("{}, made while it ran, is another's", numbers(&during))
            } else {
                "there are not enough of them for it and the other changes of its time".to_owned()
            };
            let by = looked.map(|by| format!(" before {} began", who(by))).unwrap_or_default();
            format!(
                "{}, which {change}, was acknowledged{by}, but none of the configurations up to {highest} is of its \
                 making: {why}",
                who(attempt.operation)
            )
        });
    }

    /// Other acknowledged changes that can have taken these steps.
    fn rivals(&self, steps: &[usize], but: usize) -> Vec<&'o Operation> {
        let class = &self.classes[self.class_of_attempt[but]];
        let others = class.attempts.iter().filter(|&&attempt| attempt != but);
        let others = others.map(|&attempt| &self.attempts[attempt]);
        let others =
            others.filter(|other| steps.iter().any(|&step| self.windows.allows(step, other)));
        others.take(SUSPECTS).map(|other| other.operation).collect()
    }

    fn report_causeless(&self, step: usize, contents: &Contents<'o>, findings: &mut Findings) {
        let number = step as u64 + 1;
        let (after, before) = self.windows.of(step);
        let same: Vec<&Attempt<'o>> = self.class_of_step[step].map_or(Vec::new(), |class| {
            self.classes[class].attempts.iter().map(|&attempt| &self.attempts[attempt]).collect()
        });
        let possible = same.iter().filter(|attempt| self.windows.allows(step, attempt)).count();
        let witnesses = [number - 1, number].into_iter().filter_map(|n| contents.witness(n));
        let suspects = same.iter().take(SUSPECTS).map(|attempt| attempt.operation);
        let proof = witnesses.chain([after.by, before.by]).chain(suspects);
        findings.add("change without cause", proof.map(|operation| operation.call), || {
            let made = if after.by.call == before.by.call {
                format!("while {} ran", who(after.by))
            } else {
                format!("after {} began and before {} ended", who(after.by), who(before.by))
            };
            let Some(change) = &self.steps[step] else {
                return format!(
                    "configuration {number} was made {made}, but every change of that time made another one"
                );
            };
            let by = contents.witness(number).map(|by| format!(", as {} saw", who(by)));
            let why = match (&same[..], possible) {
                ([], _) => "but nobody asked for that".to_owned(),
                ([only], 0) => format!("but {} was not at that time: it was made {made}", who(only.operation)),
                (_, 0) => format!("but nobody asked for that at that time: it was made {made}"),
                (_, count) => format!("but {} that may have done so made others", counted(count, "change")),
            };
            format!("configuration {number} {}{}, {why}", change.in_words(), by.unwrap_or_default())
        });
    }
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// `configuration 3`, `each of the configurations 3 to 5`, of steps.
fn numbers(steps: &Range<usize>) -> String {
    match steps.len() {
        1 => format!("configuration {}", steps.end),
        _ => format!("each of the configurations {} to {}", steps.start + 1, steps.end),
    }
}

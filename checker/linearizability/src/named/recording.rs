//! Recorded operations as the calls of a model: what a check needs of them, and no more.

use std::any::Any;

use history::{Batch, Datum, Operation, Verdict, by_index};
use rustc_hash::FxHashMap;

use super::keys::{self, Part};
use super::table::{Absence, Named, without_key};
use super::{Read, Unfit, shown};
use crate::decide::threads;
use crate::parallel::in_parallel;
use crate::{Call, CallOf, Limits, Model, Report, Saw, Statistics, check, check_by_key};

/// Operations that were recorded, to be checked against a model: see [`Named::recording`]. Threads that read a file each
/// make their own, as a [`Batch`]; appended to each other, they are the history.
pub struct Recording(Box<dyn Record>);

impl Recording {
    pub(super) fn new<M: Model + Send + 'static>(named: Named, model: M, means: Means<M>) -> Self {
        Self(Box::new(Calls { model: Some(model), ..Calls::new(named, means) }))
    }

    /// Takes those of another one of the same model.
    pub fn append(&mut self, other: &mut Self) {
        self.0.append(&mut *other.0);
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Whether some values are pairs of a key and a value and others are not. Then it holds nothing, for it was taken to
    /// be of many objects: it must be recorded once more, as [one](Self::is_of_one_object).
    #[must_use]
    pub fn is_mixed(&self) -> bool {
        self.0.is_mixed()
    }

    /// What follows is of one object, though values may be pairs. Nothing may be recorded yet.
    pub fn is_of_one_object(&mut self) {
        self.0.is_of_one_object();
    }

    /// Is this history linearizable?
    ///
    /// # Errors
    /// An operation that the model does not know.
    pub fn check(self, limits: &Limits) -> Result<Report, Unfit> {
        self.0.check(limits)
    }
}

impl Batch for Recording {
    fn fresh(&self) -> Self {
        Self(self.0.fresh())
    }

    fn add(&mut self, operation: Operation<Datum>) {
        self.0.add(&operation);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// [`Recording`] of whatever model.
trait Record: Send {
    fn fresh(&self) -> Box<dyn Record>;
    fn add(&mut self, operation: &Operation<Datum>);
    fn append(&mut self, other: &mut dyn Record);
    fn clear(&mut self);
    fn as_any(&mut self) -> &mut dyn Any;
    fn bytes(&self) -> u64;
    fn is_mixed(&self) -> bool;
    fn is_of_one_object(&mut self);
    fn check(self: Box<Self>, limits: &Limits) -> Result<Report, Unfit>;
}

/// Changes the calls of each key once all are known, or says why they cannot be judged.
type Settle<M> = fn(Absence, &mut [Vec<CallOf<M>>]) -> Result<(), String>;

/// What recorded operations mean to a model.
pub(super) struct Means<M: Model> {
    objects: Objects,
    read: fn(&Part<'_>) -> Read<M>,
    /// Notes what all operations together tell.
    note: Option<fn(&mut Absence, &Part<'_>)>,
    /// What that makes of the calls.
    settle: Settle<M>,
}

// Not derived: it holds for models that are not `Copy` too.
impl<M: Model> Clone for Means<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Model> Copy for Means<M> {}

/// Which object an operation is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Objects {
    /// There is only one.
    One,
    /// That of the key in the pair that the arguments are; one for all where any are not.
    ByPair,
    /// That of the key that a store's operation names.
    ByKey,
}

impl<M: Model> Means<M> {
    pub(super) fn whole(read: fn(&Part<'_>) -> Read<M>) -> Self {
        Self { objects: Objects::One, read, note: None, settle: |_, _| Ok(()) }
    }

    pub(super) fn by_pair(read: fn(&Part<'_>) -> Read<M>) -> Self {
        Self { objects: Objects::ByPair, ..Self::whole(read) }
    }

    pub(super) fn of_store(
        read: fn(&Part<'_>) -> Read<M>,
        note: fn(&mut Absence, &Part<'_>),
        settle: Settle<M>,
    ) -> Self {
        Self { objects: Objects::ByKey, read, note: Some(note), settle }
    }
}

struct Calls<M: Model> {
    named: Named,
    /// Only where there is something to check.
    model: Option<M>,
    means: Means<M>,
    /// The objects that it began with.
    asked: Objects,
    /// The keys, in the order in which they were met; of one object there is one, and it is nil.
    keys: Vec<Datum>,
    places: FxHashMap<Datum, u32>,
    /// What was added, each with the place of its key.
    added: Vec<(u32, CallOf<M>)>,
    /// What was appended, by key.
    groups: Vec<Vec<CallOf<M>>>,
    absence: Absence,
    /// The first operation that the model does not know.
    misfit: Option<Unfit>,
    is_mixed: bool,
    bytes: u64,
}

impl<M: Model + Send + 'static> Calls<M> {
    fn new(named: Named, means: Means<M>) -> Self {
        Self {
            named,
            model: None,
            asked: means.objects,
            means,
            keys: Vec::new(),
            places: FxHashMap::default(),
            added: Vec::new(),
            groups: Vec::new(),
            absence: Absence::default(),
            misfit: None,
            is_mixed: false,
            bytes: 0,
        }
    }

    fn place(&mut self, key: &Datum) -> u32 {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = u32::try_from(self.keys.len()).expect("a history has fewer than 2^32 keys");
        self.keys.push(key.clone());
        self.places.insert(key.clone(), place);
        place
    }

    fn add_part(&mut self, key: &Datum, part: &Part<'_>) {
        if let Some(note) = self.means.note {
            note(&mut self.absence, part);
        }
        match (self.means.read)(part) {
            Ok((input, output)) => {
                let place = self.place(key);
                let operation = part.operation;
                let values = operation.arguments.heap_bytes()
                    + operation.result().map_or(0, Datum::heap_bytes);
                self.bytes += (size_of::<CallOf<M>>() + values) as u64;
                self.added.push((place, Call::from_operation(operation, input, output)));
            }
            Err(what) => self.refuse(self.named.misfit(part.operation, &what)),
        }
    }

    fn refuse(&mut self, unfit: Unfit) {
        let is_first = self.misfit.as_ref().is_none_or(|known| unfit.event < known.event);
        if is_first {
            self.misfit = Some(unfit);
        }
    }

    /// There are pairs and others.
    fn mix(&mut self) {
        self.is_mixed = true;
        self.added = Vec::new();
        self.groups = Vec::new();
    }

    fn is_nothing(&self) -> bool {
        self.keys.is_empty() && self.misfit.is_none()
    }

    /// Puts what was added by another one to its keys.
    fn take(&mut self, keys: &[Datum], added: &mut Vec<(u32, CallOf<M>)>) {
        let places: Vec<u32> = keys.iter().map(|key| self.place(key)).collect();
        self.groups.resize_with(self.keys.len(), Vec::new);
        if let [place] = places[..] {
            self.groups[place as usize].extend(added.drain(..).map(|(_, call)| call));
            return;
        }
        for (place, call) in added.drain(..) {
            self.groups[places[place as usize] as usize].push(call);
        }
    }

    /// The calls of each key in the order of their invocations.
    fn sort(&mut self, limits: &Limits) {
        in_parallel(self.groups.iter_mut().collect(), &threads(limits), |calls| sort(calls));
    }
}

impl<M: Model + Send + 'static> Record for Calls<M> {
    fn fresh(&self) -> Box<dyn Record> {
        Box::new(Self::new(self.named, Means { objects: self.asked, ..self.means }))
    }

    fn add(&mut self, operation: &Operation<Datum>) {
        let pair =
            if self.means.objects == Objects::ByPair { keys::of_pair(operation) } else { None };
        if pair.is_none() && self.means.objects == Objects::ByPair {
            match self.is_nothing() {
                true => self.means.objects = Objects::One,
                false => self.mix(),
            }
        }
        if self.is_mixed {
            return;
        }
        match (self.means.objects, pair) {
            (_, Some((key, part))) => self.add_part(key, &part),
            (Objects::One | Objects::ByPair, None) => {
                self.add_part(&Datum::Nil, &Part::whole(operation));
            }
            (Objects::ByKey, None) => match keys::of_store(operation) {
                Some((key, part)) => self.add_part(key, &part),
                None => self.refuse(self.named.misfit(operation, &without_key(operation))),
            },
        }
    }

    fn append(&mut self, other: &mut dyn Record) {
        let Some(other) = other.as_any().downcast_mut::<Self>() else { return };
        if other.is_nothing() && !other.is_mixed {
            return;
        }
        if self.is_nothing() {
            self.means.objects = other.means.objects;
        }
        if other.is_mixed || self.means.objects != other.means.objects {
            self.mix();
        }
        self.absence.also(other.absence);
        other.misfit.take().into_iter().for_each(|misfit| self.refuse(misfit));
        self.bytes += other.bytes;
        if !self.is_mixed {
            self.take(&other.keys, &mut other.added);
        }
    }

    fn clear(&mut self) {
        let mut added = std::mem::take(&mut self.added);
        added.clear();
        *self =
            Self { added, ..Self::new(self.named, Means { objects: self.asked, ..self.means }) };
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn bytes(&self) -> u64 {
        // A key is kept twice; a list begins with room for four calls.
        let key = 2 * size_of::<Datum>() + size_of::<Vec<CallOf<M>>>() + 3 * size_of::<CallOf<M>>();
        self.bytes + (self.keys.len() * key) as u64
    }

    fn is_mixed(&self) -> bool {
        self.is_mixed
    }

    fn is_of_one_object(&mut self) {
        if self.means.objects == Objects::ByPair {
            self.means.objects = Objects::One;
            self.asked = Objects::One;
        }
    }

    fn check(mut self: Box<Self>, limits: &Limits) -> Result<Report, Unfit> {
        let mut added = std::mem::take(&mut self.added);
        let keys = self.keys.clone();
        self.take(&keys, &mut added);
        let settled = (self.means.settle)(self.absence, &mut self.groups);
        settled.map_err(|what| super::unfit(None, what))?;
        if let Some(misfit) = self.misfit {
            return Err(misfit);
        }
        self.sort(limits);
        let Self { named, model, means, keys, mut groups, .. } = *self;
        let Some(model) = model else {
            return Err(super::unfit(None, format!("there is no {} to check", named.noun())));
        };
        if !groups.iter().any(|calls| tells_anything(&model, calls)) {
            return Ok(untested(groups.iter().flatten()));
        }
        if means.objects == Objects::One {
            return Ok(check(&model, &groups.pop().unwrap_or_default(), limits));
        }
        let name = |key: &Datum| format!("Key {}", shown(&keys::name(key)));
        let mut groups: Vec<(String, Vec<CallOf<M>>)> = keys.iter().map(name).zip(groups).collect();
        groups.sort_by_key(|(_, calls)| calls.first().map(|call| call.call));
        Ok(check_by_key(&model, groups, limits))
    }
}

fn sort<I, O>(calls: &mut [Call<I, O>]) {
    if calls.is_sorted_by_key(|call| call.call) {
        return;
    }
    let mut order = by_index(calls.iter().map(|call| call.call).zip(0..));
    for place in 0..calls.len() {
        let mut from = order[place] as usize;
        // What was there has made room for an earlier one.
        while from < place {
            from = order[from] as usize;
        }
        order[place] = from as u32;
        calls.swap(place, from);
    }
}

/// Of a history that any object could have.
fn untested<'c, I: 'c, O: 'c>(calls: impl Iterator<Item = &'c Call<I, O>>) -> Report {
    let (mut operations, mut has_succeeded) = (0, false);
    for call in calls {
        operations += 1;
        has_succeeded |= !call.failed && call.ret.is_some();
    }
    let reason = match has_succeeded {
        false => "no operation succeeded",
        true => "none of the operations that succeeded tells what it found, as a read does",
    };
    Report {
        verdict: Verdict::Inconclusive,
        reason: Some(format!("Nothing was tested: {reason}.")),
        witness: None,
        statistics: Statistics { operations, ..Statistics::default() },
    }
}

/// Whether some call had a result that not every state allows: otherwise every history is right.
fn tells_anything<M: Model>(model: &M, calls: &[CallOf<M>]) -> bool {
    calls.iter().any(|call| {
        let output = call.output.as_ref();
        let effects = output.map(|output| model.effects(&call.input, Some(output)));
        effects
            .is_some_and(|effects| effects.all().iter().any(|effect| effect.saw != Saw::Anything))
    })
}

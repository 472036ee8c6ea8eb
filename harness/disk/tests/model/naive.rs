//! The rules once more, as plainly as possible: whole histories are kept, and what is legal is found by trying.
//!
//! Nothing here shares code with the crate but the name of the mode.

use std::collections::{BTreeMap, BTreeSet};

use disk::Durability;

use crate::program::{Found, State, Step, split};

const SECTOR: usize = 512;
const PAGE: usize = 4096;
const ROOT: usize = 0;

/// A file or a directory: its place in `Naive::files`.
type Id = usize;

#[derive(Clone)]
struct Operation {
    changes: Vec<(Id, &'static str, Option<Id>)>,
    concerns: BTreeSet<Id>,
    durable: bool,
}

/// A file after one of its changes.
struct Moment {
    content: Vec<u8>,
    pages: BTreeSet<usize>,
    cuts: bool,
}

#[derive(Default)]
struct File {
    is_folder: bool,
    live: Vec<u8>,
    synced: Vec<u8>,
    /// Since then.
    moments: Vec<Moment>,
}

pub struct Naive {
    durability: Durability,
    files: Vec<File>,
    operations: Vec<Operation>,
}

type Tree = BTreeMap<(Id, &'static str), Id>;

fn replay<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Tree {
    let mut tree = Tree::new();
    for (folder, name, to) in operations.into_iter().flat_map(|operation| &operation.changes) {
        match to {
            Some(id) => tree.insert((*folder, *name), *id),
            None => tree.remove(&(*folder, *name)),
        };
    }
    tree
}

impl Naive {
    pub fn new(durability: Durability) -> Self {
        let root = File { is_folder: true, ..File::default() };
        Naive { durability, files: vec![root], operations: Vec::new() }
    }

    /// Applies what a disk has not refused.
    pub fn apply(&mut self, step: &Step) {
        match *step {
            Step::Create(path) => self.make(path, false),
            Step::Mkdir(path) => self.make(path, true),
            Step::Link(path, other) => {
                let (id, (folder, name)) = (self.find(path), self.place(other));
                self.change(vec![(folder, name, Some(id))], true);
            }
            Step::Unlink(path) | Step::Rmdir(path) => {
                let (folder, name) = self.place(path);
                self.change(vec![(folder, name, None)], true);
            }
            Step::Rename(path, other) => self.rename(path, other, false),
            Step::Exchange(path, other) => self.rename(path, other, true),
            Step::Write { path, offset, length, byte } => {
                let file = self.file(path);
                let size = file.live.len().max(offset + length);
                file.live.resize(size, 0);
                file.live[offset..offset + length].fill(byte);
                let pages = (offset..offset + length).map(|at| at / PAGE).collect();
                file.moments.push(Moment { content: file.live.clone(), pages, cuts: false });
            }
            Step::Resize { path, size } => {
                let file = self.file(path);
                let cuts = size < file.live.len();
                file.live.resize(size, 0);
                let content = file.live.clone();
                file.moments.push(Moment { content, pages: BTreeSet::new(), cuts });
            }
            Step::Fsync(path) => self.fsync(path),
            Step::FailingFsync(path) => {
                let file = self.file(path);
                for cut in file.moments.drain(..).filter(|moment| moment.cuts) {
                    file.synced.resize(cut.content.len(), 0);
                }
            }
        }
    }

    fn make(&mut self, path: &'static str, is_folder: bool) {
        let (folder, name) = self.place(path);
        self.files.push(File { is_folder, ..File::default() });
        self.change(vec![(folder, name, Some(self.files.len() - 1))], true);
    }

    fn rename(&mut self, path: &'static str, other: &'static str, exchange: bool) {
        let (from, to) = (self.place(path), self.place(other));
        let live = replay(&self.operations);
        let (moved, target) = (live[&from], live.get(&to).copied());
        if target == Some(moved) {
            return;
        }
        let moving = [Some(moved), target.filter(|_| exchange)];
        let moves_folder = moving.into_iter().flatten().any(|id| self.files[id].is_folder);
        if moves_folder && from.0 != to.0 {
            for operation in &mut self.operations {
                operation.durable = true;
            }
        }
        let left = target.filter(|_| exchange);
        self.change(
            vec![(to.0, to.1, Some(moved)), (from.0, from.1, left)],
            moves_folder || exchange,
        );
    }

    fn change(&mut self, changes: Vec<(Id, &'static str, Option<Id>)>, whole: bool) {
        let folders: BTreeSet<Id> = changes.iter().map(|change| change.0).collect();
        if self.durability == Durability::Strict {
            let parts = if whole {
                vec![changes]
            } else {
                changes.into_iter().map(|change| vec![change]).collect()
            };
            for changes in parts {
                let concerns = changes.iter().map(|change| change.0).collect();
                self.operations.push(Operation { changes, concerns, durable: false });
            }
            return;
        }
        let live = replay(&self.operations);
        let mut concerns = folders;
        for (folder, name, to) in &changes {
            concerns.extend(live.get(&(*folder, *name)));
            concerns.extend(to);
        }
        self.operations.push(Operation { changes, concerns, durable: false });
    }

    fn fsync(&mut self, path: &str) {
        let id = self.find(path);
        let file = &mut self.files[id];
        // Not `synced = live`: after an fsync that failed, pages that nobody wrote again are still missing.
        for moment in file.moments.drain(..) {
            file.synced.resize(moment.content.len(), 0);
            for page in moment.pages {
                let range = page * PAGE..file.synced.len().min((page + 1) * PAGE);
                file.synced[range.clone()].copy_from_slice(&moment.content[range]);
            }
        }
        if file.is_folder {
            let last = self.operations.iter().rposition(|one| one.concerns.contains(&id));
            self.make_durable(last);
        }
        if self.durability == Durability::Ext4Like {
            let live = replay(&self.operations);
            let mut above = BTreeSet::from([id]);
            for _ in 0..live.len() {
                let parents = live.iter().filter(|(_, to)| above.contains(to));
                above.extend(parents.map(|((folder, _), _)| *folder).collect::<Vec<_>>());
            }
            for id in above {
                let names = |one: &Operation| one.changes.iter().any(|(.., to)| *to == Some(id));
                let last = self.operations.iter().rposition(names);
                self.make_durable(last);
            }
        }
    }

    /// Marks an operation and all that have to be there before it.
    fn make_durable(&mut self, last: Option<usize>) {
        let Some(last) = last else { return };
        self.operations[last].durable = true;
        for _ in 0..=last {
            for later in 0..=last {
                for earlier in 0..later {
                    if self.operations[later].durable && self.ordered(earlier, later) {
                        self.operations[earlier].durable = true;
                    }
                }
            }
        }
    }

    fn ordered(&self, earlier: usize, later: usize) -> bool {
        !self.operations[earlier].concerns.is_disjoint(&self.operations[later].concerns)
    }

    /// Everything that a power failure may leave.
    pub fn legal_states(&self) -> LegalStates {
        let pending: Vec<usize> =
            (0..self.operations.len()).filter(|at| !self.operations[*at].durable).collect();
        let mut trees = BTreeSet::new();
        for set in 0..1_u32 << pending.len() {
            let there = |at: usize| {
                let bit = pending.iter().position(|pending| *pending == at);
                bit.is_none_or(|bit| set & (1 << bit) != 0)
            };
            let all = 0..self.operations.len();
            let legal = all.clone().filter(|at| there(*at)).all(|later| {
                (0..later).all(|earlier| there(earlier) || !self.ordered(earlier, later))
            });
            if legal {
                let there = all.filter(|at| there(*at)).map(|at| &self.operations[at]);
                trees.insert(self.paths(&replay(there)));
            }
        }
        LegalStates { trees, files: self.files.iter().map(File::legal_contents).collect() }
    }

    fn paths(&self, tree: &Tree) -> Paths {
        let mut paths = Paths::new();
        let mut open = vec![(ROOT, String::new())];
        while let Some((folder, path)) = open.pop() {
            for ((_, name), id) in tree.iter().filter(|((parent, _), _)| *parent == folder) {
                let path = if path.is_empty() { (*name).into() } else { format!("{path}/{name}") };
                let is_folder = self.files[*id].is_folder;
                paths.insert(path.clone(), (!is_folder).then_some(*id));
                if is_folder {
                    open.push((*id, path));
                }
            }
        }
        paths
    }

    fn find(&self, path: &str) -> Id {
        let live = replay(&self.operations);
        let names = path.split('/').filter(|name| !name.is_empty());
        names.fold(ROOT, |folder, name| {
            *live
                .iter()
                .find(|((parent, called), _)| *parent == folder && *called == name)
                .unwrap()
                .1
        })
    }

    fn place(&self, path: &'static str) -> (Id, &'static str) {
        let (folder, name) = split(path);
        (self.find(folder), name)
    }

    fn file(&mut self, path: &str) -> &mut File {
        let id = self.find(path);
        &mut self.files[id]
    }
}

/// What a path leads to: a directory, or this file.
type Paths = BTreeMap<String, Option<Id>>;

/// What may be in a file, if so many of its truncations are there.
struct LegalContents {
    sectors: Vec<BTreeSet<Vec<u8>>>,
    sizes: BTreeSet<usize>,
}

fn sector(content: &[u8], number: usize) -> Vec<u8> {
    let mut sector: Vec<u8> = content.iter().skip(number * SECTOR).take(SECTOR).copied().collect();
    sector.resize(SECTOR, 0);
    sector
}

impl File {
    fn legal_contents(&self) -> Vec<LegalContents> {
        let cuts: Vec<usize> =
            (0..self.moments.len()).filter(|at| self.moments[*at].cuts).collect();
        (0..=cuts.len()).map(|there| self.legal_with(&cuts[..there], cuts.get(there))).collect()
    }

    /// With these truncations there, and what came before the next one.
    fn legal_with(&self, cuts: &[usize], next: Option<&usize>) -> LegalContents {
        let moments = &self.moments[..next.copied().unwrap_or(self.moments.len())];
        let longest = moments.iter().map(|moment| moment.content.len()).max().unwrap_or(0);
        let sectors = longest.max(self.synced.len()).div_ceil(SECTOR);
        let cut = |mut bytes: Vec<u8>, number: usize, since: usize| {
            for cut in cuts.iter().filter(|cut| **cut >= since) {
                let size = self.moments[*cut].content.len();
                bytes[size.saturating_sub(number * SECTOR).min(SECTOR)..].fill(0);
            }
            bytes
        };
        let options = |number: usize| {
            let synced = cut(sector(&self.synced, number), number, 0);
            let page = number * SECTOR / PAGE;
            let moments = moments.iter().enumerate();
            let written = moments
                .filter(|(_, moment)| moment.pages.contains(&page))
                .map(|(at, moment)| cut(sector(&moment.content, number), number, at + 1));
            written.chain([synced]).collect()
        };
        let first = cuts.last().copied();
        let mut sizes: BTreeSet<usize> =
            moments.iter().skip(first.unwrap_or(0)).map(|moment| moment.content.len()).collect();
        if first.is_none() {
            sizes.insert(self.synced.len());
        }
        LegalContents { sectors: (0..sectors).map(options).collect(), sizes }
    }
}

impl LegalContents {
    fn contain(&self, content: &[u8]) -> bool {
        self.sizes.contains(&content.len())
            && content.chunks(SECTOR).enumerate().all(|(number, found)| {
                let zeros = vec![0; SECTOR];
                match self.sectors.get(number) {
                    Some(options) => options.iter().any(|option| option.starts_with(found)),
                    None => zeros.starts_with(found),
                }
            })
    }

    /// All of them, unless they are too many.
    fn enumerate(&self, most: usize) -> Option<BTreeSet<Vec<u8>>> {
        let mut all = BTreeSet::from([Vec::new()]);
        for options in &self.sectors {
            let longer = |front: &Vec<u8>| {
                let front = front.clone();
                options.iter().map(move |option| [front.as_slice(), option].concat())
            };
            all = all.iter().flat_map(longer).collect();
            if all.len() > most {
                return None;
            }
        }
        let sized = |content: &Vec<u8>| {
            let content = content.clone();
            self.sizes.iter().map(move |size| {
                let mut content = content.clone();
                content.resize(*size, 0);
                content
            })
        };
        Some(all.iter().flat_map(sized).collect())
    }
}

pub struct LegalStates {
    trees: BTreeSet<Paths>,
    files: Vec<Vec<LegalContents>>,
}

impl LegalStates {
    pub fn contain(&self, state: &State) -> bool {
        self.trees.iter().any(|tree| self.fits(tree, state))
    }

    fn fits(&self, tree: &Paths, state: &State) -> bool {
        let first = |id: Id| tree.iter().find(|(_, to)| **to == Some(id)).map(|(path, _)| path);
        tree.len() == state.len()
            && tree.iter().zip(state).all(|((path, to), (found_path, found))| {
                path == found_path
                    && match (to, found) {
                        (None, Found::Folder) => true,
                        (Some(id), Found::File { first: found_first, content }) => {
                            first(*id) == Some(found_first)
                                && self.files[*id].iter().any(|legal| legal.contain(content))
                        }
                        _ => false,
                    }
            })
    }

    /// All of them, unless they are too many.
    pub fn enumerate(&self, most: usize) -> Option<BTreeSet<State>> {
        let mut all = BTreeSet::new();
        for tree in &self.trees {
            let mut states = vec![State::new()];
            for (path, to) in tree {
                let Some(id) = to else {
                    for state in &mut states {
                        state.insert(path.clone(), Found::Folder);
                    }
                    continue;
                };
                let (first, _) = tree.iter().find(|(_, other)| *other == to)?;
                let mut contents = BTreeSet::new();
                for legal in &self.files[*id] {
                    contents.extend(legal.enumerate(most)?);
                }
                let with = |state: &State| {
                    let state = state.clone();
                    let linked = state.get(first).cloned();
                    let contents: Vec<Vec<u8>> = match linked {
                        Some(Found::File { content, .. }) => vec![content],
                        _ => contents.iter().cloned().collect(),
                    };
                    contents.into_iter().map(move |content| {
                        let mut state = state.clone();
                        let file = Found::File { first: first.clone(), content };
                        state.insert(path.clone(), file);
                        state
                    })
                };
                states = states.iter().flat_map(with).collect();
                if states.len() > most {
                    return None;
                }
            }
            all.extend(states);
            if all.len() > most {
                return None;
            }
        }
        Some(all)
    }
}

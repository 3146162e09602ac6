//! What a power cut leaves of a disk: everything that was synced, and of the rest whatever the
//! file system had got round to.
//!
//! What isn't synced may be there wholly, in some of its blocks, or not at all; a file may have
//! grown without its bytes; each name is one of those it had since its directory was synced, by
//! itself and whatever the others are. That is more than journaling file systems do to us.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::rngs::SmallRng;
use rand::{Rng, RngExt};

use super::image::{Image, Node};
use super::memory::{Op, overwrite};

/// Sizes of what a disk writes at once, in bytes.
const BLOCKS: [usize; 2] = [512, 4096];
/// One in so many blocks that weren't written holds noise instead of zeros: what another file left.
const NOISE: u32 = 8;

#[derive(Clone, Default)]
struct File {
    /// What is surely there.
    synced: Vec<u8>,
    /// What was done since, in order.
    unsynced: Vec<Change>,
    /// What a failed sync forgot, and no later sync does.
    forgotten: Vec<Change>,
}

/// Something that was done to a file.
#[derive(Clone)]
enum Change {
    /// These bytes were written here.
    Write(u64, Vec<u8>),
    /// It got this length.
    Length(u64),
}

/// A disk on its way through what was done to it.
pub struct Replay {
    files: Vec<File>,
    /// What each name may stand for: first what it surely did, last what it does.
    names: BTreeMap<PathBuf, Vec<Option<Node>>>,
}

/// How much of what isn't synced a power cut leaves.
#[derive(Clone, Copy)]
enum Left {
    All,
    Nothing,
    Some(usize),
}

impl Replay {
    pub fn new(base: &Image) -> Replay {
        let file = |bytes: &Vec<u8>| File { synced: bytes.clone(), ..File::default() };
        Replay {
            files: base.files.iter().map(file).collect(),
            names: base.names.iter().map(|(path, node)| (path.clone(), vec![Some(*node)])).collect(),
        }
    }

    /// Goes on by one operation.
    pub fn apply<M>(&mut self, op: &Op<M>) {
        match op {
            Op::MakeDir(path) => self.name(path, Some(Node::Dir)),
            Op::Create(path, inode) => {
                self.files.resize_with(self.files.len().max(inode + 1), File::default);
                self.name(path, Some(Node::File(*inode)));
            }
            Op::Write(inode, offset, bytes) => {
                self.files[*inode].unsynced.push(Change::Write(*offset, bytes.clone()));
            }
            Op::Length(inode, length) => self.files[*inode].unsynced.push(Change::Length(*length)),
            Op::Sync(inode) => self.files[*inode].sync(),
            Op::FailedSync(inode) => {
                let file = &mut self.files[*inode];
                file.forgotten.append(&mut file.unsynced);
            }
            Op::Rename(from, to) => {
                let node = self.names.get(from).and_then(|nodes| *nodes.last()?);
                self.name(from, None);
                self.name(to, node);
            }
            Op::Remove(path) => self.name(path, None),
            Op::SyncDir(dir) => {
                for (path, nodes) in &mut self.names {
                    if path.parent() == Some(dir) {
                        nodes.drain(..nodes.len() - 1);
                    }
                }
            }
            Op::Mark(_) => {}
        }
    }

    fn name(&mut self, path: &Path, node: Option<Node>) {
        self.names.entry(path.to_owned()).or_insert_with(|| vec![None]).push(node);
    }

    /// What a power cut now might leave.
    pub fn cut(&self, rng: &mut SmallRng) -> Image {
        let left = match rng.random_range(0..6) {
            0 => Left::All,
            1 => Left::Nothing,
            which => Left::Some(BLOCKS[which % BLOCKS.len()]),
        };
        let files = self.files.iter().map(|file| file.cut(left, rng)).collect();
        let mut names: BTreeMap<PathBuf, Node> = BTreeMap::new();
        for (path, nodes) in &self.names {
            let which = match left {
                Left::All => nodes.len() - 1,
                Left::Nothing => 0,
                Left::Some(_) => rng.random_range(0..nodes.len()),
            };
            // Whatever lies in a directory that isn't there is gone with it.
            let lost = |dir: &Path| self.names.contains_key(dir) && !names.contains_key(dir);
            if !path.ancestors().skip(1).any(lost) {
                names.extend(nodes[which].map(|node| (path.clone(), node)));
            }
        }
        Image { names, files }
    }
}

impl File {
    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            // The file's length is right from here on; what a failed sync forgot reads as zeros.
            change.apply(&mut self.synced);
        }
    }

    fn cut(&self, left: Left, rng: &mut SmallRng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        for change in self.forgotten.iter().chain(&self.unsynced) {
            match (left, change) {
                (Left::All, change) => change.apply(&mut bytes),
                (Left::Nothing, _) => {}
                (Left::Some(block), Change::Write(offset, written)) => {
                    write_some(&mut bytes, *offset as usize, written, block, rng);
                }
                (Left::Some(_), length) => {
                    if rng.random_range(0..2) == 0 {
                        length.apply(&mut bytes);
                    }
                }
            }
        }
        let longest = bytes.len();
        if let Left::Some(block) = left
            && longest > self.synced.len()
            && rng.random_range(0..2) == 0
        {
            let length = rng.random_range(self.synced.len()..=longest);
            bytes.truncate((length / block * block).max(self.synced.len()));
        }
        bytes
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Change::Write(offset, bytes) => overwrite(file, *offset as usize, bytes),
            Change::Length(length) => file.resize(*length as usize, 0),
        }
    }
}

/// Writes some blocks of a write; the file grows to hold all of it.
fn write_some(file: &mut Vec<u8>, offset: usize, written: &[u8], block: usize, rng: &mut SmallRng) {
    let before = file.len();
    let mut at = offset;
    while at < offset + written.len() {
        let end = ((at / block + 1) * block).min(offset + written.len());
        if rng.random_range(0..2) == 0 {
            overwrite(file, at, &written[at - offset..end - offset]);
        } else if at >= before && rng.random_range(0..NOISE) == 0 {
            let mut noise = vec![0; end - at];
            rng.fill_bytes(&mut noise);
            overwrite(file, at, &noise);
        }
        at = end;
    }
    if file.len() < offset + written.len() {
        file.resize(offset + written.len(), 0);
    }
}

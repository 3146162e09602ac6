//! Chance with a seed, and bytes made wrong by it: the mutator of the tests that send what nobody
//! should.

use std::fmt::Write;

/// The seed of a run that has none of its own: what is tested in passing is the same every time.
const USUAL_SEED: u64 = 0x5eed;
/// The most changes of one mutation.
const CHANGES_MAX: usize = 6;
/// Numbers at which something ends or begins, as bytes.
const EDGES: [&[u8]; 10] = [
    &[0],
    &[0xff],
    &[0x7f],
    &[0x80],
    &[0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0, 0, 0, 0x80],
    // The largest and an endless LEB128.
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];

/// The seed of this run, printed so that it can be repeated: `SAMSYN_SEED`, else always the same.
pub fn seed(suite: &str) -> u64 {
    let seed = match std::env::var("SAMSYN_SEED") {
        Ok(text) => text.parse().expect("SAMSYN_SEED is a number"),
        Err(_) => USUAL_SEED,
    };
    println!("{suite}: SAMSYN_SEED={seed}");
    seed
}

/// Random numbers that a seed repeats (SplitMix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Below this number, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.word() % bound as u64) as usize
    }

    /// One of them.
    pub fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.word() as u8).collect()
    }
}

/// The bytes with some changes: flipped, cut, doubled, moved, replaced by edges or by parts of
/// another input.
pub fn mutate(chance: &mut Chance, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut mutated = bytes.to_vec();
    for _ in 0..=chance.below(CHANGES_MAX) {
        if mutated.is_empty() {
            mutated = chance.bytes(8);
        }
        let at = chance.below(mutated.len());
        let part = at..(at + 1 + chance.below(32)).min(mutated.len());
        match chance.below(9) {
            0 => mutated[at] ^= 1 << chance.below(8),
            1 => mutated[at] = chance.word() as u8,
            2 => mutated.truncate(at),
            3 => drop(mutated.drain(part)),
            4 => {
                let twice = mutated[part].to_vec();
                let to = chance.below(mutated.len());
                mutated.splice(to..to, twice);
            }
            5 | 6 => {
                let edge = chance.one_of(&EDGES);
                let end = (at + edge.len()).min(mutated.len());
                mutated.splice(at..end, edge.iter().copied());
            }
            7 if !other.is_empty() => {
                let from = chance.below(other.len());
                let to = (from + 1 + chance.below(64)).min(other.len());
                mutated.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let more = chance.below(16);
                let more = chance.bytes(more);
                mutated.splice(at..at, more);
            }
        }
    }
    mutated
}

/// The start of some bytes, for a message.
pub fn shown(bytes: &[u8]) -> String {
    let mut text = format!("{} bytes:", bytes.len());
    for byte in bytes.iter().take(256) {
        let _ = write!(text, " {byte:02x}");
    }
    text
}

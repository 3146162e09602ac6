//! Walks over the automata in `tables.rs`.
//!
//! A node is a head word and the words of its children. The head's bits 0 to 9 say which digits
//! go on, bits 10 and 11 what it means to end here (0: nothing), and bit 12 that all digits go
//! the same way and one word says where. A child is the index of its head; node 0 is the dead end.
//! All of it is constant: a fresh sandbox builds nothing and touches only the pages it walks over.

use crate::tables::NODES;

const DIGITS: u16 = 0x3ff;
const MARK_SHIFT: u16 = 10;
const MARK: u16 = 0b11;
const SAME_WAY: u16 = 1 << 12;

/// What the automaton at `root` says of the whole word: 0 when it doesn't know it. Words are
/// ASCII digits; anything else is unknown.
pub(crate) fn mark(root: u16, word: &str) -> u16 {
    walk(root, word).last().map_or(0, |step| if step.digits == word.len() { step.mark } else { 0 })
}

/// The lengths of all starts of the word that the automaton knows, the longest first.
pub(crate) fn known_starts(root: u16, word: &str) -> impl Iterator<Item = usize> {
    let lengths = 1..=word.len().min(START_DIGITS_MAX);
    lengths.rev().filter(move |&length| word.get(..length).is_some_and(|start| mark(root, start) != 0))
}

/// Nothing that is dialled before a number is longer.
const START_DIGITS_MAX: usize = 12;

struct Step {
    digits: usize,
    mark: u16,
}

/// One step for every digit that leads somewhere, beginning before the first.
fn walk(root: u16, word: &str) -> impl Iterator<Item = Step> {
    let mut node = root;
    let mut bytes = word.bytes();
    let mut digits = 0;
    std::iter::from_fn(move || {
        if node == 0 {
            return None;
        }
        let step = Step { digits, mark: NODES[usize::from(node)] >> MARK_SHIFT & MARK };
        node = bytes.next().map_or(0, |byte| child(node, byte));
        digits += 1;
        Some(step)
    })
}

/// Where the digit leads; 0 when nowhere.
pub(crate) fn child(node: u16, byte: u8) -> u16 {
    if !byte.is_ascii_digit() {
        return 0;
    }
    let digit = byte - b'0';
    let at = usize::from(node);
    let head = NODES[at];
    let live = head & DIGITS;
    if live >> digit & 1 == 0 {
        return 0;
    }
    let before = if head & SAME_WAY != 0 { 0 } else { (live & ((1 << digit) - 1)).count_ones() as usize };
    NODES[at + 1 + before]
}

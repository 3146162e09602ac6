//! Where the events stand that an import added: a bit each, so that a million rows take some megabytes
//! at most, and what became of them can be told from what became of others.

use std::collections::BTreeMap;

use samsyn_vocabulary::{Partition, Position, Seq};

/// Sequences of one word of bits.
const WORD: Seq = 64;

/// Positions of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added(BTreeMap<(Partition, Seq), u64>);

impl Added {
    /// Adds one.
    pub fn insert(&mut self, Position { partition, seq }: Position) {
        *self.0.entry((partition, seq / WORD)).or_default() |= 1 << (seq % WORD);
    }

    /// Whether it is one of them.
    pub fn contains(&self, Position { partition, seq }: Position) -> bool {
        self.0.get(&(partition, seq / WORD)).is_some_and(|word| word & (1 << (seq % WORD)) != 0)
    }

    /// The first and the last of each partition.
    pub fn spans(&self) -> Vec<(Position, Position)> {
        let mut spans: Vec<(Position, Position)> = Vec::new();
        for (&(partition, number), word) in &self.0 {
            let at = |bit: u32| Position { partition, seq: number * WORD + Seq::from(bit) };
            let (first, last) = (at(word.trailing_zeros()), at(WORD as u32 - 1 - word.leading_zeros()));
            match spans.last_mut().filter(|(first, _)| first.partition == partition) {
                Some(span) => span.1 = last,
                None => spans.push((first, last)),
            }
        }
        spans
    }

    /// How many stand behind this position of its partition.
    pub fn behind(&self, Position { partition, seq }: Position) -> u64 {
        let Some(next) = seq.checked_add(1) else { return 0 };
        let words = self.0.range((partition, next / WORD)..=(partition, Seq::MAX));
        let counted = words.map(|(&(_, number), word)| {
            let skipped = if number == next / WORD { next % WORD } else { 0 };
            u64::from((word >> skipped).count_ones())
        });
        counted.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_known_and_counted() {
        let mut added = Added::default();
        let at = |partition: u16, seq: Seq| Position { partition: Partition(partition), seq };
        let all = [at(0, 1), at(0, 63), at(0, 64), at(3, 1_000_000), at(0, 65), at(3, 128), at(3, 191)];
        for position in all {
            added.insert(position);
            added.insert(position);
        }
        assert!(all.iter().all(|position| added.contains(*position)));
        for other in [at(0, 2), at(1, 1), at(3, 127), at(3, 192)] {
            assert!(!added.contains(other), "{other}");
        }
        assert_eq!(added.spans(), [(at(0, 1), at(0, 65)), (at(3, 128), at(3, 1_000_000))]);
        for (position, count) in [
            (at(0, 0), 4),
            (at(0, 1), 3),
            (at(0, 63), 2),
            (at(0, 64), 1),
            (at(0, 65), 0),
            (at(1, 0), 0),
            (at(3, 190), 2),
            (at(3, Seq::MAX), 0),
        ] {
            assert_eq!(added.behind(position), count, "{position}");
        }
    }
}

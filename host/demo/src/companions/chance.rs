//! Chance with a seed.
//!
//! Not `rand`'s generators: they may differ from one version to the next, and a seed that somebody
//! wrote down should tell the same story in a year. This is SplitMix64 (Steele, Lea, Flood 2014).

/// A stream of numbers that seed and name decide.
#[derive(Debug, Clone)]
pub struct Chance(u64);

/// SplitMix64's step: 2^64 divided by the golden ratio, odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Chance {
    /// The stream for one customer: their story doesn't depend on other customers.
    pub fn new(seed: u64, name: &str) -> Chance {
        let mut chance = Chance(seed);
        for byte in name.bytes() {
            chance.0 = chance.next().wrapping_add(u64::from(byte));
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `end` - 1; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The high half of the product is as even as needed for ends this small.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let steps = high.abs_diff(low).saturating_add(1);
        low.saturating_add_unsigned(self.below(steps))
    }

    /// Yes in that many of a thousand cases.
    pub fn per_mille(&mut self, rate: u64) -> bool {
        self.below(1_000) < rate
    }

    /// One of them.
    ///
    /// # Panics
    ///
    /// When there is none: the lists are constants of this module's siblings.
    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_and_name_decide() {
        let stream = |seed, name| {
            let mut chance = Chance::new(seed, name);
            [chance.below(1_000_000), chance.below(1_000_000), chance.below(1_000_000)]
        };
        assert_eq!(stream(1, "00042"), stream(1, "00042"));
        assert_ne!(stream(1, "00042"), stream(2, "00042"));
        assert_ne!(stream(1, "00042"), stream(1, "00043"));
    }

    #[test]
    fn numbers_are_even_and_within_bounds() {
        let mut chance = Chance::new(7, "x");
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[chance.below(10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
        assert!((0..1_000).all(|_| (-2..=3).contains(&chance.between(-2, 3))));
        assert_eq!((0..100_000).filter(|_| chance.per_mille(30)).count() / 500, 6);
        assert_eq!(chance.below(0), 0);
    }
}

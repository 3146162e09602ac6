//! How long until the next attempt.

use std::time::Duration;

use super::retry_after::FLOOR_MAX;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
/// Waits after the first, second … attempt that failed, in seconds. The last one repeats.
pub const STEPS_S: &[u64] = &[5, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR];
/// Chance adds at most this part of a wait.
const JITTER_PART: u32 = 4;
/// And at most this much.
const JITTER_MAX: Duration = Duration::from_secs(30 * MINUTE);

/// The wait after this attempt (the first is 1): its step, or what the peer asked for if that is longer, and up to a
/// quarter more. Never less: an attempt before the time that a peer named is refused again. `seed` is the exchange's,
/// so that two of them don't come back in one instant, and the same one always waits as long.
pub fn wait(attempt: u32, retry_after: Option<Duration>, seed: u64) -> Duration {
    let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(STEPS_S.len() - 1);
    let step = Duration::from_secs(STEPS_S[step]);
    let wait = step.max(retry_after.unwrap_or_default().min(FLOOR_MAX));
    let most = (wait / JITTER_PART).min(JITTER_MAX);
    // 32 bits of chance as a part of 2^32.
    let chance = mix(seed ^ u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15)) >> 32;
    let jitter = (most.as_millis() as u64).saturating_mul(chance) >> 32;
    wait + Duration::from_millis(jitter)
}

/// Spreads a seed over all bits (the finaliser of SplitMix64).
fn mix(seed: u64) -> u64 {
    let z = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_steps_are_those_of_the_documentation() {
        let steps: Vec<u64> = (1..=9)
            .map(|attempt| {
                let least = (0..200).map(|seed| wait(attempt, None, seed)).min().unwrap();
                least.as_secs() * 1000 / 1000
            })
            .collect();
        let exact: Vec<u64> = vec![5, 30, 120, 600, 1800, 7200, 21_600, 21_600, 21_600];
        for (least, exact) in steps.iter().zip(&exact) {
            assert!(least >= exact && *least <= exact + exact / 50 + 1, "{steps:?}");
        }
    }

    #[test]
    fn exchanges_that_failed_together_do_not_come_back_together() {
        let mut waits: Vec<_> = (0..1000).map(|seed| wait(4, None, seed).as_millis() / 1000).collect();
        waits.sort_unstable();
        // Of 150 s, each tenth has about a tenth.
        for tenth in 0..10 {
            let within =
                waits.iter().filter(|wait| (600 + tenth * 15..615 + tenth * 15).contains(*wait)).count();
            assert!((50..150).contains(&within), "tenth {tenth} has {within}");
        }
    }

    proptest! {
        #[test]
        fn never_early_and_at_most_a_quarter_late(
            attempt in any::<u32>(), asked in proptest::option::of(0_u64..200_000), seed in any::<u64>(),
        ) {
            let asked = asked.map(Duration::from_secs);
            let wait = wait(attempt, asked, seed);
            let index = (attempt.saturating_sub(1) as usize).min(STEPS_S.len() - 1);
            let floor = Duration::from_secs(STEPS_S[index]).max(asked.unwrap_or_default().min(FLOOR_MAX));
            prop_assert!(wait >= floor && wait <= floor + floor / 4);
            prop_assert_eq!(wait, super::wait(attempt, asked, seed));
        }
    }
}

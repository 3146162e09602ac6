//! How fast one token may call: a bucket that fills with time.

use parking_lot::Mutex;

use samsyn_vocabulary::Timestamp;

/// A bucket that fills at a rate and holds one second's worth. It may be drawn below empty by the
/// last request that found something in it, so that a batch larger than the bucket passes at all; the
/// next ones wait until that is made up for. Over time the rate is kept.
#[derive(Debug)]
pub struct Bucket {
    per_second: u32,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    /// In thousandths, so that a millisecond adds the rate itself.
    thousandths: i64,
    at: Timestamp,
}

impl Bucket {
    /// A full bucket.
    pub fn new(per_second: u32, now: Timestamp) -> Bucket {
        let level = Level { thousandths: i64::from(per_second) * 1000, at: now };
        Bucket { per_second, level: Mutex::new(level) }
    }

    /// Takes this many out, or says after how many seconds there is something in it again.
    pub fn take(&self, count: u32, now: Timestamp) -> Result<(), u64> {
        let rate = i64::from(self.per_second);
        let mut level = self.level.lock();
        // A clock that was set back adds nothing.
        let elapsed = now.millis().saturating_sub(level.at.millis()).max(0);
        level.thousandths = level.thousandths.saturating_add(elapsed.saturating_mul(rate)).min(rate * 1000);
        level.at = now;
        if level.thousandths <= 0 {
            let thousandths_missing = level.thousandths.unsigned_abs() + 1;
            return Err(thousandths_missing.div_ceil(rate.unsigned_abs().max(1) * 1000).max(1));
        }
        level.thousandths -= i64::from(count) * 1000;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_is_kept() {
        let bucket = Bucket::new(10, Timestamp(0));
        let at = |millis, count| bucket.take(count, Timestamp(millis));
        assert!((0..10).all(|_| at(0, 1).is_ok()));
        assert_eq!(at(0, 1), Err(1));
        let passed = (0..10_000).filter(|millis| at(1 + millis, 1).is_ok()).count();
        assert!((99..=101).contains(&passed), "{passed}");
    }

    #[test]
    fn a_batch_beyond_the_bucket_is_made_up_for() {
        let bucket = Bucket::new(10, Timestamp(0));
        assert_eq!(bucket.take(35, Timestamp(0)), Ok(()));
        assert_eq!(bucket.take(1, Timestamp(0)), Err(3));
        assert_eq!(bucket.take(1, Timestamp(2_000)), Err(1));
        assert_eq!(bucket.take(1, Timestamp(2_600)), Ok(()));
    }

    #[test]
    fn a_clock_that_jumps_gives_no_more_than_a_bucket() {
        let bucket = Bucket::new(2, Timestamp(1_000_000));
        assert!(bucket.take(2, Timestamp(1_000_000)).is_ok());
        assert_eq!(bucket.take(1, Timestamp(0)), Err(1));
        assert!(bucket.take(2, Timestamp(i64::MAX)).is_ok());
        assert!(bucket.take(1, Timestamp(i64::MAX)).is_err());
    }
}

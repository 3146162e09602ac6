//! How long the audit of reads is kept: whole segments leave, the oldest first.

use std::time::Duration;

use super::reads::{Inner, READS_PARTITION, ReadAudit};
use samsyn_log::{LocalLog, LogError};
use samsyn_vocabulary::{Position, Timestamp};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// A segment that isn't full is sealed when its oldest record has this part of the age it may have:
/// so nothing stays much longer than it should where few people read.
const SEAL_AT: i64 = 8;

impl ReadAudit {
    /// Removes what is too old or too much; answers how many segments left. The host does it by
    /// itself, every hour and when the audit grows beyond its bytes.
    pub fn apply_retention(&self) -> Result<usize, LogError> {
        self.inner.apply_retention_once()
    }
}

impl Inner {
    pub(super) fn run_retention(&self, every: Duration) {
        loop {
            if let Err(error) = self.apply_retention_once() {
                tracing::error!(%error, "old records of the audit can't be removed");
            }
            let mut request = self.retention.lock();
            if !request.look && !request.stop {
                self.retention_wake.wait_for(&mut request, every);
            }
            if request.stop {
                return;
            }
            request.look = false;
        }
    }

    fn apply_retention_once(&self) -> Result<usize, LogError> {
        let Some(log) = self.log.load_full() else { return Ok(0) };
        let age_max = i64::from(self.config.keep_days) * DAY_MS;
        let now = self.clock.now().millis();
        let too_old = |at: Option<Timestamp>| at.is_some_and(|at| at.millis() < now - age_max);
        let sealed = log.sealed(READS_PARTITION);
        let mut bytes = log.bytes_kept();
        let mut first_kept = 0;
        for segment in &sealed {
            if bytes <= self.config.keep_bytes && !too_old(appended_at(&log, segment.last)?) {
                break;
            }
            first_kept = segment.number + 1;
            bytes -= segment.bytes;
        }
        let growing_since = sealed.last().map_or(0, |segment| segment.last) + 1;
        let is_old = |at: Timestamp| at.millis() < now - age_max / SEAL_AT;
        if appended_at(&log, growing_since)?.is_some_and(is_old) {
            log.seal_before_next();
        }
        let removed = match log.remove_before(first_kept) {
            // The next round finds them again.
            Err(LogError::Held(_)) => 0,
            removed => removed?,
        };
        if removed > 0 {
            tracing::info!(segments = removed, "old records of reads were removed from the audit");
        }
        Ok(removed)
    }
}

/// When a record was appended; none when there is no such record (any more).
fn appended_at<T>(log: &LocalLog<T>, seq: u64) -> Result<Option<Timestamp>, LogError> {
    let read = log.reader().read(Position { partition: READS_PARTITION, seq })?;
    Ok(read.map(|record| record.appended_at))
}

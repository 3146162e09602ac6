//! How the audit of reads is doing.

use std::sync::atomic::Ordering;

use super::reads::{READS_PARTITION, ReadAudit};
use samsyn_log::Cut;
use samsyn_vocabulary::{Position, Timestamp};

/// How the audit of reads is doing.
#[derive(Clone, Debug)]
pub struct AuditStatus {
    /// `ok`, or `failed`: then personal data isn't answered.
    pub state: &'static str,
    /// Why it failed.
    pub reason: Option<String>,
    /// Reads recorded since the start.
    pub reads: u64,
    /// Records they are in.
    pub records: u64,
    /// Answers that were not given because their read could not be recorded.
    pub refused: u64,
    /// When the oldest record that is kept was made.
    pub oldest: Option<Timestamp>,
    /// Bytes of the files that are kept.
    pub bytes: u64,
    /// All but one in a hundred answers waited less for their record, in microseconds; 5000001 stands for
    /// more than 5 s.
    pub wait_p99_us: u64,
}

impl ReadAudit {
    /// How it is doing.
    pub fn status(&self) -> AuditStatus {
        let counters = self.counters();
        let log = self.inner.log.load_full();
        let oldest = log.as_ref().and_then(|log| {
            let first = log.reader().scan(READS_PARTITION, 1).next()?;
            first.ok().map(|record| record.appended_at)
        });
        let reason = self.failure();
        AuditStatus {
            state: if reason.is_none() { "ok" } else { "failed" },
            reason,
            reads: counters.reads.load(Ordering::Relaxed),
            records: counters.records.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            oldest,
            bytes: log.as_ref().map_or(0, |log| log.bytes_kept()),
            wait_p99_us: counters.wait.snapshot().quantile_us(0.99),
        }
    }

    /// Where its log stands; none while it can't be opened.
    pub fn cut(&self) -> Option<Cut> {
        self.inner.log.load_full().map(|log| log.cut())
    }

    /// The last record that is on the disk.
    pub fn head(&self) -> Option<Position> {
        let seq = self.inner.log.load_full()?.durable_head(READS_PARTITION).seq;
        Some(Position { partition: READS_PARTITION, seq })
    }
}

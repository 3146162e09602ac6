//! The audit of reads: newest first, a page at a time.

use std::io;

use super::reads::{READS_PARTITION, ReadAudit};
use super::record::{Read, from_bytes};
use samsyn_journal::{ReadError, RecordError};
use samsyn_log::{LogError, LogReader, StoredRecord};
use samsyn_vocabulary::{Application, Position, ProfileId, Seq, Timestamp};

/// Records looked at for one page: a question about something rare ends with a short page and a
/// place to go on from, not with a request that runs for minutes.
const RECORDS_LOOKED_AT_MAX: usize = 5_000;

/// Why the audit can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum AuditQueryError {
    /// Its files can't be opened.
    #[error("the audit can't be read: {0}")]
    Closed(String),
    /// A part of them can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A record can't be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// What was before a change can't be read.
    #[error(transparent)]
    History(#[from] ReadError),
}

/// Which reads are asked for: those that fit everything that is given.
#[derive(Clone, Debug, Default)]
pub struct ReadFilter {
    /// Whose data.
    pub profile: Option<ProfileId>,
    /// The reader: an application, or a token's name.
    pub by: Option<String>,
    /// A field or an identifier that was seen.
    pub field: Option<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl ReadFilter {
    fn fits(&self, read: &Read) -> bool {
        let field = |wanted: &String| {
            read.fields.iter().any(|name| name.as_str() == wanted)
                || read.identifiers.iter().any(|name| name.as_str() == wanted)
        };
        self.profile.is_none_or(|profile| profile == read.profile)
            && self.by.as_ref().is_none_or(|by| names(&read.by, read.token.as_deref(), by))
            && self.field.as_ref().is_none_or(field)
            && self.since.is_none_or(|since| read.at >= since)
            && self.until.is_none_or(|until| read.at < until)
    }
}

/// Whether somebody is called so.
pub(super) fn names(by: &Application, token: Option<&str>, wanted: &str) -> bool {
    by.as_str() == wanted || token == Some(wanted)
}

/// Where a read stands: its record, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPlace {
    pub seq: Seq,
    /// From 0.
    pub index: usize,
}

/// Some reads, newest first.
#[derive(Debug, Default)]
pub struct ReadPage {
    pub items: Vec<(ReadPlace, Read)>,
    /// There may be more, before this place.
    pub next: Option<ReadPlace>,
}

impl ReadAudit {
    /// The newest reads before a place that fit, at most `limit`. A page may be short and still
    /// have a next one.
    pub fn reads(
        &self,
        filter: &ReadFilter,
        before: Option<ReadPlace>,
        limit: usize,
    ) -> Result<ReadPage, AuditQueryError> {
        let closed =
            || AuditQueryError::Closed(self.failure().unwrap_or_else(|| "the host is stopping".to_owned()));
        let log = self.inner.log.load_full().ok_or_else(closed)?;
        let mut page = ReadPage::default();
        let head = log.durable_head(READS_PARTITION).seq;
        let mut at = before.unwrap_or(ReadPlace { seq: head + 1, index: 0 });
        for _ in 0..RECORDS_LOOKED_AT_MAX {
            if at.index == 0 {
                at = ReadPlace { seq: at.seq.saturating_sub(1), index: usize::MAX };
            }
            let Some(record) = read(&log, at.seq)? else { return Ok(page) };
            // Records' times never go back, and no read is younger than its record.
            if filter.since.is_some_and(|since| record.appended_at < since) {
                return Ok(page);
            }
            let reads = from_bytes(record.kind, &record.payload)?;
            for (index, read) in reads.into_iter().enumerate().take(at.index).rev() {
                at.index = index;
                if !filter.fits(&read) {
                    continue;
                }
                page.items.push((at, read));
                if page.items.len() == limit {
                    page.next = Some(at);
                    return Ok(page);
                }
            }
            at.index = 0;
        }
        page.next = Some(at);
        Ok(page)
    }
}

/// A record; none when there is none, or when it has just left.
fn read(log: &LogReader, seq: Seq) -> Result<Option<StoredRecord>, LogError> {
    match log.read(Position { partition: READS_PARTITION, seq }) {
        Err(LogError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read,
    }
}

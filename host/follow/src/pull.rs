//! Reading the log for a follower: in order, each record once, and past what was removed.

use std::collections::HashMap;
use std::io;

use samsyn_journal::{Reader, ScanAll, Undecoded};
use samsyn_log::{Head, LogError, ReadLog, ScanFrom};
use samsyn_machine::clock::Clock;
use samsyn_vocabulary::{Partition, Position, Seq};

use crate::progress::{MissedRange, Progress};
use crate::{FollowError, Follower};

/// Missed stretches that one line of the host's log names.
const RANGES_LOGGED_MAX: usize = 5;

/// What a follower has in memory: what its file says, and what it took in since.
pub struct Taken<S> {
    pub progress: Progress,
    pub state: S,
    /// It differs from the file.
    pub changed: bool,
}

/// Reads the log from a follower's cursor on.
pub struct Pull<R: ReadLog> {
    reader: Reader<R>,
    clock: Clock,
    scan: Option<ScanAll<R>>,
    /// Where the log began when the scan did: the sum over all partitions.
    began: Seq,
}

impl<R: ReadLog> Pull<R> {
    pub fn new(reader: Reader<R>, clock: Clock) -> Pull<R> {
        Pull { reader, clock, scan: None, began: 0 }
    }

    /// Takes in the next records, at most `max`, until it is told to end; whether there are more.
    pub fn take<F: Follower>(
        &mut self,
        follower: &mut F,
        taken: &mut Taken<F::State>,
        max: usize,
        ends: impl Fn() -> bool,
    ) -> Result<bool, FollowError> {
        let mut scan = match self.scan.take() {
            Some(scan) => scan,
            None => self.begin(follower, taken)?,
        };
        scan.extend();
        for _ in 0..max {
            if ends() {
                break;
            }
            match scan.next() {
                Ok(Some(record)) => apply(follower, taken, &record)?,
                Ok(None) => {
                    self.scan = Some(scan);
                    return Ok(false);
                }
                // Retention was faster: what is gone is noticed when the scan begins again.
                Err(error) if is_missing(&error) && self.begins() > self.began => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
        self.scan = Some(scan);
        Ok(true)
    }

    /// The sum of the first records of all partitions: it grows when any is removed.
    fn begins(&self) -> Seq {
        let log = self.reader.log();
        log.durable_heads().iter().map(|(partition, _)| log.oldest(*partition)).sum()
    }

    fn begin<F: Follower>(
        &mut self,
        follower: &mut F,
        taken: &mut Taken<F::State>,
    ) -> Result<ScanAll<R>, FollowError> {
        self.began = self.begins();
        let mut from = HashMap::new();
        let mut missed = Vec::new();
        for (partition, _) in self.reader.log().durable_heads() {
            if F::follows(partition) {
                missed.extend(self.pass_removed(partition, follower, taken)?);
                from.insert(partition, taken.progress.seq(partition) + 1);
            }
        }
        let all = from.keys().copied().chain([Partition::IDENTITY, Partition::REGISTRY]);
        let others: Vec<Partition> = all.filter(|partition| !F::follows(*partition)).collect();
        from.extend(others.into_iter().map(|partition| (partition, Seq::MAX)));
        if !missed.is_empty() {
            let records: u64 = missed.iter().map(|range| range.last - range.first + 1).sum();
            let named = missed.iter().take(RANGES_LOGGED_MAX);
            let named: Vec<String> = named
                .map(|MissedRange { partition, first, last, .. }| format!("{partition}-{first} to {last}"))
                .collect();
            tracing::warn!(
                follower = F::NAME,
                records,
                ranges = %named.join(", "),
                partitions = missed.len(),
                "the follower was behind retention: records left the log before it read them; it goes on with the \
                 oldest that is kept"
            );
            missed.into_iter().for_each(|range| taken.progress.missed.add(range));
            taken.changed = true;
        }
        Ok(self.reader.scan_all(ScanFrom::Seqs(from)))
    }

    /// Goes past what was removed of a partition, and answers what of it nobody can read any more.
    fn pass_removed<F: Follower>(
        &self,
        partition: Partition,
        follower: &mut F,
        taken: &mut Taken<F::State>,
    ) -> Result<Option<MissedRange>, FollowError> {
        let log = self.reader.log();
        let oldest = log.oldest(partition);
        if taken.progress.seq(partition) + 1 >= oldest {
            return Ok(None);
        }
        // Some records are carried on when their segment leaves, as the registry's are.
        for stored in self.reader.scan(partition, taken.progress.seq(partition) + 1) {
            let stored = stored?;
            let next = taken.progress.seq(partition) + 1;
            if stored.position.seq != next || next >= oldest {
                break;
            }
            apply(follower, taken, &stored.undecoded())?;
        }
        let first = taken.progress.seq(partition) + 1;
        if first >= oldest {
            return Ok(None);
        }
        let last = oldest - 1;
        let chain = log.chain_at(Position { partition, seq: last })?.unwrap_or_default();
        taken.progress.cursors.insert(partition, Head { seq: last, chain });
        Ok(Some(MissedRange { partition, first, last, noticed_at: self.clock.now() }))
    }
}

/// One record: the next of its partition, or one that was taken in already.
fn apply<F: Follower>(
    follower: &mut F,
    taken: &mut Taken<F::State>,
    record: &Undecoded<'_>,
) -> Result<(), FollowError> {
    let position = record.position;
    if !F::follows(position.partition) {
        return Ok(());
    }
    let next = taken.progress.seq(position.partition) + 1;
    if position.seq < next {
        return Ok(());
    }
    if position.seq > next {
        return Err(FollowError::NoRecord(Position { partition: position.partition, seq: next }));
    }
    follower.apply(&mut taken.state, record).map_err(|cause| FollowError::Apply { position, cause })?;
    let head = Head { seq: position.seq, chain: record.chain };
    taken.progress.cursors.insert(position.partition, head);
    taken.changed = true;
    Ok(())
}

fn is_missing(error: &LogError) -> bool {
    matches!(error, LogError::Io { cause, .. } if cause.kind() == io::ErrorKind::NotFound)
}

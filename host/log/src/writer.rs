//! The one thread that writes: it takes what is queued, makes it one frame, syncs, tells, and
//! starts over. While it syncs, the next frame queues up: that is the whole of group commit.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Options;
use super::ahead::{Ahead, Begun};
use super::error::{Failure, LogError, Target};
use super::format::{ChainHash, FRAME_HEADER_BYTES, FrameBuilder, FrameKind, SegmentHeader};
use super::index::{Head, Heads, SealedSegment, seal};
use super::queue::{Pending, Queue};
use super::recovery::start_segment;
use super::state::Shared;
use samsyn_disk::failpoint::{Step, step};
use samsyn_disk::{Access, DiskFile};
use samsyn_vocabulary::{Position, Timestamp};

/// Bytes from which on a segment that grows with each frame is worth being left for one that doesn't, and
/// its part of a whole segment where those are small.
const GROWN_MIN_BYTES: u64 = 1 << 20;
const GROWN_PARTS: u64 = 16;

/// A record that is durable, with what its appender attached to it.
#[derive(Debug)]
pub struct Committed<T> {
    /// Its place in its partition.
    pub position: Position,
    /// What the payload is, in the appender's numbering.
    pub kind: u8,
    /// When it was appended, by the appender's clock.
    pub appended_at: Timestamp,
    /// Its link to the record before it.
    pub chain: ChainHash,
    /// The content.
    pub payload: Arc<[u8]>,
    /// What the appender attached.
    pub attachment: T,
}

/// Everything that became durable at once, in the order of the log.
#[derive(Debug)]
pub struct Commit<T> {
    /// The records.
    pub records: Vec<Committed<T>>,
    /// What was written for them, in bytes.
    pub bytes: usize,
    /// How long the write took.
    pub write_time: Duration,
    /// How long it took until it was durable, after the write.
    pub sync_time: Duration,
}

pub(super) struct Writer<T> {
    shared: Arc<Shared>,
    queue: Arc<Queue<T>>,
    options: Options,
    segment: SegmentHeader,
    file: Arc<dyn DiskFile>,
    /// Where the next frame goes: all before it is synced between two commits.
    length: u64,
    /// How far the file is zeros that were synced ahead; 0 for one that grows with each frame.
    zeroed: u64,
    /// What the segment had when this process took it over, or began it.
    began_at: u64,
    ahead: Ahead,
    frame: FrameBuilder,
    /// The last frame's length.
    frame_bytes: usize,
    /// Where each record of the frame went.
    placed: Vec<(Position, u32)>,
    /// What could not be written. Dropped when everybody can learn why.
    doomed: VecDeque<Pending<T>>,
}

impl<T> Writer<T> {
    /// Takes over the growing segment.
    pub fn new(shared: Arc<Shared>, queue: Arc<Queue<T>>, options: Options) -> Result<Writer<T>, LogError> {
        let (segment, length) = {
            let state = shared.state.read();
            (state.active.header, state.active.durable)
        };
        let path = shared.dir.segment(segment.number);
        let ahead = Ahead::new(shared.dir.clone(), options.segment_bytes);
        let file = shared.dir.disk.open(&path, Access::Write).map_err(LogError::io("open", &path))?;
        Ok(Writer {
            shared,
            queue,
            options,
            segment,
            file,
            length,
            zeroed: 0,
            began_at: length,
            ahead,
            frame: FrameBuilder::default(),
            frame_bytes: 0,
            placed: Vec::new(),
            doomed: VecDeque::new(),
        })
    }

    /// Writes to another file than the segment, to see what a failing disk does.
    #[cfg(any(test, feature = "testing"))]
    pub fn write_to(&mut self, file: Arc<dyn DiskFile>) {
        self.file = file;
    }

    /// Commits until the queue is closed and empty, or until something fails.
    pub fn run(mut self, mut on_durable: impl FnMut(Commit<T>), on_failed: impl FnOnce(&Failure)) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.commit_all(&mut on_durable)));
        let failure = match ended {
            Ok(Ok(())) => return,
            Ok(Err(failure)) => failure,
            Err(_) => self.failure("tell of a commit in", io::Error::other("the callback panicked")),
        };
        tracing::error!(%failure, "the log takes no more appends");
        // A waiter learns that its record failed when the record's attachment is dropped, and asks why:
        // so that comes last.
        let queued = self.queue.fail(&failure);
        on_failed(&failure);
        drop((queued, self.doomed));
    }

    fn commit_all(&mut self, on_durable: &mut impl FnMut(Commit<T>)) -> Result<(), Failure> {
        let interval = Duration::from_micros(self.options.commit_interval_us);
        let mut started: Option<Instant> = None;
        while self.queue.wait_for_records() {
            // A lone append goes at once. When they come thick and fast, those of one interval
            // share a write and a sync, each of which costs the same for one as for many.
            let early = started.and_then(|started| interval.checked_sub(started.elapsed()));
            if let Some(rest) = early.filter(|_| self.queue.queued_bytes() < self.options.frame_bytes_max / 2)
            {
                std::thread::sleep(rest);
            }
            started = Some(Instant::now());
            if let Some(batch) = self.queue.take(self.options.frame_bytes_max) {
                on_durable(self.commit(batch)?);
            }
        }
        self.write_closing_mark()
    }

    fn commit(&mut self, batch: VecDeque<Pending<T>>) -> Result<Commit<T>, Failure> {
        match self.write(&batch) {
            Ok((write_time, sync_time)) => {
                let records = batch.into_iter().map(committed).collect();
                Ok(Commit { records, bytes: self.frame_bytes, write_time, sync_time })
            }
            Err(failure) => {
                self.doomed = batch;
                Err(failure)
            }
        }
    }

    /// Makes the records of a batch durable; answers how long write and sync took.
    fn write(&mut self, batch: &VecDeque<Pending<T>>) -> Result<(Duration, Duration), Failure> {
        self.frame.begin();
        self.placed.clear();
        let batch_bytes: usize = batch.iter().map(|pending| pending.record.bytes_on_disk()).sum();
        self.make_room((FRAME_HEADER_BYTES + batch_bytes) as u64)?;
        for Pending { record, .. } in batch {
            let offset = self.length + self.frame.push(record) as u64;
            self.placed.push((record.envelope.position, offset as u32));
        }
        let (frame_bytes, times) = self.put_frame(FrameKind::Records)?;
        self.length += frame_bytes;
        self.frame_bytes = frame_bytes as usize;
        self.publish(batch);
        self.look_ahead();
        Ok(times)
    }

    /// Ends the frame and makes it durable; answers its length without the mark behind it.
    fn put_frame(&mut self, kind: FrameKind) -> Result<(u64, (Duration, Duration)), Failure> {
        let at = self.segment.base + self.length;
        let frame_bytes = self.frame.finish(kind, self.segment.log_id, at).len() as u64;
        // Beyond the zeros the file's end says where the frames end.
        if self.length + frame_bytes < self.zeroed {
            self.frame.mark_end(self.segment.log_id, at);
        }
        let times = self.write_and_sync(self.frame.bytes())?;
        Ok((frame_bytes, times))
    }

    /// Has the next segment made ready when this one is half full, or as soon as there is enough to do
    /// when it grows with each frame: then the next commits are to be spared that.
    fn look_ahead(&mut self) {
        let Options { segment_bytes, zero_ahead, .. } = self.options;
        let is_due = match self.zeroed {
            0 => self.length - self.began_at >= GROWN_MIN_BYTES.min(segment_bytes / GROWN_PARTS),
            _ => self.length >= segment_bytes / 2,
        };
        if zero_ahead && is_due {
            self.ahead.want(self.length >= segment_bytes / 4 * 3);
        }
    }

    /// Whether a segment that grows with each frame is left early, because the next one doesn't.
    fn leaves_early(&self) -> bool {
        let enough = GROWN_MIN_BYTES.min(self.options.segment_bytes / GROWN_PARTS);
        self.zeroed == 0 && self.length - self.began_at >= enough && self.ahead.is_ready()
    }

    /// Lets readers see what was synced, and wakes those who wait for it.
    fn publish(&self, batch: &VecDeque<Pending<T>>) {
        {
            let mut state = self.shared.state.write();
            let active = &mut state.active;
            active.durable = self.length;
            for ((position, offset), Pending { record, .. }) in self.placed.iter().zip(batch) {
                active.runs.push(*position, *offset);
                active.heads.insert(position.partition, Head { seq: position.seq, chain: record.chain });
            }
        }
        self.shared.growth.grew();
    }

    /// Goes on to a new segment when the frame would make this one too long, or when asked to.
    fn make_room(&mut self, frame_bytes: u64) -> Result<(), Failure> {
        let fits = self.length + frame_bytes <= self.options.segment_bytes && !self.leaves_early();
        if (fits && !self.queue.take_seal_request()) || self.shared.state.read().active.runs.is_empty() {
            return Ok(());
        }
        let (index, heads) = {
            let state = self.shared.state.read();
            let active = &state.active;
            (seal(&self.segment, self.length, &active.runs, &active.heads), active.heads.clone())
        };
        step(Step::SegmentSeal, || self.write_and_sync(&index))?;
        self.cut_zeros(self.length + index.len() as u64)?;
        let sealed = SealedSegment::read(&*self.file)
            .and_then(|read| read.map_err(io::Error::other))
            .map_err(|cause| self.failure("read back the index of", cause))?;

        let next = SegmentHeader {
            number: self.segment.number + 1,
            base: self.segment.base + sealed.length,
            ..self.segment
        };
        let begun = self.begin(next, heads);
        let Begun { active, file, zeroed } =
            begun.map_err(|cause| self.failure("start a segment after", cause))?;
        (self.segment, self.file, self.length, self.zeroed) = (next, file, active.durable, zeroed);
        self.began_at = self.length;
        let mut state = self.shared.state.write();
        state.sealed.push(Arc::new(sealed));
        state.active = active;
        Ok(())
    }

    /// The next segment, in the file that was made ready if there is one.
    fn begin(&mut self, next: SegmentHeader, heads: Heads) -> io::Result<Begun> {
        if let Some(ready) = self.ahead.begin_segment(next, heads.clone()).map_err(io::Error::other)? {
            return Ok(ready);
        }
        let dir = &self.shared.dir;
        let active = start_segment(dir, next, heads).map_err(io::Error::other)?;
        let file = dir.disk.open(&dir.segment(next.number), Access::Write)?;
        Ok(Begun { active, file, zeroed: 0 })
    }

    /// Cuts off what was zeroed ahead and nothing will be written to any more.
    fn cut_zeros(&mut self, length: u64) -> Result<(), Failure> {
        if length < self.zeroed {
            let cut = || self.file.set_length(length).and_then(|()| self.file.sync());
            step(Step::ZerosCut, cut).map_err(|cause| self.failure("cut", cause))?;
        }
        self.zeroed = 0;
        Ok(())
    }

    /// Says to the next start that everything before is known synced.
    fn write_closing_mark(&mut self) -> Result<(), Failure> {
        self.frame.begin();
        let (mark_bytes, _) = step(Step::CloseMark, || self.put_frame(FrameKind::Closed))?;
        self.length += mark_bytes;
        self.cut_zeros(self.length)
    }

    /// Adds bytes to the segment's end; answers how long write and sync took.
    fn write_and_sync(&self, bytes: &[u8]) -> Result<(Duration, Duration), Failure> {
        let start = Instant::now();
        step(Step::FrameWrite, || self.file.write_at(bytes, self.length))
            .map_err(|cause| self.failure("write to", cause))?;
        let written = Instant::now();
        step(Step::FrameSync, || self.file.sync()).map_err(|cause| self.failure("sync", cause))?;
        Ok((written - start, written.elapsed()))
    }

    fn failure(&self, action: &'static str, cause: io::Error) -> Failure {
        let target = Target::File(self.shared.dir.segment(self.segment.number));
        Failure { action, target, cause: Arc::new(cause) }
    }
}

fn committed<T>(pending: Pending<T>) -> Committed<T> {
    let Pending { record, attachment, .. } = pending;
    Committed {
        position: record.envelope.position,
        kind: record.envelope.kind,
        appended_at: record.envelope.appended_at,
        chain: record.chain,
        payload: record.payload.bytes,
        attachment,
    }
}

//! The file of the next segment, filled with zeros and synced before anybody writes to it.
//!
//! A frame that makes a file longer makes the file system write down that it is longer before its sync
//! returns, behind whatever else it has to write down by then, and behind the bytes of other files that
//! this concerns. A frame that goes where there is room on the disk already waits for its own bytes alone.
//!
//! It costs the log nothing: a thread of low priority does it in pieces with pauses between, and whoever
//! needs the next segment before it is ready, or when it couldn't be made ready, does without.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::error::LogError;
use super::files::LogDir;
use super::format::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, SegmentHeader, end_mark};
use super::index::{Heads, Runs};
use super::state::Active;
use samsyn_disk::DiskFile;
use samsyn_disk::failpoint::{Step, step};
use samsyn_machine::niceness::lower_priority;

/// Zeros that are written and synced at once: little for the log's own sync to stand behind.
const PIECE_BYTES: u64 = 512 * 1024;
/// From one piece to the next, at least; 32 MiB a second, which is faster than the log grows but for
/// bursts, and slow enough to be felt by nobody.
const PIECE_EVERY: Duration = Duration::from_millis(16);
/// Of the time, zeroing takes one part in this many where the disk is slow.
const PARTS_OF_TIME: u32 = 4;
/// How many times as much room as is taken there must be: what is left is for what can't do without.
const ROOM_TIMES: u64 = 4;
/// The thread's niceness.
const NICENESS: i32 = 10;

/// Makes the next segment's file ready, when it is asked to.
pub(super) struct Ahead {
    shared: Arc<Making>,
    thread: Option<JoinHandle<()>>,
}

/// A segment that is begun.
pub(super) struct Begun {
    pub active: Active,
    pub file: Arc<dyn DiskFile>,
    /// How far its file is zeros; 0 for one that grows with each frame.
    pub zeroed: u64,
}

struct Making {
    dir: LogDir,
    bytes: u64,
    stage: Mutex<Stage>,
    wake: Condvar,
    /// It is needed soon: no more pauses.
    hurry: AtomicBool,
}

enum Stage {
    /// Nobody asked for one since the last was taken.
    Idle,
    Wanted,
    Ready(Arc<dyn DiskFile>),
    /// It couldn't be made, or there is too little room; nobody tries again before the next segment.
    Failed,
    Ending,
}

impl Ahead {
    /// Files in `dir` with room for `segment_bytes`.
    pub fn new(dir: LogDir, segment_bytes: u64) -> Ahead {
        let bytes = segment_bytes + FRAME_HEADER_BYTES as u64;
        let (stage, wake, hurry) = (Mutex::new(Stage::Idle), Condvar::new(), AtomicBool::new(false));
        Ahead { shared: Arc::new(Making { dir, bytes, stage, wake, hurry }), thread: None }
    }

    /// Has the next one made ready, once. With `hurry` it is needed soon.
    pub fn want(&mut self, hurry: bool) {
        if hurry && !self.shared.hurry.swap(true, Ordering::Relaxed) {
            self.shared.wake.notify_all();
        }
        {
            let mut stage = self.shared.stage.lock();
            if !matches!(*stage, Stage::Idle) {
                return;
            }
            *stage = Stage::Wanted;
        }
        self.shared.wake.notify_all();
        if self.thread.is_none() {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new().name("log-ahead".to_owned());
            match thread.spawn(move || shared.run()) {
                Ok(thread) => self.thread = Some(thread),
                Err(error) => {
                    tracing::warn!(%error, "segments can't be made ready ahead");
                    *self.shared.stage.lock() = Stage::Failed;
                }
            }
        }
    }

    /// Whether the next one is ready.
    pub fn is_ready(&self) -> bool {
        matches!(*self.shared.stage.lock(), Stage::Ready(_))
    }

    /// Makes the file that is ready the segment with this header; none when there is none. A segment file is never seen without its whole header, and never before the one before it is
    /// sealed and synced.
    pub fn begin_segment(&mut self, header: SegmentHeader, heads: Heads) -> Result<Option<Begun>, LogError> {
        let file = {
            let mut stage = self.shared.stage.lock();
            match std::mem::replace(&mut *stage, Stage::Idle) {
                Stage::Ready(file) => file,
                Stage::Failed => return Ok(None),
                other => {
                    *stage = other;
                    return Ok(None);
                }
            }
        };
        self.shared.hurry.store(false, Ordering::Relaxed);
        let dir = &self.shared.dir;
        let start = SEGMENT_HEADER_BYTES as u64;
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(&end_mark(header.log_id, header.base + start, header.base));
        let place = || {
            step(Step::ReplaceWrite, || file.write_at(&bytes, 0))?;
            step(Step::ReplaceSync, || file.sync())?;
            step(Step::ReplaceRename, || dir.disk.rename(&dir.ahead(), &dir.segment(header.number)))?;
            step(Step::ReplaceDirectory, || dir.disk.sync_dir(&dir.path))
        };
        step(Step::SegmentStart, place).map_err(LogError::io("write", &dir.segment(header.number)))?;
        let active = Active { header, durable: start, runs: Runs::default(), heads };
        Ok(Some(Begun { active, file, zeroed: self.shared.bytes }))
    }

    /// Ends the thread and removes what nobody took.
    fn end(&mut self) {
        let before = std::mem::replace(&mut *self.shared.stage.lock(), Stage::Ending);
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // What it panicked with was said where it did.
            let _ = thread.join();
        }
        if matches!(before, Stage::Ready(_)) {
            self.shared.remove();
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end();
    }
}

impl Making {
    fn run(&self) {
        lower_priority(NICENESS);
        loop {
            {
                let mut stage = self.stage.lock();
                while !matches!(*stage, Stage::Wanted | Stage::Ending) {
                    self.wake.wait(&mut stage);
                }
                if matches!(*stage, Stage::Ending) {
                    return;
                }
            }
            let made = self.make().unwrap_or_else(|error| {
                tracing::warn!(%error, "the next segment isn't made ready ahead; the log goes on without");
                None
            });
            let mut stage = self.stage.lock();
            let is_wanted = matches!(*stage, Stage::Wanted);
            match made.filter(|_| is_wanted) {
                Some(file) => *stage = Stage::Ready(file),
                None => {
                    if is_wanted {
                        *stage = Stage::Failed;
                    }
                    drop(stage);
                    // Also for its room, which others may need.
                    self.remove();
                }
            }
        }
    }

    /// A file of zeros that are on the disk; none when there is too little room, or the log ends.
    fn make(&self) -> Result<Option<Arc<dyn DiskFile>>, LogError> {
        let LogDir { disk, path } = &self.dir;
        let ahead = self.dir.ahead();
        let wrong = |action| LogError::io(action, &ahead);
        let room = disk.room(path).map_err(LogError::io("ask for the room in", path))?;
        if room.is_some_and(|room| room < self.bytes.saturating_mul(ROOM_TIMES)) {
            return Ok(None);
        }
        let file = disk.create(&ahead).map_err(wrong("create"))?;
        let zeros = vec![0; PIECE_BYTES.min(self.bytes) as usize];
        let mut at = 0;
        while at < self.bytes {
            let piece = &zeros[..(self.bytes - at).min(PIECE_BYTES) as usize];
            let started = Instant::now();
            let write = || file.write_at(piece, at).and_then(|()| file.sync());
            step(Step::AheadZeros, write).map_err(wrong("write"))?;
            at += piece.len() as u64;
            if at < self.bytes && !self.pause(started) {
                return Ok(None);
            }
        }
        Ok(Some(file))
    }

    /// Lets the disk be for a while; false when the log ends.
    fn pause(&self, started: Instant) -> bool {
        let taken = started.elapsed();
        let until = started + PIECE_EVERY.max(taken * PARTS_OF_TIME);
        let mut stage = self.stage.lock();
        loop {
            if matches!(*stage, Stage::Ending) {
                return false;
            }
            if self.hurry.load(Ordering::Relaxed) || self.wake.wait_until(&mut stage, until).timed_out() {
                return true;
            }
        }
    }

    fn remove(&self) {
        // What stays is removed at the next start.
        let _ = self.dir.disk.remove(&self.dir.ahead());
    }
}

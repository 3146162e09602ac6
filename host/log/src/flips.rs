//! Bits that flip and blocks that turn into zeros, anywhere in a log: found by a check, refused or set
//! aside at a start, never served, and repaired.

use std::collections::BTreeMap;
use std::ops::{AddAssign, Range};
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::rngs::SmallRng;

use crate::format::{FRAME_HEADER_BYTES, FrameHeader, FrameKind, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use crate::verify::verify_on;
use crate::*;
use samsyn_testkit::image::Image;
use samsyn_testkit::memory::Memory;

/// Where something lies in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    SegmentHeader,
    FrameHeader,
    RecordHeader,
    Payload,
    Index,
    Trailer,
    LastFrame,
    EndMark,
    Zeros,
    Floor,
    /// A block of the disk, wherever it begins.
    Block,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flipped {
    pub tried: u64,
    /// A start refused the log, with the place.
    pub refused: u64,
    /// A start took it for a torn tail and kept the bytes aside.
    pub kept_aside: u64,
    /// A start took the log; reading the record, or a check, found it.
    pub found_later: u64,
    /// Damaged logs that were repaired and opened.
    pub mended: u64,
}

impl AddAssign for Flipped {
    fn add_assign(&mut self, other: Flipped) {
        self.tried += other.tried;
        self.refused += other.refused;
        self.kept_aside += other.kept_aside;
        self.found_later += other.found_later;
        self.mended += other.mended;
    }
}

/// A log, what it says, and where what lies in it.
struct Whole<'a> {
    image: &'a Image,
    dir: &'a Path,
    options: Options,
    truth: BTreeMap<Position, StoredRecord>,
    places: BTreeMap<Place, Vec<(PathBuf, Range<usize>)>>,
    last: (PathBuf, Range<usize>),
}

/// Flips so many bits and blocks of the log in `dir`, one after the other.
pub fn flip(image: &Image, dir: &Path, flips: u64, rng: &mut SmallRng) -> Flipped {
    let whole = Whole::new(image, dir);
    let mut flipped = Flipped::default();
    let kinds: Vec<Place> = whole.places.keys().copied().collect();
    while flipped.tried < flips {
        let place = kinds[rng.random_range(0..kinds.len())];
        let of_kind = &whole.places[&place];
        let (file, range) = of_kind[rng.random_range(0..of_kind.len())].clone();
        let mut rotten = image.clone();
        let bytes = rotten.file_mut(&file).expect("it is there");
        let at = rng.random_range(range.clone());
        if place == Place::Block {
            let range = at..(at + 512).min(bytes.len());
            if bytes[range.clone()].iter().all(|byte| *byte == 0) {
                continue;
            }
            bytes[range].fill(0);
        } else {
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        let found = whole.judge(&rotten, &file, at);
        flipped += found.unwrap_or_else(|why| panic!("{place:?}, byte {at} of {}: {why}", file.display()));
    }
    flipped
}

impl<'a> Whole<'a> {
    fn new(image: &'a Image, dir: &'a Path) -> Whole<'a> {
        let options = Options::default();
        let memory: Memory<()> = Memory::new(image.clone());
        let (log, recovered) = LocalLog::<()>::open_on(memory.disk(), dir, options).expect("it opens");
        assert!(recovered.segments > 2, "a log of several segments");
        let mut truth = BTreeMap::new();
        for (partition, _) in log.durable_heads() {
            for record in log.scan(partition, 1) {
                let record = record.expect("it reads");
                truth.insert(record.position, record);
            }
        }
        let mut whole =
            Whole { image, dir, options, truth, places: BTreeMap::new(), last: (PathBuf::new(), 0..0) };
        let log_id = log.log_id();
        let mut segments: Vec<PathBuf> =
            image.names.keys().filter(|path| is_segment(path, dir)).cloned().collect();
        segments.sort();
        for path in segments {
            whole.segment(&path, log_id);
        }
        let (path, range) = whole.last.clone();
        whole.add(Place::LastFrame, &path, range);
        if let Some(floor) = image.file(&floor::path(dir)) {
            whole.add(Place::Floor, &floor::path(dir), 0..floor.len());
        }
        whole
    }

    fn add(&mut self, place: Place, path: &Path, range: Range<usize>) {
        if !range.is_empty() {
            self.places.entry(place).or_default().push((path.to_owned(), range));
        }
    }

    /// Notes what lies where in a segment.
    fn segment(&mut self, path: &Path, log_id: LogId) {
        let bytes = self.image.file(path).expect("it is there").clone();
        let base = format::SegmentHeader::decode(&bytes).expect("a header").base;
        self.add(Place::SegmentHeader, path, 0..SEGMENT_HEADER_BYTES);
        self.add(Place::Block, path, 0..bytes.len());
        let mut at = SEGMENT_HEADER_BYTES;
        while at < bytes.len() {
            let header = FrameHeader::decode(&bytes[at..], log_id, base + at as u64).expect("a frame");
            let end = at + header.frame_bytes();
            if header.kind == FrameKind::End {
                if self.last.0 != path {
                    // Nothing was written to it yet.
                    self.last = (path.to_owned(), at..end);
                }
                self.add(Place::EndMark, path, at..end);
                self.add(Place::Zeros, path, end..bytes.len());
                return;
            }
            self.last = (path.to_owned(), at..end);
            self.add(Place::FrameHeader, path, at..at + FRAME_HEADER_BYTES);
            if header.kind == FrameKind::Index {
                self.add(Place::Index, path, at + FRAME_HEADER_BYTES..end);
                self.add(Place::Trailer, path, end..bytes.len());
                return;
            }
            let mut record = at + FRAME_HEADER_BYTES;
            while record < end {
                let length = RecordRef::decode(&bytes[record..]).expect("a record").bytes_on_disk();
                let payload = record + RECORD_HEADER_BYTES;
                self.add(Place::RecordHeader, path, record..payload);
                self.add(Place::Payload, path, payload..record + length);
                record += length;
            }
            at = end;
        }
    }

    /// What checking, starting, reading and repairing do with it.
    fn judge(&self, rotten: &Image, file: &Path, at: usize) -> Result<Flipped, String> {
        let memory: Memory<()> = Memory::new(rotten.clone());
        self.verify(&memory, file, at)?;
        let mut flipped = Flipped { tried: 1, ..Flipped::default() };
        match LocalLog::<()>::open_on(memory.disk(), self.dir, self.options) {
            Err(LogError::Damaged(damage)) => {
                named(&damage, file, at)?;
                flipped.refused = 1;
                flipped.mended = u64::from(self.mend(&memory, file, at)?);
            }
            Err(other) => return Err(format!("refused for another reason: {other}")),
            Ok((log, recovered)) if recovered.tail.is_some() => {
                self.is_torn_tail(&memory, &log, &recovered, file, at, rotten)?;
                flipped.kept_aside = 1;
            }
            Ok((log, _)) => {
                self.read_all(log.reader())?;
                drop(log);
                flipped.found_later = 1;
                flipped.mended = u64::from(self.mend(&memory, file, at)?);
            }
        }
        self.rot_under_a_reader(rotten, file)?;
        Ok(flipped)
    }

    fn verify(&self, memory: &Memory<()>, file: &Path, at: usize) -> Result<(), String> {
        let report = verify_on(memory.disk(), self.dir, None, |_| {}).map_err(|error| error.to_string())?;
        named(&report.problem.ok_or("a check finds nothing")?, file, at)
    }

    /// Only the last frame may be taken for a tail, and its bytes must be kept.
    fn is_torn_tail(
        &self,
        memory: &Memory<()>,
        log: &LocalLog<()>,
        recovered: &Recovered,
        file: &Path,
        at: usize,
        rotten: &Image,
    ) -> Result<(), String> {
        let tail = recovered.tail.as_ref().ok_or("there is no tail")?;
        let (last, range) = &self.last;
        // A block that begins in a frame before it reaches into it.
        let reaches = at + 512 > range.start;
        if file != last || !reaches || (tail.offset as usize) < range.start && at >= range.start {
            return Err(format!("what was synced is taken for a torn tail: {tail:?}"));
        }
        let bytes = rotten.file(file).ok_or("the file is there")?;
        let kept = samsyn_disk::read(&*memory.disk(), &tail.kept_in).map_err(|error| error.to_string())?;
        let (written, zeros) = bytes[tail.offset as usize..].split_at(kept.len());
        if kept != written || zeros.iter().any(|byte| *byte != 0) {
            return Err("the tail isn't kept as it was".to_owned());
        }
        self.read_all(log.reader())
    }

    /// Whatever is served is what was appended.
    fn read_all(&self, reader: &LogReader) -> Result<(), String> {
        let right = |record: &StoredRecord| match self.truth.get(&record.position) {
            Some(truth) if truth == record => Ok(()),
            _ => Err(format!("{} is served and isn't what was appended", record.position)),
        };
        for position in self.truth.keys() {
            match reader.read(*position) {
                Ok(Some(record)) => right(&record)?,
                Ok(None) if reader.durable_head(position.partition).seq < position.seq => {}
                Ok(None) => return Err(format!("{position} isn't served and nobody says why")),
                Err(LogError::Damaged(_)) => {}
                Err(other) => return Err(other.to_string()),
            }
        }
        for (partition, head) in reader.durable_heads() {
            let mut next = self.truth.keys().find(|at| at.partition == partition).map_or(1, |at| at.seq);
            for record in reader.scan(partition, 1) {
                match record {
                    Ok(record) if record.position.seq == next => right(&record)?,
                    Ok(record) => return Err(format!("{} comes in place of {next}", record.position)),
                    Err(LogError::Damaged(_)) => break,
                    Err(other) => return Err(other.to_string()),
                }
                next += 1;
            }
            if next > head.seq + 1 {
                return Err(format!("partition {partition} goes on behind its end"));
            }
        }
        let mut scan = reader.scan_all(ScanFrom::Start);
        loop {
            match scan.next() {
                Ok(Some(record)) => right(&record.to_stored())?,
                Ok(None) | Err(LogError::Damaged(_)) => return Ok(()),
                Err(other) => return Err(other.to_string()),
            }
        }
    }

    /// The same bytes rot while a log is open.
    fn rot_under_a_reader(&self, rotten: &Image, file: &Path) -> Result<(), String> {
        let memory: Memory<()> = Memory::new(self.image.clone());
        let opened = LocalLog::<()>::open_on(memory.disk(), self.dir, self.options);
        let (log, _) = opened.map_err(|error| error.to_string())?;
        memory.rot(file, |bytes| bytes.clone_from(rotten.file(file).expect("it is there")));
        self.read_all(log.reader()).map_err(|why| format!("after it was opened: {why}"))
    }

    /// Whether the log begins with this file: nothing before it says what it was. Only of a floor, or
    /// of a first segment without one, may nothing be left that could be derived.
    fn is_where_it_begins(&self, file: &Path) -> bool {
        let floor = floor::path(self.dir);
        if self.image.file(&floor).is_some() {
            return file == floor;
        }
        self.places[&Place::SegmentHeader].first().is_some_and(|(first, _)| first == file)
    }

    /// Mends it, and opens what is left: a prefix. False when nothing of it can be derived.
    fn mend(&self, memory: &Memory<()>, file: &Path, at: usize) -> Result<bool, String> {
        let repair = match Repair::plan_on(memory.disk(), self.dir, |_| {}) {
            Ok(repair) => repair,
            Err(LogError::Damaged(damage)) if self.is_where_it_begins(file) => {
                return named(&damage, file, at).map(|()| false);
            }
            Err(error) => return Err(format!("it can't be mended: {error}")),
        };
        let plan = repair.what().clone();
        repair.apply().map_err(|error| error.to_string())?;
        let (log, recovered) = LocalLog::<()>::open_on(memory.disk(), self.dir, self.options)
            .map_err(|error| error.to_string())?;
        self.read_all(log.reader())?;
        let lost = plan.cut.as_ref().map_or(0, LogCut::records);
        match recovered.records {
            records if records != plan.records_kept => {
                Err(format!("{records} are left, not {}", plan.records_kept))
            }
            records if records + lost > self.truth.len() as u64 => {
                Err("more is told lost than there was".to_owned())
            }
            records if plan.cut.is_none() && records != self.truth.len() as u64 => {
                Err("records are gone".to_owned())
            }
            _ => Ok(true),
        }
    }
}

fn is_segment(path: &Path, dir: &Path) -> bool {
    path.parent() == Some(dir) && path.extension().is_some_and(|extension| extension == "segment")
}

/// Damage is told with its segment and a place not behind it.
fn named(damage: &Damage, file: &Path, at: usize) -> Result<(), String> {
    if damage.segment != file || damage.offset as usize > at + 512 {
        return Err(format!("it is told of another place: {damage}"));
    }
    Ok(())
}

//! Opening the view: as far as it is a fold of this log it is used and brought up to date; else it
//! is deleted and folded anew.
//!
//! ```text
//! empty store ─▶ a base, if there is one ─▶ the log's records behind it ─▶ Meta: it is a fold of this log
//! ```
//!
//! The store says what it is a fold of when it is whole, and not before. Nobody reads the view until
//! then, so what is written to it on the way may be written in whatever way costs least; a host that
//! is stopped on the way finds a store that says nothing, and begins again. sled comes back to what it
//! was at one moment of its own past, so a store that says it is whole is whole.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex, RwLock};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::entry::Base;
use super::event_index::EventIndex;
use super::link_index::LinkIndex;
use super::memtable::Applied;
use super::store::{Batch, Store, StoreError};
use super::{FlushState, Shared, Tables, View, keys};
use crate::view::{EventIdLimits, ViewConfig};
use samsyn_disk::failpoint::{Step, step};
use samsyn_journal::{ClaimStats, FOLD_VERSION, decode, encode};
use samsyn_log::{LogReader, Progress};
use samsyn_vocabulary::{Homes, Partition, Position};

/// What a view is a fold of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Meta {
    #[serde(with = "samsyn_journal::bytes")]
    log: Vec<u8>,
    fold: u32,
}

/// How a view was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Why it was deleted and folded anew, if it was.
    pub rebuilt: Option<String>,
    /// What it was folded on from, when that isn't the log's first record.
    pub base: Option<String>,
    /// Records folded to bring it up to date.
    pub folded: u64,
}

const MILLIS_A_DAY: i64 = 24 * 60 * 60 * 1000;

impl View {
    /// Opens the view of a log whose customers have these homes, and brings it up to date with what is durable. A
    /// view that is missing, broken, of another log or of an older fold is rebuilt.
    pub fn open(
        dir: &Path,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
        progress: impl FnMut(Progress),
    ) -> Result<(View, Opened), StoreError> {
        View::open_from(dir, log, homes, config, event_ids, || None, progress)
    }

    /// [`View::open`], which folds on from a base when it has to fold anew: the first of `bases` that
    /// can be read whole. It isn't asked for one otherwise.
    pub fn open_from(
        dir: &Path,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
        mut bases: impl FnMut() -> Option<Box<dyn Base>>,
        mut progress: impl FnMut(Progress),
    ) -> Result<(View, Opened), StoreError> {
        let meta = Meta { log: log.log_id().0.to_vec(), fold: FOLD_VERSION };
        let usable = View::usable(dir, &meta, log, homes, config, event_ids);
        let usable =
            usable.and_then(|view| view.bring_up(&mut progress).map_err(|error| Some(error.to_string())));
        let rebuilt = match usable {
            Ok((view, folded)) => return Ok((view, Opened { rebuilt: None, base: None, folded })),
            // A host's first start is no reason to warn.
            Err(None) if log.durable_heads().is_empty() => None,
            Err(why) => Some(why.unwrap_or_else(|| "there is none".to_owned())),
        };
        if let Some(why) = &rebuilt {
            tracing::warn!(%why, "the view is folded anew from the log");
        }
        let (view, base) = View::anew(dir, log, homes, config, event_ids, &mut bases)?;
        let (view, folded) = view.bring_up(&mut progress)?;
        view.sign(&meta)?;
        Ok((view, Opened { rebuilt, base, folded }))
    }

    /// A view in an empty store: what the first base that can be read holds, or nothing.
    fn anew(
        dir: &Path,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
        bases: &mut impl FnMut() -> Option<Box<dyn Base>>,
    ) -> Result<(View, Option<String>), StoreError> {
        while let Some(base) = bases() {
            let view = View::empty(dir, log, homes, config, event_ids)?;
            match view.shared.load(base.as_ref()) {
                Ok(()) => return Ok((view, Some(base.name()))),
                Err(error) => {
                    tracing::warn!(%error, base = base.name(), "can't be read; the one before is tried")
                }
            }
        }
        Ok((View::empty(dir, log, homes, config, event_ids)?, None))
    }

    fn empty(
        dir: &Path,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
    ) -> Result<View, StoreError> {
        let view =
            View::start(empty_store(dir, config)?, FxHashMap::default(), log, homes, config, event_ids)?;
        view.shared.anew.store(true, Ordering::Relaxed);
        Ok(view)
    }

    /// Says what a view that was folded anew is a fold of. From here on it is kept.
    fn sign(&self, meta: &Meta) -> Result<(), StoreError> {
        let store = &self.shared.store;
        step(Step::ViewFlush, || store.flush())?;
        let mut batch = Batch::default();
        batch.put(keys::META, &encode(meta));
        // Flushed at once: until then a killed host would fold it anew again.
        step(Step::ViewSign, || store.apply(batch).and_then(|()| store.flush()))?;
        self.shared.anew.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Opens the view that lies there and brings it up to date, but never folds it anew: who wants
    /// to know whether it is right must see the one that was there. The inner error says why it is
    /// no fold of this log.
    pub fn open_existing(
        dir: &Path,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
        mut progress: impl FnMut(Progress),
    ) -> Result<Result<(View, u64), String>, StoreError> {
        let meta = Meta { log: log.log_id().0.to_vec(), fold: FOLD_VERSION };
        if !dir.is_dir() {
            return Ok(Err("there is none".to_owned()));
        }
        match View::usable(dir, &meta, log, homes, config, event_ids) {
            Ok(view) => view.bring_up(&mut progress).map(Ok),
            Err(why) => Ok(Err(why.unwrap_or_else(|| "it is empty".to_owned()))),
        }
    }

    /// The view that lies there, as far as it was written; or why it is no fold of this log, if
    /// there is something at all.
    fn usable(
        dir: &Path,
        meta: &Meta,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
    ) -> Result<View, Option<String>> {
        if let Some(why) = Store::is_damaged(dir) {
            return Err(Some(format!("a read of it failed: {why}")));
        }
        // sled has been seen to panic on damaged files, also after it opened them.
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let store = Store::open(dir, config.cache_bytes)?;
            match read_applied_partitions(&store, meta, log)? {
                Ok(applied_partitions) => {
                    View::start(store, applied_partitions, log, homes, config, event_ids).map(Ok)
                }
                Err(why) => Ok(Err(why)),
            }
        }));
        match read {
            Ok(Ok(view)) => view,
            Ok(Err(error)) => Err(Some(StoreError::to_string(&error))),
            Err(_) => Err(Some("its store panicked while it was read".to_owned())),
        }
    }

    /// Starts the flusher and folds what the log has beyond the view.
    fn bring_up(self, progress: &mut impl FnMut(Progress)) -> Result<(View, u64), StoreError> {
        self.spawn_flusher()?;
        let folded = self.catch_up(progress)?;
        Ok((self, folded))
    }

    fn start(
        store: Store,
        applied: FxHashMap<Partition, Applied>,
        log: &LogReader,
        homes: Homes,
        config: &ViewConfig,
        event_ids: EventIdLimits,
    ) -> Result<View, StoreError> {
        let mut waiting = std::collections::BTreeSet::new();
        for entry in store.scan(keys::WAITING) {
            waiting.extend(keys::parse_waiting(&entry?.0));
        }
        let patterns = read_patterns(&store)?;
        let events = RwLock::new(EventIndex::read(&store)?);
        let links = RwLock::new(LinkIndex::read(&store)?);
        let shared = Arc::new(Shared {
            store,
            homes,
            events,
            links,
            config: config.clone(),
            event_ids_max: event_ids.at_least,
            event_id_millis: i64::from(event_ids.days) * MILLIS_A_DAY,
            tables: RwLock::new(Tables { applied, patterns, ..Tables::default() }),
            stored_waiting: Mutex::new(waiting.iter().map(|(_, id)| *id).collect()),
            waiting: Mutex::new(waiting),
            turn: Mutex::new(()),
            wake: Condvar::new(),
            flushing: Mutex::new(FlushState::default()),
            anew: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            log: log.clone(),
        });
        Ok(View { shared, flusher: Mutex::new(None) })
    }

    fn spawn_flusher(&self) -> Result<(), StoreError> {
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name("view-flusher".to_owned());
        let thread = thread.spawn(move || shared.run_flusher()).map_err(StoreError::unreadable)?;
        *self.flusher.lock() = Some(thread);
        Ok(())
    }
}

/// Where the store's folds are; or why the store is no fold of this log. A new store is none,
/// for no reason worth telling.
fn read_applied_partitions(
    store: &Store,
    meta: &Meta,
    log: &LogReader,
) -> Result<AppliedPartitions, StoreError> {
    let Some(bytes) = store.get(keys::META)? else {
        let cut_short = || "folding it anew was cut short".to_owned();
        return Ok(Err((!store.is_empty()).then(cut_short)));
    };
    let found: Meta = decode(&bytes).map_err(StoreError::unreadable)?;
    if found.log != meta.log {
        return Ok(Err(Some("it is the view of another log".to_owned())));
    }
    if found.fold != meta.fold {
        return Ok(Err(Some(format!("it was folded by version {}, this is {}", found.fold, meta.fold))));
    }
    let mut applied_partitions = FxHashMap::default();
    for entry in store.scan(keys::APPLIED) {
        let (key, value) = entry?;
        let partition = <[u8; 2]>::try_from(key.as_slice()).map_err(StoreError::unreadable)?;
        let partition = Partition(u16::from_be_bytes(partition));
        let applied: Applied = decode(&value).map_err(StoreError::unreadable)?;
        let position = Position { partition, seq: applied.seq };
        match log.chain_at(position).map_err(StoreError::unreadable)? {
            Some(chain) if chain.0.as_slice() == applied.chain => {
                applied_partitions.insert(partition, applied)
            }
            _ => return Ok(Err(Some(format!("the log has another record at {position}, or none")))),
        };
    }
    Ok(Ok(applied_partitions))
}

fn read_patterns(store: &Store) -> Result<FxHashMap<Partition, ClaimStats>, StoreError> {
    let mut patterns: FxHashMap<Partition, ClaimStats> = FxHashMap::default();
    for entry in store.scan(keys::COUNTERS) {
        let (key, value) = entry?;
        let Some((partition, field, pattern)) = keys::parse_counter(&key) else {
            return Err(StoreError::unreadable("a counter's key can't be read"));
        };
        let count = decode(&value).map_err(StoreError::unreadable)?;
        patterns.entry(partition).or_default().restore(field, pattern, count);
    }
    Ok(patterns)
}

type AppliedPartitions = Result<FxHashMap<Partition, Applied>, Option<String>>;

fn empty_store(dir: &Path, config: &ViewConfig) -> Result<Store, StoreError> {
    if dir.exists() {
        step(Step::ViewRemove, || std::fs::remove_dir_all(dir)).map_err(StoreError::unreadable)?;
    }
    step(Step::ViewMake, || Store::open(dir, config.cache_bytes))
}

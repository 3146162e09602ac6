//! Opening the view: as far as it is a fold of this log it is used and brought up to date; else it
//! is deleted and folded anew.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::memtable::Applied;
use super::store::{Batch, Store, StoreError};
use super::{FlushState, Folded, Shared, Tables, View, codec, keys};
use crate::config::{EngineConfig, ViewConfig};
use crate::log::{LogReader, RecordRef, ScanFrom};
use crate::record::{FOLD_VERSION, ProfileState, Record, decode, encode, fold_profile};
use crate::vocabulary::{Partition, Position, ProfileId, Seq};

/// Profiles held in memory while folding, beyond which what is collected is written.
const HELD_PROFILES_MAX: usize = 100_000;
/// Records between two reports of progress.
const RECORDS_A_REPORT: u64 = 10_000;

/// What a view is a fold of.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Meta {
    #[serde(with = "crate::record::bytes")]
    log: Vec<u8>,
    fold: u32,
}

/// How a view was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Why it was deleted and folded anew, if it was.
    pub rebuilt: Option<String>,
    /// Records folded to bring it up to date.
    pub folded: u64,
}

/// How far folding is.
#[derive(Clone, Copy, Debug)]
pub struct RebuildProgress {
    /// Bytes of the log read, those skipped included.
    pub bytes_done: u64,
    /// Bytes of the log.
    pub bytes_total: u64,
    /// Records folded.
    pub records: u64,
}

const MILLIS_A_DAY: i64 = 24 * 60 * 60 * 1000;

impl View {
    /// Opens the view of a log and brings it up to date with what is durable. A view that is
    /// missing, broken, of another log or of an older fold is rebuilt.
    pub fn open(
        dir: &Path,
        log: &LogReader,
        config: &ViewConfig,
        engine: &EngineConfig,
        mut progress: impl FnMut(RebuildProgress),
    ) -> Result<(View, Opened), StoreError> {
        let meta = Meta { log: log.log_id().0.to_vec(), fold: FOLD_VERSION };
        let opened = Store::open(dir, config.cache_bytes).and_then(|store| {
            let places = read_places(&store, &meta, log)?;
            Ok((store, places))
        });
        let (store, applied, rebuilt) = match opened {
            Ok((store, Ok(applied))) => (store, applied, None),
            Ok((store, Err(why))) => {
                drop(store);
                (start_anew(dir, &meta, config)?, HashMap::new(), why)
            }
            Err(error) => (start_anew(dir, &meta, config)?, HashMap::new(), Some(error.to_string())),
        };
        if let Some(why) = &rebuilt {
            tracing::warn!(%why, "the view is folded anew from the log");
        }
        let view = View::start(store, applied, log, config, engine)?;
        let folded = view.catch_up(&mut progress)?;
        view.spawn_flusher()?;
        Ok((view, Opened { rebuilt, folded }))
    }

    fn start(
        store: Store,
        applied: HashMap<Partition, Applied>,
        log: &LogReader,
        config: &ViewConfig,
        engine: &EngineConfig,
    ) -> Result<View, StoreError> {
        let mut waiting = std::collections::BTreeSet::new();
        for entry in store.scan(keys::WAITING) {
            waiting.extend(keys::parse_waiting(&entry?.0));
        }
        let shared = Arc::new(Shared {
            store,
            config: config.clone(),
            event_ids_max: engine.event_ids_max,
            event_id_millis: i64::from(engine.event_id_days) * MILLIS_A_DAY,
            tables: RwLock::new(Tables { applied, ..Tables::default() }),
            stored_waiting: Mutex::new(waiting.iter().map(|(_, id)| *id).collect()),
            waiting: Mutex::new(waiting),
            turn: Mutex::new(()),
            wake: Condvar::new(),
            flushing: Mutex::new(FlushState::default()),
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

    /// Folds what the log has beyond the view, in one pass over it.
    fn catch_up(&self, progress: &mut impl FnMut(RebuildProgress)) -> Result<u64, StoreError> {
        let from: HashMap<Partition, Seq> = {
            let tables = self.shared.tables.read();
            tables.applied.iter().map(|(partition, applied)| (*partition, applied.seq + 1)).collect()
        };
        let heads = self.shared.log.durable_heads();
        if heads.iter().all(|(partition, head)| from.get(partition).is_some_and(|from| *from > head.seq)) {
            return Ok(0);
        }
        let mut scan = self.shared.log.scan_all(ScanFrom::Seqs(from));
        let mut folded = 0;
        loop {
            let state = scan.progress();
            let Some(record) = scan.next().map_err(StoreError::unreadable)? else { break };
            self.fold_record(&record)?;
            folded += 1;
            if folded % RECORDS_A_REPORT == 0 {
                let (bytes_done, bytes_total) = (state.bytes_done, state.bytes_total);
                progress(RebuildProgress { bytes_done, bytes_total, records: folded });
                if self.shared.tables.read().active.len() > HELD_PROFILES_MAX {
                    self.shared.flush_now()?;
                }
            }
        }
        self.shared.flush_now()?;
        Ok(folded)
    }

    fn fold_record(&self, record: &RecordRef<'_>) -> Result<(), StoreError> {
        let folded = match Record::from_bytes(record.kind, record.payload).map_err(StoreError::unreadable)? {
            Record::Accepted(accepted) => Folded::accepted(Arc::new(accepted)),
            Record::Decided(decided) => {
                let before = self.profile(decided.profile)?;
                let state = fold_profile(before.as_deref(), record.position.seq, &decided);
                Folded::Decided {
                    created: before.is_none(),
                    state: Arc::new(state),
                    decided: Arc::new(decided),
                    taken: None,
                }
            }
            Record::Adopted(adopted) => Folded::Adopted(Arc::new(adopted)),
            Record::Linked(linked) => Folded::Linked(Arc::new(linked)),
            Record::Registry(_) => Folded::Registry,
        };
        let mut tables = self.shared.tables.write();
        self.shared.fold(&mut tables, record.position, record.chain, folded);
        Ok(())
    }

    /// Everything the view holds, for comparing two of them.
    pub fn dump(&self) -> Result<Dump, StoreError> {
        self.flush()?;
        let mut rest = std::collections::BTreeMap::new();
        for prefix in [keys::EVENTS, keys::LINKS, keys::WAITING, keys::APPLIED] {
            for entry in self.shared.store.scan(prefix) {
                let (key, value) = entry?;
                rest.insert([prefix, &key].concat(), value.to_vec());
            }
        }
        let profiles = codec::all_profiles(&self.shared.store)?;
        let profiles = profiles.into_iter().map(|(id, state)| (id, sorted(&state))).collect();
        Ok(Dump { profiles, rest })
    }
}

/// Everything a view holds.
#[derive(Debug, PartialEq)]
pub struct Dump {
    /// Every profile, what capabilities told in the order of their names.
    pub profiles: std::collections::BTreeMap<ProfileId, ProfileState>,
    /// All other entries, key by key.
    pub rest: std::collections::BTreeMap<Vec<u8>, Vec<u8>>,
}

fn sorted(state: &ProfileState) -> ProfileState {
    let mut state = state.clone();
    state.told.sort_by(|one, other| (&one.capability, one.generation).cmp(&(&other.capability, other.generation)));
    state
}

/// Where the store's folds are; or why the store is no fold of this log. A new store is none,
/// for no reason worth telling.
fn read_places(store: &Store, meta: &Meta, log: &LogReader) -> Result<Places, StoreError> {
    let Some(bytes) = store.get(keys::META)? else {
        return Ok(Err(None));
    };
    let found: Meta = decode(&bytes).map_err(StoreError::unreadable)?;
    if found.log != meta.log {
        return Ok(Err(Some("it is the view of another log".to_owned())));
    }
    if found.fold != meta.fold {
        return Ok(Err(Some(format!("it was folded by version {}, this is {}", found.fold, meta.fold))));
    }
    let mut places = HashMap::new();
    for entry in store.scan(keys::APPLIED) {
        let (key, value) = entry?;
        let partition = <[u8; 2]>::try_from(key.as_slice()).map_err(StoreError::unreadable)?;
        let partition = Partition(u16::from_be_bytes(partition));
        let applied: Applied = decode(&value).map_err(StoreError::unreadable)?;
        let position = Position { partition, seq: applied.seq };
        match log.read(position).map_err(StoreError::unreadable)? {
            Some(record) if record.chain.0.as_slice() == applied.chain => places.insert(partition, applied),
            _ => return Ok(Err(Some(format!("the log has another record at {position}, or none")))),
        };
    }
    Ok(Ok(places))
}

type Places = Result<HashMap<Partition, Applied>, Option<String>>;

fn start_anew(dir: &Path, meta: &Meta, config: &ViewConfig) -> Result<Store, StoreError> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).map_err(StoreError::unreadable)?;
    }
    let store = Store::open(dir, config.cache_bytes)?;
    let mut batch = Batch::default();
    batch.put(keys::META, encode(meta));
    store.apply(batch)?;
    Ok(store)
}

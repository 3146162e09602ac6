//! The clock behind the time limit: a thread that moves the engines' epochs every millisecond.
//!
//! It sleeps when nothing runs. An invocation says until which tick it needs the clock; the thread ticks at
//! least that far and parks. Asking costs two loads of memory that changes once a millisecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// One tick of the epoch: the finest the time limit can be.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// How many ticks longer than asked the thread goes on, so that busy workers wake it once a second and not
/// once an invocation.
const LINGER_TICKS: u64 = 1_000;

struct Shared {
    ticks: AtomicU64,
    needed_until: AtomicU64,
    stop: AtomicBool,
}

/// The ticking thread; dropping it ends the thread.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(super) fn start<'a>(engines: impl Iterator<Item = &'a Engine>) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared {
            ticks: AtomicU64::new(0),
            needed_until: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let engines: Vec<EngineWeak> = engines.map(Engine::weak).collect();
        let in_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("sandbox-clock".to_owned())
            .spawn(move || tick(&engines, &in_thread))?;
        Ok(Ticker { shared, thread: Some(thread) })
    }

    /// Keeps the clock going for a deadline `ticks` from now. To be called after the deadline was
    /// set: then the tick it is counted from isn't later than the one read here, but for the one
    /// that may be under way.
    pub(super) fn keep_going(&self, ticks: u64) {
        let needed = self.shared.ticks.load(Ordering::Acquire).saturating_add(ticks).saturating_add(1);
        if self.shared.needed_until.load(Ordering::Acquire) < needed {
            self.shared.needed_until.fetch_max(needed.saturating_add(LINGER_TICKS), Ordering::AcqRel);
            if let Some(thread) = &self.thread {
                thread.thread().unpark();
            }
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic there has been reported already, and there is nothing to give back.
            let _ = thread.join();
        }
    }
}

fn tick(engines: &[EngineWeak], shared: &Shared) {
    while !shared.stop.load(Ordering::Acquire) {
        if shared.ticks.load(Ordering::Relaxed) >= shared.needed_until.load(Ordering::Acquire) {
            // An unpark that came since the load makes this return at once.
            std::thread::park();
            continue;
        }
        std::thread::sleep(TICK);
        for engine in engines {
            let Some(engine) = engine.upgrade() else { return };
            engine.increment_epoch();
        }
        shared.ticks.fetch_add(1, Ordering::Release);
    }
}

//! A flag that ends an import early, and wakes its waiters.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Ends an import: what is in flight is finished, nothing more is sent. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Ends the import. It stays ended.
    pub fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it was ended.
    pub fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits that long, or until it is ended; tells whether it was.
    pub fn wait(&self, at_most: Duration) -> bool {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(guard, at_most, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends it at the first Ctrl-C, after `told`; the second ends the process at once.
    pub fn on_interrupt(&self, on_signal: impl FnOnce() + Send + 'static) {
        let stop = self.clone();
        std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return; // Without a handler Ctrl-C ends the process, and ids make that harmless.
            };
            runtime.block_on(async {
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                on_signal();
                stop.set();
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(super::error::Exit::Interrupted as i32);
                }
            });
        });
    }
}

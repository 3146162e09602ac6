//! The supervisor: a thread that does what a worker can't wait for. It changes the registry when the
//! engine itself asks for it, and starts the threads of lagging capabilities and of notifications.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Engine;
use crate::vocabulary::Application;

impl Engine {
    pub(super) fn wake_supervisor(&self) {
        self.supervisor.lock().look = true;
        self.supervisor_wake.notify_all();
    }

    /// A thread that changes the registry when the engine itself asks for it, because a worker
    /// can't wait for that; and that starts the threads of lagging capabilities.
    pub(super) fn run_supervisor(self: &Arc<Self>) {
        let Ok(host) = Application::new("host") else { return };
        while !self.stopping.load(Ordering::Relaxed) {
            let asked = {
                let mut supervisor = self.supervisor.lock();
                if supervisor.asked.is_empty() && !supervisor.look {
                    self.supervisor_wake.wait_for(&mut supervisor, Duration::from_millis(200));
                }
                supervisor.look = false;
                std::mem::take(&mut supervisor.asked)
            };
            for change in asked {
                self.quarantine(change, &host);
            }
            self.start_catch_up();
            self.start_notifying();
        }
    }
}

//! The supervisor: a thread that does what a lane can't wait for. It changes the registry when the
//! engine itself asks for it, and starts the threads of lagging capabilities and of notifications.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::lanes::Lanes;
use super::notifier::Notifier;
use super::registrar::Registrar;
use super::shared::Shared;
use samsyn_registry::RegistryChange;
use samsyn_vocabulary::Application;

/// How long it sleeps when nobody wakes it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is asked of the supervisor.
#[derive(Default)]
pub struct Requests {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    changes: Vec<RegistryChange>,
    look: bool,
}

impl Requests {
    /// Has it look whether a thread is to be started.
    pub fn look(&self) {
        self.state.lock().look = true;
        self.wake.notify_all();
    }

    /// Has it change the registry.
    pub fn change(&self, change: RegistryChange) {
        self.state.lock().changes.push(change);
        self.wake.notify_all();
    }

    /// Wakes it though there is nothing to do.
    pub fn wake(&self) {
        self.wake.notify_all();
    }

    /// The changes that were asked for, once there is something to do or some time has passed.
    fn take(&self) -> Vec<RegistryChange> {
        let mut state = self.state.lock();
        if state.changes.is_empty() && !state.look {
            self.wake.wait_for(&mut state, LOOK_EVERY);
        }
        state.look = false;
        std::mem::take(&mut state.changes)
    }
}

/// What the supervisor acts on.
pub struct Supervisor {
    pub shared: Arc<Shared>,
    pub lanes: Arc<Lanes>,
    pub registrar: Arc<Registrar>,
    pub notifier: Arc<Notifier>,
}

impl Supervisor {
    /// Its loop; ends when the engine stops.
    pub fn run(&self) {
        let Ok(host) = Application::new("host") else { return };
        while !self.shared.is_stopping() {
            for change in self.shared.requests.take() {
                self.registrar.quarantine(change, &host);
            }
            self.lanes.start_catch_up();
            self.notifier.start();
        }
    }
}

//! A panic's message for the host's log.

use std::panic;

use crate::log::Level;

/// Makes a panic log its message with file and line before it traps. Every exported function calls
/// it, because an instance lives for one invocation. It is cheap: without threads std's lock is a
/// flag, and the hook captures nothing, so its box needs no allocation.
pub(super) fn report_to_host() {
    panic::set_hook(Box::new(|info| {
        let message = info.payload_as_str().unwrap_or("a panic without a message");
        let line = match info.location() {
            Some(place) => format!("panicked at {}:{}: {message}", place.file(), place.line()),
            None => format!("panicked: {message}"),
        };
        super::log(Level::Error, &line);
    }));
}

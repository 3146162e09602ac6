//! How long an import goes on trying while nothing is taken.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use samsyn_client::ClientError;
use samsyn_terminal::Stop;

/// How long to wait before asking again when nobody says how long.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// One for all lanes: what one of them gets through is progress for each, as they share a host.
#[derive(Debug)]
pub struct Patience {
    limit: Duration,
    progress_at: Mutex<Option<Instant>>,
}

impl Patience {
    /// So much of it, counted from the last row that was answered.
    pub fn new(limit: Duration) -> Patience {
        Patience { limit, progress_at: Mutex::new(None) }
    }

    /// A row was answered for good.
    pub fn progress(&self) {
        *self.progress_at.lock() = Some(Instant::now());
    }

    /// What is left of it for a lane that has been failing since then.
    pub fn left(&self, failing_since: Instant) -> Duration {
        let progress_at = *self.progress_at.lock();
        let since = progress_at.map_or(failing_since, |at| at.max(failing_since));
        self.limit.saturating_sub(since.elapsed())
    }
}

/// Asks until there is an answer, as long as patience lasts. A machine that says that nobody listens
/// there is told of at once: most often the host was never started.
pub fn ask<T>(
    limit: Duration,
    stop: &Stop,
    mut ask: impl FnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let (patience, started) = (Patience::new(limit), Instant::now());
    loop {
        let cause = match ask() {
            Ok(answer) => return Ok(answer),
            Err(cause) => cause,
        };
        let left = patience.left(started);
        let is_absent = matches!(cause, ClientError::Unreachable { refused: true, .. });
        if !cause.is_passing() || is_absent || left.is_zero() {
            return Err(cause);
        }
        if stop.wait(cause.retry_after().unwrap_or(ASK_AGAIN).min(left)) {
            return Err(cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_of_any_lane_gives_it_back_and_idling_costs_none() {
        let patience = Patience::new(Duration::from_secs(60));
        let long_ago = Instant::now() - Duration::from_secs(50);
        assert!(patience.left(long_ago) <= Duration::from_secs(10));
        patience.progress();
        assert!(patience.left(long_ago) > Duration::from_secs(50));
        assert!(Patience::new(Duration::ZERO).left(Instant::now()).is_zero());
    }
}

//! Timers of plug-ins.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::query::TimerParams;
use samsyn_wire::{Page, Timer, TimersResumed};
use serde_json::json;

use super::PROFILE;
use crate::operation::{Operation, Tag};

/// `GET /v1/timers`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    let item = json!({
        "fires_at": "2026-12-24T10:00:00Z", "profile": PROFILE, "capability": "loyalty", "generation": 1,
        "name": "tier-expires",
    });
    call.is(
        "listTimers",
        Tag::Admin,
        "List the timers that plug-ins have set, in the order in which they fire",
    )
    .query::<TimerParams>()
    .answers::<Page<Timer>>(StatusCode::OK, "A page", json!({ "items": [item] }))
    .problems(&[Kind::CursorInvalid])
}

/// `POST /v1/timers/resume`.
pub fn resume(call: Operation<'_>) -> Operation<'_> {
    let held = json!({ "was_held": "the clock went 1440 minutes ahead at once", "pending": 1200 });
    call.is("resumeTimers", Tag::Admin, "Let timers fire that are held because the clock may be wrong")
        .details(
            "Check the clock first. Timers that became due meanwhile fire at a bounded rate, oldest first.",
        )
        .answers::<TimersResumed>(StatusCode::OK, "Why they were held", held)
}

//! Calls that plug-ins began.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::query::{CallParams, RetryCallParams, SettleParams};
use samsyn_wire::{Call, Page};
use serde_json::{Value, json};

use super::PROFILE;
use crate::operation::{Operation, Tag};

/// The call of its path.
fn of_one(call: Operation<'_>) -> Operation<'_> {
    let id = format!("{PROFILE}.tier-sync.1.7");
    call.path::<String>("id", "The call, as the list names it", &id)
}

fn example() -> Value {
    json!({
        "id": format!("{PROFILE}.tier-sync.1.7"), "state": "unknown", "capability": "tier-sync",
        "endpoint": "membership", "profile": PROFILE, "method": "PUT", "path": "members/42",
        "since": "2026-12-24T10:00:00Z", "attempts": 1, "in_doubt": true, "ended_at": "2026-12-24T10:00:30Z",
        "how": "time",
    })
}

/// `GET /v1/calls`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listCalls", Tag::Admin, "List the calls of plug-ins that wait for their answers, or that ended badly")
        .details(
            "Of those that wait, the first of each customer and endpoint is listed: the others wait for it. With \
             `profile` all of the customer's are listed. Of those that ended badly, the newest 8 of each customer and \
             capability are kept.",
        )
        .query::<CallParams>()
        .answers::<Page<Call>>(StatusCode::OK, "A page", json!({ "items": [example()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/calls/{id}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    of_one(call.is("showCall", Tag::Admin, "Show a call that waits for its answer, or that ended badly"))
        .answers::<Call>(StatusCode::OK, "The call", example())
        .problems(&[Kind::CallNotFound])
}

/// `POST /v1/calls/{id}/retry`.
pub fn retry(call: Operation<'_>) -> Operation<'_> {
    of_one(call.is("retryCall", Tag::Admin, "Send a call that ended badly again, with the same bytes and the same key"))
        .details(
            "Of a call whose state is `unknown` the system may do it twice, unless it knows the key. The plug-in is \
             invoked with the new answer as well.",
        )
        .query::<RetryCallParams>()
        .answers::<Call>(StatusCode::OK, "The call, which waits now", example())
        .problems(&[Kind::CallNotFound, Kind::CallWaits])
}

/// `POST /v1/calls/{id}/settle`.
pub fn settle(call: Operation<'_>) -> Operation<'_> {
    of_one(call.is(
        "settleCall",
        Tag::Admin,
        "Say what is known of a call that ended badly; it is no longer listed then",
    ))
    .details("Nothing is sent, and the plug-in is not invoked: it was when the call ended.")
    .query::<SettleParams>()
    .answers::<Call>(StatusCode::OK, "The call as it was", example())
    .problems(&[Kind::CallNotFound, Kind::CallWaits])
}

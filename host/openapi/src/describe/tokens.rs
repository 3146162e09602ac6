//! Tokens and their scopes.

use http::StatusCode;
use samsyn_vocabulary::TokenName;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::JSON;
use samsyn_wire::query::{DryRun, ListParams, Why};
use samsyn_wire::request::NewToken;
use samsyn_wire::{MadeToken, Page, Token};
use serde_json::{Value, json};

use crate::operation::{Operation, Tag};

fn web() -> Value {
    json!({
        "name": "web", "application": "web", "scopes": ["events:write", "profiles:read=first_name"],
        "state": "valid", "made_at": "2026-11-20T10:00:00Z", "made_by": "anna",
        "expires_at": "2027-02-18T10:00:00Z", "revoked_at": null, "last_used_at": "2026-11-21T09:00:00Z",
        "requests_per_second": null, "events_per_second": null,
    })
}

fn named(call: Operation<'_>) -> Operation<'_> {
    call.path::<TokenName>("name", "Which token", "web").problems(&[Kind::UnknownToken])
}

/// `GET /v1/tokens`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listTokens", Tag::Admin, "List the tokens, without their secrets")
        .query::<ListParams>()
        .answers::<Page<Token>>(StatusCode::OK, "A page", json!({ "items": [web()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/tokens/{name}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    named(call.is("showToken", Tag::Admin, "Read a token's scopes and its last use")).answers::<Token>(
        StatusCode::OK,
        "The token, without its secret",
        web(),
    )
}

/// `POST /v1/tokens`.
pub fn make(call: Operation<'_>) -> Operation<'_> {
    let wanted = json!({
        "name": "web", "scopes": ["events:write", "profiles:read=first_name"], "expires": "90d",
    });
    let may =
        json!({ "reads": ["first_name"], "identifiers": [], "proposes": [], "unknown": [], "warnings": [] });
    let made = json!({ "secret": "samsyn_\u{2026}", "token": web(), "may": may });
    call.is("makeToken", Tag::Admin, "Create a token")
        .details("The answer has the secret, only this once; the host keeps only its hash.")
        .query::<DryRun>()
        .json::<NewToken>(JSON, &[("an application's", wanted)])
        .answers::<MadeToken>(
            StatusCode::OK,
            "With `dry_run`: the token as it would be",
            json!({ "token": web(), "may": may }),
        )
        .answers::<MadeToken>(StatusCode::CREATED, "The token, with its secret", made)
        .problems(&[Kind::TokenExists, Kind::DefinitionInvalid, Kind::LogFailed])
}

/// `DELETE /v1/tokens/{name}`.
pub fn revoke(call: Operation<'_>) -> Operation<'_> {
    named(call.is("revokeToken", Tag::Admin, "Revoke a token"))
        .details("The host rejects the next request with it. Its name can be used again.")
        .query::<Why>()
        .answers_nothing(StatusCode::NO_CONTENT, "Revoked")
        .problems(&[Kind::LastAdminToken, Kind::LogFailed])
}

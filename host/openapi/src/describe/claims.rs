//! The claims for a field, and how far capabilities agree.

use http::StatusCode;
use samsyn_wire::catalogue::Kind;
use samsyn_wire::header::PURPOSE;
use samsyn_wire::query::{ClaimsParams, ListParams};
use samsyn_wire::{FieldDisagreements, Page, ProfileClaims};
use serde_json::{Value, json};

use super::PROFILE;
use super::fields::named;
use crate::operation::{Operation, Tag};

fn of_country() -> Value {
    json!({
        "field": "country", "source": "crm", "compare": "exact",
        "pairs": [{
            "one": "crm", "other": "sms", "both": 1500, "agree": 1499, "differ": 1,
            "samples": [{ "profile": PROFILE, "one": "SE", "other": "NO" }],
        }],
    })
}

/// `GET /v1/fields/{name}/claims`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    let claim = json!({
        "by": "crm", "value": "SE", "observed_at": "2026-11-20T10:00:00Z", "cause": "12-345", "visible": true,
    });
    let page = json!({ "items": [{ "profile": PROFILE, "claims": [claim] }] });
    named(call.is("listClaims", Tag::Admin, "Read every capability's claims for a field"))
        .query::<ClaimsParams>()
        .takes(PURPOSE)
        .answers::<Page<ProfileClaims<'_>>>(StatusCode::OK, "A page of profiles", page)
        .problems(&[
            Kind::CursorInvalid,
            Kind::UnknownProfile,
            Kind::UnknownIdentifier,
            Kind::IdentifierInvalid,
            Kind::ReferenceInvalid,
            Kind::PurposeInvalid,
            Kind::AuditUnavailable,
        ])
}

/// `GET /v1/fields/{name}/disagreements`.
pub fn disagreements(call: Operation<'_>) -> Operation<'_> {
    named(call.is("showDisagreements", Tag::Admin, "Show where capabilities agree and differ about a field"))
        .details("Counts are exact. The field's `compare` decides which values are equal.")
        .takes(PURPOSE)
        .answers::<FieldDisagreements<'_>>(
            StatusCode::OK,
            "Each pair of capabilities with claims for it",
            of_country(),
        )
        .problems(&[Kind::PurposeInvalid, Kind::AuditUnavailable])
}

/// `GET /v1/disagreements`.
pub fn all_disagreements(call: Operation<'_>) -> Operation<'_> {
    call.is("listDisagreements", Tag::Admin, "Show where capabilities agree and differ, for every field")
        .details("The list has fields for which at least two capabilities make claims.")
        .query::<ListParams>()
        .takes(PURPOSE)
        .answers::<Page<FieldDisagreements<'_>>>(
            StatusCode::OK,
            "A page of fields",
            json!({ "items": [of_country()] }),
        )
        .problems(&[Kind::CursorInvalid, Kind::PurposeInvalid, Kind::AuditUnavailable])
}

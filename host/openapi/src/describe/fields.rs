//! The dictionary: fields, their sources, identifiers.

use http::StatusCode;
use samsyn_vocabulary::{FieldName, IdentifierName};
use samsyn_wire::catalogue::Kind;
use samsyn_wire::media::JSON;
use samsyn_wire::query::{ListParams, Why};
use samsyn_wire::request::{Deprecation, FieldDefinition, IdentifierDefinition};
use samsyn_wire::{Field, Identifier, Page, ProfileConflicts};
use serde_json::{Value, json};

use super::PROFILE;
use crate::operation::{Operation, Tag};

/// FIELD, in examples.
pub(super) fn first_name() -> Value {
    json!({
        "name": "first_name", "type": "text", "one_of": [], "schema": null, "unit": null,
        "description": "As the customer wants to be called", "class": "personal", "department": "CRM team",
        "identifies": null, "protective": false, "compare": "caseless", "deprecated": null,
        "status": "defined", "proposed_by": null, "source": "crm", "inherits": [],
        "claimed_by": ["crm", "sms"], "consumed_by": ["email"],
    })
}

/// A call with a field's name in its path.
pub(super) fn named(call: Operation<'_>) -> Operation<'_> {
    call.path::<FieldName>("name", "Which field", "first_name").problems(&[Kind::FieldNotFound])
}

/// `GET /v1/fields`.
pub fn list(call: Operation<'_>) -> Operation<'_> {
    call.is("listFields", Tag::Admin, "List the fields of the profile")
        .query::<ListParams>()
        .answers::<Page<Field>>(StatusCode::OK, "A page", json!({ "items": [first_name()] }))
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/fields/{name}`.
pub fn show(call: Operation<'_>) -> Operation<'_> {
    named(call.is("showField", Tag::Admin, "Read a field's definition, its source and its consumers"))
        .answers::<Field>(StatusCode::OK, "The field", first_name())
}

/// `PUT /v1/fields/{name}`.
pub fn define(call: Operation<'_>) -> Operation<'_> {
    let definition = json!({
        "type": "text", "one_of": ["S", "M", "L"], "description": "Size of clothes", "class": "personal",
    });
    let answer = json!({
        "name": "size", "type": "text", "one_of": ["S", "M", "L"], "schema": null, "unit": null,
        "description": "Size of clothes", "class": "personal", "department": null, "identifies": null,
        "protective": false, "compare": "exact", "deprecated": null, "status": "defined", "proposed_by": null,
        "source": null, "inherits": [],
        "claimed_by": [], "consumed_by": [],
    });
    call.is("defineField", Tag::Admin, "Define or change a field")
        .details("This doesn't change the source: another call assigns it.")
        .path::<FieldName>("name", "Which field", "size")
        .query::<Why>()
        .json::<FieldDefinition>(
            JSON,
            &[("a text of three values", definition), ("an integer", json!({ "type": "integer" }))],
        )
        .answers::<Field>(StatusCode::OK, "The field as it is now", answer)
        .leads(StatusCode::OK, "showField", "name", "$response.body#/name")
        .leads(StatusCode::OK, "assignSource", "name", "$response.body#/name")
        .problems(&[
            Kind::NameInvalid,
            Kind::DefinitionInvalid,
            Kind::FieldTypeConflict,
            Kind::UnknownIdentifier,
            Kind::LogFailed,
        ])
}

/// `POST /v1/fields/{name}/accept`.
pub fn accept(call: Operation<'_>) -> Operation<'_> {
    named(call.is("acceptField", Tag::Admin, "Accept a field that a plug-in added"))
        .details("The capability becomes its source. A field that is defined already doesn't change.")
        .query::<Why>()
        .answers::<Field>(StatusCode::OK, "The field as it is now", first_name())
        .problems(&[Kind::NotDeclared, Kind::LogFailed])
}

/// `POST /v1/fields/{name}/deprecate`.
pub fn deprecate(call: Operation<'_>) -> Operation<'_> {
    named(call.is("deprecateField", Tag::Admin, "Mark a field as deprecated"))
        .details("The field keeps working. Installing a plug-in that reads it shows a warning.")
        .query::<Why>()
        .json::<Deprecation>(
            JSON,
            &[("deprecated", json!({ "note": "use email" })), ("not any more", json!({ "note": null }))],
        )
        .answers::<Field>(StatusCode::OK, "The field as it is now", first_name())
        .problems(&[Kind::DefinitionInvalid, Kind::LogFailed])
}

/// `DELETE /v1/fields/{name}`.
pub fn remove(call: Operation<'_>) -> Operation<'_> {
    named(call.is("removeField", Tag::Admin, "Remove a field that no capability sources or reads"))
        .query::<Why>()
        .answers_nothing(StatusCode::NO_CONTENT, "Removed")
        .problems(&[Kind::FieldInUse, Kind::LogFailed])
}

/// `GET /v1/identifiers`.
pub fn list_identifiers(call: Operation<'_>) -> Operation<'_> {
    let page = json!({ "items": [{ "name": "customer_id", "normaliser": "exact", "strength": 10, "rejected_values": ["null"] }] });
    call.is("listIdentifiers", Tag::Admin, "List the identifiers of customers")
        .query::<ListParams>()
        .answers::<Page<Identifier>>(StatusCode::OK, "A page", page)
        .problems(&[Kind::CursorInvalid])
}

/// `GET /v1/identifiers/conflicts`.
pub fn list_conflicts(call: Operation<'_>) -> Operation<'_> {
    let conflict = json!({ "identifier": "email", "value": "family@example.com", "belongs_to": PROFILE });
    let page = json!({ "items": [{ "profile": PROFILE, "conflicts": [conflict] }] });
    call.is("listIdentifierConflicts", Tag::Admin, "List customers who share an identifier")
        .query::<ListParams>()
        .answers::<Page<ProfileConflicts<'_>>>(StatusCode::OK, "A page, by profile", page)
        .problems(&[Kind::CursorInvalid, Kind::PurposeInvalid, Kind::AuditUnavailable])
}

/// `PUT /v1/identifiers/{name}`.
pub fn define_identifier(call: Operation<'_>) -> Operation<'_> {
    let answer = json!({ "name": "phone", "normaliser": "phone", "strength": 5, "country": "SE",
                         "rejected_values": ["null"] });
    call.is("defineIdentifier", Tag::Admin, "Define or change an identifier")
        .path::<IdentifierName>("name", "Which identifier", "email")
        .query::<Why>()
        .json::<IdentifierDefinition>(
            JSON,
            &[
                ("e-mail", json!({ "normaliser": "email", "strength": 5 })),
                ("phone", json!({ "normaliser": "phone", "strength": 5, "country": "SE" })),
            ],
        )
        .answers::<Identifier>(StatusCode::OK, "The identifier as it is now", answer)
        .problems(&[Kind::NameInvalid, Kind::DefinitionInvalid, Kind::LogFailed])
}

//! What a client reads of each answer: one type for each, and nothing that the host says is lost in it.
//! Every example of the description, and every answer that a test gets, is read and written again.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    AssignAnswer, AuditedChange, AuditedRead, Call, Capability, Endpoint, EndpointChange, EndpointTest,
    Event, Field, FieldDisagreements, Health, Identifier, InstallPlan, Installed, Jobs, Limits, LogHead,
    MadeToken, Matched, NothingTaken, OneAnswer, Outgoing, OutgoingChange, Page, ParkedDelivery, Problem,
    Profile, ProfileClaims, ProfileConflicts, ProposalTaken, Readiness, RefusalPage, RegistryGraph,
    RegistryPlan, RegistryReport, Replay, Replays, Retention, Secret, Snapshots, Status, Taken, Timeline,
    Timer, TimersResumed, Token,
};

/// Reads an answer as its type, and writes it again.
pub type Through = fn(&str) -> serde_json::Result<Value>;

/// The type of each JSON answer, by the operation and the status.
pub const ANSWERS: &[(&str, u16, Through)] = &[
    ("acceptField", 200, through::<Field>),
    ("applyRegistry", 200, through::<RegistryPlan<'_>>),
    ("approveUpgrade", 200, through::<Installed<'_>>),
    ("assignSource", 200, through::<OneAnswer<'_>>),
    ("assignSources", 200, through::<AssignAnswer<'_>>),
    ("bindEndpoint", 200, through::<EndpointChange>),
    ("changeGrant", 200, through::<Capability<'_>>),
    ("defineField", 200, through::<Field>),
    ("defineIdentifier", 200, through::<Identifier>),
    ("deprecateField", 200, through::<Field>),
    ("drawRegistry", 200, through::<RegistryGraph>),
    ("installCapability", 200, through::<InstallPlan>),
    ("installCapability", 201, through::<Installed<'_>>),
    ("installCapability", 202, through::<Installed<'_>>),
    ("listCapabilities", 200, through::<Page<Capability<'_>>>),
    ("listChanges", 200, through::<Page<AuditedChange>>),
    ("listClaims", 200, through::<Page<ProfileClaims<'_>>>),
    ("listDisagreements", 200, through::<Page<FieldDisagreements<'_>>>),
    ("listEndpoints", 200, through::<Page<Endpoint>>),
    ("listFields", 200, through::<Page<Field>>),
    ("listIdentifierConflicts", 200, through::<Page<ProfileConflicts<'_>>>),
    ("listIdentifiers", 200, through::<Page<Identifier>>),
    ("listJobs", 200, through::<Jobs>),
    ("listParked", 200, through::<Page<ParkedDelivery>>),
    ("listReads", 200, through::<Page<AuditedRead>>),
    ("listRefusals", 200, through::<RefusalPage>),
    ("listReplays", 200, through::<Replays>),
    ("listSecrets", 200, through::<Page<Secret>>),
    ("listSnapshots", 200, through::<Snapshots>),
    ("listCalls", 200, through::<Page<Call>>),
    ("showCall", 200, through::<Call>),
    ("retryCall", 200, through::<Call>),
    ("settleCall", 200, through::<Call>),
    ("listTimers", 200, through::<Page<Timer>>),
    ("listTokens", 200, through::<Page<Token>>),
    ("lookUpProfile", 200, through::<Profile<'_>>),
    ("makeSnapshot", 202, through::<Snapshots>),
    ("makeToken", 200, through::<MadeToken>),
    ("makeToken", 201, through::<MadeToken>),
    ("pauseEndpoint", 200, through::<EndpointChange>),
    ("pauseOutgoing", 200, through::<OutgoingChange>),
    ("planRegistry", 200, through::<RegistryPlan<'_>>),
    ("proposeValues", 200, through::<Event<'_>>),
    ("proposeValues", 202, through::<ProposalTaken>),
    ("rejectUpgrade", 200, through::<Capability<'_>>),
    ("releaseCapability", 200, through::<Capability<'_>>),
    ("reportSilos", 200, through::<RegistryReport>),
    ("resumeEndpoint", 200, through::<EndpointChange>),
    ("resumeOutgoing", 200, through::<OutgoingChange>),
    ("resumeTimers", 200, through::<TimersResumed>),
    ("retainLog", 200, through::<Retention>),
    ("retireSecret", 200, through::<Secret>),
    ("retryParked", 202, through::<Matched>),
    ("rotateSecret", 200, through::<Secret>),
    ("setCapability", 200, through::<Capability<'_>>),
    ("setSecret", 200, through::<Secret>),
    ("showCapability", 200, through::<Capability<'_>>),
    ("showDisagreements", 200, through::<FieldDisagreements<'_>>),
    ("showEndpoint", 200, through::<Endpoint>),
    ("showEvent", 200, through::<Event<'_>>),
    ("showField", 200, through::<Field>),
    ("showHealth", 200, through::<Health>),
    // OpenAPI's own form.
    ("showInterface", 200, through::<Map<String, Value>>),
    ("showLimits", 200, through::<Limits>),
    ("showLogHead", 200, through::<LogHead>),
    ("showOutgoing", 200, through::<Outgoing>),
    ("showProfile", 200, through::<Profile<'_>>),
    ("showReadiness", 200, through::<Readiness>),
    ("showReplay", 200, through::<Replay>),
    ("showStatus", 200, through::<Status>),
    ("showTimeline", 200, through::<Timeline<'_>>),
    ("showToken", 200, through::<Token>),
    ("skipParked", 202, through::<Matched>),
    ("startReplay", 202, through::<Replay>),
    ("stopReplay", 200, through::<Replay>),
    ("takeEvents", 200, through::<Event<'_>>),
    ("takeEvents", 202, through::<Taken>),
    ("takeEvents", 422, through::<NothingTaken>),
    ("testEndpoint", 200, through::<EndpointTest>),
    ("unbindEndpoint", 200, through::<EndpointChange>),
];

fn through<T: DeserializeOwned + Serialize>(answer: &str) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_str::<T>(answer)?)
}

/// Whether the type of an operation's answer holds all of it.
pub fn check(operation: &str, status: u16, answer: &str) -> Result<(), String> {
    let found = ANSWERS.iter().find(|(id, of, _)| (*id, *of) == (operation, status));
    let (.., through) = found.ok_or_else(|| format!("{operation} has no type for {status} in the table"))?;
    is_whole(*through, answer)
}

/// Whether the type of a problem holds all of one.
pub fn check_problem(answer: &str) -> Result<(), String> {
    is_whole(through::<Problem<'_>>, answer)
}

fn is_whole(through: Through, answer: &str) -> Result<(), String> {
    let said: Value = serde_json::from_str(answer).map_err(|error| format!("no JSON: {error}"))?;
    let read = through(answer).map_err(|error| format!("a client can't read it: {error}"))?;
    if same(&said, &read) { Ok(()) } else { Err(format!("a client reads {read}")) }
}

/// The same JSON; 1 and 1.0 are one number.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

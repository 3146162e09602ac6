//! Endpoints, the systems that capabilities call: what is requested, what is bound, and what a change would change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Lenient;
use samsyn_contract::calls::{
    AuthKind, BaseUrl, KeyHeader, Method, Network, Rate, Reaches, Repeat, Size, Span,
};
use samsyn_registry::EndpointState;
use samsyn_registry::endpoint::{Auth, ClientCertificate, EndpointAction, Proxy};
use samsyn_vocabulary::{Application, CapabilityName, EndpointName, Reason, SecretName, Timestamp};

/// An endpoint: a system that a capability calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Endpoint {
    /// The capability that calls it.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// Its name in the capability's manifest.
    #[schemars(with = "EndpointName")]
    pub name: String,
    /// Whether its calls are sent.
    #[schemars(with = "EndpointState")]
    pub state: String,
    /// What the manifest requests.
    pub requested: RequestedEndpoint,
    /// What an administrator bound; null if it isn't bound.
    pub binding: Option<BoundEndpoint>,
    /// The secrets that it needs.
    #[schemars(with = "Vec<SecretName>")]
    pub secrets: Vec<String>,
    /// Set while it is paused.
    pub paused: Option<Pause>,
}

/// What a manifest requests of an endpoint, with its defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RequestedEndpoint {
    /// What the calls are for.
    pub reason: String,
    /// The address that its author suggests.
    #[schemars(with = "Option<BaseUrl>")]
    pub url: Option<String>,
    #[schemars(with = "Vec<Method>")]
    pub methods: Vec<String>,
    /// The authentication that its author expects.
    #[schemars(with = "Option<AuthKind>")]
    pub auth: Option<Value>,
    /// What happens to an exchange without a known answer.
    #[schemars(with = "Repeat")]
    pub repeat: String,
    /// With `keyed`: how the system recognises a request that it has seen.
    #[schemars(with = "Option<KeyHeader>")]
    pub key: Option<Value>,
    /// Whom it reaches.
    #[schemars(with = "Reaches")]
    pub reaches: String,
    /// How many requests in which time.
    #[schemars(with = "Rate")]
    pub rate: String,
    /// Exchanges at the same time.
    pub parallel: u32,
    /// The time for one attempt.
    #[schemars(with = "Span")]
    pub timeout: String,
    /// The largest answer.
    #[schemars(with = "Size")]
    pub answer_max: String,
    /// How the host makes requests of rows; null: the plug-in makes them itself.
    pub rows: Option<RequestedRows>,
}

/// How the host makes requests of the rows of many customers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct RequestedRows {
    /// The path of each request, below the base.
    pub path: String,
    /// Its method.
    #[schemars(with = "Method")]
    pub method: String,
    /// How rows become one body.
    #[schemars(extend("enum" = ["ndjson", "json", "csv"]))]
    pub format: String,
    /// With `csv`: the names of the columns.
    pub columns: Vec<String>,
    /// Rows of one request, at the most.
    pub max: usize,
    /// The largest body.
    #[schemars(with = "Size")]
    pub bytes: String,
    /// How long a row waits for others at the most.
    #[schemars(with = "Span")]
    pub wait: String,
}

/// What an endpoint is bound to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct BoundEndpoint {
    /// Where every request begins.
    #[schemars(with = "BaseUrl")]
    pub url: String,
    /// The methods that may be used.
    #[schemars(with = "Vec<Method>")]
    pub methods: Vec<String>,
    /// How the system knows its callers, with secrets by name.
    #[schemars(with = "Auth")]
    pub auth: Value,
    /// What happens to an exchange without a known answer.
    #[schemars(with = "Repeat")]
    pub repeat: String,
    /// With `keyed`: how the system recognises a request that it has seen.
    #[schemars(with = "Option<KeyHeader>")]
    pub key: Option<Value>,
    /// How many requests in which time.
    #[schemars(with = "Rate")]
    pub rate: String,
    /// Exchanges at the same time.
    pub parallel: u32,
    /// The time for one attempt.
    #[schemars(with = "Span")]
    pub timeout: String,
    /// The largest answer.
    #[schemars(with = "Size")]
    pub answer_max: String,
    /// The networks that every address of the system must be in; empty: the internet.
    #[schemars(with = "Vec<Network>")]
    pub networks: Vec<String>,
    /// A file of certificates on the host that are trusted instead of the public ones.
    pub ca_file: Option<String>,
    /// The certificate that the host shows to the system.
    #[schemars(with = "Option<ClientCertificate>")]
    pub client_certificate: Option<Value>,
    /// The proxy through which the system is reached.
    #[schemars(with = "Option<Proxy>")]
    pub proxy: Option<Value>,
    /// Whom it reaches.
    #[schemars(with = "Reaches")]
    pub reaches: String,
    /// True: an administrator allowed a service that sends messages to people.
    pub message_api: bool,
}

/// A pause of an endpoint, or of all sending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Pause {
    /// The application that paused it; `host` if the host did.
    #[schemars(with = "Application")]
    pub by: String,
    /// Why.
    #[schemars(with = "Reason")]
    pub reason: String,
    /// Since when.
    pub at: Lenient<Timestamp>,
}

/// What a change of an endpoint would change, or has changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EndpointPlan {
    /// The revision of the registry that the plan is for.
    pub revision: u64,
    #[schemars(with = "EndpointAction")]
    pub action: String,
    /// True: nothing changes.
    pub unchanged: bool,
    /// The state before.
    #[schemars(with = "EndpointState")]
    pub before: String,
    /// The state after.
    #[schemars(with = "EndpointState")]
    pub after: String,
    /// What of the binding changes, a line each, such as `parallel: 4 → 8`.
    pub changes: Vec<String>,
    /// True: it is another system or another account then. Exchanges in doubt end as unknown.
    pub other_account: bool,
    /// The secrets that it needs then.
    #[schemars(with = "Vec<SecretName>")]
    pub secrets: Vec<String>,
    /// What to know first.
    pub warnings: Vec<String>,
}

/// The answer to a change of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EndpointChange {
    /// False: the request was a dry run, or nothing changed.
    pub applied: bool,
    pub plan: EndpointPlan,
    /// The endpoint as it is now.
    pub endpoint: Endpoint,
}

/// What came of a test of an endpoint: one request that changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EndpointTest {
    /// The capability that calls it.
    #[schemars(with = "CapabilityName")]
    pub capability: String,
    /// Its name in the capability's manifest.
    #[schemars(with = "EndpointName")]
    pub name: String,
    /// The method of the request; null if none may be used.
    #[schemars(with = "Option<Method>")]
    pub method: Option<String>,
    /// Where the request was sent, or would have been sent.
    pub url: String,
    /// True: the system answered with a status below 400.
    pub ok: bool,
    /// `no`: nothing left the host. `answered`: the answer is complete. `unknown`: there is no complete answer.
    #[schemars(extend("enum" = ["no", "answered", "unknown"]))]
    pub sent: String,
    /// The status of the answer.
    pub status: Option<u16>,
    /// What went wrong, a stable word such as `dns`, `tls`, `secret-missing` or `credentials-refused`; null if nothing
    /// did.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub next: Option<String>,
    /// What was done before the answer or the failure, in order.
    pub steps: Vec<EndpointTestStep>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// A step of a test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EndpointTestStep {
    /// `token`: the authorization server gave an access token. `addresses`: the host was looked up, and its addresses
    /// are allowed. `connected`, `tunnel` (through the proxy), `tls`, `answer`.
    #[schemars(extend("enum" = ["token", "addresses", "connected", "tunnel", "tls", "answer"]))]
    pub step: String,
    /// The addresses, the version of TLS, or the status; empty if there is nothing to say.
    pub detail: String,
    /// When it was done, in milliseconds from the start.
    pub after_ms: u64,
}

/// Whether calls are sent at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct Outgoing {
    /// Set while nothing is sent to any endpoint.
    pub paused: Option<Pause>,
    /// The number of endpoints by state.
    pub endpoints: EndpointCounts,
}

/// How many endpoints are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct EndpointCounts {
    /// Requested by a manifest, and not bound.
    pub requested: usize,
    /// Revoked by an administrator.
    pub revoked: usize,
    /// Bound, and not paused.
    pub bound: usize,
    /// Bound and paused.
    pub paused: usize,
}

/// The answer to a change of whether calls are sent at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct OutgoingChange {
    /// False: the request was a dry run, or nothing changed.
    pub applied: bool,
    /// The revision of the registry that the plan is for.
    pub revision: u64,
    /// True: nothing changes.
    pub unchanged: bool,
    /// The endpoints that it is about: bound, and not paused themselves.
    pub endpoints: usize,
    /// Whether calls are sent, as it is now.
    pub outgoing: Outgoing,
}

/// A capability's endpoint in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct CapabilityEndpoint {
    #[schemars(with = "EndpointName")]
    pub name: String,
    #[schemars(with = "EndpointState")]
    pub state: String,
}

/// An endpoint that a plug-in would call, once it is bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(!default)]
pub struct PlannedCall {
    #[schemars(with = "EndpointName")]
    pub name: String,
    /// True: it is new, or requests more than before.
    pub new: bool,
    /// The state after the installation.
    #[schemars(with = "EndpointState")]
    pub state: String,
    pub requested: RequestedEndpoint,
}

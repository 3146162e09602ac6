//! The HTTP client of the `samsyn` command: blocking, typed, one method a request of docs/http.md.
//!
//! An answer keeps the host's own text beside what was read from it, so `--json` prints exactly
//! what the host said. TLS is as `tls` has it.
//!
//! | file | what it has |
//! |---|---|
//! | `call` · `problem` · `tls` | one request before it is made, what it can come to, and whom it trusts |
//! | `registry_calls` · `assignment` · `endpoint` · `token` · `secret` · `replay` · `storage` | the calls about each |
//! | `answer` | what became of a batch |
//!
//! What is sent and answered is of the crate [`wire`].
//!
//! It must not know the host's insides, nor what a command prints.

mod answer;
mod assignment;
mod call;
mod endpoint;
mod problem;
mod registry_calls;
mod replay;
mod secret;
mod storage;
mod tls;
mod token;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use call::{Call, Sent, install_call, narrowed, percent_encoded, profile_path, to_bytes};
use samsyn_vocabulary::{Reason, Timestamp};
use samsyn_wire::Call as PluginCall;
use samsyn_wire::request::{LookUp, NewEventList, ParkedSelection, ParkedSkip, ProfilePatch, SettingsPatch};
use samsyn_wire::{
    AuditedChange, AuditedRead, Capability, Event, Field, Identifier, InstallPlan, Installed, Limits,
    ListedRefusal, LogHead, Matched, Page, ParkedDelivery, Profile, Readiness, RefusalPage, RegistryReport,
    SentEvent, Status, TakenEvents, TimelineStep, Timer, TimersResumed,
};

pub use answer::BatchAnswer;
pub use call::InstallHow;
pub use endpoint::ChangeHow;
pub use problem::{ClientError, Problem};
pub use replay::Replay;
pub use samsyn_wire as wire;

/// How long to try to reach the host. It is near; a second is long already.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take: installing compiles a component, which may take many seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// A longer body is sent only when the host has said that it reads it, or has said nothing for a second.
const ASKED_FIRST_BYTES: usize = 1 << 20;
/// The longest answer taken. A page is at most 1,000 items; claims make a profile long.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How many items to ask for at once when a whole list is wanted: the host's own limit.
const PAGE_ITEMS: usize = 1_000;
/// Idle connections kept: one for each import lane and some to spare.
const IDLE_CONNECTIONS: usize = 16;

/// An answer: what was read from it, and its text as the host wrote it.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub raw: String,
    /// The body, read.
    pub body: T,
}

/// One element of a list: what was read from it, and its own text.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The element's JSON as it came.
    pub raw: Box<RawValue>,
    /// The element, read.
    pub body: T,
}

/// A list, and whether the host has more than was asked for.
#[derive(Debug)]
pub struct List<T> {
    /// The elements, in the host's order.
    pub items: Vec<Listed<T>>,
    /// Whether there are more.
    pub more: bool,
}

/// Talks to one host with one token. Cheap to share between threads.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    host: String,
    token: Option<String>,
    application: Option<String>,
}

impl Client {
    /// A client for `host` (`http://127.0.0.1:7400`), with the token and the application whose
    /// name its events are sent under. For `https://` it trusts what the system trusts. Fails when
    /// `host` is no such address; connects to nothing yet.
    pub fn new(
        host: &str,
        token: Option<String>,
        application: Option<String>,
    ) -> Result<Client, ClientError> {
        Client::trusting(host, token, application, None)
    }

    /// The same, which trusts the certificates in this PEM file and no others.
    pub fn trusting(
        host: &str,
        token: Option<String>,
        application: Option<String>,
        ca: Option<&Path>,
    ) -> Result<Client, ClientError> {
        let host = host.trim_end_matches('/').to_owned();
        let bad_host = |why: &str| ClientError::BadHost { host: host.clone(), why: why.to_owned() };
        let uri: ureq::http::Uri = host.parse().map_err(|_| bad_host("it is not an address"))?;
        let is_https = uri.scheme_str() == Some("https");
        if !(is_https || uri.scheme_str() == Some("http")) || uri.host().is_none() {
            return Err(bad_host("it must start with http:// or https:// and have a host name"));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A token goes to the host that was named and nowhere else.
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .user_agent(concat!("samsyn/", env!("CARGO_PKG_VERSION")));
        // Reading the system's certificates takes a moment that plain HTTP needn't spend.
        let agent = if is_https { agent.tls_config(tls::config(ca)?) } else { agent };
        let agent = agent.build().new_agent();
        Ok(Client { agent, host, token, application })
    }

    /// The host's address, without a slash at its end.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Sends one event, a [`NewEvent`](wire::request::NewEvent) or its JSON. `wait` seconds (1 to 30) for its
    /// decision; the answer is then the decided event, unless the time ran out.
    pub fn send_event(
        &self,
        event: &impl Serialize,
        wait: Option<u32>,
    ) -> Result<Answer<SentEvent>, ClientError> {
        self.call(Call::new("POST", "/v1/events").json(event)?.wait(wait))
    }

    /// Sends a batch that is JSON already. Some or all of its events may have been refused; each
    /// element of the answer says so. Its ids may have been sent before, since that time.
    pub fn send_batch(&self, events: &[&str], since: Option<Timestamp>) -> Result<BatchAnswer, ClientError> {
        let mut call = Call::new("POST", "/v1/events");
        call.ids_since = since;
        call.sent = Sent::Json(NewEventList::of_texts(events));
        let (status, raw, retry_after) = self.exchange(call)?;
        // When no event could be taken the status is 422, with the same body.
        if matches!(status, 202 | 422)
            && let Ok(TakenEvents { events, .. }) = serde_json::from_str(&raw)
        {
            return Ok(BatchAnswer { events, retry_after });
        }
        Err(problem_or_unreadable(status, raw, retry_after))
    }

    /// What one request may hold, and how far ids are remembered; none when the host is of a
    /// version that doesn't say.
    pub fn limits(&self) -> Result<Option<Limits>, ClientError> {
        match self.call(Call::new("GET", "/v1/limits")) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(ClientError::Refused(problem)) if problem.status == 404 => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// An event by its id (of this application) or position; none when the host doesn't know it.
    pub fn event(&self, id: &str) -> Result<Option<Answer<Event<'static>>>, ClientError> {
        match self.call(Call::new("GET", format!("/v1/events/{}", percent_encoded(id)))) {
            Ok(answer) => Ok(Some(answer)),
            Err(ClientError::Refused(problem)) if problem.status == 404 => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// What capabilities refused of events; each pair is a filter of docs/http.md.
    pub fn refusals(
        &self,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<ListedRefusal>, ClientError> {
        self.list("/v1/refusals", filters, limit)
    }

    /// One page of that list, from these positions on (`12-345`, with commas between them); none when the
    /// host is of a version that has no such list.
    pub fn refusals_page(
        &self,
        since: &str,
        limit: u64,
        cursor: Option<&str>,
    ) -> Result<Option<RefusalPage>, ClientError> {
        let mut call = Call::new("GET", "/v1/refusals").query("since", since).query("limit", limit);
        if let Some(cursor) = cursor {
            call = call.query("cursor", cursor);
        }
        match self.call(call) {
            Ok(answer) => Ok(Some(answer.body)),
            Err(ClientError::Refused(problem)) if problem.status == 404 => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// A profile by its id or `identifier:value`. Use [`Client::lookup`] for personal data.
    pub fn profile(
        &self,
        reference: &str,
        fields: &[String],
        claims: bool,
    ) -> Result<Answer<Profile<'static>>, ClientError> {
        let call = Call::new("GET", profile_path(reference, ""));
        self.call(narrowed(call, fields, claims))
    }

    /// A profile by one identifier, in the body, so that personal data is in no URL.
    pub fn lookup(
        &self,
        identifier: &str,
        value: &str,
        fields: &[String],
        claims: bool,
    ) -> Result<Answer<Profile<'static>>, ClientError> {
        let body = LookUp { identifier: identifier.into(), value };
        let call = Call::new("POST", "/v1/profiles/lookup").json(&body)?;
        self.call(narrowed(call, fields, claims))
    }

    /// Proposes values for a profile's fields; null proposes to clear one.
    pub fn propose(
        &self,
        reference: &str,
        fields: &impl Serialize,
        wait: Option<u32>,
    ) -> Result<Answer<SentEvent>, ClientError> {
        let mut call = Call::new("PATCH", profile_path(reference, "")).wait(wait);
        call.sent = Sent::MergePatch(to_bytes(&ProfilePatch { fields })?);
        self.call(call)
    }

    /// What happened to a profile, newest first, at most `limit` items.
    pub fn timeline(
        &self,
        reference: &str,
        limit: usize,
    ) -> Result<List<TimelineStep<'static>>, ClientError> {
        self.list(&profile_path(reference, "/timeline"), &[], limit)
    }

    /// All fields.
    pub fn fields(&self) -> Result<List<Field>, ClientError> {
        self.list("/v1/fields", &[], usize::MAX)
    }

    /// One field.
    pub fn field(&self, name: &str) -> Result<Answer<Field>, ClientError> {
        self.call(Call::new("GET", format!("/v1/fields/{}", percent_encoded(name))))
    }

    /// All identifiers.
    pub fn identifiers(&self) -> Result<List<Identifier>, ClientError> {
        self.list("/v1/identifiers", &[], usize::MAX)
    }

    /// All capabilities.
    pub fn capabilities(&self) -> Result<List<Capability<'static>>, ClientError> {
        self.list("/v1/capabilities", &[], usize::MAX)
    }

    /// One capability.
    pub fn capability(&self, name: &str) -> Result<Answer<Capability<'static>>, ClientError> {
        self.call(Call::new("GET", format!("/v1/capabilities/{}", percent_encoded(name))))
    }

    /// What installing this component would change. Changes nothing.
    pub fn plan(&self, component: &[u8], how: InstallHow<'_>) -> Result<Answer<InstallPlan>, ClientError> {
        self.call(install_call(component, how).flag("dry_run", true))
    }

    /// Installs a component.
    pub fn install(
        &self,
        component: &[u8],
        how: InstallHow<'_>,
    ) -> Result<Answer<Installed<'static>>, ClientError> {
        self.call(install_call(component, how))
    }

    /// Changes a capability's settings; null puts one back to its default.
    pub fn set_settings(
        &self,
        capability: &str,
        settings: &SettingsPatch<serde_json::Map<String, serde_json::Value>>,
        dry_run: bool,
        reason: Option<&Reason>,
    ) -> Result<Answer<Capability<'static>>, ClientError> {
        let path = format!("/v1/capabilities/{}/settings", percent_encoded(capability));
        let mut call = Call::new("PATCH", path).flag("dry_run", dry_run).reason(reason);
        call.sent = Sent::MergePatch(to_bytes(settings)?);
        self.call(call)
    }

    /// Ends a capability's quarantine.
    pub fn release(
        &self,
        capability: &str,
        reason: Option<&Reason>,
    ) -> Result<Answer<Capability<'static>>, ClientError> {
        let path = format!("/v1/capabilities/{}/release", percent_encoded(capability));
        self.call(Call::new("POST", path).reason(reason))
    }

    /// Removes a capability; its claims stay visible to administrators.
    pub fn remove(&self, capability: &str, force: bool, reason: Option<&Reason>) -> Result<(), ClientError> {
        let path = format!("/v1/capabilities/{}", percent_encoded(capability));
        self.call_for_nothing(Call::new("DELETE", path).flag("force", force).reason(reason))
    }

    /// Parked and held deliveries; each pair is a filter of docs/http.md.
    pub fn parked(
        &self,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<ParkedDelivery>, ClientError> {
        self.list("/v1/parked", filters, limit)
    }

    /// Timers that are set, in the order in which they fire; each pair is a filter of docs/http.md.
    pub fn timers(
        &self,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<Timer>, ClientError> {
        self.list("/v1/timers", filters, limit)
    }

    /// Calls of plug-ins that wait or ended badly; each pair is a filter of docs/http.md.
    pub fn plugin_calls(
        &self,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<PluginCall>, ClientError> {
        self.list("/v1/calls", filters, limit)
    }

    /// A call of a plug-in.
    pub fn plugin_call(&self, id: &str) -> Result<Answer<PluginCall>, ClientError> {
        self.call(Call::new("GET", format!("/v1/calls/{}", percent_encoded(id))))
    }

    /// Sends a call that ended badly again.
    pub fn retry_call(&self, id: &str, reason: &str) -> Result<Answer<PluginCall>, ClientError> {
        let path = format!("/v1/calls/{}/retry", percent_encoded(id));
        self.call(Call::new("POST", path).query("reason", reason))
    }

    /// Says what is known of a call that ended badly: `done` or `not-done`.
    pub fn settle_call(
        &self,
        id: &str,
        verdict: &str,
        reason: &str,
    ) -> Result<Answer<PluginCall>, ClientError> {
        let path = format!("/v1/calls/{}/settle", percent_encoded(id));
        self.call(Call::new("POST", path).query("as", verdict).query("reason", reason))
    }

    /// Lets timers fire that are held.
    pub fn resume_timers(&self) -> Result<Answer<TimersResumed>, ClientError> {
        self.call(Call::new("POST", "/v1/timers/resume"))
    }

    /// Runs parked deliveries again.
    pub fn retry(&self, selection: &ParkedSelection) -> Result<Answer<Matched>, ClientError> {
        self.call(Call::new("POST", "/v1/parked/retry").json(selection)?)
    }

    /// Gives parked deliveries up, for a reason.
    pub fn skip(&self, selection: &ParkedSkip) -> Result<Answer<Matched>, ClientError> {
        self.call(Call::new("POST", "/v1/parked/skip").json(selection)?)
    }

    /// The audit of reads, newest first; each pair is a filter of docs/http.md.
    pub fn audit_reads(
        &self,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<AuditedRead>, ClientError> {
        self.list("/v1/audit/reads", filters, limit)
    }

    /// The audit of changes, newest first; each pair is a filter of docs/http.md.
    pub fn audit_changes(
        &self,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<AuditedChange>, ClientError> {
        self.list("/v1/audit/changes", filters, limit)
    }

    /// Where the host's logs stand.
    pub fn log_head(&self) -> Result<Answer<LogHead>, ClientError> {
        self.call(Call::new("GET", "/v1/log/head"))
    }

    /// How the host is.
    pub fn status(&self) -> Result<Answer<Status>, ClientError> {
        self.call(Call::new("GET", "/v1/status"))
    }

    /// Whether the host takes events; an error says why it doesn't. Needs no token.
    pub fn ready(&self) -> Result<Answer<Readiness>, ClientError> {
        self.call(Call::new("GET", "/readyz"))
    }

    /// What the host counts, in Prometheus' text.
    pub fn metrics(&self) -> Result<String, ClientError> {
        let (status, raw, retry_after) = self.exchange(Call::new("GET", "/metrics"))?;
        if status == 200 { Ok(raw) } else { Err(problem_or_unreadable(status, raw, retry_after)) }
    }

    /// The silo report of the registry.
    pub fn registry_report(&self) -> Result<Answer<RegistryReport>, ClientError> {
        self.call(Call::new("GET", "/v1/registry/report"))
    }

    /// The registry as a graph: `mermaid` or `json`, as the host writes it.
    pub fn registry_graph(&self, format: &str) -> Result<String, ClientError> {
        let (status, raw, retry_after) =
            self.exchange(Call::new("GET", "/v1/registry/graph").query("format", format))?;
        if status == 200 { Ok(raw) } else { Err(problem_or_unreadable(status, raw, retry_after)) }
    }

    /// Pages through a list until it ends or `limit` items are there.
    fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&'static str, String)],
        limit: usize,
    ) -> Result<List<T>, ClientError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let wanted = (limit - items.len()).clamp(1, PAGE_ITEMS);
            let mut call = Call::new("GET", path).query("limit", wanted);
            call.query.extend(filters.iter().cloned());
            if let Some(cursor) = &cursor {
                call = call.query("cursor", cursor);
            }
            let page: Answer<Page<Box<RawValue>>> = self.call(call)?;
            for raw in page.body.items {
                let body = serde_json::from_str(raw.get()).map_err(|cause| ClientError::Unreadable {
                    status: page.status,
                    cause: format!("an item of {path}: {cause}"),
                })?;
                items.push(Listed { raw, body });
            }
            let more = page.body.next.is_some() && page.body.next != cursor;
            if !more || items.len() >= limit {
                let more = more || items.len() > limit;
                items.truncate(limit);
                return Ok(List { items, more });
            }
            cursor = page.body.next;
        }
    }

    fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<Answer<T>, ClientError> {
        let (status, raw, retry_after) = self.exchange(call)?;
        if !(200..300).contains(&status) {
            return Err(problem_or_unreadable(status, raw, retry_after));
        }
        let body = serde_json::from_str(&raw)
            .map_err(|cause| ClientError::Unreadable { status, cause: cause.to_string() })?;
        Ok(Answer { status, raw, body })
    }

    fn call_for_nothing(&self, call: Call<'_>) -> Result<(), ClientError> {
        let (status, raw, retry_after) = self.exchange(call)?;
        if (200..300).contains(&status) {
            Ok(())
        } else {
            Err(problem_or_unreadable(status, raw, retry_after))
        }
    }

    /// Sends the call and reads the whole answer: status, text, and how long to wait before
    /// asking again.
    fn exchange(&self, call: Call<'_>) -> Result<(u16, String, Option<Duration>), ClientError> {
        let unreachable = |cause: ureq::Error| ClientError::Unreachable {
            host: self.host.clone(),
            cause: cause.to_string(),
            refused: matches!(&cause, ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused),
        };
        let mut request = ureq::http::Request::builder().method(call.method).uri(call.url(&self.host));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(application) = &self.application {
            request = request.header("Samsyn-Application", application);
        }
        if let Some(seconds) = call.wait {
            request = request.header("Prefer", format!("wait={seconds}"));
        }
        if let Some(since) = call.ids_since {
            request = request.header("Samsyn-Ids-Since", since.to_string());
        }
        let (content_type, bytes): (_, &[u8]) = match &call.sent {
            Sent::Nothing => ("", b""),
            Sent::Json(bytes) => ("application/json", bytes),
            Sent::MergePatch(bytes) => ("application/merge-patch+json", bytes),
            Sent::Wasm(bytes) => ("application/wasm", bytes),
            Sent::Toml(bytes) => ("application/toml", bytes),
            Sent::Text(bytes) => ("text/plain", bytes),
        };
        let unsendable = |cause: ureq::http::Error| ClientError::Unsendable { cause: cause.to_string() };
        let answer = if content_type.is_empty() {
            self.agent.run(request.body(()).map_err(unsendable)?)
        } else {
            let mut request = request.header("Content-Type", content_type);
            if bytes.len() > ASKED_FIRST_BYTES {
                // A host that won't take it says so before it is sent.
                request = request.header("Expect", "100-continue");
            }
            self.agent.run(request.body(bytes).map_err(unsendable)?)
        };
        let mut answer = answer.map_err(unreachable)?;
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let status = answer.status().as_u16();
        let raw =
            answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
        Ok((status, raw, retry_after))
    }
}

fn problem_or_unreadable(status: u16, raw: String, retry_after: Option<Duration>) -> ClientError {
    match Problem::read(raw, retry_after) {
        Ok(mut problem) => {
            problem.document.status = status;
            ClientError::Refused(Box::new(problem))
        }
        // A proxy's page, or no Samsyn at all.
        Err(text) => ClientError::Unreadable { status, cause: text.chars().take(200).collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_hosts_are_taken() {
        assert_eq!(
            Client::new("http://127.0.0.1:7400/", None, None).unwrap().host(),
            "http://127.0.0.1:7400"
        );
        for host in ["127.0.0.1:7400", "ftp://x", "http://", "not a host"] {
            assert!(matches!(Client::new(host, None, None), Err(ClientError::BadHost { .. })), "{host}");
        }
    }

    #[test]
    fn a_page_that_is_no_problem_document_is_told_apart() {
        let problem = problem_or_unreadable(503, r#"{"title":"Busy","code":"queue-full"}"#.into(), None);
        assert!(matches!(problem, ClientError::Refused(problem) if problem.code == "queue-full"));
        let page = problem_or_unreadable(502, "<html>Bad gateway".into(), None);
        assert!(matches!(page, ClientError::Unreadable { status: 502, .. }));
    }
}

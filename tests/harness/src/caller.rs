//! An application that calls a host over HTTP, and what it is answered.

use std::io::Read;
use std::sync::LazyLock;

use samsyn_api::openapi;
use samsyn_api::openapi::conformance::{Conformance, Seen};
use serde_json::{Value, json};

use crate::world::{PATIENCE, until_ok};

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn of(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        self.json()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are ASCII"))
    }

    /// The code of a problem document, after a look at what every one of them has.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:#?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        problem_code(&problem)
    }
}

/// The code of a problem document; each has its own type, says the place, and what to do next.
#[track_caller]
pub fn problem_code(problem: &Value) -> String {
    let code = problem["code"].as_str().unwrap_or_else(|| panic!("no code: {problem}"));
    assert_eq!(problem["type"], format!("/errors#{code}"), "{problem}");
    for member in ["title", "detail", "message", "next"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no {member}: {problem}");
    }
    code.to_owned()
}

/// What a capability's handler for the event came to.
#[track_caller]
pub fn outcome<'a>(event: &'a Value, capability: &str) -> &'a Value {
    let outcomes = event["outcomes"].as_array().into_iter().flatten();
    let mut own = outcomes.filter(|outcome| outcome["capability"] == capability);
    own.next().unwrap_or_else(|| panic!("{capability} has no outcome: {event}"))
}

/// Holds an answer against what `/openapi.json` says.
#[track_caller]
fn assert_described(method: &str, path: &str, answer: &Answer) {
    static DESCRIPTION: LazyLock<Conformance> = LazyLock::new(|| Conformance::new(openapi::document()));
    let Answer { status, text, .. } = answer;
    let content_type = answer.header("content-type");
    DESCRIPTION.check(Seen { method, path, status: *status, content_type, body: text });
}

/// How to call a host; for a thread of its own.
#[derive(Clone)]
pub struct Caller {
    pub url: String,
    pub token: String,
    agent: ureq::Agent,
}

impl Caller {
    pub fn new(url: String, token: String) -> Caller {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(PATIENCE));
        Caller { url, token, agent: config.build().into() }
    }

    /// Sends a request as it is; an error is a host that is gone.
    pub fn try_raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = if matches!(method, "POST" | "PUT" | "PATCH") {
            self.agent.run(request.body(body)?)?
        } else {
            self.agent.run(request.body(())?)?
        };
        let mut text = String::new();
        answer.body_mut().as_reader().read_to_string(&mut text)?;
        let answer = Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), text };
        assert_described(method, path, &answer);
        Ok(answer)
    }

    /// Sends a request with the token.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.try_raw(method, path, &all, body)
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.try_send(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    #[track_caller]
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Sends JSON and waits for the decision.
    #[track_caller]
    pub fn decided(&self, method: &str, path: &str, body: &Value) -> Value {
        let headers = [("content-type", "application/json"), ("prefer", "wait=30")];
        self.send(method, path, &headers, body.to_string().as_bytes()).of(200)
    }

    /// Sends one event and waits for the decision.
    #[track_caller]
    pub fn event(&self, event: &Value) -> Value {
        self.decided("POST", "/v1/events", event)
    }

    /// Something happens to a customer, with these properties, and is decided.
    #[track_caller]
    pub fn happens(&self, customer: &str, name: &str, properties: Value) -> Value {
        self.event(&json!({"name": name, "identifiers": {"customer_id": customer}, "properties": properties}))
    }

    /// The same at this time.
    #[track_caller]
    pub fn happens_at(&self, customer: &str, at: &str, name: &str, properties: Value) -> Value {
        let whose = json!({ "customer_id": customer });
        self.event(&json!({"name": name, "at": at, "identifiers": whose, "properties": properties}))
    }

    /// Values are proposed for a customer, and decided.
    #[track_caller]
    pub fn propose(&self, customer: &str, values: Value) -> Value {
        let whose = json!({ "customer_id": customer });
        self.event(&json!({"name": "profile.updated", "identifiers": whose, "proposes": values}))
    }

    /// The probe does a script for a customer.
    #[track_caller]
    pub fn script(&self, customer: &str, commands: &[&str]) -> Value {
        self.happens(customer, "probe.asked", json!({ "script": commands }))
    }

    #[track_caller]
    pub fn profile(&self, customer: &str) -> Value {
        self.get(&format!("/v1/profiles/customer_id:{customer}?claims=true")).of(200)
    }

    /// A customer's visible values.
    #[track_caller]
    pub fn fields(&self, customer: &str) -> Value {
        self.profile(customer)["fields"].take()
    }

    #[track_caller]
    pub fn status(&self) -> Value {
        self.get("/v1/status").of(200)
    }

    /// Waits until nothing is under way, nobody lags, and who reads a moved field was told.
    #[track_caller]
    pub fn settle(&self) {
        until_ok("nothing is under way", || {
            let jobs = self.get("/v1/jobs").of(200);
            let status = self.status();
            let counted =
                jobs["adopted"] == status["registry_revision"] && jobs["items"][0]["state"] != "running";
            let lag = status["capabilities"].as_array().into_iter().flatten();
            let lags = lag.map(|capability| &capability["lag"]).any(|lag| *lag != json!(0));
            let settled = status["settled"] == json!(true) && counted && !lags;
            if settled { Ok(()) } else { Err(format!("{status} {jobs}")) }
        });
    }

    /// Installs a component, agreeing to what it asks for.
    #[track_caller]
    pub fn install(&self, component: &[u8]) -> Value {
        self.post_component("?approve=true", component).of(201)
    }

    #[track_caller]
    pub fn post_component(&self, query: &str, component: &[u8]) -> Answer {
        let headers = [("content-type", "application/wasm")];
        self.send("POST", &format!("/v1/capabilities{query}"), &headers, component)
    }

    #[track_caller]
    pub fn assign(&self, field: &str, capability: Value) -> Value {
        let path = format!("/v1/fields/{field}/source");
        self.json("PUT", &path, &json!({ "capability": capability })).of(200)
    }
}

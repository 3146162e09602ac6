//! A host for imports: a small real HTTP server that keeps events as docs/http.md says, and can be full, busy or
//! mistaken.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use serde_json::{Value, json};

use samsyn_terminal::{CliError, Context, GlobalArgs};

use crate::command::{self, ImportArgs};
use samsyn_client::Client;

/// What the server keeps.
#[derive(Default)]
pub struct Kept {
    pub ids: HashSet<String>,
    /// Each customer's events in the order they came, duplicates left out.
    pub customers: HashMap<String, Vec<u64>>,
    pub requests: u64,
    pub biggest_batch: usize,
    /// Requests to turn away with 503 first.
    pub busy: u64,
    /// Stop taking events after this many.
    pub full_at: Option<usize>,
    /// A request takes this many new events; what comes after them is refused with this problem.
    pub room: Option<(usize, Value)>,
    /// Requests in which `room` holds; without a number all of them.
    pub tight: Option<u64>,
    /// Each event's text as it came.
    pub texts: Vec<String>,
    /// Which limits of remembered ids the host tells.
    pub event_ids: Value,
    /// Answers with the id of another event.
    pub mixes_up: bool,
}

type Shared = Arc<Mutex<Kept>>;

pub struct Server {
    kept: Shared,
    pub address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub fn start() -> Server {
        let kept = Shared::default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/events", post(take))
            .route("/v1/events/{id}", get(show))
            .route("/v1/limits", get(limits))
            .with_state(Arc::clone(&kept));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Server { kept, address, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn client(&self) -> Client {
        Client::new(&self.url(), Some("secret".into()), None).unwrap()
    }

    pub fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

fn problem(status: StatusCode, title: &str) -> Response {
    (status, Json(json!({"type": "/errors/x", "title": title, "status": status.as_u16(), "code": "x"})))
        .into_response()
}

/// An event of a list, or the only one, as it was written.
#[derive(serde::Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    events: Vec<&'a serde_json::value::RawValue>,
}

async fn take(State(kept): State<Shared>, headers: HeaderMap, text: String) -> Response {
    if headers.get("authorization").is_none_or(|token| token != "Bearer secret") {
        return problem(StatusCode::UNAUTHORIZED, "No token");
    }
    let mut kept = kept.lock().unwrap();
    kept.requests += 1;
    if kept.busy > 0 {
        kept.busy -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, [("Retry-After", "0")], Json(json!({"title": "Busy"})))
            .into_response();
    }
    let Ok(sent) = serde_json::from_str::<Sent<'_>>(&text) else {
        kept.texts.push(text);
        return (StatusCode::ACCEPTED, Json(json!({"id": "one", "position": "1-1"}))).into_response();
    };
    let texts = sent.events.iter().map(|event| event.get().to_owned());
    kept.texts.extend(texts);
    // A number beyond a double is no value here, but a text all the same.
    let read = |event: &&serde_json::value::RawValue| serde_json::from_str(event.get()).unwrap_or_default();
    let events: Vec<Value> = sent.events.iter().map(read).collect();
    kept.biggest_batch = kept.biggest_batch.max(events.len());
    if kept.full_at.is_some_and(|limit| kept.ids.len() >= limit) {
        return problem(StatusCode::FORBIDDEN, "Full");
    }
    // A whole batch can be refused for one event that is too large.
    if events.iter().any(|event| event["properties"]["huge"] == true) {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "Too large");
    }
    let mut answers = Vec::new();
    let room = if kept.tight.is_none_or(|left| left > 0) { kept.room.clone() } else { None };
    kept.tight = kept.tight.map(|left| left.saturating_sub(1));
    let mut new = 0;
    for (index, event) in events.iter().enumerate() {
        if event["name"] == "bad" {
            answers.push(json!({"index": index, "problem": {"title": "Bad name", "code": "name"}}));
            continue;
        }
        if let Some((_, problem)) = room.as_ref().filter(|(room, _)| new >= *room) {
            answers.push(json!({"index": index, "problem": problem}));
            continue;
        }
        let id = event["id"].as_str().unwrap().to_owned();
        new += usize::from(!kept.ids.contains(&id));
        let duplicate = !kept.ids.insert(id.clone());
        if !duplicate {
            let customer = event["identifiers"]["customer_id"].as_str().unwrap().to_owned();
            let number = event["properties"]["number"].as_u64().unwrap_or(0);
            kept.customers.entry(customer).or_default().push(number);
        }
        let id = if kept.mixes_up { "another".to_owned() } else { id };
        answers.push(json!({"id": id, "profile": "p", "position": "1-1", "duplicate": duplicate}));
    }
    let refused = answers.iter().filter(|answer| answer.get("problem").is_some()).count();
    let status =
        if refused == answers.len() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::ACCEPTED };
    let accepted = answers.len() - refused;
    (status, Json(json!({"accepted": accepted, "refused": refused, "events": answers}))).into_response()
}

async fn show(State(kept): State<Shared>, UrlPath(id): UrlPath<String>) -> Response {
    if kept.lock().unwrap().ids.contains(&id) {
        return Json(json!({"id": id, "state": "accepted"})).into_response();
    }
    problem(StatusCode::NOT_FOUND, "Unknown event")
}

async fn limits(State(kept): State<Shared>) -> Response {
    match &kept.lock().unwrap().event_ids {
        // A host of before.
        Value::Null => problem(StatusCode::NOT_FOUND, "No such call"),
        event_ids => Json(json!({ "event_ids": event_ids })).into_response(),
    }
}

pub fn event(number: u64) -> Value {
    json!({"id": format!("e{number}"), "name": "order.completed",
           "identifiers": {"customer_id": format!("{}", number % 97)}, "properties": {"number": number}})
}

/// What is typed after `samsyn event import`, with the flags that every command has.
#[derive(Debug, Parser)]
struct Typed {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(flatten)]
    import: ImportArgs,
}

/// Runs `samsyn event import …` against the server.
pub fn import(server: &Server, arguments: &[&str]) -> Result<(), CliError> {
    import_to(&server.url(), arguments)
}

/// Runs `samsyn event import …` against a host.
pub fn import_to(url: &str, arguments: &[&str]) -> Result<(), CliError> {
    let globals = ["samsyn", "--host", url, "--token", "secret", "--json"];
    let typed = Typed::try_parse_from(globals.iter().chain(arguments)).unwrap();
    command::run(&typed.import, &Context::new(typed.globals))
}

pub fn file(folder: &tempfile::TempDir, lines: std::ops::Range<u64>) -> String {
    let path = folder.path().join("events.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    for number in lines {
        let mut event = event(number);
        event.as_object_mut().unwrap().remove("id");
        writeln!(file, "{event}").unwrap();
    }
    path.to_str().unwrap().to_owned()
}

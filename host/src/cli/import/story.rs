//! Imports into a small real HTTP server that keeps events as docs/http.md says.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use serde_json::{Value, json};

use super::engine::{ImportError, Progress, Summary, WINDOW_ROWS, run};
use super::options::Options;
use super::row::{Refused, Row, SourceError};
use crate::cli::{Cli, Command, Context, Exit};
use crate::client::{Client, ClientError};

/// What the server keeps.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) ids: HashSet<String>,
    /// Each customer's events in the order they came, duplicates left out.
    pub(super) customers: HashMap<String, Vec<u64>>,
    pub(super) requests: u64,
    biggest_batch: usize,
    /// Requests to turn away with 503 first.
    busy: u64,
    /// Stop taking events after this many.
    full_at: Option<usize>,
    /// A request takes this many new events; what comes after them is refused with this problem.
    pub(super) room: Option<(usize, Value)>,
    /// Requests in which `room` holds; without a number all of them.
    pub(super) tight: Option<u64>,
    /// Each event's text as it came.
    pub(super) texts: Vec<String>,
    /// Which limits of remembered ids the host tells.
    pub(super) event_ids: Value,
    /// Answers with the id of another event.
    pub(super) mixes_up: bool,
}

type Shared = Arc<Mutex<Kept>>;

pub(super) struct Server {
    kept: Shared,
    pub(super) address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(super) fn start() -> Server {
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

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.url(), Some("secret".into()), None).unwrap()
    }

    pub(super) fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
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

#[derive(Default)]
struct Seen {
    refused: Vec<Refused>,
    waits: u64,
    last: Summary,
}

impl Progress for Seen {
    fn update(&mut self, summary: &Summary) {
        self.last = summary.clone();
    }
    fn refused(&mut self, refused: &Refused) {
        self.refused.push(refused.clone());
    }
    fn waiting(&mut self, _: &ClientError, _: Duration) {
        self.waits += 1;
    }
}

pub(super) fn event(number: u64) -> Value {
    json!({"id": format!("e{number}"), "name": "order.completed",
           "identifiers": {"customer_id": format!("{}", number % 97)}, "properties": {"number": number}})
}

fn rows(numbers: std::ops::Range<u64>) -> impl Iterator<Item = Result<Row, SourceError>> {
    numbers.map(|number| Ok(Row::of_columns(number + 1, event(number))))
}

#[test]
fn every_event_arrives_once_and_a_customers_in_order() {
    let server = Server::start();
    server.kept().busy = 3;
    let mut seen = Seen::default();
    let summary = run(rows(0..10_000), &server.client(), &Options::default(), &mut seen).unwrap();
    assert_eq!((summary.accepted, summary.duplicates, summary.refused), (10_000, 0, 0));
    assert_eq!((summary.retries, seen.waits), (3, 3));
    assert_eq!(seen.last.accepted, 10_000);
    let kept = server.kept();
    assert_eq!(kept.ids.len(), 10_000);
    assert!(kept.biggest_batch <= 200);
    for (customer, numbers) in &kept.customers {
        assert!(numbers.is_sorted(), "customer {customer}: {numbers:?}");
    }
}

#[test]
fn bad_rows_are_listed_and_the_rest_goes_on() {
    let server = Server::start();
    let with = |row: Row, member: &str, value: Value| {
        let mut event: Value = serde_json::from_str(&row.json).unwrap();
        event[member] = value;
        Ok(Row::of_columns(row.line, event))
    };
    let source = rows(0..500).map(|row| match row {
        Ok(row) if row.line == 7 => with(row, "name", "bad".into()),
        Ok(row) if row.line == 8 => with(row, "properties", json!({"huge": true})),
        Ok(row) if row.line == 9 => Err(SourceError::Bad(super::BadRow::new(row.line, "no JSON"))),
        other => other,
    });
    let mut seen = Seen::default();
    let summary = run(source, &server.client(), &Options::default(), &mut seen).unwrap();
    assert_eq!((summary.rows, summary.accepted, summary.refused), (500, 497, 3));
    let mut lines: Vec<u64> = seen.refused.iter().map(|refused| refused.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [7, 8, 9]);
    let huge = seen.refused.iter().find(|refused| refused.line == 8).unwrap();
    assert_eq!(huge.text(), "Too large");
}

#[test]
fn a_refused_call_ends_the_import_and_says_what_was_done() {
    let server = Server::start();
    server.kept().full_at = Some(1_000);
    let error =
        run(rows(0..50_000), &server.client(), &Options::default(), &mut Seen::default()).unwrap_err();
    let ImportError::Host { cause: ClientError::Refused(problem), summary } = error else {
        panic!("{error}")
    };
    assert_eq!(problem.title, "Full");
    assert_eq!(summary.accepted, server.kept().ids.len() as u64);
    assert!(summary.rows < 50_000);
}

#[test]
fn a_host_that_stays_away_ends_the_patience() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let client = Client::new(&gone, None, None).unwrap();
    let options = Options { patience: Duration::ZERO, ..Options::default() };
    let error = run(rows(0..10), &client, &options, &mut Seen::default()).unwrap_err();
    assert!(matches!(error, ImportError::Host { cause: ClientError::Unreachable { refused: true, .. }, .. }));
}

#[test]
fn a_stopped_import_has_no_hole_older_than_the_window() {
    let server = Server::start();
    let options = Options { batch_events: 50, ..Options::default() };
    let stop = options.stop.clone();
    // The source itself stops it, somewhere in the middle.
    let source = rows(0..40_000).inspect(move |row| {
        if row.as_ref().is_ok_and(|row| row.line == 20_000) {
            stop.set();
        }
    });
    let summary = run(source, &server.client(), &options, &mut Seen::default()).unwrap();
    assert!(summary.interrupted);
    let kept = server.kept();
    let known = |number: u64| kept.ids.contains(&format!("e{number}"));
    let newest = (0..40_000).rev().find(|number| known(*number)).unwrap();
    let oldest_hole = (0..40_000).find(|number| !known(*number)).unwrap();
    assert!(newest < oldest_hole + WINDOW_ROWS, "newest {newest}, hole {oldest_hole}");
}

/// Runs `samsyn event import …` against the server.
pub(super) fn import(server: &Server, arguments: &[&str]) -> Result<(), crate::cli::CliError> {
    samsyn(&server.url(), &[&["event", "import"], arguments].concat())
}

/// Runs `samsyn event …` against a host.
pub(super) fn samsyn(url: &str, arguments: &[&str]) -> Result<(), crate::cli::CliError> {
    let globals = ["samsyn", "--host", url, "--token", "secret", "--json"];
    let cli = Cli::try_parse_from(globals.iter().chain(arguments)).unwrap();
    let Command::Event(command) = cli.command else { panic!("no event command") };
    crate::cli::event::run(&command, &Context::new(cli.globals))
}

pub(super) fn file(folder: &tempfile::TempDir, lines: std::ops::Range<u64>) -> String {
    let path = folder.path().join("events.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    for number in lines {
        let mut event = event(number);
        event.as_object_mut().unwrap().remove("id");
        writeln!(file, "{event}").unwrap();
    }
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_is_taken_once_unless_told_otherwise() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..6_000);
    import(&server, &[&path]).unwrap();
    assert_eq!(server.kept().ids.len(), 6_000);
    let again = import(&server, &[&path]).unwrap_err();
    assert_eq!(again.exit, Exit::Refused);
    assert!(again.what.contains("imported before, whole"), "{again}");
    assert_eq!(server.kept().ids.len(), 6_000);
    import(&server, &["--again=two", &path]).unwrap();
    assert_eq!(server.kept().ids.len(), 12_000);
    assert!(server.kept().ids.iter().any(|id| id.ends_with(":6000~two")));
}

#[test]
fn an_import_that_broke_goes_on_where_it_was() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..30_000);
    server.kept().full_at = Some(15_000);
    let broken = import(&server, &[&path]).unwrap_err();
    assert!(broken.next.unwrap().contains("token"), "a 403 asks for another token");
    server.kept().full_at = None;
    import(&server, &[&path]).unwrap();
    let kept = server.kept();
    assert_eq!(kept.ids.len(), 30_000);
    for numbers in kept.customers.values() {
        assert!(numbers.is_sorted());
    }
}

#[test]
fn refused_lines_stand_in_a_report() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.jsonl");
    let good = event(1).to_string();
    std::fs::write(&path, format!("{good}\nno JSON\n{{\"name\": \"bad\"}}\n")).unwrap();
    let error = import(&server, &[path.to_str().unwrap()]).unwrap_err();
    assert_eq!(error.exit, Exit::Refused);
    let report = std::fs::read_to_string(folder.path().join("some.jsonl.refused.jsonl")).unwrap();
    let mut lines: Vec<Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["line"].as_u64());
    assert_eq!(lines[0]["line"], 2);
    assert_eq!(lines[1]["problem"]["code"], "name");
    assert!(lines[1]["id"].as_str().unwrap().starts_with("import:"));
}

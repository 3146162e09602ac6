//! The calls of docs/http.md that need no plug-in, one after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::EnvFilter;

use super::world::World;
use crate::{ApiLimits, Token};
use samsyn_engine::EngineConfig;

fn seen_event(id: &str, more: Value) -> Value {
    let mut event = json!({"id": id, "name": "seen", "at": "2026-11-20T10:00:00Z", "identifiers": {"customer_id": "00042"}});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

#[test]
fn nothing_but_health_and_errors_is_told_to_strangers() {
    let world = World::new();
    for path in ["/healthz", "/readyz", "/errors"] {
        assert_eq!(world.raw("GET", path, &[], b"").status, 200, "{path}");
    }
    let other = format!("Bearer {}", Token::generate().unwrap().as_str());
    for path in ["/v1/events/1", "/v1/status", "/metrics", "/v1/fields", "/", "/nowhere", "/healthz/x"] {
        for headers in [&[][..], &[("authorization", other.as_str())], &[("authorization", "Basic YTpi")]] {
            let answer = world.raw("GET", path, headers, b"");
            assert_eq!((answer.status, answer.code().as_str()), (401, "unauthorized"), "{path}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
    }
    let answer = world.send("GET", "/v1/status", &[("samsyn-application", "Not A Name")], b"");
    assert_eq!(answer.code(), "application-invalid");
}

#[test]
fn paths_and_methods_are_told_apart() {
    let world = World::new();
    assert_eq!(world.get("/v1/nowhere").code(), "not-found");
    let answer = world.json("POST", "/v1/fields", &json!({}));
    assert_eq!((answer.status, answer.code().as_str()), (405, "method-not-allowed"));
    assert_eq!(answer.header("allow"), "GET,HEAD");
    let answer = world.send("OPTIONS", "/v1/events", &[], b"");
    assert_eq!((answer.status, answer.header("allow")), (204, "POST"));
    let answer = world.send("HEAD", "/v1/status", &[], b"");
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(world.get("/v1/fields?limt=3").code(), "query-invalid");
    assert_eq!(world.get("/v1/fields?limit=0").code(), "query-invalid");
    assert_eq!(world.get("/v1/fields?limit=many").code(), "query-invalid");
    assert_eq!(world.get("/v1/fields?cursor=x").code(), "cursor-invalid");
    assert_eq!(world.get("/v1/fields/%ff").code(), "not-found");
}

/// One answer from a connection that goes on: its status, and whether the host says that it ends.
fn answer_on(stream: &mut BufReader<TcpStream>) -> (u16, bool) {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)?.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {line:?}"));
    let (mut length, mut closes) = (0, false);
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        let (name, value) = line.trim_end().split_once(": ").unwrap_or_default();
        match name {
            "" => break,
            "content-length" => length = value.parse().unwrap(),
            "connection" => closes = value == "close",
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).unwrap();
    (status, closes)
}

#[test]
fn whatever_a_call_makes_of_its_body_the_connection_goes_on() {
    let world = World::new();
    let narrow = world.token("narrow", &["profiles:read=class:none"]);
    let host = world.host.strip_prefix("http://").unwrap();
    let mut stream = BufReader::new(TcpStream::connect(host).unwrap());
    stream.get_ref().set_nodelay(true).unwrap();
    let body = [b'x'; 20_000];
    let mut ask = |method: &str, path: &str, token: &str| {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        // The body comes later than its head.
        stream.get_mut().write_all(head.as_bytes()).unwrap();
        stream.get_mut().write_all(&body).unwrap();
        let (status, closes) = answer_on(&mut stream);
        assert!(!closes, "{method} {path}");
        status
    };
    for call in crate::calls::calls() {
        let path = call.path.replace("{name}", "narrow_one").replace("{ref}", "a:b").replace("{id}", "1");
        let path = path.replace("{capability}", "nobody");
        let (method, health) = (call.method.as_str(), call.path == "/healthz" || call.path == "/readyz");
        let open = call.scopes == samsyn_openapi::scopes::NO_TOKEN;
        assert_eq!(ask(method, &path, "nonsense"), if open { 200 } else { 401 }, "{method} {path}");
        let status = ask(method, &path, &narrow);
        assert!(status < 500 || health, "{method} {path}: {status}");
        let status = ask(method, &path, world.token.as_str());
        assert!(status < 500 || health, "{method} {path}: {status}");
    }
    assert_eq!(ask("POST", "/nowhere", world.token.as_str()), 404);
    assert_eq!(ask("PUT", "/v1/events", world.token.as_str()), 405);
    assert_eq!(ask("POST", "/v1/capabilities?deliver=true", world.token.as_str()), 400);
    assert_eq!(ask("POST", "/v1/replays?profiles=none", world.token.as_str()), 400);
}

#[test]
fn the_host_tells_how_it_is() {
    let world = World::new();
    assert_eq!(world.get("/v1/status").json()["version"], env!("CARGO_PKG_VERSION"));
    let metrics = world.get("/metrics");
    assert!(metrics.header("content-type").starts_with("text/plain"));
    assert!(metrics.text.contains("samsyn_events_accepted_total 0"), "{}", metrics.text);
    assert!(world.get("/errors").text.contains("## malformed-json"));
    let page = world.send("GET", "/errors", &[("accept", "text/html,*/*;q=0.8")], b"");
    assert!(page.text.contains("<h2 id=\"malformed-json\">"));
    world.engine.stop();
    let answer = world.raw("GET", "/readyz", &[], b"");
    assert_eq!((answer.status, answer.code().as_str()), (503, "not-ready"));
}

#[test]
fn an_event_can_be_followed() {
    let world = World::new().furnished();
    let taken = world.json("POST", "/v1/events", &seen_event("A1 placed", json!({})));
    assert_eq!(taken.status, 202);
    let taken = taken.json();
    assert_eq!((&taken["id"], &taken["duplicate"]), (&json!("A1 placed"), &json!(false)));
    let proposal = seen_event("A2", json!({"proposes": {"email": "anna@example.com", "credit": 1.50}}));
    let decided = world.decided("POST", "/v1/events", &proposal);
    assert_eq!((decided.status, decided.header("preference-applied")), (200, "wait=30"));
    let decided = decided.json();
    assert_eq!((&decided["state"], &decided["application"]), (&json!("decided"), &json!("admin")));
    assert_eq!(
        decided["fields"]["email"],
        json!({"outcome": "no-source", "source": null, "proposed": "anna@example.com"})
    );
    assert_eq!(decided["profile"], taken["profile"]);
    assert_eq!(
        (&decided["at"], &decided["received_at"]),
        (&json!("2026-11-20T10:00:00Z"), &json!("2026-11-21T10:00:00Z"))
    );
    assert_eq!(decided["outcomes"], json!([]));
    let by_id = world.get("/v1/events/A1%20placed").json();
    let by_position = world.get(&format!("/v1/events/{}", taken["position"].as_str().unwrap())).json();
    assert_eq!(by_id, by_position);
    assert_eq!(by_id["name"], "seen");
    for unknown in ["/v1/events/A3", "/v1/events/60000-1", "/v1/events/registry-1", "/v1/events/0-999"] {
        assert_eq!(world.get(unknown).code(), "unknown-event", "{unknown}");
    }
    let other = world.send("GET", "/v1/events/A2", &[("samsyn-application", "web")], b"");
    assert_eq!(other.code(), "unknown-event");
}

#[test]
fn a_profile_is_read_by_any_reference() {
    let world = World::new().furnished();
    let email = json!({"identifiers": {"customer_id": "0:42/7", "email": "Anna@Example.com"}});
    let id = world.decided("POST", "/v1/events", &seen_event("1", email)).json()["profile"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_id = world.get(&format!("/v1/profiles/{id}"));
    assert_eq!(
        by_id.json()["identifiers"],
        json!({"customer_id": ["0:42/7"], "email": ["Anna@Example.com"]})
    );
    assert_eq!(by_id.json()["id"], id.as_str());
    assert_eq!(world.get("/v1/profiles/customer_id:0%3A42%2F7").json(), by_id.json());
    assert_eq!(
        world.json("POST", "/v1/profiles/lookup", &json!({"email": "anna@example.com"})).json(),
        by_id.json()
    );
    for (path, code) in [
        ("/v1/profiles/customer_id:7", "unknown-profile"),
        ("/v1/profiles/0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de", "unknown-profile"),
        ("/v1/profiles/00042", "reference-invalid"),
        ("/v1/profiles/passport:7", "unknown-identifier"),
        ("/v1/profiles/customer_id:%00", "identifier-invalid"),
        ("/v1/profiles/customer_id:7?fields=x", "unknown-profile"),
    ] {
        assert_eq!(world.get(path).code(), code, "{path}");
    }
    assert_eq!(world.get(&format!("/v1/profiles/{id}?fields=emial")).code(), "unknown-field");
    for (body, code) in [
        (json!({}), "missing-identifier"),
        (json!({"email": "a", "customer_id": "b"}), "too-many-identifiers"),
        (json!({"passport": "a"}), "unknown-identifier"),
        (json!({"customer_id": 42}), "wrong-type"),
        (json!([]), "wrong-type"),
    ] {
        assert_eq!(world.json("POST", "/v1/profiles/lookup", &body).code(), code, "{body}");
    }
}

#[test]
fn an_etag_stands_for_what_was_answered() {
    let world = World::new().furnished();
    let profile = world.decided("POST", "/v1/events", &seen_event("1", json!({}))).json()["profile"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/profiles/{profile}");
    let etag = world.get(&path).header("etag").to_owned();
    let again = |path: &str| world.send("GET", path, &[("if-none-match", etag.as_str())], b"");
    let unchanged = again(&path);
    assert_eq!(
        (unchanged.status, unchanged.text.as_str(), unchanged.header("etag")),
        (304, "", etag.as_str())
    );
    // A proposal nobody can decide changes no value, but what an administrator sees.
    assert_eq!(again(&format!("{path}?claims=true")).status, 200);
    world.decided("POST", "/v1/events", &seen_event("2", json!({"proposes": {"email": "a@b"}})));
    assert_eq!(again(&path).status, 304);
    let claims = world.get(&format!("{path}?claims=true&fields=email")).json();
    assert_eq!(claims["fields"], json!({}));
    assert_eq!(claims["claims"]["email"][0]["by"], "app:admin");
    assert_eq!(
        (&claims["claims"]["email"][0]["value"], &claims["claims"]["email"][0]["visible"]),
        (&json!("a@b"), &json!(false))
    );
    // Another identifier is another answer.
    world.decided(
        "POST",
        "/v1/events",
        &seen_event("3", json!({"identifiers": {"customer_id": "00042", "email": "x@y.example"}})),
    );
    assert_eq!(again(&path).status, 200);
}

#[test]
fn a_patch_proposes() {
    let world = World::new().furnished();
    let patch = |headers: &[(&str, &str)], body: &Value| {
        let mut all = vec![("content-type", "application/merge-patch+json")];
        all.extend_from_slice(headers);
        world.send("PATCH", "/v1/profiles/customer_id:00042", &all, body.to_string().as_bytes())
    };
    let fields = json!({"fields": {"first_name": "Ann", "email": null}});
    assert_eq!(patch(&[], &fields).code(), "unknown-profile");
    world.decided("POST", "/v1/events", &seen_event("1", json!({})));
    let taken = patch(&[], &fields);
    assert_eq!(taken.status, 202);
    let location = taken.header("location").to_owned();
    let decided = patch(&[("prefer", "wait=30")], &fields);
    assert_eq!((decided.status, &decided.json()["name"]), (200, &json!("samsyn.proposed")));
    assert_eq!(decided.json()["fields"]["first_name"]["outcome"], "no-source");
    let earlier = world.get(&location).json();
    assert_eq!((&earlier["id"], &earlier["state"]), (&taken.json()["id"], &json!("decided")));

    let etag = world.get("/v1/profiles/customer_id:00042").header("etag").to_owned();
    let decided = |etag: &str| patch(&[("if-match", etag), ("prefer", "wait=30")], &fields);
    assert_eq!(decided(&etag).json()["fields"]["email"]["outcome"], "no-source");
    assert_eq!(decided("\"0123456789abcdef.0\"").code(), "precondition-failed");
    assert_eq!(patch(&[("if-match", "W/\"a\"")], &fields).code(), "precondition-invalid");
    for (body, code) in [
        (json!({}), "missing-key"),
        (json!({"fields": {}}), "nothing-proposed"),
        (json!({"fields": []}), "wrong-type"),
        (json!({"fields": {"emial": 1}}), "unknown-field"),
        (json!({"fields": {"children": 1.5}}), "wrong-type"),
        (json!({"field": {"email": "a"}}), "unknown-key"),
    ] {
        assert_eq!(patch(&[], &body).code(), code, "{body}");
    }
}

#[test]
fn a_timeline_is_paged_from_the_newest_back() {
    let world = World::new().furnished();
    for at in 0..5 {
        world.decided(
            "POST",
            "/v1/events",
            &seen_event(&format!("e{at}"), json!({"proposes": {"children": at}})),
        );
    }
    let path = "/v1/profiles/customer_id:00042/timeline";
    let whole = world.get(path).json();
    let ids = |page: &Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["event"]["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&whole), ["e4", "e3", "e2", "e1", "e0"]);
    assert!(whole.get("next").is_none());
    let newest = &whole["items"][0];
    assert_eq!((&newest["kind"], &newest["proposed"]), (&json!("event"), &json!(["children"])));
    assert_eq!(newest["event"]["application"], "admin");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}?limit=2{cursor}")).json();
        seen.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids(&whole));
    let foreign = world.get("/v1/fields?limit=1").json()["next"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("{path}?cursor={foreign}")).code(), "cursor-invalid");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let limits = ApiLimits { body_seconds: 0, ..ApiLimits::default() };
    let world = World::with(limits, EngineConfig::default());
    let mut stream = TcpStream::connect(world.host.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n",
        world.token.as_str()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    // Ends because the host closes the connection: what would follow is no request.
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("/errors#slow-body"), "{answer}");
}

/// Where a test's log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_log_names_routes_and_no_customer() {
    let log = Log::default();
    let ours = module_path!().split("::").next().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{ours}=trace")))
        .with_ansi(false)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    let log_here = Dispatch::new(subscriber);
    // With one dispatcher alone, tracing asks whichever thread comes first whether anybody listens,
    // and a thread of another test would say no for all of them.
    let _second = Dispatch::new(NoSubscriber::default());
    let world = World::logging(ApiLimits::default(), EngineConfig::default(), log_here).furnished();
    let anna = json!({"name": "seen", "identifiers": {"email": "anna@example.com"}, "properties": {"a": "anna"},
                      "proposes": {"email": "anna@example.com", "anna": 1}});
    assert_eq!(world.json("POST", "/v1/events", &anna).code(), "unknown-field");
    let known = json!({"id": "anna", "name": "seen", "identifiers": {"email": "anna@example.com"}});
    assert_eq!(world.decided("POST", "/v1/events", &known).status, 200);
    assert_eq!(world.get("/v1/profiles/email:anna@example.com").status, 200);
    assert_eq!(world.get("/v1/profiles/email:anna@example.com/timeline?limit=anna").status, 400);
    assert_eq!(world.get("/v1/events/anna").status, 200);
    assert_eq!(world.get("/anna").status, 404);
    assert_eq!(world.raw("GET", "/v1/fields", &[("authorization", "Bearer anna")], b"").status, 401);
    let written = String::from_utf8(log.0.lock().clone()).unwrap();
    assert!(written.contains("/v1/profiles/{ref}") && written.contains("status=200"), "{written}");
    assert!(!written.contains("anna"), "{written}");
}

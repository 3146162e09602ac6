//! What HTTP itself asks of a server: hosts, methods, conditions.

use serde_json::json;

use super::world::World;

fn status(answer: &str) -> u16 {
    let line = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    line.and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no status: {answer:?}"))
}

/// The value of a header of an answer as it came.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[test]
fn a_request_of_http_1_1_names_one_host() {
    let world = World::new();
    for (version, hosts, expected) in [
        ("1.1", &["localhost"][..], 200),
        ("1.1", &["127.0.0.1:7400"], 200),
        ("1.1", &["[::1]:7400"], 200),
        ("1.1", &["samsyn.example."], 200),
        // RFC 9112, section 3.2: it may be empty where the target has no authority.
        ("1.1", &[""], 200),
        ("1.1", &[], 400),
        ("1.1", &["a", "b"], 400),
        ("1.1", &["a", "a"], 400),
        ("1.1", &["a b"], 400),
        ("1.1", &["a, b"], 400),
        ("1.1", &["http://a"], 400),
        ("1.1", &["a/b"], 400),
        ("1.1", &["a:port"], 400),
        ("1.1", &["anna@a"], 400),
        ("1.0", &[], 200),
        ("1.0", &["a"], 200),
        ("1.0", &["a", "b"], 400),
    ] {
        let lines: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        let request = format!("GET /healthz HTTP/{version}\r\n{lines}Connection: close\r\n\r\n");
        let answer = world.on_the_wire(request.as_bytes());
        assert_eq!(status(&answer), expected, "{version} {hosts:?}: {answer}");
        if expected == 400 {
            assert_eq!(header(&answer, "content-type"), Some("application/problem+json"), "{answer}");
            assert!(answer.contains("/errors#host-invalid"), "{answer}");
        }
    }
}

#[test]
fn trace_is_a_method_that_no_path_takes() {
    let world = World::new();
    for path in ["/healthz", "/v1/events", "/v1/profiles/customer_id:1", "/openapi.json"] {
        for token in [false, true] {
            let answer = if token {
                world.send("TRACE", path, &[], b"")
            } else {
                world.raw("TRACE", path, &[("cookie", "secret=1")], b"")
            };
            assert_eq!((answer.status, answer.code().as_str()), (405, "method-not-allowed"), "{path}");
            assert!(
                !answer.header("allow").is_empty() && !answer.header("allow").contains("TRACE"),
                "{answer:?}"
            );
            assert!(!answer.text.contains("secret"), "nothing is echoed: {answer:?}");
        }
    }
    let answer = world.raw("TRACE", "/nowhere", &[], b"");
    assert_eq!((answer.status, answer.code().as_str()), (404, "not-found"));
}

#[test]
fn options_tell_what_a_path_and_the_host_take() {
    let world = World::new();
    for (path, allow) in [
        ("/v1/events", "POST"),
        ("/healthz", "GET,HEAD"),
        ("/v1/profiles/customer_id:1", "GET,HEAD,PATCH"),
        ("/v1/fields/a", "GET,HEAD,PUT,DELETE"),
    ] {
        let answer = world.raw("OPTIONS", path, &[], b"");
        assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}");
        let mut found: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
        let mut wanted: Vec<&str> = allow.split(',').collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{path}");
    }
    let answer = world.on_the_wire(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&answer), 204, "{answer}");
    assert_eq!(header(&answer, "allow"), Some("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS"), "{answer}");
    // The asterisk is for OPTIONS alone.
    for method in ["GET", "POST", "TRACE"] {
        let request =
            format!("{method} * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let answer = world.on_the_wire(request.as_bytes());
        assert!(matches!(status(&answer), 400 | 404), "{method}: {answer}");
    }
    let unknown = world.raw("OPTIONS", "/nowhere", &[], b"");
    assert_eq!(unknown.code(), "not-found");
}

#[test]
fn only_a_read_is_answered_with_304() {
    let world = World::new().furnished();
    let seen = json!({"name": "seen", "identifiers": {"customer_id": "7", "email": "a@b.example"}});
    assert_eq!(world.decided("POST", "/v1/events", &seen).status, 200);
    let path = "/v1/profiles/customer_id:7";
    let etag = world.get(path).header("etag").to_owned();
    for method in ["GET", "HEAD"] {
        let answer = world.send(method, path, &[("if-none-match", &etag)], b"");
        assert_eq!((answer.status, answer.header("etag")), (304, etag.as_str()), "{method}");
    }
    for condition in [etag.as_str(), "*", "\"other\""] {
        let headers = [("content-type", "application/json"), ("if-none-match", condition)];
        let body = json!({"email": "a@b.example"}).to_string();
        let answer = world.send("POST", "/v1/profiles/lookup", &headers, body.as_bytes());
        assert_eq!((answer.status, answer.header("etag")), (200, etag.as_str()), "{condition}");
        assert_eq!(answer.json()["id"], world.get(path).json()["id"]);
    }
}

#[test]
fn the_page_of_errors_is_for_its_readers() {
    let world = World::new();
    for accept in ["text/markdown", "text/html", "*/*"] {
        let page = world.raw("GET", "/errors", &[("accept", accept)], b"").text;
        for ours in ["<!--", "catalogue.rs", "host/api", "cargo "] {
            assert!(!page.contains(ours), "{accept}: {ours}");
        }
    }
    assert!(world.raw("GET", "/errors", &[], b"").text.starts_with("# Problems\n"));
}

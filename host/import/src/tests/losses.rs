//! An import loses no row: what passes is tried again, what is refused can be imported once it is
//! corrected, and what has no answer is never counted as one.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fake_host::{Server, event, file, import, import_to};
use samsyn_terminal::Exit;

/// Problems that say nothing of the event they are told of, as the host writes them.
const PASSING: [(&str, u16); 7] = [
    ("busy", 503),
    ("audit-unavailable", 503),
    ("log-failed", 503),
    ("view-failed", 503),
    ("not-ready", 503),
    ("rate-limited", 429),
    ("too-many-requests", 429),
];

fn problem(code: &str, status: u16, retryable: Option<bool>) -> Value {
    let mut problem =
        json!({"type": format!("/errors#{code}"), "title": code, "status": status, "code": code});
    if let Some(retryable) = retryable {
        problem["retryable"] = retryable.into();
    }
    problem
}

fn refused_file(folder: &Path) -> PathBuf {
    folder.join("events.jsonl.refused.jsonl")
}

#[track_caller]
fn all_are_there(server: &Server, rows: u64) {
    let kept = server.kept();
    assert_eq!(kept.ids.len() as u64, rows);
    for (customer, numbers) in &kept.customers {
        assert!(numbers.is_sorted(), "customer {customer}: {numbers:?}");
    }
}

#[test]
fn rows_refused_for_a_full_host_are_sent_again_until_all_are_taken_in_order() {
    let server = Server::start();
    server.kept().room = Some((60, problem("busy", 503, Some(true))));
    let folder = tempfile::tempdir().unwrap();
    import(&server, &[&file(&folder, 0..5_000)]).unwrap();
    all_are_there(&server, 5_000);
    assert!(!refused_file(folder.path()).exists(), "nothing was refused");
}

#[test]
fn no_passing_problem_is_a_refusal_whatever_its_code_and_the_hosts_age() {
    for (code, status) in PASSING {
        // Hosts of before don't say `retryable`.
        for retryable in [Some(true), None] {
            for room in [0, 7] {
                let server = Server::start();
                {
                    let mut kept = server.kept();
                    kept.room = Some((room, problem(code, status, retryable)));
                    kept.tight = Some(5);
                }
                let folder = tempfile::tempdir().unwrap();
                let ended = import(&server, &[&file(&folder, 0..300)]);
                assert!(ended.is_ok(), "{code} {retryable:?} {room}: {ended:?}");
                all_are_there(&server, 300);
                assert!(!refused_file(folder.path()).exists(), "{code}");
            }
        }
    }
}

#[test]
fn patience_ends_without_a_refusal_and_the_same_command_goes_on() {
    let server = Server::start();
    server.kept().room = Some((0, problem("busy", 503, Some(true))));
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..500);
    let ended = import(&server, &["--patience", "0", &path]).unwrap_err();
    assert_eq!(ended.exit, Exit::Refused);
    assert!(ended.causes.concat().contains("no row is added twice"), "{ended:?}");
    assert!(!refused_file(folder.path()).exists(), "a full host refuses nothing");
    server.kept().room = None;
    import(&server, &[&path]).unwrap();
    all_are_there(&server, 500);
}

#[test]
fn a_fault_of_the_host_is_no_refusal_of_a_row() {
    let server = Server::start();
    server.kept().room = Some((10, problem("internal", 500, Some(false))));
    let folder = tempfile::tempdir().unwrap();
    let ended = import(&server, &["--patience", "0", &file(&folder, 0..100)]).unwrap_err();
    assert_eq!(ended.exit, Exit::Refused);
    assert!(!refused_file(folder.path()).exists(), "it says nothing of the row");
}

/// What a bad line or a bad proxy does to a request instead of passing it on.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// Closed before anything was read.
    Closed,
    /// Closed while the request is under way: the machine says reset.
    Reset,
    /// The host has the request, its answer never comes.
    AnswerLost,
    /// The answer breaks off.
    AnswerCut,
    /// An answer of something in between.
    Status(&'static str),
}

const TROUBLES: [Trouble; 14] = [
    Trouble::Closed,
    Trouble::Reset,
    Trouble::AnswerLost,
    Trouble::AnswerCut,
    Trouble::Status("408 Request Timeout"),
    Trouble::Status("425 Too Early"),
    Trouble::Status("429 Too Many Requests"),
    Trouble::Status("500 Internal Server Error"),
    Trouble::Status("502 Bad Gateway"),
    Trouble::Status("503 Service Unavailable"),
    Trouble::Status("504 Gateway Timeout"),
    Trouble::Status("520 Unknown"),
    Trouble::Status("522 Connection Timed Out"),
    Trouble::Status("530 Frozen"),
];

/// The first `times` connections to this address have trouble; the others go through.
fn between(host: SocketAddr, trouble: Trouble, times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let Ok(client) = client else { return };
            let trouble = (number < times).then_some(trouble);
            std::thread::spawn(move || connect(client, host, trouble));
        }
    });
    url
}

fn connect(mut client: TcpStream, host: SocketAddr, trouble: Option<Trouble>) -> Option<()> {
    match trouble {
        Some(Trouble::Closed) => return None,
        Some(Trouble::Reset) => {
            // What was sent and isn't read makes the system reset the connection.
            client.read_exact(&mut [0; 16]).ok()?;
            return None;
        }
        Some(Trouble::Status(status)) => {
            let page = "<html>not the host</html>";
            let length = page.len();
            read_request(&mut client)?;
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}");
            return client.write_all(answer.as_bytes()).ok();
        }
        _ => {}
    }
    let mut host = TcpStream::connect(host).ok()?;
    if let Some(trouble) = trouble {
        let request = read_request(&mut client)?;
        host.write_all(&request).ok()?;
        let mut answer = [0; 256];
        let read = host.read(&mut answer).ok()?;
        if matches!(trouble, Trouble::AnswerCut) {
            client.write_all(&answer[..read.min(200)]).ok()?;
        }
        return None;
    }
    let (mut from, mut to) = (client.try_clone().ok()?, host.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    std::io::copy(&mut host, &mut client).ok()?;
    client.shutdown(Shutdown::Both).ok()
}

/// A request with a body of known length.
fn read_request(client: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = client.read(&mut part).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.unwrap_or(0) {
            return Some(request);
        }
    }
}

#[test]
fn a_bad_line_loses_nothing_and_takes_nothing_twice() {
    for trouble in TROUBLES {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder, 0..400);
        let url = between(server.address, trouble, 6);
        let ended = import_to(&url, &["--patience", "30", &path]);
        assert!(ended.is_ok(), "{trouble:?}: {ended:?}");
        all_are_there(&server, 400);
        assert!(!refused_file(folder.path()).exists(), "{trouble:?}");
    }
}

#[test]
fn a_second_run_fills_any_hole_and_knows_a_whole_file_line_for_line() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..12_000);
    import(&server, &[&path]).unwrap();
    // Holes far from the file's end, where a probe of its last rows sees nothing.
    let lost: Vec<String> = {
        let kept = server.kept();
        let some = |id: &&String| id.ends_with(":17") || id.ends_with(":4001") || id.ends_with(":6000");
        kept.ids.iter().filter(some).cloned().collect()
    };
    assert_eq!(lost.len(), 3);
    lost.iter().for_each(|id| assert!(server.kept().ids.remove(id)));
    import(&server, &[&path]).unwrap();
    assert_eq!(server.kept().ids.len(), 12_000, "the holes are filled");
    let again = import(&server, &[&path]).unwrap_err();
    assert!(again.what.contains("was imported before; nothing was added"), "{again}");
}

/// What the refused file lists, by line.
fn listed(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|line| line["line"].as_u64());
    lines
}

#[test]
fn the_refused_file_once_corrected_is_imported_as_it_is() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut lines: Vec<String> = (0..20).map(|number| event(number).to_string()).collect();
    lines[4] =
        r#"{"name":"bad","identifiers":{"customer_id":"4"},"properties":{"number":4,"amount":10.00}}"#.into();
    lines[9] = r#"{"name":"order.completed","identifiers":{"customer_id":"9"},"oops"#.into();
    std::fs::write(&path, lines.join("\n")).unwrap();
    import(&server, &[path.to_str().unwrap()]).unwrap_err();
    let refused = refused_file(folder.path());
    let rejected = listed(&refused);
    assert_eq!(rejected.len(), 2);
    assert_eq!((&rejected[0]["line"], &rejected[0]["problem"]["code"]), (&json!(5), &json!("name")));
    let text = std::fs::read_to_string(&refused).unwrap();
    assert!(text.contains("\"amount\":10.00"), "the event stands there as it was written: {text}");
    assert_eq!(rejected[0]["event"]["id"], rejected[0]["id"], "with its id: {text}");
    assert_eq!(rejected[1]["text"], lines[9].as_str(), "what never became an event isn't lost either");
    // A person corrects the one, and writes the other anew.
    let mended = text.replace("\"bad\"", "\"order.completed\"");
    let mended: Vec<String> = mended
        .lines()
        .map(|line| if line.contains("oops") { event(9).to_string() } else { line.to_owned() })
        .collect();
    let corrected = folder.path().join("corrected.jsonl");
    std::fs::write(&corrected, mended.join("\n")).unwrap();
    import(&server, &[corrected.to_str().unwrap()]).unwrap();
    let kept = server.kept();
    assert_eq!(kept.ids.len(), 20);
    assert!(kept.ids.contains(rejected[0]["id"].as_str().unwrap()), "by the id it was refused with");
}

#[test]
fn a_refused_file_that_is_imported_uncorrected_lists_all_again() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, "{\"name\":\"bad\"}\nnot JSON\n").unwrap();
    import(&server, &[path.to_str().unwrap()]).unwrap_err();
    let refused = refused_file(folder.path());
    import(&server, &[refused.to_str().unwrap()]).unwrap_err();
    let again = listed(&folder.path().join("events.jsonl.refused.jsonl.refused.jsonl"));
    let first = listed(&refused);
    assert_eq!(again.len(), 2);
    assert!(again.iter().any(|line| line["event"] == first[0]["event"]), "{again:?}");
    assert!(again.iter().any(|line| line["text"] == "not JSON"), "{again:?}");
}

#[test]
fn an_earlier_refused_file_is_never_written_over() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    std::fs::write(&path, "{\"name\":\"bad\"}\n").unwrap();
    let refused = refused_file(folder.path());
    std::fs::write(&refused, "half corrected").unwrap();
    let ended = import(&server, &[path.to_str().unwrap()]).unwrap_err();
    assert_eq!(std::fs::read_to_string(&refused).unwrap(), "half corrected");
    let next = ended.next.unwrap();
    let second = folder.path().join("events.jsonl.refused.2.jsonl");
    assert!(next.contains(second.to_str().unwrap()), "{next}");
    assert_eq!(listed(&second).len(), 1);
    // One that was named is somebody's: before the first row.
    let requests = server.kept().requests;
    let named =
        import(&server, &["--refused", refused.to_str().unwrap(), path.to_str().unwrap()]).unwrap_err();
    assert_eq!(named.exit, Exit::Usage);
    assert_eq!(server.kept().requests, requests, "nothing was sent");
    assert_eq!(std::fs::read_to_string(&refused).unwrap(), "half corrected");
}

#[test]
fn a_file_beyond_what_the_host_remembers_is_refused_before_its_first_row() {
    let server = Server::start();
    server.kept().event_ids = json!({"days": 30, "max": 1_000, "remembered": 0, "complete_since": null,
                                     "now": "2026-11-21T10:00:00Z"});
    let folder = tempfile::tempdir().unwrap();
    let refused = import(&server, &[&file(&folder, 0..5_000)]).unwrap_err();
    assert_eq!(server.kept().requests, 0, "no row was sent");
    let said = refused.render(false);
    assert!(said.contains("event_ids_max") && said.contains("1,000") && said.contains("5,000"), "{said}");
    import(&server, &[&file(&folder, 0..1_000)]).unwrap();
    assert_eq!(server.kept().ids.len(), 1_000);
}

#[test]
fn a_file_whose_first_run_is_forgotten_is_refused_before_its_first_row() {
    let server = Server::start();
    let limits = |now: &str, since: Option<&str>| json!({"days": 30, "max": 100_000, "remembered": 0, "complete_since": since, "now": now});
    server.kept().event_ids = limits("2026-11-21T10:00:00Z", None);
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..1_000);
    import(&server, &[&path]).unwrap();
    // A new host remembers all that it was ever told, however long ago.
    server.kept().event_ids = limits("2027-11-21T10:00:00Z", None);
    let again = import(&server, &[&path]).unwrap_err();
    assert!(again.what.contains("was imported before; nothing was added"), "{again}");
    let requests = server.kept().requests;
    server.kept().ids.clear();
    server.kept().event_ids = limits("2027-11-21T10:00:00Z", Some("2026-11-21T10:00:01Z"));
    let refused = import(&server, &[&path]).unwrap_err();
    assert_eq!(server.kept().requests, requests, "no row was sent");
    let said = refused.render(false);
    assert!(said.contains("event_id_days") && said.contains("event_ids_max"), "{said}");
    // Another file has no such past, and neither has this one as new events.
    import(&server, &["--again=2", &path]).unwrap();
    assert_eq!(server.kept().ids.len(), 1_000);
}

#[test]
fn an_answer_that_is_not_about_what_was_sent_is_no_answer() {
    let server = Server::start();
    server.kept().mixes_up = true;
    let folder = tempfile::tempdir().unwrap();
    let ended = import(&server, &["--patience", "0", &file(&folder, 0..100)]).unwrap_err();
    assert_eq!(ended.exit, Exit::Refused, "{ended:?}");
}

#[test]
fn a_pipe_is_read_once_and_to_its_end() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..300);
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (from, to) = (path.clone(), pipe.clone());
    let writer = std::thread::spawn(move || std::fs::write(to, std::fs::read(from).unwrap()));
    import(&server, &[pipe.to_str().unwrap()]).unwrap();
    writer.join().unwrap().unwrap();
    let ids: BTreeSet<String> = server.kept().ids.iter().cloned().collect();
    assert_eq!(ids.len(), 300, "all of it");
}

//! What a line says arrives as it was written: the command adds an id and changes nothing else.

use serde_json::json;

use crate::fake_host::{Server, import};

/// A line, and what is sent of it: `#` stands for the id that is added.
const LINES: &[(&str, &str)] = &[
    // Numbers keep their digits.
    (
        r#"{"name":"n","properties":{"a":10.00,"b":1E400,"c":-0,"d":12345678901234567890123,"e":1.10e+2}}"#,
        r##"{"id":#,"name":"n","properties":{"a":10.00,"b":1E400,"c":-0,"d":12345678901234567890123,"e":1.10e+2}}"##,
    ),
    // Doubled keys stay doubled: the host refuses them.
    (r#"{"name":"n","name":"m"}"#, r##"{"id":#,"name":"n","name":"m"}"##),
    (
        r#"{"name":"n","identifiers":{"customer_id":"1"},"identifiers":{"customer_id":"2"}}"#,
        r##"{"id":#,"name":"n","identifiers":{"customer_id":"1"},"identifiers":{"customer_id":"2"}}"##,
    ),
    (r#"{"name":"n","properties":{"a":1,"a":2}}"#, r##"{"id":#,"name":"n","properties":{"a":1,"a":2}}"##),
    // Escapes, order and blanks.
    (
        r#"{"name":"\u006e","properties":{"\u00e5":"\ud83d\ude00\/"}}"#,
        r##"{"id":#,"name":"\u006e","properties":{"\u00e5":"\ud83d\ude00\/"}}"##,
    ),
    (r#"{"z":1 , "a" :	2}"#, r##"{"id":#,"z":1 , "a" :	2}"##),
    (r#"  { "name" : "n" }  "#, r##"{"id":#, "name" : "n" }"##),
    // Half a pair is for the host to refuse.
    (r#"{"name":"n","properties":{"a":"\ud800"}}"#, r##"{"id":#,"name":"n","properties":{"a":"\ud800"}}"##),
    // Nothing in it, and an id deeper down only.
    ("{}", r##"{"id":#}"##),
    ("{ }", r##"{"id":# }"##),
    (r#"{"properties":{"id":"x"}}"#, r##"{"id":#,"properties":{"id":"x"}}"##),
    // An id of its own, in any form, stays what it is.
    (r#"{"id":"own-1","name":"n"}"#, r#"{"id":"own-1","name":"n"}"#),
    (r#"{"\u0069d":"own-2","name":"n"}"#, r#"{"\u0069d":"own-2","name":"n"}"#),
    (r#"{"name":"n","id" : "\u006fwn-3"}"#, r#"{"name":"n","id" : "\u006fwn-3"}"#),
    (r#"{"id":null,"name":"n"}"#, r#"{"id":null,"name":"n"}"#),
    (r#"{"id":7,"name":"n"}"#, r#"{"id":7,"name":"n"}"#),
    (r#"{"id":"a","id":"b"}"#, r#"{"id":"a","id":"b"}"#),
    (r#"{"id":{"id":"a"}}"#, r#"{"id":{"id":"a"}}"#),
];

/// Lines that no list may hold: they are listed, and nothing of them is sent.
const NO_EVENTS: &[&str] = &[
    "[1]",
    "7",
    "null",
    "\"text\"",
    "{\"name\":\"n\"}{\"name\":\"n\"}",
    "{\"name\":\"n\"},{\"name\":\"n\"}",
    "{\"name\":\"n\"} x",
    "{\"name\":\"n\",}",
    "{'name':'n'}",
    "{\"a\":NaN}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"name\":\"n\"}]",
    "{\"a\":\"\t\"}",
    "{\"name\":\"n\"",
    "\u{feff}{\"name\":\"n\"}",
];

/// A server that takes note of everything and takes nothing.
fn noting() -> Server {
    let server = Server::start();
    server.kept().room = Some((0, json!({"title": "No", "status": 422, "code": "no", "retryable": false})));
    server
}

fn with_id(sent: &str, id: &str) -> String {
    sent.replace('#', &format!("\"{id}\""))
}

#[test]
fn a_line_is_sent_as_it_was_written() {
    let server = noting();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.jsonl");
    let text: Vec<&str> = LINES.iter().map(|(line, _)| *line).collect();
    // A mark at the file's start is no part of the first line.
    std::fs::write(&path, format!("\u{feff}{}\r\n", text.join("\r\n"))).unwrap();
    import(&server, &["--label", "x", "--lanes", "1", path.to_str().unwrap()]).unwrap_err();
    let sent = server.kept().texts.clone();
    let expected: Vec<String> = LINES
        .iter()
        .enumerate()
        .map(|(number, (_, sent))| with_id(sent, &format!("import:x:{}", number + 1)))
        .collect();
    for (sent, expected) in sent.iter().zip(&expected) {
        assert_eq!(sent, expected);
    }
    assert_eq!(sent.len(), expected.len());
}

#[test]
fn an_import_again_changes_the_id_and_nothing_else() {
    let server = noting();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.jsonl");
    let lines = [
        r#"{"id":"own","name":"n","properties":{"a":1.0}}"#,
        r#"{"name":"n", "\u0069d" : "\u006fwn" }"#,
        r#"{"name":"n"}"#,
        r#"{"id":7}"#,
    ];
    std::fs::write(&path, lines.join("\n")).unwrap();
    import(&server, &["--again=2", "--label", "x", "--lanes", "1", path.to_str().unwrap()]).unwrap_err();
    let expected = [
        r#"{"id":"own~2","name":"n","properties":{"a":1.0}}"#,
        r#"{"name":"n", "\u0069d" : "\u006fwn~2" }"#,
        r#"{"id":"import:x:3~2","name":"n"}"#,
        r#"{"id":7}"#,
    ];
    assert_eq!(server.kept().texts, expected);
}

#[test]
fn what_is_no_event_is_listed_and_not_sent() {
    let server = noting();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.jsonl");
    std::fs::write(&path, format!("{{}}\n{}", NO_EVENTS.join("\n"))).unwrap();
    import(&server, &["--label", "x", path.to_str().unwrap()]).unwrap_err();
    assert_eq!(server.kept().texts, [r#"{"id":"import:x:1"}"#]);
    let report = std::fs::read_to_string(folder.path().join("lines.jsonl.refused.jsonl")).unwrap();
    assert_eq!(report.lines().count(), NO_EVENTS.len() + 1);
}

//! Paths, scans, control characters and duplicates.

use serde_json::value::RawValue;

use super::body::malformed;
use super::*;
use crate::problem::Kind;

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_place_reads_like_a_path() {
    let root = JsonPath::Root;
    let events = root.key("events");
    let third = events.index(3);
    let identifiers = third.key("identifiers");
    assert_eq!(identifiers.key("customer_id").to_string(), "events[3].identifiers.customer_id");
    assert_eq!(root.index(0).key("name").to_string(), "[0].name");
    assert_eq!(root.key(&"ä".repeat(40)).to_string(), "ä".repeat(32));
    assert_eq!(root.problem(Kind::WrongType, "").place, None);
}

#[test]
fn a_scan_counts_brackets_outside_texts_only() {
    assert_eq!(scan("1"), Scan { depth: 0, suspect: false });
    assert_eq!(scan(r#"{"a":[{"b":"[[[\"[["}]}"#), Scan { depth: 3, suspect: false });
    assert_eq!(scan(r#"[[],[[]]]"#).depth, 3);
    for suspect in [r#""\u0000""#, r#""\r""#, "\"\u{7f}\"", "\"\u{85}\"", r#""\ud800""#] {
        assert!(scan(suspect).suspect, "{suspect}");
    }
    assert!(!scan(r#""å\n\t\\r""#).suspect);
}

#[test]
fn control_characters_are_found_wherever_a_text_stands() {
    for bad in [r#""\u0000""#, r#"{"a":["\r"]}"#, "[\"\u{7f}\"]", "\"\u{9f}\"", r#"{"\u001b":1}"#] {
        let problem = refuse_control_characters(raw(bad), &JsonPath::Root).unwrap_err();
        assert_eq!(problem.kind, Kind::ControlCharacters, "{bad}");
    }
    let half = refuse_control_characters(raw(r#""\ud800""#), &JsonPath::Root).unwrap_err();
    assert_eq!(half.kind, Kind::MalformedJson);
    for good in [r#""\n\t""#, r#"{"a":"\"\\u0000","b":["\u00e5","Â£",1]}"#] {
        refuse_control_characters(raw(good), &JsonPath::Root).unwrap();
    }
}

#[test]
fn malformed_json_has_line_and_column() {
    let text = "{\n  \"amount\": NaN\n}";
    let error = serde_json::from_str::<&RawValue>(text).unwrap_err();
    let problem = malformed(text, &error);
    assert_eq!(problem.place.as_deref(), Some("line 2, column 13"));
    assert!(problem.next.unwrap().contains("NaN"));
    let problem = utf8(b"{\"a\":\"\xff\"}").unwrap_err();
    assert!(problem.detail.contains("0xff at offset 6"), "{}", problem.detail);
}

#[test]
fn keys_stand_once_however_many_there_are() {
    for count in [2, 40] {
        let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":1")).collect();
        let fine = format!("{{{}}}", keys.join(","));
        assert_eq!(members(&fine, &JsonPath::Root, "it").map(|members| members.0.len()), Ok(count));
        let twice = format!("{{{},\"k\\u0030\":1}}", keys.join(","));
        let problem = members(&twice, &JsonPath::Root, "it").err().unwrap();
        assert_eq!((problem.kind, problem.place.as_deref()), (Kind::DuplicateKey, Some("k0")));
    }
}

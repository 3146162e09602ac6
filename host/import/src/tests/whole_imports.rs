//! Whole imports: every event once, a customer's in order, and an end that says what was done.

use std::time::Duration;

use serde_json::{Value, json};

use crate::dispatcher::{ImportError, Progress, Summary, WINDOW_ROWS, run};
use crate::fake_host::{Server, event, file, import};
use crate::options::Options;
use crate::row::{BadRow, Refused, Row, SourceError};
use samsyn_client::{Client, ClientError};
use samsyn_terminal::Exit;

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
        Ok(row) if row.line == 9 => Err(SourceError::Bad(BadRow::new(row.line, "no JSON"))),
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

#[test]
fn a_file_is_taken_once_unless_told_otherwise() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, 0..6_000);
    import(&server, &[&path]).unwrap();
    assert_eq!(server.kept().ids.len(), 6_000);
    let again = import(&server, &[&path]).unwrap_err();
    assert_eq!(again.exit, Exit::Refused);
    assert!(again.what.contains("was imported before; nothing was added"), "{again}");
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

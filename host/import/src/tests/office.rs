//! Encodings, zones, value maps, serial dates and first lines as offices have them.

use std::io::Write as _;

use proptest::prelude::*;
use serde_json::json;

use super::{NAMES, cell, outcome, read, read_in_pieces, source};

fn encoded(encoding: &str) -> String {
    format!("[file]\nencoding = {encoding:?}\n{NAMES}")
}

fn utf_16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn a_file_has_the_encoding_that_the_mapping_says() {
    for (encoding, bytes, name) in [
        ("windows-1252", &b"\xc5sa \x80"[..], "Åsa €"),
        ("Windows-1252", b"\xc5sa \x80", "Åsa €"),
        ("iso-8859-1", b"\xc5sa", "Åsa"),
        ("latin1", b"\xc5sa", "Åsa"),
        ("iso-8859-15", b"\xc5sa \xa4", "Åsa €"),
        ("windows-1250", b"\xa3ukasz", "Łukasz"),
        ("iso-8859-2", b"\xa3ukasz", "Łukasz"),
        ("windows-1251", b"\xcf\xb8\xf2\xf0", "Пётр"),
        ("macintosh", b"\x81sa", "Åsa"),
        ("shift_jis", b"\x8eR\x93c", "山田"),
        ("gbk", b"\xcd\xf5", "王"),
        ("utf-8", "Åsa".as_bytes(), "Åsa"),
        ("utf8", "Åsa".as_bytes(), "Åsa"),
    ] {
        for piece in [1, 2, 3, 64] {
            let file = [b"id,name\r\n1,\"", bytes, b"\"\r\n1,", bytes, b"\r\n"].concat();
            let read = read_in_pieces(&encoded(encoding), &file, piece).unwrap();
            assert_eq!(read.property("name"), [name, name], "{encoding}");
            assert_eq!(read.lines(), [2, 3]);
        }
    }
}

#[test]
fn names_of_columns_have_the_encoding_too() {
    let mapping =
        "[file]\nencoding = \"windows-1252\"\n[event]\nname = \"x\"\n[identifiers]\nid = \"{kundnr_å}\"\n";
    assert_eq!(outcome(mapping, b"kundnr_\xe5\n1\n").lines(), [2]);
}

#[test]
fn what_is_no_utf_8_is_refused_and_says_what_may_be_right() {
    let read = outcome(NAMES, b"id,name\n1,Ann\n2,\xc5sa\n3,Bo\xe4\n4,\"\xff\"\n5,\xe4\"x\n6,Cy\n");
    assert_eq!((read.lines(), read.refused_lines()), (vec![2, 7], vec![3, 4, 5, 6]));
    for (_, problem) in &read.refused[..2] {
        assert!(problem.contains("encoding = \"windows-1252\""), "{problem}");
    }
    let cause = read_header(b"id,nam\xe9\n1,Ann\n");
    assert!(cause.contains("encoding = \"windows-1252\""), "{cause}");
    let blanks = format!("[file]\ndelimiter = \"whitespace\"\n{NAMES}");
    assert_eq!(outcome(&blanks, b"id name\n1 \xc5sa\n2 Bo\n").refused_lines(), [2]);
}

fn read_header(bytes: &[u8]) -> String {
    read(NAMES, bytes).unwrap_err()
}

#[test]
fn what_an_encoding_has_not_is_refused_and_never_a_replacement_character() {
    for (encoding, bytes) in [
        ("windows-1252", &b"\x81"[..]),
        ("windows-1252", b"M\x9duller"),
        ("iso-8859-15", b"\x85"),
        ("windows-1253", b"\xaa"),
        ("iso-8859-7", b"\xae"),
        ("shift_jis", b"\x81"),
        ("gbk", b"\xff"),
        ("utf-8", b"\xed\xa0\x80"),
        ("utf-8", b"\xc0\xaf"),
    ] {
        let file = [b"id,name\n1,", bytes, b"\n2,Bo\n"].concat();
        let read = outcome(&encoded(encoding), &file);
        assert_eq!(
            (read.refused_lines(), read.lines()),
            (vec![2], vec![3]),
            "{encoding} {bytes:?}: {read:?}"
        );
        assert!(read.refused[0].1.to_lowercase().contains(encoding), "{:?}", read.refused);
    }
    // A replacement character that stands in the file is one.
    assert_eq!(outcome(NAMES, "id,name\n1,\u{fffd}\n").property("name"), ["\u{fffd}"]);
}

#[test]
fn utf_16_is_told_by_its_mark() {
    let text = "id,name\r\n1,\"Åsa\r\n😀\"\r\n2,Bo\r\n";
    for little in [true, false] {
        for piece in [1, 2, 3, 64] {
            let file = utf_16(text, little, true);
            for mapping in [NAMES, &encoded("utf-16"), &encoded("windows-1252"), &encoded("utf-16le")] {
                let read = read_in_pieces(mapping, &file, piece).unwrap();
                assert_eq!((read.lines(), read.refused.len()), (vec![2, 4], 0));
                assert_eq!(read.property("name"), ["Åsa\r\n😀", "Bo"]);
            }
        }
        let unmarked = utf_16(text, little, false);
        let name = if little { "utf-16le" } else { "utf-16be" };
        assert_eq!(outcome(&encoded(name), &unmarked).lines(), [2, 4]);
        for mapping in [NAMES, &encoded("utf-16")] {
            let cause = read(mapping, &unmarked).unwrap_err();
            assert!(cause.contains(&format!("encoding = {name:?}")), "{cause}");
        }
    }
    // A lone surrogate, and a file that ends within a character.
    let mut file = utf_16("id,name\n1,A", true, true);
    file.extend([0x00, 0xd8, b'\n', 0, b'2', 0, b',', 0, b'B', 0, b'\n', 0, b'3', 0, b',', 0, b'C']);
    let read = outcome(NAMES, &file);
    assert_eq!((read.lines(), read.refused_lines()), (vec![3], vec![2, 4]));
    // A mark in UTF-8 is as certain.
    assert_eq!(outcome(&encoded("windows-1252"), "\u{feff}id,name\n1,Åsa\n").property("name"), ["Åsa"]);
    let mut utf_32 = vec![0xff, 0xfe, 0, 0];
    utf_32.extend("id,name\n".bytes().flat_map(|byte| [byte, 0, 0, 0]));
    assert!(read_header(&utf_32).contains("UTF-32"));
}

#[test]
fn an_encoding_nobody_knows_is_an_error_of_the_mapping() {
    for name in ["cp850", "klingon", "", "replacement", "iso-2022-kr", "x-user-defined", "ascii", "us-ascii"]
    {
        let cause = read(&encoded(name), "id,name\n1,Ann\n").unwrap_err();
        assert!(cause.starts_with("file.encoding: ") && cause.contains("windows-1252"), "{cause}");
    }
}

fn local(more: &str, text: &str) -> Result<String, String> {
    let rule = format!(
        "{{ column = \"cell\", type = \"timestamp\", format = \"%Y-%m-%d %H:%M\", zone = \"Europe/Stockholm\"{more} }}"
    );
    cell(&rule, text).map(|value| value.as_str().expect("a time is a text").to_owned())
}

#[test]
fn a_zone_has_summer_time() {
    for (text, utc) in [
        ("2026-01-15 12:00", "2026-01-15T11:00:00Z"),
        ("2026-07-15 12:00", "2026-07-15T10:00:00Z"),
        ("2026-03-29 01:59", "2026-03-29T00:59:00Z"),
        ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
        ("2026-10-25 01:59", "2026-10-24T23:59:00Z"),
        ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
        ("1970-07-01 12:00", "1970-07-01T11:00:00Z"),
        ("2060-07-01 12:00", "2060-07-01T10:00:00Z"),
    ] {
        assert_eq!(local("", text).as_deref(), Ok(utc), "{text}");
    }
}

#[test]
fn a_skipped_or_doubled_hour_has_a_rule() {
    let (skipped, doubled) = ("2026-03-29 02:30", "2026-10-25 02:30");
    for text in [skipped, doubled] {
        let cause = local("", text).unwrap_err();
        let key = if text == skipped { "skipped = " } else { "ambiguous = " };
        assert!(cause.contains(key) && cause.contains("Europe/Stockholm"), "{cause}");
        assert_eq!(local(", ambiguous = \"refuse\", skipped = \"refuse\"", text), Err(cause));
    }
    for (more, text, utc) in [
        (", ambiguous = \"earlier\"", doubled, "2026-10-25T00:30:00Z"),
        (", ambiguous = \"later\"", doubled, "2026-10-25T01:30:00Z"),
        (", skipped = \"earlier\"", skipped, "2026-03-29T00:30:00Z"),
        (", skipped = \"later\"", skipped, "2026-03-29T01:30:00Z"),
    ] {
        assert_eq!(local(more, text).as_deref(), Ok(utc), "{more} {text}");
    }
    assert!(local(", ambiguous = \"guess\"", doubled).is_err());
    // A date is its first moment, where the night's first hour is skipped or doubled too.
    for (zone, text, utc) in [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
        ("Asia/Tokyo", "2026-04-24", "2026-04-23T15:00:00Z"),
        ("europe/stockholm", "2026-04-24", "2026-04-23T22:00:00Z"),
    ] {
        let rule = format!("{{ column = \"cell\", type = \"timestamp\", format = \"%F\", zone = {zone:?} }}");
        assert_eq!(cell(&rule, text).unwrap(), utc, "{zone}");
    }
}

#[test]
fn a_file_can_say_its_zone_once() {
    let mapping = "[file]\nzone = \"Europe/Stockholm\"\nambiguous = \"later\"\n[event]\nname = \"x\"\n\
                   at = { column = \"at\", format = \"%F %R\" }\n[identifiers]\nid = \"{id}\"\n[properties]\n\
                   utc = { column = \"at\", type = \"timestamp\", format = \"%F %R\", zone = \"UTC\" }\n";
    let read = outcome(mapping, "id,at\n1,2026-10-25 02:30\n2,2026-03-29 02:30\n");
    assert_eq!(read.rows[0].1["at"], "2026-10-25T01:30:00Z");
    assert_eq!(read.rows[0].1["properties"]["utc"], "2026-10-25T02:30:00Z");
    assert_eq!(read.refused_lines(), [3]);
}

#[test]
fn what_is_no_zone_is_an_error_of_the_mapping() {
    for zone in ["Europe/Stokholm", "CEST", "CET", "EST", "local", "Etc/Unknown", "+1"] {
        let rule = format!("{{ column = \"cell\", type = \"timestamp\", zone = {zone:?} }}");
        let cause = cell(&rule, "2026-01-01T00:00:00Z").unwrap_err();
        assert!(
            cause.starts_with("properties.value: ") && cause.contains("Europe/Stockholm"),
            "{zone}: {cause}"
        );
    }
}

#[test]
fn values_become_what_the_mapping_says() {
    let consent = |values: &str, text: &str| {
        cell(&format!("{{ column = \"cell\", type = \"boolean\", values = {values} }}"), text)
    };
    let yes = "{ yes = true, no = false, \"1\" = true, ja = true, nej = false }";
    for (text, value) in [("yes", true), ("No", false), (" YES ", true), ("1", true), ("NEJ", false)] {
        assert_eq!(consent(yes, text).unwrap(), value, "{text}");
    }
    for (text, value) in [("yes", false), ("no", true)] {
        assert_eq!(consent("{ yes = false, no = true }", text).unwrap(), value, "inverted: {text}");
    }
    for text in ["maybe", "true", "0", "y", "yes no"] {
        let cause = consent(yes, text).unwrap_err();
        assert!(cause.contains("values"), "{cause}");
    }
    // Of keys that differ in case alone the exact one counts, and no other is guessed.
    let case = "{ M = true, m = false }";
    assert_eq!((consent(case, "M").unwrap(), consent(case, "m").unwrap()), (true.into(), false.into()));
    assert!(consent("{ Ja = true, JA = false }", "ja").is_err());
    // Empty is empty, unless it stands among the values.
    assert_eq!(consent(yes, "").unwrap(), json!(null), "it is left out");
    assert_eq!(consent("{ x = true, \"\" = false }", " ").unwrap(), false);
}

#[test]
fn values_can_be_of_any_type_and_are_checked() {
    let of =
        |kind: &str, values: &str| cell(&format!("{{ column = \"cell\", {kind}values = {values} }}"), "a");
    assert_eq!(of("", "{ a = \"Annual\", b = 2 }").unwrap(), "Annual");
    assert_eq!(of("", "{ a = 2 }").unwrap(), 2);
    assert_eq!(of("", "{ a = true }").unwrap(), true);
    assert_eq!(of("type = \"integer\", ", "{ a = 12 }").unwrap(), 12);
    assert_eq!(of("type = \"decimal\", ", "{ a = \"12.50\", b = 3 }").unwrap(), "12.5");
    assert_eq!(of("type = \"date\", ", "{ a = \"2026-01-01\" }").unwrap(), "2026-01-01");
    assert_eq!(of("", "{ a = 2026-01-01 }").unwrap(), "2026-01-01", "TOML has dates");
    assert_eq!(of("type = \"texts\", ", "{ a = [\"x\", \"y\"] }").unwrap(), json!(["x", "y"]));
    for (kind, values) in [
        ("type = \"boolean\", ", "{ a = \"true\" }"),
        ("type = \"boolean\", ", "{ b = 1 }"),
        ("type = \"integer\", ", "{ a = 1.5 }"),
        ("type = \"text\", ", "{ a = 1 }"),
        ("type = \"date\", ", "{ a = \"26-01-01\" }"),
        ("", "{}"),
        ("", "{ a = { b = 1 } }"),
        ("type = \"date\", ", "{ a = 2026-01-01T10:00:00 }"),
    ] {
        let cause = of(kind, values).unwrap_err();
        assert!(cause.contains("values"), "{kind}{values}: {cause}");
    }
    // A boolean that can't be read says how.
    let cause = cell("{ column = \"cell\", type = \"boolean\" }", "yes").unwrap_err();
    assert!(cause.contains("values = "), "{cause}");
}

fn serial(format: &str, kind: &str, text: &str) -> Result<String, String> {
    let rule = format!("{{ column = \"cell\", type = {kind:?}, format = {format:?} }}");
    cell(&rule, text).map(|value| value.as_str().expect("it is a text").to_owned())
}

#[test]
fn serial_dates_of_excel_are_days_of_its_calendar() {
    for (format, text, date) in [
        ("excel", "1", "1900-01-01"),
        ("excel", "59", "1900-02-28"),
        ("excel", "61", "1900-03-01"),
        ("excel", "367", "1901-01-01"),
        ("excel", "25569", "1970-01-01"),
        ("excel", "45000", "2023-03-15"),
        ("excel", "45000.75", "2023-03-15"),
        ("excel", "46347", "2026-11-21"),
        ("excel", "2958465", "9999-12-31"),
        ("excel-1904", "0", "1904-01-01"),
        ("excel-1904", "1", "1904-01-02"),
        ("excel-1904", "44885", "2026-11-21"),
        ("excel-1904", "2957003", "9999-12-31"),
    ] {
        assert_eq!(serial(format, "date", text).as_deref(), Ok(date), "{format} {text}");
    }
    for (format, text) in [
        ("excel", "60"),
        ("excel", "60.5"),
        ("excel", "0"),
        ("excel", "0.5"),
        ("excel", "-1"),
        ("excel", "2958466"),
        ("excel", "2958465.9999999999"),
        ("excel", "99999999999999999999"),
        ("excel", "4.5E+04"),
        ("excel", "45000,5"),
        ("excel", "2026-11-21"),
        ("excel", "21/11/2026"),
        ("excel", "NaN"),
        ("excel-1904", "-1"),
        ("excel-1904", "2957004"),
    ] {
        assert!(serial(format, "date", text).is_err(), "{format} {text}: {:?}", serial(format, "date", text));
    }
    assert!(serial("excel", "date", "60").unwrap_err().contains("29 February 1900"));
}

#[test]
fn serial_times_are_fractions_of_a_day_in_a_zone() {
    for (text, utc) in [
        ("45000", "2023-03-15T00:00:00Z"),
        ("45000.5", "2023-03-15T12:00:00Z"),
        ("45000.5208333333", "2023-03-15T12:30:00Z"),
        ("45000.520833333336", "2023-03-15T12:30:00Z"),
        ("45000.9999999999", "2023-03-16T00:00:00Z"),
        ("45000.999988425926", "2023-03-15T23:59:59Z"),
        ("45000.0000115741", "2023-03-15T00:00:01Z"),
    ] {
        assert_eq!(serial("excel", "timestamp", text).as_deref(), Ok(utc), "{text}");
    }
    let rule = "{ column = \"cell\", type = \"timestamp\", format = \"excel\", zone = \"Europe/Stockholm\", \
                decimal = \",\" }";
    assert_eq!(cell(rule, "46204,5").unwrap(), "2026-07-01T10:00:00Z");
    assert!(cell(rule, "46110,104166666664").unwrap_err().contains("skipped"), "29 March, 02:30");
}

proptest! {
    /// Every day and second of the calendar, written as Excel writes it in 15 digits.
    #[test]
    fn every_second_of_excel_is_found(day in 61_i64..2_900_000, second in 0_i64..86_400, system in any::<bool>()) {
        let (format, first) = if system { ("excel", "1899-12-30") } else { ("excel-1904", "1904-01-01") };
        let serial_number = day as f64 + second as f64 / 86_400.0;
        let digits = 15 - day.to_string().len();
        let text = format!("{serial_number:.digits$}");
        let first: jiff::civil::Date = first.parse().unwrap();
        let span = jiff::Span::new().try_days(day).unwrap().try_seconds(second).unwrap();
        let moment = first.to_datetime(jiff::civil::Time::midnight()).checked_add(span).unwrap();
        prop_assert_eq!(serial(format, "timestamp", &text), Ok(format!("{moment}Z")), "{}", text);
    }
}

#[test]
fn a_first_line_that_says_sep_is_the_delimiter() {
    for first in ["sep=;", "SEP=;", "\"sep=;\"", "Sep=; "] {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("{first}{end}id;name{end}1;Ann{end}");
            let read = outcome(NAMES, &text);
            assert_eq!((read.lines(), read.property("name")), (vec![3], vec![json!("Ann")]), "{text:?}");
            assert_eq!(outcome(NAMES, format!("\u{feff}{text}")).lines(), [3], "{text:?}");
            assert_eq!(outcome(NAMES, utf_16(&text, true, true)).lines(), [3], "{text:?}");
        }
    }
    assert_eq!(outcome(NAMES, "sep=\t\nid\tname\n1\tAnn\n").lines(), [3]);
    assert_eq!(outcome(NAMES, "sep=,\nid,name\n1,Ann\n").lines(), [3]);
    let columns = format!("[file]\ncolumns = [\"id\", \"name\"]\n{NAMES}");
    assert_eq!(outcome(&columns, "sep=;\n1;Ann\n").lines(), [2]);
    let same = format!("[file]\ndelimiter = \";\"\n{NAMES}");
    assert_eq!(outcome(&same, "sep=;\nid;name\n1;Ann\n").lines(), [3]);
    // The mapping says another: one of the two is wrong.
    let other = format!("[file]\ndelimiter = \"tab\"\n{NAMES}");
    let cause = read(&other, "sep=;\nid;name\n1;Ann\n").unwrap_err();
    assert!(cause.starts_with("file.delimiter: ") && cause.contains("sep=;"), "{cause}");
    // Columns that are called so are columns.
    let mapping = "[event]\nname = \"x\"\n[identifiers]\nid = \"{sep=id}\"\n";
    assert_eq!(outcome(mapping, "sep=id,name\n1,Ann\n").lines(), [2]);
}

#[test]
fn files_that_are_no_text_are_told_by_their_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let zip = |name: &str, rest: &[u8]| {
        let mut bytes = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend([0; 12]);
        bytes.extend([name.len() as u8, 0, 0, 0]);
        bytes.extend(name.as_bytes());
        bytes.extend(rest);
        bytes
    };
    let ods = zip("mimetype", b"application/vnd.oasis.opendocument.spreadsheet");
    let gzipped = {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&zip("[Content_Types].xml", b"")).unwrap();
        packed.finish().unwrap()
    };
    for (name, bytes, message) in [
        ("a.csv", zip("[Content_Types].xml", b""), "Excel"),
        ("a.xlsx", zip("_rels/.rels", b""), "Excel"),
        ("a.csv.gz", gzipped, "Excel"),
        ("b.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(), "Excel"),
        ("c.txt", ods, "OpenDocument"),
        ("d.csv", zip("customers.csv", b"id,name"), "ZIP"),
        ("e.csv", b"%PDF-1.7\n".to_vec(), "PDF"),
        ("f.csv", b"<html><table><tr><td>id".to_vec(), "HTML"),
        ("f.xls", b"\xef\xbb\xbf\r\n<!DOCTYPE html>".to_vec(), "HTML"),
        ("g.csv", b"<?xml version=\"1.0\"?><Workbook>".to_vec(), "XML"),
        ("h.csv", b"\x28\xb5\x2f\xfd\0".to_vec(), "zstd"),
        ("i.csv", b"PAR1\0\0".to_vec(), "Parquet"),
        ("j.csv", b"SQLite format 3\0".to_vec(), "SQLite"),
        ("k.xlsx", b"id,name\n1,Ann\n".to_vec(), "Excel"),
        ("L.XLS", b"id\tname\n1\tAnn\n".to_vec(), "Excel"),
        ("m.xlsm", b"id".to_vec(), "Excel"),
        ("n.xlsb", b"".to_vec(), "Excel"),
        ("o.ods", b"id".to_vec(), "OpenDocument"),
        ("p.numbers", b"id".to_vec(), "Numbers"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let Err(cause) = source::open(&path) else { panic!("{name} was opened") };
        let cause = cause.to_string();
        assert!(cause.contains(message), "{name}: {cause}");
        assert!(cause.contains("CSV") || cause.contains("unpack"), "{name} says what to do: {cause}");
    }
    for (name, bytes) in [
        ("a.txt", &b"PK,name\n"[..]),
        ("b.txt", b""),
        ("c.txt", b"P"),
        ("xlsx", b"id,name\n"),
        ("d.jsonl", b"{}"),
        ("e.csv", b"<id>,name\n1,x\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        assert!(source::open(&path).is_ok(), "{name}");
    }
}

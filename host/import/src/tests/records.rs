//! Records as RFC 4180 has them: which line each begins on, and what is refused.

use proptest::prelude::*;

use super::{NAMES, outcome, read, read_in_pieces};

#[test]
fn every_line_end_counts_once() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["id,name", "1,Ann", "", "2,Bo", "2,Bo", "", "", "3,Cy", ""].join(end);
        let read = outcome(NAMES, &text);
        assert_eq!(read.lines(), [2, 4, 5, 8], "{end:?}");
        assert_eq!(read.property("place"), ["1-2", "2-4", "2-5", "3-8"], "{end:?}");
        let ids: Vec<_> = read.rows.iter().map(|(_, event)| event["id"].clone()).collect();
        assert_eq!(ids, ["import:d:2", "import:d:4", "import:d:5", "import:d:8"], "{end:?}");
        assert!(read.refused.is_empty() && read.broken.is_none(), "{read:?}");
    }
}

#[test]
fn the_last_line_may_lack_its_end_and_ends_may_differ() {
    for text in ["id,name\r\n1,Ann\n2,Bo", "id,name\n1,Ann\r\n2,Bo\r", "id,name\r1,Ann\r\n2,Bo"] {
        assert_eq!(outcome(NAMES, text).lines(), [2, 3], "{text:?}");
    }
    // What a text mode makes of CRLF when it adds a CR once more: every other line is blank.
    assert_eq!(outcome(NAMES, "id,name\r\r\n1,Ann\r\r\n2,Bo\r\r\n").lines(), [3, 5]);
}

#[test]
fn line_breaks_within_quotes_count() {
    for end in ["\n", "\r\n", "\r"] {
        let text = format!("id,name{end}1,\"a{end}b{end}\"{end}2,Bo{end}");
        let read = outcome(NAMES, &text);
        assert_eq!(read.lines(), [2, 5], "{end:?}");
        assert_eq!(read.property("name")[0], format!("a{end}b{end}"), "what stands in quotes is kept");
    }
    // A header with a line break in a name counts too.
    let mapping = NAMES.replace("\"{name}\"", "\"{full\\nname}\"");
    assert_eq!(outcome(&mapping, "id,\"full\nname\"\n1,Ann\n").lines(), [3]);
}

#[test]
fn what_rfc_4180_has_not_is_refused_with_its_line() {
    for record in [
        "2,\"Ann\"x",
        "2,\"Ann\" ",
        "2,\"Ann\"\t",
        "2,\"Ann\"\"\" x\"",
        "2,An\"n",
        "2, \"Ann\"",
        "2,5\" pipe",
        "\"2\"3,Ann",
        "2,\"\"Ann\"\"",
        "2,\"Ann \"the man\" Berg\"",
        "2,Ann\"",
        "2,An\rn",
        "2\r,Ann",
        "\r2,Ann",
        "2,\"Ann\"\rx",
    ] {
        let read = outcome(NAMES, format!("id,name\n1,Bo\n{record}\n4,\"Cy\"\n"));
        assert_eq!(read.refused_lines(), [3], "{record:?}: {read:?}");
        assert_eq!(read.rows.len(), 2, "{record:?}: {read:?}");
        assert_eq!(read.rows[0].0, 2, "{record:?}");
        // A line end more lies in those with a stray CR.
        let stray = record.matches('\r').count() as u64;
        assert_eq!(read.rows[1].0, 4 + stray, "{record:?}");
        assert!(read.broken.is_none());
    }
}

#[test]
fn a_refused_record_that_spans_lines_says_so() {
    let read = outcome(NAMES, "id,name\n1,\"Ann,\n2,\"Bo\"\n3,Cy\n");
    assert_eq!((read.lines(), read.refused_lines()), (vec![4], vec![2]));
    assert!(read.refused[0].1.contains("to line 3"), "{:?}", read.refused);
}

#[test]
fn an_open_quotation_mark_names_the_line_where_it_opened() {
    for (text, opened) in [
        ("id,name\n1,Ann\n2,\"Bo\n3,Cy\n4,Di\n", 3),
        ("id,name\r1,Ann\r2,\"Bo\r3,Cy\r", 3),
        ("id,name\r\n1,Ann\r\n\r\n2,\"", 4),
        ("id,name\n1,Ann\n\"a\nb\",\"c\nd\n", 4),
        ("id,name\n1,Ann\n2,\"Bo\"\"\n", 3),
        ("id,name\n1,Ann\n2,x\"y,\"Bo\n", 3),
    ] {
        let read = outcome(NAMES, text);
        assert_eq!(read.lines(), [2], "{text:?}");
        let cause = read.broken.unwrap_or_else(|| panic!("{text:?} was read to its end"));
        assert!(cause.contains(&format!("line {opened}")) && cause.contains("quotation mark"), "{cause}");
    }
}

#[test]
fn an_open_quotation_mark_in_the_header_is_told() {
    let cause = read(NAMES, "id,\"name\n1,Ann\n").unwrap_err();
    assert!(cause.contains("quotation mark") && cause.contains("line 1"), "{cause}");
    let cause = read(NAMES, "id,na\"me\n1,Ann\n").unwrap_err();
    assert!(cause.contains("quotation mark") && cause.contains("line 1"), "{cause}");
}

#[test]
fn a_record_over_the_limit_is_refused_and_the_next_is_read() {
    let long = "x".repeat(2 * 1024 * 1024);
    let read = outcome(NAMES, format!("id,name\n1,{long}\n2,Bo\n"));
    assert_eq!((read.refused_lines(), read.lines()), (vec![2], vec![3]));
    assert!(read.refused[0].1.contains("longer than"), "{:?}", read.refused[0]);
}

#[test]
fn two_columns_of_one_name_are_ambiguous_where_the_mapping_uses_them() {
    let cause = read(NAMES, "id,name,name\n1,Ann,Bo\n").unwrap_err();
    assert!(cause.contains("name") && cause.contains("2 and 3"), "{cause}");
    let blanks = format!("[file]\ndelimiter = \"whitespace\"\n{NAMES}");
    assert!(read(&blanks, "id id name\n1 2 Ann\n").is_err());
    let named = format!("[file]\ncolumns = [\"id\", \"name\", \"id\"]\n{NAMES}");
    assert!(read(&named, "1,Ann,2\n").is_err());
    assert!(read(NAMES, "id,\"name \", name\n1,Ann,Bo\n").is_err(), "blanks around a name don't count");
    // Names that nothing asks for may be equal, empty ones too.
    assert_eq!(outcome(NAMES, "id,x,name,x,,\n1,a,Ann,b,,\n").property("name"), ["Ann"]);
}

#[test]
fn rows_of_delimiters_only_are_passed_over() {
    let mapping = format!("[file]\ndelimiter = \";\"\n{NAMES}");
    for row in ["", ";", ";;;;", " ; ", "\"\";\"\"", "\" \";", "   ", "\t;\u{a0}", "\u{1a}"] {
        let read = outcome(&mapping, format!("id;name\n1;Ann\n{row}\n2;Bo\n"));
        assert_eq!(read.lines(), [2, 4], "{row:?}: {read:?}");
        assert!(read.refused.is_empty(), "{row:?}: {read:?}");
    }
    assert_eq!(outcome(&mapping, "\n;\nid;name\n1;Ann\n").lines(), [4], "before the header too");
}

#[test]
fn short_rows_are_taken_where_what_they_lack_is_optional() {
    let mapping = "[event]\nname = \"seen\"\nat = { column = \"at\", format = \"%Y\" }\n\
                   [identifiers]\nid = \"{id}\"\nother = \"{other}\"\n\
                   [properties]\nx = \"{x}\"\ny = { column = \"y\", empty = \"null\" }\n";
    let mapping = mapping.replace("at = { column = \"at\", format = \"%Y\" }\n", "");
    let read = outcome(&mapping, "id,other,x,y\n1,2\n3,4,5\n6\n");
    assert_eq!(read.lines(), [2, 3, 4]);
    assert_eq!(read.rows[0].1["properties"], serde_json::json!({"y": null}));
    assert_eq!(read.rows[1].1["properties"], serde_json::json!({"x": "5", "y": null}));
    // No identifier is left, or one that the mapping needs, or a part of a text.
    assert_eq!(outcome(&mapping, "x,id,other,y\n1\n").refused_lines(), [2]);
    let timed = mapping.replace("[identifiers]", "at = { column = \"at\", format = \"%F\" }\n[identifiers]");
    let read = outcome(&timed, "id,other,x,y,at\n1,2,3,4\n1,2,3,4,2026-01-01\n");
    assert_eq!((read.refused_lines(), read.lines()), (vec![2], vec![3]));
    let listed =
        mapping.replace("x = \"{x}\"", "x = { column = \"x\", values = { \"\" = false, a = true } }");
    let read = outcome(&listed, "id,other,x,y\n1,2\n1,2,,\n");
    assert_eq!(
        (read.refused_lines(), read.lines()),
        (vec![2], vec![3]),
        "an empty cell says it, a missing one doesn't"
    );
    let joined = mapping.replace("x = \"{x}\"", "x = \"{id}-{x}\"");
    assert_eq!(outcome(&joined, "id,other,y,x\n1,2,3\n").refused_lines(), [2]);
}

#[test]
fn long_rows_are_taken_where_nothing_stands_in_what_is_too_much() {
    let read = outcome(NAMES, "id,name\n1,Ann,\n2,Bo,, \n3,Cy,x\n4,Di,,,\"\"\n5,\"a\",,y\n");
    assert_eq!((read.lines(), read.refused_lines()), (vec![2, 3, 5], vec![4, 6]));
    assert!(read.refused[0].1.contains("3 cells") && read.refused[0].1.contains("2 columns"), "{read:?}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    for text in
        ["\u{feff}id,name\n1,Ann\n", "\u{feff}\"id\",\"name\"\r\n1,Ann\r\n", "\u{feff}\nid,name\n1,A\n"]
    {
        for piece in [1, 2, 64] {
            assert_eq!(read_in_pieces(NAMES, text.as_bytes(), piece).unwrap().rows.len(), 1, "{text:?}");
        }
    }
    let named = format!("[file]\ncolumns = [\"id\", \"name\"]\n{NAMES}");
    let read = outcome(&named, "\u{feff}\"1\",Ann\n");
    assert_eq!(read.rows[0].1["identifiers"]["id"], "1");
}

#[test]
fn an_id_of_which_a_column_is_empty_is_no_id() {
    let mapping = "[event]\nname = \"seen\"\nid = \"crm-{key}\"\n[identifiers]\nid = \"{id}\"\n";
    let read = outcome(mapping, "id,key\n1,\n2,x\n");
    assert_eq!((read.refused_lines(), read.lines()), (vec![2], vec![3]));
    // Everybody without a number would be one customer.
    let mapping = "[event]\nname = \"seen\"\n[identifiers]\nid = \"shop-{id}\"\nmail = \"{mail}\"\n";
    let read = outcome(mapping, "id,mail\n,a@b.example\n,\n1,\n");
    assert_eq!((read.lines(), read.refused.len()), (vec![2, 4], 0));
    assert_eq!(read.rows[0].1["identifiers"], serde_json::json!({"mail": "a@b.example"}));
    assert_eq!(outcome(mapping, "id,mail,x\n,,1\n").refused_lines(), [2]);
    let mapping = "[event]\nname = \"seen\"\n[identifiers]\nid = \"{shop}-{id}\"\n";
    assert_eq!(outcome(mapping, "shop,id\na,1\n,1\na,\n").refused_lines(), [3, 4]);
}

#[test]
fn cells_of_json_lose_nothing() {
    let json = |text: &str| super::cell("{ column = \"cell\", type = \"json\" }", text);
    assert_eq!(
        json("{\"a\": [1, 0.5, 10.50, \"x\"]}").unwrap(),
        serde_json::json!({"a": [1, 0.5, 10.5, "x"]})
    );
    assert_eq!(json("18446744073709551615").unwrap(), serde_json::json!(18446744073709551615_u64));
    for text in [
        "{\"a\": 1, \"a\": 2}",
        "[{\"b\": {\"a\": 1, \"\\u0061\": 1}}]",
        "0.1000000000000000055",
        "[12345678901234567890123]",
        "1e400",
        "{\"a\": 1} x",
    ] {
        assert!(json(text).is_err(), "{text}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(json(&deep).is_err());
}

#[test]
fn whitespace_files_have_line_ends_of_every_kind_too() {
    let mapping = format!("[file]\ndelimiter = \"whitespace\"\n{NAMES}");
    for end in ["\n", "\r\n", "\r"] {
        let text = [" id  name ", "1 Ann", "", "  2\t\tBo", "2 Bo", "3 C y", "4"].join(end);
        let read = outcome(&mapping, &text);
        assert_eq!(read.lines(), [2, 4, 5], "{end:?}: {read:?}");
        // Nobody knows which cell of a short line is missing.
        assert_eq!(read.refused_lines(), [6, 7], "{end:?}");
    }
}

#[test]
fn quotes_can_be_plain_characters() {
    let mapping = format!("[file]\ndelimiter = \"tab\"\nquotes = false\n{NAMES}");
    let read = outcome(&mapping, "id\tname\n1\t5\" pipe\n2\t\"x\n3\t\"\"\n");
    assert_eq!(read.property("name"), ["5\" pipe", "\"x", "\"\""]);
}

/// The line ends in a text: LF, CRLF and a lone CR.
fn line_ends(text: &str) -> u64 {
    text.replace("\r\n", "\n").matches(['\n', '\r']).count() as u64
}

fn cells() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = prop_oneof![
        "[a-c ]{0,4}",
        "[a\"\r\n,;\t|å ]{0,8}",
        "\\PC{0,6}",
        Just("\r\n".to_owned()),
        Just("\"".to_owned()),
    ];
    proptest::collection::vec(proptest::collection::vec(cell, 2), 0..12)
}

fn piece() -> impl Strategy<Value = usize> {
    prop_oneof![1_usize..9, Just(64 * 1024)]
}

proptest! {
    /// Any table that the csv crate writes is read back equal, every record with its line,
    /// wherever the pieces of the file end.
    #[test]
    fn any_table_is_read_back_equal(
        table in cells(),
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|')],
        always in any::<bool>(),
        mark in any::<bool>(),
        piece in piece(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let terminator = match end {
            "\n" => csv::Terminator::Any(b'\n'),
            "\r" => csv::Terminator::Any(b'\r'),
            _ => csv::Terminator::CRLF,
        };
        let record = |cells: &[&str]| {
            let mut writer = csv::WriterBuilder::new()
                .delimiter(delimiter)
                .quote_style(style)
                .terminator(terminator)
                .from_writer(Vec::new());
            writer.write_record(cells).unwrap();
            String::from_utf8(writer.into_inner().unwrap()).unwrap()
        };
        let mut text = record(&["id", "name", "more"]);
        let mut expected = Vec::new();
        for (number, cells) in table.iter().enumerate() {
            let id = number.to_string();
            let kept = |text: &str| if text.trim().is_empty() { String::new() } else { text.to_owned() };
            expected.push((line_ends(&text) + 1, id.clone(), kept(&cells[0]), kept(&cells[1])));
            text.push_str(&record(&[&id, &cells[0], &cells[1]]));
        }
        let text = if mark { format!("\u{feff}{text}") } else { text };
        let mapping = format!(
            "[file]\ndelimiter = {:?}\n[event]\nname = \"x\"\n[identifiers]\nid = \"{{id}}\"\n[properties]\n\
             name = {{ column = \"name\", empty = \"keep\" }}\nmore = {{ column = \"more\", empty = \"keep\" }}\n",
            char::from(delimiter).to_string(),
        );
        let read = read_in_pieces(&mapping, text.as_bytes(), piece).unwrap();
        prop_assert!(read.refused.is_empty() && read.broken.is_none(), "{:?} of {:?}", read, text);
        let found: Vec<_> = read.rows.iter().map(|(line, event)| {
            let property = |name: &str| event["properties"][name].as_str().unwrap_or_default().to_owned();
            let id = event["identifiers"]["id"].as_str().unwrap_or_default().to_owned();
            (*line, id, property("name"), property("more"))
        }).collect();
        prop_assert_eq!(found, expected, "{:?}", text);
    }

    /// Whatever a file holds, every character of it is in a row, in a refused record or after what
    /// broke; lines only grow, and where the pieces end changes nothing.
    #[test]
    fn pieces_change_nothing(
        text in "(id,name(\n|\r\n|\r))([1a,\"\r\n é]{0,40})",
        piece in 1_usize..9,
    ) {
        let whole = read(NAMES, &text).map(|read| format!("{read:?}"));
        let pieces = read_in_pieces(NAMES, text.as_bytes(), piece).map(|read| format!("{read:?}"));
        prop_assert_eq!(whole, pieces);
        let read = read(NAMES, &text).unwrap();
        let mut lines: Vec<u64> = read.lines().into_iter().chain(read.refused_lines()).collect();
        lines.sort_unstable();
        prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", read);
        prop_assert!(lines.iter().all(|line| *line <= line_ends(&text) + 1), "{:?}", read);
    }
}

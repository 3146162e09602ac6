//! Numbers as they are written: marks before the fraction and between thousands, and signs.

use proptest::prelude::*;
use serde_json::json;

use super::{cell, outcome};

fn number(rule: &str, text: &str) -> Result<serde_json::Value, String> {
    cell(&format!("{{ column = \"cell\", type = \"decimal\", {rule} }}"), text)
}

#[test]
fn numbers_are_read_as_the_mapping_says_they_are_written() {
    for (rule, text, value) in [
        ("decimal = \",\"", "12,50", "12.5"),
        ("decimal = \",\"", "1234", "1234"),
        ("decimal = \",\"", "-0,05", "-0.05"),
        ("decimal = \",\"", "+7,0", "7"),
        ("decimal = \",\"", "\u{2212}7,5", "-7.5"),
        ("decimal = \",\"", "12,50-", "-12.5"),
        ("decimal = \",\"", "(12,50)", "-12.5"),
        ("decimal = \",\"", " 12,5 ", "12.5"),
        ("decimal = \",\", thousands = \".\"", "1.234", "1234"),
        ("decimal = \",\", thousands = \".\"", "1.234.567,89", "1234567.89"),
        ("decimal = \",\", thousands = \".\"", "1234567,89", "1234567.89"),
        ("decimal = \",\", thousands = \".\"", "-1.234,5", "-1234.5"),
        ("decimal = \",\", thousands = \" \"", "1 234,50", "1234.5"),
        ("decimal = \",\", thousands = \" \"", "1\u{a0}234\u{a0}567,5", "1234567.5"),
        ("decimal = \",\", thousands = \" \"", "1\u{202f}234,50", "1234.5"),
        ("decimal = \",\", thousands = \"\u{a0}\"", "1 234,50", "1234.5"),
        ("decimal = \",\", thousands = \" \"", "\u{2212}12 345", "-12345"),
        ("thousands = \",\"", "1,234,567.89", "1234567.89"),
        ("thousands = \",\"", "(1,234.50)", "-1234.5"),
        ("thousands = \",\"", "1,234-", "-1234"),
        ("thousands = \"'\"", "1'234'567.05", "1234567.05"),
        ("thousands = \"'\"", "1\u{2019}234.05", "1234.05"),
        ("decimal = \".\"", "12.50", "12.5"),
        ("decimal = \",\"", "1234567890123456789,123456789", "1234567890123456789.123456789"),
    ] {
        assert_eq!(
            number(rule, text).as_ref().map(|value| value.as_str()),
            Ok(Some(value)),
            "{rule} {text:?}"
        );
    }
}

#[test]
fn a_number_that_is_written_otherwise_is_refused() {
    for (rule, text) in [
        // No decimal has more than 28 digits.
        ("decimal = \",\"", "12345678901234567890,123456789"),
        ("decimal = \",\"", "12.50"),
        ("decimal = \",\"", "1.234"),
        ("decimal = \",\"", "1,234,567"),
        ("decimal = \",\"", "1 234,5"),
        ("decimal = \",\"", "12,"),
        ("decimal = \",\"", ",5"),
        ("decimal = \",\"", "--5"),
        ("decimal = \",\"", "-5-"),
        ("decimal = \",\"", "(-5)"),
        ("decimal = \",\"", "(5"),
        ("decimal = \",\"", "5)"),
        ("decimal = \",\"", "()"),
        ("decimal = \",\"", "-"),
        ("decimal = \",\"", "€ 12,50"),
        ("decimal = \",\"", "12,50 kr"),
        ("decimal = \",\"", "$5"),
        ("decimal = \",\"", "12,50 €"),
        ("decimal = \",\"", "12 %"),
        ("decimal = \",\"", "12,5,0"),
        ("decimal = \",\"", "٣,٥"),
        ("decimal = \",\"", "0x1f"),
        ("decimal = \",\"", "1e"),
        ("decimal = \",\", thousands = \".\"", "1.2345,6"),
        ("decimal = \",\", thousands = \".\"", "12.34,5"),
        ("decimal = \",\", thousands = \".\"", "1234.567,8"),
        ("decimal = \",\", thousands = \".\"", ".234,5"),
        ("decimal = \",\", thousands = \".\"", "1..234"),
        ("decimal = \",\", thousands = \".\"", "1.234."),
        ("decimal = \",\", thousands = \".\"", "1,234.5"),
        ("decimal = \",\", thousands = \".\"", "1,234.567"),
        ("decimal = \",\", thousands = \".\"", "12.5"),
        ("decimal = \",\", thousands = \" \"", "1  234"),
        ("decimal = \",\", thousands = \" \"", "12 34"),
        ("decimal = \",\", thousands = \" \"", "0707 123 456"),
        ("decimal = \",\", thousands = \" \"", "-,100"),
        ("thousands = \",\"", "1,23,456"),
        ("thousands = \",\"", "1,5"),
        ("thousands = \",\"", "0,234,5"),
        ("thousands = \"'\"", "1'23"),
    ] {
        assert!(number(rule, text).is_err(), "{rule} {text:?}: {:?}", number(rule, text));
    }
    for text in ["€ 12,50", "12,50 kr", "$5", "USD 5"] {
        let cause = number("decimal = \",\"", text).unwrap_err();
        assert!(cause.contains("currency"), "{cause}");
    }
    // What was never said is not guessed; what may be meant is told.
    let plain = |text: &str| cell("{ column = \"cell\", type = \"decimal\" }", text);
    for text in ["12,50", "1,234", "1.234,50", "1 234"] {
        assert!(plain(text).unwrap_err().contains("decimal = "), "{text}: {:?}", plain(text));
    }
    assert_eq!(plain("(12.50)").unwrap(), "-12.5");
    assert_eq!(plain("1.234").unwrap(), "1.234");
}

#[test]
fn integers_and_doubles_are_written_so_too_and_a_file_can_say_it_once() {
    let mapping = "[file]\ndelimiter = \";\"\ndecimal = \",\"\nthousands = \".\"\n[event]\nname = \"x\"\n\
                   [identifiers]\nid = \"{id}\"\n[properties]\n\
                   count = { column = \"count\", type = \"integer\" }\n\
                   share = { column = \"share\", type = \"number\" }\n\
                   point = { column = \"point\", type = \"decimal\", decimal = \".\", thousands = \"\" }\n";
    let read = outcome(mapping, "id;count;share;point\n1.000;1.000;0,5;0.25\n2;1,5;1;1\n3;2,0;1;1\n");
    assert_eq!(read.rows[0].1["identifiers"]["id"], "1.000", "only numbers are read so");
    assert_eq!(read.rows[0].1["properties"], json!({"count": 1000, "share": 0.5, "point": "0.25"}));
    assert_eq!(read.refused_lines(), [3]);
    assert_eq!(read.rows[1].1["properties"]["count"], 2);
}

#[test]
fn marks_that_contradict_are_errors_of_the_mapping() {
    for (rule, problem) in [
        ("thousands = \".\"", "decimal"),
        ("decimal = \",\", thousands = \",\"", "decimal"),
        ("decimal = \";\"", "decimal"),
        ("decimal = \"\"", "decimal"),
        ("thousands = \"x\"", "thousands"),
        ("thousands = \"..\"", "thousands"),
    ] {
        let cause = number(rule, "1").unwrap_err();
        assert!(cause.starts_with("properties.value: ") && cause.contains(problem), "{rule}: {cause}");
    }
    let cause = cell("{ column = \"cell\", decimal = \",\" }", "1").unwrap_err();
    assert!(cause.contains("text"), "{cause}");
}

fn grouped(digits: &str, mark: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(mark);
        }
        text.push(digit);
    }
    text
}

proptest! {
    /// Every number, grouped and signed in every way that the mapping allows, is that number.
    #[test]
    fn grouped_numbers_are_read_without_loss(
        whole in "0|[1-9][0-9]{0,14}",
        fraction in "[0-9]{0,12}",
        marks in prop_oneof![
            Just((",", ".", ".")), Just((",", " ", "\u{a0}")), Just((",", " ", "\u{202f}")),
            Just((".", ",", ",")), Just((".", "'", "\u{2019}")), Just((",", "", "")),
        ],
        sign in 0..5,
    ) {
        let (decimal, thousands, written) = marks;
        let mut text = grouped(&whole, written);
        let mut plain = whole.clone();
        if !fraction.is_empty() {
            text = format!("{text}{decimal}{fraction}");
            plain = format!("{plain}.{fraction}");
        }
        let (text, plain) = match sign {
            0 => (format!("-{text}"), format!("-{plain}")),
            1 => (format!("{text}-"), format!("-{plain}")),
            2 => (format!("({text})"), format!("-{plain}")),
            3 => (format!("+{text}"), plain),
            _ => (text, plain),
        };
        let expected = samsyn_vocabulary::Decimal::parse(&plain).unwrap();
        let rule = format!("decimal = {decimal:?}, thousands = {thousands:?}");
        prop_assert_eq!(number(&rule, &text), Ok(json!(expected.as_str())), "{}", text);
    }
}

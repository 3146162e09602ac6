//! An event id that comes again: with equal content it is the same event, with other content it is refused.

use proptest::prelude::*;

use super::*;

/// An event whose one property is this JSON, as it stands.
fn with_property(id: &str, json: &str) -> NewEvent {
    with_properties(id, &[("value", json)])
}

fn with_properties(id: &str, properties: &[(&str, &str)]) -> NewEvent {
    let property = |(name, json): &(&str, &str)| Property {
        name: (*name).to_owned(),
        value: Value::Json((*json).to_owned()),
    };
    NewEvent {
        id: Some(id.to_owned()),
        properties: properties.iter().map(property).collect(),
        ..new_event("1", "page.seen")
    }
}

/// Whether the second is the first once more.
fn is_again(bench: &Bench, first: NewEvent, second: NewEvent) -> bool {
    bench.engine.accepting().accept(first).expect("it is taken");
    match bench.engine.accepting().accept(second) {
        Ok(acceptance) => {
            assert!(acceptance.duplicate, "an id is taken once");
            true
        }
        Err(AcceptError::EventIdReused { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn json_that_says_the_same_is_the_same_content() {
    let bench = Bench::new();
    let nines = "9".repeat(400);
    for (number, (one, other)) in [
        // Numbers are compared by what they are, exactly.
        ("10.0", "10.00"),
        ("10.0", "10"),
        ("10", "1e1"),
        ("1e1", "1E+1"),
        ("1e1", "100e-1"),
        ("1e1", "1e01"),
        ("1.5", "0.15e1"),
        ("0", "-0"),
        ("0", "0.0"),
        ("0", "0e999999999999999999999999999999999999999"),
        ("-0.0", "0e-5"),
        ("1e400", "10e399"),
        ("1e400", "0.1e401"),
        ("1e-400", "0.1e-399"),
        ("9007199254740993", "9007199254740993.0"),
        (&format!("{nines}.0"), &nines),
        (&format!("{nines}e0"), &format!("{nines}0e-1")),
        ("1e99999999999999999999999999999999999999999", "1.0E+99999999999999999999999999999999999999999"),
        ("1e9223372036854775808", "10e9223372036854775807"),
        // Texts by their characters, however they are written.
        ("\"\\u00e5\"", "\"å\""),
        ("\"\\u00E5\"", "\"\\u00e5\""),
        ("\"\\/\"", "\"/\""),
        ("\"\\ud83d\\ude00\"", "\"😀\""),
        ("\"a\\u0062c\"", "\"abc\""),
        ("\"\\n\\t\\\"\\\\\"", "\"\\u000a\\u0009\\u0022\\u005c\""),
        // Blanks and the order of keys are no content, however deep.
        ("{\"a\":1,\"b\":2}", "{ \"b\" : 2 ,\n\t\"a\" : 1 }"),
        ("[1,2]", "[ 1 , 2 ]"),
        ("{\"a\":[{\"y\":1,\"x\":{\"q\":1,\"p\":2}}]}", "{\"a\":[{\"x\":{\"p\":2.0,\"q\":1},\"y\":1}]}"),
        ("{\"\\u0061\":1,\"b\":2}", "{\"b\":2,\"a\":1}"),
        ("[]", "[ ]"),
        ("{}", "{\r\n}"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("same-{number}");
        assert!(is_again(&bench, with_property(&id, one), with_property(&id, other)), "{one} and {other}");
        let id = format!("same-other-way-{number}");
        assert!(is_again(&bench, with_property(&id, other), with_property(&id, one)), "{other} and {one}");
    }
}

#[test]
fn json_that_says_something_else_is_other_content() {
    let bench = Bench::new();
    for (number, (one, other)) in [
        ("12345", "\"12345\""),
        ("1", "true"),
        ("0", "false"),
        ("null", "\"null\""),
        ("null", "0"),
        ("\"\"", "null"),
        ("10", "10.000000000000000000000000000000000000001"),
        ("9007199254740992", "9007199254740993"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1e400", "1e401"),
        ("1e400", "-1e400"),
        ("1e-400", "0"),
        ("1e99999999999999999999999999999999999999999", "1e99999999999999999999999999999999999999998"),
        // No Unicode normalisation, no folding of case, no trimming.
        ("\"\u{e5}\"", "\"a\u{30a}\""),
        ("\"a\"", "\"A\""),
        ("\"a\"", "\"a \""),
        ("\"1\"", "\"1.0\""),
        ("[1,2]", "[2,1]"),
        ("[1,[2]]", "[[1],2]"),
        ("[]", "{}"),
        ("[]", "[[]]"),
        ("[]", "null"),
        ("[\"a\",\"b\"]", "[\"a,b\"]"),
        ("[\"ab\",\"c\"]", "[\"a\",\"bc\"]"),
        ("[1,2]", "[12]"),
        ("{\"a\":\"b\"}", "{\"b\":\"a\"}"),
        ("{\"a\":{\"b\":1},\"c\":2}", "{\"a\":{\"b\":1,\"c\":2}}"),
        ("{\"a\":null}", "{}"),
        ("{\"a\":1}", "[\"a\",1]"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("other-{number}");
        assert!(!is_again(&bench, with_property(&id, one), with_property(&id, other)), "{one} and {other}");
    }
    let one = with_properties("left-out", &[("value", "null")]);
    assert!(!is_again(&bench, one, with_properties("left-out", &[])), "null isn't left out");
    let (one, other) = (with_properties("names", &[("ab", "1")]), with_properties("names", &[("a", "1")]));
    assert!(!is_again(&bench, one, other));
}

#[test]
fn the_order_of_members_is_no_content() {
    let bench = Bench::new();
    let one = with_properties("order", &[("a", "1"), ("b", "\"2\""), ("c", "[]")]);
    let other = with_properties("order", &[("c", "[]"), ("a", "1.0"), ("b", "\"2\"")]);
    assert!(is_again(&bench, one, other));
    let identifier = |name: &str, value: &str| Identifier {
        name: IdentifierName::new(name).expect("an identifier's name"),
        value: value.to_owned(),
    };
    let known = |identifiers| NewEvent { identifiers, ..with_property("known", "1") };
    let one = known(vec![identifier("customer_id", "7"), identifier("email", "a@example.com")]);
    let other = known(vec![identifier("email", "a@example.com"), identifier("customer_id", "7")]);
    assert!(is_again(&bench, one, other));
    let proposing = |values: &[(&str, Option<Value>)]| NewEvent {
        id: Some("proposed".to_owned()),
        ..proposing("1", values)
    };
    bench.install("probe", USUAL);
    let (note, count) = (("probe.note", text("a")), ("probe.count", Some(Value::Integer(1))));
    assert!(is_again(&bench, proposing(&[note.clone(), count.clone()]), proposing(&[count.clone(), note])));
    let other = proposing(&[count, ("probe.note", None)]);
    assert!(matches!(bench.engine.accepting().accept(other), Err(AcceptError::EventIdReused { .. })));
}

#[test]
fn proposed_json_is_compared_as_json() {
    let bench = Bench::new();
    bench.change(RegistryChange::FieldDefined {
        name: field("shop.cart"),
        field: samsyn_registry::Field::of(Type::Json),
    });
    let proposing = |id: &str, json: &str| NewEvent {
        id: Some(id.to_owned()),
        ..proposing("1", &[("shop.cart", Some(Value::Json(json.to_owned())))])
    };
    let (one, other) = ("{\"a\":1.0,\"b\":\"\\u00e5\"}", "{\"b\":\"å\", \"a\":1}");
    assert!(is_again(&bench, proposing("same", one), proposing("same", other)));
    assert!(!is_again(&bench, proposing("other", one), proposing("other", "{\"a\":1}")));
}

/// JSON written by chance, and the same written in another way.
fn twice_written() -> impl Strategy<Value = (String, String)> {
    let leaf = prop_oneof![
        Just(("null".to_owned(), "null".to_owned())),
        any::<bool>().prop_map(|is| (is.to_string(), is.to_string())),
        (any::<i32>(), 0_usize..5).prop_map(|(number, zeros)| {
            let zeros = if number == 0 { 0 } else { zeros };
            (number.to_string(), format!("{number}{}e-{zeros}", "0".repeat(zeros)))
        }),
        any::<String>().prop_map(|text| {
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            (serde_json::to_string(&text).expect("a text is JSON"), format!("\"{escaped}\""))
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| {
                let (one, other): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                (format!("[{}]", one.join(",")), format!("[ {} ]", other.join(" , ")))
            }),
            prop::collection::btree_map("[a-zå]{0,3}", inner, 0..4).prop_map(|members| {
                let one: Vec<_> = members.iter().map(|(key, (one, _))| format!("\"{key}\":{one}")).collect();
                let other: Vec<_> =
                    members.iter().rev().map(|(key, (_, other))| format!("\"{key}\" : {other}")).collect();
                (format!("{{{}}}", one.join(",")), format!("{{\n{}\n}}", other.join(",\n")))
            }),
        ]
    })
}

#[test]
fn whatever_is_written_in_another_way_is_the_same() {
    let bench = Bench::new();
    let number = std::cell::Cell::new(0);
    proptest!(ProptestConfig::with_cases(300), |((one, other) in twice_written(), (third, _) in twice_written())| {
        number.set(number.get() + 1);
        let id = format!("chance-{}", number.get());
        prop_assert!(is_again(&bench, with_property(&id, &one), with_property(&id, &other)), "{} {}", one, other);
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("it is JSON");
        if read(&one) != read(&third) {
            let id = format!("chance-other-{}", number.get());
            prop_assert!(!is_again(&bench, with_property(&id, &one), with_property(&id, &third)), "{} {}", one, third);
        }
    });
}

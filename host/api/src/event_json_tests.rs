//! Events that are right, events that are wrong, and bytes of any kind.

use proptest::prelude::*;

use super::*;
use samsyn_registry::{IdentifierKind, Normaliser, RegistryChange};
use samsyn_vocabulary::{Decimal, FieldName, ProfileId, Type};

const NOW: Timestamp = Timestamp(1_763_719_200_000);

fn registry() -> Registry {
    let field = |kind, one_of: &[&str]| Field {
        one_of: one_of.iter().map(|text| (*text).to_owned()).collect(),
        ..Field::of(kind)
    };
    let fields = [
        ("email", field(Type::Text, &[])),
        ("phone", field(Type::Text, &[])),
        ("loyalty.tier", field(Type::Text, &["bronze", "gold"])),
        ("credit", field(Type::Decimal, &[])),
        ("children", field(Type::Integer, &[])),
        ("blob", field(Type::Json, &[])),
    ];
    let kind = IdentifierKind::new(Normaliser::Exact, 10);
    let name = IdentifierName::new("customer_id").unwrap();
    let mut registry = Registry::default().apply(1, &RegistryChange::identifier(name, kind)).unwrap();
    for (name, field) in fields {
        let name = FieldName::new(name).unwrap();
        registry = registry.apply(1, &RegistryChange::FieldDefined { name, field }).unwrap();
    }
    registry
}

fn read(json: &str) -> Result<NewEvent, Problem> {
    let registry = registry();
    let sender = Sender::new(&registry, Application::new("web").unwrap(), NOW);
    match read_body(json, &sender)? {
        Body::One(event) => *event,
        Body::List { .. } => panic!("not one event"),
    }
}

/// The kind, the place and the next step of what is wrong with an event.
fn wrong(json: &str) -> (Kind, String, String) {
    let problem = read(json).expect_err(json);
    let next = problem.next.as_deref().unwrap_or(problem.kind.entry().fix).to_owned();
    (problem.kind, problem.place.unwrap_or_default(), next)
}

/// An event that is right, with one member added or replaced.
fn with(key: &str, value: &str) -> String {
    let mut members = vec![("name", "\"order.completed\""), ("identifiers", "{\"customer_id\":\"00042\"}")];
    members.retain(|(name, _)| *name != key);
    members.push((key, value));
    let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn the_documented_event_is_read() {
    let event = read(
        r#"{"id": "A1-placed", "name": "order.completed", "at": "2026-11-21T10:00:00Z",
            "identifiers": {"customer_id": "00042"},
            "properties": {"order_id": "A1", "amount": 29.330000000000000000001, "nothing": null},
            "proposes": {"email": "anna@example.com", "phone": null, "credit": 12.50}}"#,
    )
    .unwrap();
    assert_eq!(event.id.as_deref(), Some("A1-placed"));
    assert_eq!(event.name.as_str(), "order.completed");
    assert_eq!(event.at, Some("2026-11-21T10:00:00Z".parse().unwrap()));
    assert_eq!(event.identifiers[0].value, "00042");
    let property = |at: usize| (event.properties[at].name.as_str(), event.properties[at].value.clone());
    assert_eq!(property(0), ("order_id", Value::Json("\"A1\"".to_owned())));
    assert_eq!(property(1), ("amount", Value::Json("29.330000000000000000001".to_owned())));
    assert_eq!(property(2), ("nothing", Value::Json("null".to_owned())));
    let proposal = |at: usize| (event.proposals[at].field.as_str(), event.proposals[at].value.clone());
    assert_eq!(proposal(0), ("email", Some(Value::Text("anna@example.com".to_owned()))));
    assert_eq!(proposal(1), ("phone", None));
    assert_eq!(proposal(2), ("credit", Decimal::parse("12.5").map(Value::Decimal)));
    assert_eq!(event.proposals[0].by.as_str(), "app:web");
    assert_eq!(event.proposals[0].at, event.at.unwrap());
}

#[test]
fn an_event_can_be_small() {
    let id = ProfileId::random();
    let event = read(&format!("{{\"name\":\"seen\",\"profile\":\"{id}\"}}")).unwrap();
    assert_eq!((event.profile, event.id, event.at), (Some(id), None, None));
    let event = read(&with("proposes", "{\"email\":\"a\"}")).unwrap();
    assert_eq!(event.proposals[0].at, NOW);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let long_id = format!("\"{}\"", "a".repeat(257));
    let long_name = format!("\"{}\"", "a".repeat(65));
    for (key, value, kind, place) in [
        ("name", "\"Order\"", Kind::NameInvalid, "name"),
        ("name", long_name.as_str(), Kind::NameInvalid, "name"),
        ("name", "7", Kind::WrongType, "name"),
        ("name", "null", Kind::WrongType, "name"),
        ("name", "\"samsyn.proposed\"", Kind::ReservedName, "name"),
        ("nmae", "\"x\"", Kind::UnknownKey, "nmae"),
        ("id", "7", Kind::WrongType, "id"),
        ("id", "\"\"", Kind::NameInvalid, "id"),
        ("id", long_id.as_str(), Kind::NameInvalid, "id"),
        ("id", r#""a\u0000""#, Kind::ControlCharacters, "id"),
        ("at", "\"yesterday\"", Kind::WrongType, "at"),
        ("at", "1763719200", Kind::WrongType, "at"),
        ("at", "\"2026-11-21T10:00:00\"", Kind::WrongType, "at"),
        ("profile", "\"00042\"", Kind::WrongType, "profile"),
        ("identifiers", "[]", Kind::WrongType, "identifiers"),
        ("identifiers", "{}", Kind::MissingIdentifier, "identifiers"),
        ("identifiers", "{\"customer_id\":42}", Kind::WrongType, "identifiers.customer_id"),
        ("identifiers", "{\"customer_id\":\" \"}", Kind::IdentifierInvalid, "identifiers.customer_id"),
        ("identifiers", r#"{"customer_id":"a\u0007"}"#, Kind::IdentifierInvalid, "identifiers.customer_id"),
        ("identifiers", r#"{"customer_id":"\ud800"}"#, Kind::MalformedJson, "identifiers.customer_id"),
        ("identifiers", "{\"customer_no\":\"1\"}", Kind::UnknownIdentifier, "identifiers.customer_no"),
        (
            "identifiers",
            "{\"customer_id\":\"1\",\"customer_id\":\"2\"}",
            Kind::DuplicateKey,
            "identifiers.customer_id",
        ),
        ("properties", "\"x\"", Kind::WrongType, "properties"),
        ("properties", "{\"\":1}", Kind::NameInvalid, "properties."),
        ("properties", "{\"a\":1,\"a\":2}", Kind::DuplicateKey, "properties.a"),
        ("properties", r#"{"a":["x","\u001b[2J"]}"#, Kind::ControlCharacters, "properties.a"),
        ("properties", r#"{"a":"\udc00"}"#, Kind::MalformedJson, "properties.a"),
        ("proposes", "{\"emial\":\"x\"}", Kind::UnknownField, "proposes.emial"),
        ("proposes", "{\"E mail\":\"x\"}", Kind::UnknownField, "proposes.E mail"),
        ("proposes", "{\"email\":7}", Kind::WrongType, "proposes.email"),
        ("proposes", "{\"email\":\"\\r\"}", Kind::ControlCharacters, "proposes.email"),
        ("proposes", "{\"children\":1.5}", Kind::WrongType, "proposes.children"),
        ("proposes", "{\"loyalty.tier\":\"silver\"}", Kind::ValueNotAllowed, "proposes.loyalty.tier"),
    ] {
        let (found, at, next) = wrong(&with(key, value));
        assert_eq!((found, at.as_str()), (kind, place), "{key}: {value}");
        assert!(!next.is_empty());
    }
    assert_eq!(wrong("{\"identifiers\":{\"customer_id\":\"1\"}}").0, Kind::MissingKey);
    assert_eq!(wrong("{\"name\":\"a\"}").0, Kind::MissingIdentifier);
    let (.., next) = wrong(&with("identifiers", "{\"customer_id\":42}"));
    assert!(next.contains("\"42\""), "{next}");
}

#[test]
fn a_body_that_is_not_json_has_one_problem() {
    for bad in
        ["", " ", "{", "{\"name\":}", "[1,]", "{} {}", "nul", "{\"a\":NaN}", "{'a':1}", "{\"a\":01}", "\u{7}"]
    {
        assert_eq!(wrong(bad).0, Kind::MalformedJson, "{bad:?}");
    }
    for other in ["7", "\"text\"", "null", "true"] {
        assert_eq!(wrong(other).0, Kind::WrongType, "{other}");
    }
    assert!(wrong("{\"name\":NaN}").2.contains("NaN"));
    assert!(wrong("{\"name\":-Infinity}").2.contains("Infinity"));
}

#[test]
fn size_and_depth_are_looked_at_before_anything_else() {
    let nested = |depth: usize| format!("{{\"deep\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&with("properties", &nested(DEPTH_MAX - 2))).is_ok());
    assert_eq!(wrong(&with("properties", &nested(DEPTH_MAX - 1))).0, Kind::TooDeep);
    assert_eq!(wrong(&format!("{{\"x\":{}}}", nested(8_000))).0, Kind::TooDeep);
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(EVENT_BYTES_MAX));
    assert_eq!(wrong(&with("properties", &large)).0, Kind::EventTooLarge);
}

#[test]
fn a_list_is_taken_apart_without_reading_it() {
    let registry = registry();
    let sender = Sender::new(&registry, Application::new("web").unwrap(), NOW);
    let list = |json: &str| match read_body(json, &sender) {
        Ok(Body::List { events, wrapped }) => Ok((events.len(), wrapped)),
        Ok(Body::One(_)) => panic!("one event"),
        Err(problem) => Err((problem.kind, problem.place.unwrap_or_default())),
    };
    assert_eq!(list(" [1, {}, [\"x\"]]"), Ok((3, false)));
    assert_eq!(list("{\"events\":[]}"), Ok((0, true)));
    assert_eq!(list("{\"events\":{}}"), Err((Kind::WrongType, "events".to_owned())));
    assert_eq!(list("{\"events\":[],\"name\":\"x\"}"), Err((Kind::UnknownKey, "name".to_owned())));
    assert_eq!(list("{\"events\":[],\"events\":[]}"), Err((Kind::DuplicateKey, "events".to_owned())));
    let many = |count: usize| format!("[{}]", vec!["0"; count].join(","));
    assert_eq!(list(&many(EVENTS_MAX)), Ok((EVENTS_MAX, false)));
    assert_eq!(list(&many(EVENTS_MAX + 1)).unwrap_err().0, Kind::TooManyEvents);
    let place = JsonPath::Root.key("events");
    let problem =
        sender.read("{\"name\":\"a\",\"identifiers\":{\"customer_id\":1}}", &place.index(3)).unwrap_err();
    assert_eq!(problem.place.as_deref(), Some("events[3].identifiers.customer_id"));
}

/// Writes an event as an application would, so that reading it can be compared.
fn write(event: &NewEvent) -> String {
    let mut json = serde_json::Map::new();
    json.insert("name".into(), event.name.as_str().into());
    if let Some(id) = &event.id {
        json.insert("id".into(), id.as_str().into());
    }
    if let Some(at) = event.at {
        json.insert("at".into(), at.to_string().into());
    }
    if let Some(profile) = event.profile {
        json.insert("profile".into(), profile.to_string().into());
    }
    let identifiers = event
        .identifiers
        .iter()
        .map(|identifier| (identifier.name.to_string(), identifier.value.clone().into()));
    json.insert("identifiers".into(), serde_json::Value::Object(identifiers.collect()));
    let proposes = event.proposals.iter().map(|proposal| {
        (proposal.field.to_string(), proposal.value.as_ref().map_or(serde_json::Value::Null, Value::to_json))
    });
    json.insert("proposes".into(), serde_json::Value::Object(proposes.collect()));
    // By hand, so that raw numbers stay as they are.
    let properties = event.properties.iter().map(|property| {
        let Value::Json(raw) = &property.value else { panic!("raw JSON") };
        format!("{}:{raw}", serde_json::to_string(&property.name).unwrap())
    });
    let properties = properties.collect::<Vec<_>>().join(",");
    let mut text = serde_json::Value::Object(json).to_string();
    text.pop();
    format!("{text},\"properties\":{{{properties}}}}}")
}

fn parts(event: &NewEvent) -> impl PartialEq + std::fmt::Debug {
    let mut proposals = event.proposals.clone();
    proposals.sort_by(|one, other| one.field.cmp(&other.field));
    (
        (event.id.clone(), event.name.clone(), event.at, event.profile),
        (event.identifiers.clone(), event.properties.clone(), proposals),
    )
}

/// Text that is nearly an event: right members and wrong ones, in any order.
fn nearly_an_event() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("\"order.completed\"".to_owned()),
        Just("{\"customer_id\":\"00042\"}".to_owned()),
        Just("{\"email\":\"a@b\",\"children\":2,\"credit\":\"1e2\",\"blob\":[1.10]}".to_owned()),
        Just("\"2026-11-21T11:00:00+01:00\"".to_owned()),
        Just("{\"a\":1.0e5,\"b\":[true,null],\"\\u00e5\":\"\\n\"}".to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        any::<f64>().prop_map(|number| format!("{{\"n\":{number}}}")),
        "[\\[\\]{}\",:0-9a-zE.\\\\-]{0,20}",
    ];
    let key = prop_oneof![
        Just("name"),
        Just("name"),
        Just("identifiers"),
        Just("identifiers"),
        Just("id"),
        Just("at"),
        Just("properties"),
        Just("proposes"),
        Just("profile"),
        Just("other"),
    ];
    prop::collection::vec((key, value), 0..8).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(text) = json::utf8(&bytes) {
            let _ = read(text);
        }
    }

    #[test]
    fn arbitrary_json_like_text_never_panics(text in "[\\[\\]{}\",:0-9naN\\\\ue.\u{7f}å-]{0,80}") {
        if !text.trim_start().starts_with('[') {
            let _ = read(&text);
        }
    }

    #[test]
    fn what_is_taken_comes_back_when_it_is_written(text in nearly_an_event()) {
        if text.contains("\"events\"") {
            return Ok(());
        }
        if let Ok(event) = read(&text) {
            let again = read(&write(&event)).expect("what was taken is taken again");
            prop_assert_eq!(format!("{:?}", parts(&event)), format!("{:?}", parts(&again)));
        }
    }

    #[test]
    fn a_right_event_is_taken_whatever_its_texts_are(
        id in "[^\\p{Cc}]{1,40}",
        value in "[^\\p{Cc}\\s]{1,40}",
        property in "[^\\p{Cc}]{0,60}",
        number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
    ) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let json = format!(
            "{{\"id\":{},\"name\":\"seen\",\"identifiers\":{{\"customer_id\":{}}},\"properties\":{{\"t\":{},\"n\":{number}}}}}",
            quoted(&id), quoted(&value), quoted(&property),
        );
        let event = read(&json).unwrap();
        prop_assert_eq!(event.id.as_deref(), Some(id.as_str()));
        prop_assert_eq!(&event.identifiers[0].value, &value);
        prop_assert_eq!(&event.properties[1].value, &Value::Json(number));
    }
}

#[test]
fn a_key_twice_is_read_as_before_so_that_what_was_taken_once_is_known_again() {
    let registry = registry();
    let sender = Sender::new(&registry, Application::new("web").unwrap(), NOW);
    for (key, value) in
        [("properties", r#"{"cart":{"a":1,"a":2}}"#), ("proposes", r#"{"blob":[{"a":1,"a":2}]}"#)]
    {
        let json = with(key, value);
        assert_eq!(sender.read(&json, &JsonPath::Root).unwrap_err().kind, Kind::DuplicateKey, "{json}");
        let before = sender.as_before().read(&json, &JsonPath::Root).unwrap();
        let kept = before.properties.first().map(|property| &property.value);
        let kept = kept.or_else(|| before.proposals.first().and_then(|proposal| proposal.value.as_ref()));
        let Some(Value::Json(kept)) = kept else { panic!("{before:?}") };
        assert!(value.contains(kept.as_str()), "as it was written: {kept}");
        // In its own members a key never stood twice.
        assert!(sender.as_before().read(&with(key, r#"{"a":1,"a":2}"#), &JsonPath::Root).is_err());
    }
}

//! What a handler is given of a property as its sender wrote it, by the table that the SDK's testing
//! host passes, too: `tests/values.json`.

use super::*;
use samsyn_registry::manifest::Manifest;
use samsyn_vocabulary::{EventName, Property, Timestamp};

/// What an event with this property comes to for a plug-in that declares it of this type.
fn heard(json: &str, wanted: &str) -> Result<Option<Value>, Refusal> {
    let manifest = format!(
        "manifest = 1\n[plugin]\nname = \"probe\"\nversion = \"1\"\nowner = \"Tests\"\ndescription = \"A probe\"\n\
         [subscribes.\"page.seen\"]\nvalue = {{ type = \"{wanted}\" }}\n"
    );
    let manifest = Manifest::parse(&manifest).expect("it is a manifest");
    let name = EventName::new("page.seen").expect("an event's name");
    let declared = manifest.subscription(&name).expect("it subscribes to it");
    let property = Property { name: "value".to_owned(), value: Value::Json(json.to_owned()) };
    let (at, id) = (Timestamp(0), "1".to_owned());
    let event = Event { id, application: None, name, at, received_at: at, properties: vec![property] };
    let heard = project_event(&event, declared)?;
    Ok(heard.properties.into_iter().next().map(|(_, value)| value.into_owned()))
}

/// A value as the table has it.
fn told(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) => format!("{number:?}").into(),
        Value::Integer(number) => number.to_string().into(),
        Value::Boolean(boolean) => boolean.to_string().into(),
        Value::Timestamp(moment) => moment.millis().to_string().into(),
        Value::Json(text) => text.as_str().into(),
        other => other.to_json(),
    }
}

#[test]
fn a_property_is_given_as_the_table_says_or_refused_as_property_type() {
    let table: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../tests/values.json")).expect("the table is JSON");
    let mut wrong = Vec::new();
    for row in &table {
        let (json, wanted) = (row["json"].as_str().unwrap(), row["as"].as_str().unwrap());
        let given = match heard(json, wanted) {
            Ok(value) => value.as_ref().map(told),
            Err(refusal) => {
                assert_eq!(refusal.code, "property.type", "{json} as {wanted}");
                None
            }
        };
        if given.clone().unwrap_or_default() != row["gives"] {
            wrong.push(format!("{json} as {wanted} gives {given:?}, not {}", row["gives"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

#[test]
fn what_a_plug_in_emits_as_an_integer_is_heard_as_a_text() {
    let (at, name) = (Timestamp(0), EventName::new("page.seen").unwrap());
    let manifest = "manifest = 1\n[plugin]\nname = \"probe\"\nversion = \"1\"\nowner = \"Tests\"\ndescription = \"A probe\"\n\
         [subscribes.\"page.seen\"]\nvalue = { type = \"text\" }\n";
    let manifest = Manifest::parse(manifest).unwrap();
    let declared = manifest.subscription(&name).unwrap();
    for (value, given) in [
        (Value::Integer(-5), Some("-5")),
        (Value::Text("a".to_owned()), Some("a")),
        (Value::Number(5.0), None),
        (Value::Boolean(true), None),
    ] {
        let properties = vec![Property { name: "value".to_owned(), value: value.clone() }];
        let event = Event {
            id: String::new(),
            application: None,
            name: name.clone(),
            at,
            received_at: at,
            properties,
        };
        let heard = project_event(&event, declared);
        let heard = heard.map(|heard| heard.properties[0].1.clone().into_owned());
        let given = given.map(|text| Value::Text(text.to_owned()));
        assert_eq!(
            heard.map_err(|refusal| refusal.code),
            given.ok_or("property.type".to_owned()),
            "{value:?}"
        );
    }
}

#[test]
fn a_proposal_of_an_older_host_that_nobody_can_read_is_refused_for_its_field() {
    use samsyn_vocabulary::{Decimal, FieldName, Speaker};
    let proposal = |value: Option<Value>| Proposal {
        field: FieldName::new("shop.credit").unwrap(),
        value,
        by: Speaker::from(&samsyn_vocabulary::Application::new("web").unwrap()),
        at: Timestamp(0),
    };
    let decimal = |text: &str| Some(Value::Decimal(Decimal::parse(text).unwrap()));
    let long = "0.1234567890123456789012345678901234567890";
    for bad in [decimal(long), Some(Value::Json("1e400".to_owned()))] {
        let refusal = unfit_proposal(&proposal(bad)).expect("it is refused");
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("property.type", Some("shop.credit")));
    }
    for good in [None, decimal("12.5"), decimal("3.3333333333333333333333333333")] {
        assert_eq!(unfit_proposal(&proposal(good)), None);
    }
}

//! That a property reaches a handler here as it does in a host: both pass `tests/values.json`.

use std::panic::catch_unwind;

use super::{Host, event, profile};
use crate::{Effects, Error, Event, Profile, Settings, Subscriber, Value, log};

/// Logs the property as the table has it.
struct Echo;

impl Subscriber for Echo {
    fn on_event(event: &Event, _: &Profile, _: &Settings, _: &mut Effects) -> Result<(), Error> {
        let told: serde_json::Value = match event.property("value") {
            None => serde_json::Value::Null,
            Some(Value::Text(text) | Value::Json(text)) => text.as_str().into(),
            Some(Value::Integer(number)) => number.to_string().into(),
            Some(Value::Number(number)) => format!("{number:?}").into(),
            Some(Value::Decimal(decimal)) => crate::decimal::write(*decimal).into(),
            Some(Value::Boolean(boolean)) => boolean.to_string().into(),
            Some(Value::Timestamp(moment)) => moment.millis().to_string().into(),
            Some(Value::Date(date)) => date.to_string().into(),
            Some(Value::Texts(texts)) => texts.clone().into(),
        };
        log::info(told.to_string());
        Ok(())
    }
}

fn given(json: &str, wanted: &str) -> serde_json::Value {
    let manifest = format!(
        "manifest = 1\n[plugin]\nname = \"echo\"\nversion = \"1\"\nowner = \"Tests\"\ndescription = \"Repeats\"\n\
         [subscribes.\"page.seen\"]\nvalue = {{ type = \"{wanted}\" }}\n"
    );
    let event = event("page.seen").property("value", Value::Json(json.to_owned()));
    // What a host refuses, the testing host panics about.
    let run = catch_unwind(|| Host::from_manifest(&manifest).on_event::<Echo>(&event, &profile()));
    let Ok(run) = run else { return serde_json::Value::Null };
    serde_json::from_str(&run.log[0].message).expect("the handler logs JSON")
}

#[test]
fn a_property_is_given_as_the_table_says() {
    let table: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../../../../tests/values.json")).expect("the table is JSON");
    let mut wrong = Vec::new();
    for row in &table {
        let (json, wanted) = (row["json"].as_str().unwrap(), row["as"].as_str().unwrap());
        let given = given(json, wanted);
        if given != row["gives"] {
            wrong.push(format!("{json} as {wanted} gives {given}, not {}", row["gives"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

/// The SDK reads everything that the host passes: a decimal of 28 digits, the point anywhere.
#[test]
fn every_decimal_of_28_digits_is_read() {
    let digits = "9".repeat(28);
    for point in 0..=28 {
        let (whole, fraction) = digits.split_at(point);
        let whole = if whole.is_empty() { "0" } else { whole };
        let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        assert_eq!(crate::decimal::write(crate::decimal::read(&text).expect(&text)), text);
    }
}

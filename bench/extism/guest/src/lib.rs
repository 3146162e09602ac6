//! The same logic as the benchmarks' own guest: it counts what a customer buys and keeps the last
//! item. What is typed there is JSON here, as in every Extism plug-in.

use extism_pdk::{FnResult, plugin_fn};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
struct Input {
    event: Event,
    profile: Profile,
    settings: Settings,
}

#[derive(Deserialize)]
struct Event {
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: Value,
}

#[derive(Deserialize)]
struct Profile {
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Point {
    field: String,
    value: Value,
}

#[derive(Deserialize)]
struct Settings {
    fields: [String; 2],
}

#[derive(Serialize)]
struct Effect {
    set: String,
    value: Value,
}

#[plugin_fn]
pub fn on_event(input: String) -> FnResult<String> {
    let Input { event, profile, settings } = serde_json::from_str(&input)?;
    let [count, item] = settings.fields;
    let point = profile.points.iter().find(|point| point.field == count);
    let known = point.and_then(|point| point.value.as_i64()).unwrap_or(0);
    let bought = event.properties.into_iter().find(|property| property.name == "item");
    let bought = bought.ok_or_else(|| extism_pdk::Error::msg("no item"))?;
    let effects =
        [Effect { set: count, value: (known + 1).into() }, Effect { set: item, value: bought.value }];
    Ok(serde_json::to_string(&effects)?)
}

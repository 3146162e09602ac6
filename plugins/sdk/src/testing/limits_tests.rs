//! That the testing host takes as much as a host does, and no more, whatever its limits are set to.

use super::{Host, Limits, Run, event, profile};
use crate::{Effects, Error, Event, Memory, Profile, Settings, Subscriber, Value, log};

const MANIFEST: &str = r#"
manifest = 1
[plugin]
name = "probe"
version = "0.1.0"
owner = "Tests"
description = "Asks for as much as it is told"
[subscribes."asked"]
what = { type = "text", required = true }
size = { type = "integer", required = true }
[emits."probe.done"]
note = { type = "text" }
[sources]
"probe.note" = { type = "text" }
"probe.other" = { type = "text" }
"probe.size" = { type = "text", schema = { maxLength = 2 } }
"probe.tree" = { type = "json", schema = "{\"type\": \"object\", \"required\": [\"zip\"]}" }
"#;

struct Probe;

/// Bytes as they are.
#[derive(serde::Serialize, serde::Deserialize)]
struct Bytes(Vec<u8>);

impl Memory for Bytes {
    const VERSION: u8 = 1;
}

impl Subscriber for Probe {
    fn on_event(event: &Event, _: &Profile, _: &Settings, effects: &mut Effects) -> Result<(), Error> {
        let size = event.integer("size")? as usize;
        let text = || "a".repeat(size);
        match event.text("what")? {
            // The version and the length stand before the bytes.
            "remember" => return effects.remember(&Bytes(vec![7; size])),
            "note" => effects.set("probe.note", text())?,
            "other" => effects.set("probe.other", text())?,
            "size" => effects.set("probe.size", text())?,
            "tree" => effects.set("probe.tree", Value::Json("{}".to_owned()))?,
            "emit" => effects.emit("probe.done", [("note", text().into())])?,
            "times" => (0..size).try_for_each(|_| effects.clear("probe.note"))?,
            "log" => (0..size).for_each(|_| log::info("a line")),
            "line" => log::info(text()),
            "refuse" => effects.refuse_all("probe.no", &text())?,
            other => panic!("{other}"),
        }
        Ok(())
    }
}

fn asked(host: &Host, what: &str, size: i64) -> Run {
    host.on_event::<Probe>(&event("asked").property("what", what).property("size", size), &profile())
}

/// How a call ended: well, by a refusal's code, or with what it says.
fn ended(run: &Run) -> String {
    match (&run.result, run.host_refusals.last()) {
        (_, Some(refusal)) => refusal.code.clone(),
        (Err(error), None) => error.to_string(),
        (Ok(()), None) => "well".to_owned(),
    }
}

fn host() -> Host {
    Host::from_manifest(MANIFEST)
}

#[test]
fn by_default_it_takes_what_a_host_takes() {
    let limits = Limits::default();
    let (remember, value) = (limits.remember_bytes as i64, limits.value_bytes as i64);
    assert_eq!((remember, value), (32 << 10, 32 << 10));
    // Of 32 KiB three bytes are the length, and one the version.
    for (what, most) in [("remember", remember - 4), ("note", value), ("emit", value), ("times", 256)] {
        assert_eq!(ended(&asked(&host(), what, most)), "well", "{what}");
        assert_ne!(ended(&asked(&host(), what, most + 1)), "well", "{what}");
    }
    assert_eq!(ended(&asked(&host(), "remember", remember - 3)), "memory.too-large");
}

#[test]
fn a_schema_is_honoured() {
    assert_eq!(ended(&asked(&host(), "size", 2)), "well");
    assert_eq!(ended(&asked(&host(), "size", 3)), "value.not-allowed");
    assert_eq!(ended(&asked(&host(), "tree", 0)), "value.not-allowed");
}

#[test]
fn claims_and_memory_of_a_customer_are_added_up() {
    let host = host();
    let mut anna = host.customer();
    let mut tell = |what: &str, size: i64| {
        anna.on_event::<Probe>(&event("asked").property("what", what).property("size", size))
    };
    assert_eq!(ended(&tell("note", 30_000)), "well");
    let run = tell("other", 12_000);
    assert!(run.result.is_err() && run.effects.is_empty(), "{:?}", run.result);
    assert!(ended(&run).starts_with("claims and memory of one customer would take "), "{}", ended(&run));
    assert_eq!(ended(&tell("other", 9_000)), "well");
    assert_eq!(
        ended(&tell("remember", 3_000)).split(" would").next(),
        Some("claims and memory of one customer")
    );
    assert_eq!(ended(&tell("note", 1)), "well", "what takes the place of more is taken");
    assert_eq!(ended(&tell("remember", 3_000)), "well");
}

#[test]
fn every_limit_takes_effect_when_it_is_set_otherwise() {
    let serde_json::Value::Object(all) = serde_json::to_value(Limits::default()).unwrap() else { panic!() };
    let within = |set: fn(&mut Limits), what: &str, size: i64| {
        let usual = asked(&host(), what, size);
        assert_eq!(ended(&usual), "well", "{what} by default");
        let mut limits = Limits::default();
        set(&mut limits);
        (usual, asked(&host().limits(limits), what, size))
    };
    for name in all.keys() {
        match name.as_str() {
            "effects" => {
                let (_, run) = within(|limits| limits.effects = 2, "times", 3);
                assert_eq!(ended(&run), "it asked for more than 2 effects in one call (effects)");
            }
            "effect_bytes" => {
                let (_, run) = within(|limits| limits.effect_bytes = 100, "note", 200);
                assert_eq!(ended(&run), "its effects hold more than 100 bytes (effect_bytes)");
            }
            "value_bytes" => {
                assert_eq!(ended(&within(|limits| limits.value_bytes = 3, "note", 4).1), "value.too-large");
                assert_eq!(ended(&within(|limits| limits.value_bytes = 3, "emit", 4).1), "value.too-large");
            }
            "remember_bytes" => {
                let (_, run) = within(|limits| limits.remember_bytes = 10, "remember", 11);
                assert_eq!(ended(&run), "memory.too-large");
            }
            "customer_bytes" => {
                let (_, run) = within(|limits| limits.customer_bytes = 100, "note", 90);
                assert!(ended(&run).ends_with("; 100 are the most"), "{}", ended(&run));
            }
            "log_lines" => {
                let (usual, run) = within(|limits| limits.log_lines = 1, "log", 3);
                assert_eq!((usual.log.len(), run.log.len()), (3, 2));
                assert!(run.log[1].message.starts_with("2 more lines were dropped"), "{:?}", run.log);
            }
            "message_bytes" => {
                let (usual, run) = within(|limits| limits.message_bytes = 8, "line", 20);
                assert_eq!((usual.log[0].message.len(), run.log[0].message.len()), (20, 8));
            }
            other => panic!("{other} has no row here"),
        }
    }
}

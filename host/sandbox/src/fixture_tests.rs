//! The contract never breaks: a component that was built once, with the SDK of its day, and is
//! kept as it was (`tests/fixtures/probe-0.1.0.wasm`, from `tests/probe`), runs on this host and on
//! one whose `effects` has a function more.

use std::sync::Arc;

use super::package::embed_manifest;
use super::{Access, HandlerInput, Limits, Package, Plugin, Sandbox};
use samsyn_vocabulary::{
    Effect, Event, EventName, FieldName, HeardEvent, ProfileId, Projection, Property, Role, Timestamp, Type,
    Value,
};

const KEPT: &[u8] = include_bytes!("../../../tests/fixtures/probe-0.1.0.wasm");

fn kept() -> Package {
    let installable = embed_manifest(KEPT, "manifest = 1\n").expect("a manifest can be embedded");
    Package::read(&installable, &Limits::default()).expect("it is a plug-in")
}

fn set_by(plugin: &Plugin) -> Vec<Effect> {
    let field = FieldName::new("probe.note").unwrap();
    let sources = [(field, samsyn_contract::FieldRule::of(Type::Text))].into();
    let access = Arc::new(Access { sources, ..Access::default() });
    let script = Value::Texts(vec!["text probe.note still here".to_owned()]);
    let event = Event {
        id: "1".to_owned(),
        application: None,
        name: EventName::new("probe.asked").unwrap(),
        at: Timestamp(1),
        received_at: Timestamp(2),
        properties: vec![Property { name: "script".to_owned(), value: script }],
    };
    let profile = Projection {
        id: ProfileId::random(),
        identifiers: Vec::new(),
        points: Vec::new(),
        memory: None,
        timers: Vec::new(),
        calls: 0,
    };
    plugin
        .invoke(&access, HandlerInput::Event { event: &HeardEvent::from(&event), profile: &profile })
        .result
        .expect("it runs")
}

fn still_here() -> Vec<Effect> {
    let value = Some(Value::Text("still here".to_owned()));
    vec![Effect::Claim { field: FieldName::new("probe.note").unwrap(), value }]
}

#[test]
fn the_kept_component_has_its_roles_and_runs() {
    assert_eq!(
        kept().roles().iter().copied().collect::<Vec<_>>(),
        [Role::Source, Role::Subscriber, Role::Observer]
    );
    let plugin = Sandbox::new(&Limits::default()).unwrap().load(&kept()).unwrap();
    assert_eq!(set_by(&plugin), still_here());
}

#[test]
fn it_says_nothing_of_who_built_it() {
    let text = String::from_utf8_lossy(KEPT);
    for part in ["registry/src", "index.crates", ".cargo", "rustlib", "/home/", "/root/"] {
        assert!(!text.contains(part), "{part}");
    }
}

#[test]
fn it_runs_on_a_host_whose_effects_have_a_function_more() {
    let later = Sandbox::offering(&Limits::default(), 0, |linker| {
        let mut effects = linker.instance("samsyn:plugin/effects@0.1.0")?;
        effects.func_wrap("schedule", |_, (_at,): (i64,)| Ok(()))
    });
    assert_eq!(set_by(&later.unwrap().load(&kept()).unwrap()), still_here());
}

//! Bytes that are to be a component, and effects that a guest could ask for, for the fuzzer.

use std::sync::Arc;

use super::limits::Limits;
use super::package::Package;
use samsyn_contract::calls::{Method, RowFormat, Rows};
use samsyn_contract::{
    self as contract, Access, CallAccess, Effects, FieldRule, Given, GivenProperty, Manifest,
};
use samsyn_vocabulary::{Effect, EndpointName, EventName, FieldName, Type};

/// Judges the bytes as an install does, up to the compiler, which is a process of its own.
pub fn component(data: &[u8]) {
    if let Ok(package) = Package::read(data, &Limits::default()) {
        assert!(!package.roles().is_empty());
        let _ = Manifest::parse(package.manifest());
    }
}

/// Asks for what the bytes say; whatever that is, at most one claim of a field and one memory come
/// of it, and no more bytes than the limit.
pub fn effects(data: &[u8]) {
    let limits =
        contract::Limits { effects: 64, effect_bytes: 4096, value_bytes: 512, ..contract::Limits::default() };
    let mut effects = Effects::new(Arc::new(access()), Arc::new(limits));
    let mut rest = data;
    while let Some(kind) = take(&mut rest) {
        let asked = match kind % 8 {
            0 => {
                let field = name(&mut rest);
                effects.set(&field, value(&mut rest)).map(drop)
            }
            1 => effects.clear(&name(&mut rest)).map(drop),
            2 => {
                let field = take(&mut rest).filter(|byte| byte % 2 == 0).map(|_| name(&mut rest));
                let (code, message) = (text(&mut rest), text(&mut rest));
                effects.refuse(field.as_deref(), &code, &message).map(drop)
            }
            3 => {
                let (event, count) = (name(&mut rest), take(&mut rest).unwrap_or(0) % 4);
                let property = |_| GivenProperty { name: name(&mut rest), value: value(&mut rest) };
                let properties = (0..count).map(property).collect();
                effects.emit(&event, properties).map(drop)
            }
            4 => effects.remember(Some(text(&mut rest).into_bytes())).map(drop),
            5 => {
                let method = if take(&mut rest).is_some_and(|byte| byte % 2 == 0) { "POST" } else { "GET" };
                effects.begin_call("system", method, &text(&mut rest)).map(drop)
            }
            6 => {
                let (call, name) = (u32::from(take(&mut rest).unwrap_or(0) % 4), text(&mut rest));
                match take(&mut rest).unwrap_or(0) % 2 {
                    0 => effects.call_query(call, &name, &text(&mut rest)).map(drop),
                    _ => effects.call_header(call, &name, &text(&mut rest)).map(drop),
                }
            }
            _ => {
                let (call, bytes) = (u32::from(take(&mut rest).unwrap_or(0) % 4), text(&mut rest));
                match take(&mut rest).unwrap_or(0) % 3 {
                    0 => effects.call_body(call, "text/plain", bytes.into_bytes()).map(drop),
                    1 => effects.call_row("table", bytes.as_bytes()).map(drop),
                    _ => effects.call_note(call, bytes.into_bytes()).map(drop),
                }
            }
        };
        if asked.is_err() {
            break;
        }
    }
    let (taken, _) = effects.into_parts();
    let fields: Vec<_> = taken.iter().filter_map(claimed).collect();
    let twice = (1..fields.len()).any(|at| fields[..at].contains(&fields[at]));
    assert!(!twice, "the last word on a field counts: {taken:?}");
    assert!(taken.iter().filter(|effect| matches!(effect, Effect::Remember(_))).count() <= 1);
}

fn claimed(effect: &Effect) -> Option<&FieldName> {
    match effect {
        Effect::Claim { field, .. } => Some(field),
        _ => None,
    }
}

/// One field of each type, and an event that has them all.
fn access() -> Access {
    let field = |name: &str, field| (FieldName::new(name).expect("a name"), field);
    let types = [
        ("text", Type::Text),
        ("integer", Type::Integer),
        ("number", Type::Number),
        ("decimal", Type::Decimal),
        ("boolean", Type::Boolean),
        ("timestamp", Type::Timestamp),
        ("date", Type::Date),
        ("texts", Type::Texts),
        ("json", Type::Json),
    ];
    let chosen = FieldRule { one_of: vec!["gold".to_owned()], ..FieldRule::of(Type::Text) };
    let fields = types.iter().map(|(name, kind)| field(name, FieldRule::of(*kind)));
    Access {
        sources: fields.chain([field("chosen", chosen)]).collect(),
        emits: [(
            EventName::new("happened").expect("a name"),
            types.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
        )]
        .into(),
        timers: true,
        calls: [("system", None), ("table", Some(Rows::of("/table", RowFormat::Csv, &["a"])))]
            .map(|(name, rows)| (EndpointName::new(name).expect("a name"), endpoint(rows)))
            .into(),
        settings: Default::default(),
    }
}

/// An endpoint that is bound.
fn endpoint(rows: Option<Rows>) -> CallAccess {
    let methods = vec![Method::Get, Method::Post];
    CallAccess { is_bound: true, methods, host_headers: Vec::new(), rows }
}

fn take(rest: &mut &[u8]) -> Option<u8> {
    let (first, more) = rest.split_first()?;
    *rest = more;
    Some(*first)
}

fn text(rest: &mut &[u8]) -> String {
    let length = usize::from(take(rest).unwrap_or(0)).min(rest.len());
    let (text, more) = rest.split_at(length);
    *rest = more;
    String::from_utf8_lossy(text).into_owned()
}

/// A declared name mostly, else any text.
fn name(rest: &mut &[u8]) -> String {
    const NAMES: [&str; 11] = [
        "text",
        "integer",
        "number",
        "decimal",
        "boolean",
        "timestamp",
        "date",
        "texts",
        "json",
        "chosen",
        "happened",
    ];
    let known = take(rest).and_then(|byte| NAMES.get(usize::from(byte % 16)));
    known.map_or_else(|| text(rest), |name| (*name).to_owned())
}

fn value(rest: &mut &[u8]) -> Given {
    let kind = take(rest).unwrap_or(0) % 9;
    let mut eight = [0; 8];
    if matches!(kind, 1 | 2 | 5) {
        eight.fill_with(|| take(rest).unwrap_or(0));
    }
    match kind {
        0 => Given::Text(text(rest)),
        1 => Given::Integer(i64::from_le_bytes(eight)),
        2 => Given::Number(f64::from_le_bytes(eight)),
        3 => Given::Decimal(text(rest)),
        4 => Given::Boolean(take(rest).is_some_and(|byte| byte % 2 == 1)),
        5 => Given::Timestamp(i64::from_le_bytes(eight)),
        6 => Given::Date(text(rest)),
        7 => Given::Texts((0..take(rest).unwrap_or(0) % 8).map(|_| text(rest)).collect()),
        _ => Given::Json(text(rest)),
    }
}

//! From the contract's types to the SDK's and back. Strings are moved, never copied.

use crate::named::Named;
use crate::{Change, Date, Error, Event, Profile, Proposal, Timestamp, Value, decimal};

use super::bindings::imports::samsyn::plugin::types;

pub(super) fn value(name: &str, value: types::Value) -> Result<Value, Error> {
    let unreadable = |cause: String| Error::Unreadable { name: name.to_owned(), cause };
    Ok(match value {
        types::Value::Text(text) => Value::Text(text),
        types::Value::Integer(number) => Value::Integer(number),
        types::Value::Number(number) => Value::Number(number),
        types::Value::Decimal(text) => Value::Decimal(decimal::read(&text).map_err(unreadable)?),
        types::Value::Boolean(boolean) => Value::Boolean(boolean),
        types::Value::Timestamp(millis) => Value::Timestamp(Timestamp::from_millis(millis)),
        types::Value::Date(text) => {
            Value::Date(text.parse::<Date>().map_err(|error| unreadable(error.to_string()))?)
        }
        types::Value::Texts(texts) => Value::Texts(texts),
        types::Value::Json(text) => Value::Json(text),
    })
}

fn optional(name: &str, wire: Option<types::Value>) -> Result<Option<Value>, Error> {
    wire.map(|wire| value(name, wire)).transpose()
}

pub(super) fn to_wire(value: Value) -> types::Value {
    match value {
        Value::Text(text) => types::Value::Text(text),
        Value::Integer(number) => types::Value::Integer(number),
        Value::Number(number) => types::Value::Number(number),
        Value::Decimal(number) => types::Value::Decimal(decimal::write(number)),
        Value::Boolean(boolean) => types::Value::Boolean(boolean),
        Value::Timestamp(moment) => types::Value::Timestamp(moment.millis()),
        Value::Date(date) => types::Value::Date(date.to_string()),
        Value::Texts(texts) => types::Value::Texts(texts),
        Value::Json(text) => types::Value::Json(text),
    }
}

pub(super) fn event(event: types::Event) -> Result<Event, Error> {
    let mut properties = Vec::with_capacity(event.properties.len());
    for property in event.properties {
        let value = value(&property.name, property.value)?;
        properties.push((property.name, value));
    }
    Ok(Event {
        id: event.id,
        name: event.name,
        at: Timestamp::from_millis(event.at),
        received_at: Timestamp::from_millis(event.received_at),
        properties: Named::new(properties),
    })
}

pub(super) fn profile(profile: types::Profile) -> Result<Profile, Error> {
    let mut points = Vec::with_capacity(profile.points.len());
    let mut observed_at = Vec::with_capacity(profile.points.len());
    for point in profile.points {
        let value = value(&point.field, point.value)?;
        observed_at.push(Timestamp::from_millis(point.observed_at));
        points.push((point.field, value));
    }
    let identifiers = profile.identifiers.into_iter().map(|identifier| (identifier.name, identifier.value));
    Ok(Profile {
        id: profile.id,
        identifiers: identifiers.collect(),
        points: Named::new(points),
        observed_at,
        memory: profile.memory,
    })
}

pub(super) fn proposals(proposed: Vec<types::Proposal>) -> Result<Vec<Proposal>, Error> {
    let convert = |proposal: types::Proposal| {
        let value = optional(&proposal.field, proposal.value)?;
        Ok(Proposal {
            field: proposal.field,
            value,
            by: proposal.by,
            at: Timestamp::from_millis(proposal.at),
        })
    };
    proposed.into_iter().map(convert).collect()
}

pub(super) fn changes(changes: Vec<types::Change>) -> Result<Vec<Change>, Error> {
    let convert = |change: types::Change| {
        let before = optional(&change.field, change.before)?;
        let after = optional(&change.field, change.after)?;
        Ok(Change { field: change.field, before, after })
    };
    changes.into_iter().map(convert).collect()
}

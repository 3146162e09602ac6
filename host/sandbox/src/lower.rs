//! Arguments for a guest: our vocabulary borrowed as the bindings' types, without a copy.

use super::bindings::exports::samsyn::plugin::caller::{Answer as WitAnswer, Response as WitResponse};
use super::bindings::exports::samsyn::plugin::judge::Lookup as WitLookup;
use super::bindings::samsyn::plugin::types::{
    Change as WitChange, DataPoint as WitDataPoint, Event as WitEvent, Identifier as WitIdentifier,
    Profile as WitProfile, PropertyParam, Proposal as WitProposal, ValueParam,
};
use samsyn_vocabulary::{CallAnswer, Change, HeardEvent, Projection, Proposal, Value};

/// A profile id as text, in bytes.
const ID_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

/// The bytes of all lists of strings, one after another: the bindings want slices of `&str`, so these must
/// stand somewhere while the invocation goes on. Values take theirs in the same order.
struct Texts<'a> {
    rest: &'a [&'a str],
}

impl<'a> Texts<'a> {
    fn of(values: impl Iterator<Item = &'a Value>) -> Vec<&'a str> {
        let lists = values.filter_map(|value| match value {
            Value::Texts(texts) => Some(texts),
            _ => None,
        });
        lists.flatten().map(String::as_str).collect()
    }

    fn value(&mut self, value: &'a Value) -> ValueParam<'a> {
        match value {
            Value::Text(text) => ValueParam::Text(text),
            Value::Integer(number) => ValueParam::Integer(*number),
            Value::Number(number) => ValueParam::Number(*number),
            Value::Decimal(decimal) => ValueParam::Decimal(decimal.as_str()),
            Value::Boolean(boolean) => ValueParam::Boolean(*boolean),
            Value::Timestamp(moment) => ValueParam::Timestamp(moment.millis()),
            Value::Date(date) => ValueParam::Date(date.as_str()),
            Value::Texts(texts) => {
                let (own, rest) = self.rest.split_at(texts.len());
                self.rest = rest;
                ValueParam::Texts(own)
            }
            Value::Json(text) => ValueParam::Json(text),
        }
    }
}

/// Lends the event to `with`.
pub(super) fn event<R>(event: &HeardEvent<'_>, with: impl FnOnce(WitEvent<'_>) -> R) -> R {
    let texts = Texts::of(event.properties.iter().map(|(_, value)| value.as_ref()));
    let mut texts = Texts { rest: &texts };
    let properties =
        event.properties.iter().map(|(name, value)| PropertyParam { name, value: texts.value(value) });
    with(WitEvent {
        id: event.id,
        name: event.name.as_str(),
        at: event.at.millis(),
        received_at: event.received_at.millis(),
        properties: &properties.collect::<Vec<_>>(),
    })
}

/// Lends the projection to `with`.
pub(super) fn profile<R>(profile: &Projection<'_>, with: impl FnOnce(WitProfile<'_>) -> R) -> R {
    let mut id = [0; ID_BYTES];
    let id = profile.id.0.hyphenated().encode_lower(&mut id);
    let identifiers = profile
        .identifiers
        .iter()
        .map(|identifier| WitIdentifier { name: identifier.name.as_str(), value: &identifier.value });
    let texts = Texts::of(profile.points.iter().map(|point| point.value.as_ref()));
    let mut texts = Texts { rest: &texts };
    let points = profile.points.iter().map(|point| WitDataPoint {
        field: point.field.as_str(),
        value: texts.value(&point.value),
        observed_at: point.observed_at.millis(),
    });
    with(WitProfile {
        id,
        identifiers: &identifiers.collect::<Vec<_>>(),
        points: &points.collect::<Vec<_>>(),
        memory: profile.memory.as_deref(),
    })
}

/// Lends the proposals to `with`.
pub(super) fn proposals<R>(proposals: &[Proposal], with: impl FnOnce(&[WitProposal<'_>]) -> R) -> R {
    let texts = Texts::of(proposals.iter().filter_map(|proposal| proposal.value.as_ref()));
    let mut texts = Texts { rest: &texts };
    let lent = proposals.iter().map(|proposal| WitProposal {
        field: proposal.field.as_str(),
        value: proposal.value.as_ref().map(|value| texts.value(value)),
        by: proposal.by.as_str(),
        at: proposal.at.millis(),
    });
    with(&lent.collect::<Vec<_>>())
}

/// Lends the changes to `with`.
pub(super) fn changes<R>(changes: &[Change], with: impl FnOnce(&[WitChange<'_>]) -> R) -> R {
    let texts = Texts::of(changes.iter().flat_map(|change| [&change.before, &change.after]).flatten());
    let mut texts = Texts { rest: &texts };
    let lent = changes.iter().map(|change| WitChange {
        field: change.field.as_str(),
        before: change.before.as_ref().map(|value| texts.value(value)),
        after: change.after.as_ref().map(|value| texts.value(value)),
    });
    with(&lent.collect::<Vec<_>>())
}

/// Lends the answer to `with`.
pub(super) fn answer<R>(answer: &CallAnswer, with: impl FnOnce(WitAnswer<'_>) -> R) -> R {
    match answer {
        CallAnswer::Response { status, headers, body } => {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            with(WitAnswer::Response(WitResponse { status: *status, headers: &headers, body }))
        }
        CallAnswer::NotSent { code, reason } => with(WitAnswer::NotSent(&format!("{code}: {reason}"))),
        CallAnswer::Unknown { code, reason } => with(WitAnswer::Unknown(&format!("{code}: {reason}"))),
    }
}

/// Lends the answer to a look-up to `with`; of anything but a response a status that no system answers.
pub(super) fn lookup<R>(answer: &CallAnswer, with: impl FnOnce(WitLookup<'_>) -> R) -> R {
    match answer {
        CallAnswer::Response { status, headers, body } => {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            with(WitLookup { status: *status, headers: &headers, body })
        }
        CallAnswer::NotSent { .. } | CallAnswer::Unknown { .. } => {
            with(WitLookup { status: 0, headers: &[], body: &[] })
        }
    }
}

//! A profile as an answer: visible values and where they come from, and every claim if the
//! request asks for them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use samsyn_wire::{Claim, JsonValue, Profile, ValueOrigin};

use super::conflicts::conflicts_of;
use super::event_answer::item_position;
use super::read_audit::Shown;
use super::visibility::Viewer;
use samsyn_engine::{Names, ReadProfile};
use samsyn_journal::{CapabilityState, Visible};
use samsyn_registry::Registry;
use samsyn_vocabulary::{FieldName, Identifier, ProfileId};

/// Which fields to answer, of those the viewer may read.
pub type Wanted = Option<BTreeSet<FieldName>>;

/// The profile as this revision of the registry shows it to somebody. Claims are for
/// administrators alone.
pub fn profile_answer<'a>(
    profile: &'a ReadProfile,
    names: &'a Names,
    registry: &'a Registry,
    wanted: &Wanted,
    claims: bool,
    viewer: &Viewer,
) -> Profile<'a> {
    let policy = viewer.policy();
    let mut identifiers: BTreeMap<Cow<'_, str>, Vec<Cow<'_, str>>> = BTreeMap::new();
    let seen = |identifier: &&Identifier| policy.sees_identifier(identifier.name.as_str());
    for identifier in names.own.iter().filter(seen) {
        let values = identifiers.entry(identifier.name.as_str().into()).or_default();
        values.push(identifier.value.as_str().into());
    }
    let (mut fields, mut meta) = (BTreeMap::new(), BTreeMap::new());
    for name in registry.fields.keys().filter(|name| policy.reads(name.as_str()) && is_wanted(wanted, name)) {
        let Some(visible) = visible(profile, registry, name) else { continue };
        fields.insert(name.as_str().into(), JsonValue::Held(Some(visible.value)));
        let cause = item_position(visible.cause);
        let source = visible.by.as_str().into();
        let origin = ValueOrigin { source, observed_at: visible.observed_at.into(), cause };
        meta.insert(name.as_str().into(), origin);
    }
    let claims = (claims && policy.reads_every_claim()).then(|| all_claims(profile, registry, wanted));
    let conflicts = conflicts_of(&names.conflicts, policy);
    Profile { id: profile.state.id.into(), identifiers, conflicts, fields, meta, claims }
}

/// What of an answer about this customer is personal.
pub fn shown(id: ProfileId, answer: &Profile<'_>, registry: &Registry) -> Shown {
    let mut shown = Shown::of(id);
    answer.identifiers.keys().for_each(|name| shown.identifier(name));
    answer.conflicts.iter().for_each(|conflict| shown.identifier(&conflict.identifier));
    let claimed = answer.claims.iter().flat_map(BTreeMap::keys);
    answer.fields.keys().chain(claimed).for_each(|name| shown.field(name, registry));
    shown
}

fn is_wanted(wanted: &Wanted, name: &FieldName) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.contains(name))
}

fn visible<'a>(profile: &'a ReadProfile, registry: &'a Registry, name: &FieldName) -> Option<Visible<'a>> {
    profile.state.visible(name, registry.fields.get(name)?, &profile.partition.adopted.visible)
}

/// What every capability and application says of one field.
pub fn claims_of<'a>(profile: &'a ReadProfile, registry: &'a Registry, field: &FieldName) -> Vec<Claim<'a>> {
    let wanted = Some(BTreeSet::from([field.clone()]));
    all_claims(profile, registry, &wanted).remove(field.as_str()).unwrap_or_default()
}

/// What every capability and application says; of a capability that is installed only the
/// generation that counts, of one that was removed what it said last.
fn all_claims<'a>(
    profile: &'a ReadProfile,
    registry: &'a Registry,
    wanted: &Wanted,
) -> BTreeMap<Cow<'a, str>, Vec<Claim<'a>>> {
    let mut claims: BTreeMap<Cow<'_, str>, Vec<Claim<'_>>> = BTreeMap::new();
    let counts = |capability_state: &CapabilityState| {
        profile
            .partition
            .generation(&capability_state.capability)
            .is_none_or(|generation| generation == capability_state.generation)
    };
    for capability_state in profile.state.capabilities.iter().filter(|own| counts(own)) {
        for claim in capability_state.claims.iter().filter(|claim| is_wanted(wanted, &claim.field)) {
            let seen = visible(profile, registry, &claim.field);
            let is_seen = seen.is_some_and(|seen| {
                *seen.by == capability_state.capability && Some(seen.value) == claim.value.as_ref()
            });
            claims.entry(claim.field.as_str().into()).or_default().push(Claim {
                by: capability_state.capability.as_str().into(),
                value: JsonValue::Held(claim.value.as_ref()),
                observed_at: claim.observed_at.into(),
                cause: Some(item_position(claim.cause)),
                visible: is_seen,
            });
        }
    }
    for held in profile.state.held.iter().filter(|held| is_wanted(wanted, &held.field)) {
        claims.entry(held.field.as_str().into()).or_default().push(Claim {
            by: held.by.as_str().into(),
            value: JsonValue::Held(held.value.as_ref()),
            observed_at: held.at.into(),
            cause: None,
            visible: false,
        });
    }
    claims
}

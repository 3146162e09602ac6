//! A profile as an answer: visible values and where they come from, and every claim for those
//! who ask.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::conflicts::ConflictAnswer;
use super::event_answer::item_position;
use super::json_value::JsonValue;
use super::read_audit::Shown;
use super::visibility::Viewer;
use samsyn_engine::{Names, ReadProfile};
use samsyn_journal::{CapabilityState, Visible};
use samsyn_registry::Registry;
use samsyn_vocabulary::{FieldName, Identifier, ProfileId, Timestamp};

/// The body of `GET /v1/profiles/{ref}`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Profile")]
pub struct ProfileAnswer<'a> {
    id: ProfileId,
    identifiers: BTreeMap<&'a str, Vec<&'a str>>,
    /// Identifiers that the customer came with or shows, and that are another customer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<ConflictAnswer>,
    fields: BTreeMap<&'a str, JsonValue<'a>>,
    meta: BTreeMap<&'a str, Meta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<BTreeMap<&'a str, Vec<ClaimAnswer<'a>>>>,
}

/// Where a visible value comes from.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ValueOrigin")]
struct Meta<'a> {
    source: &'a str,
    observed_at: Timestamp,
    cause: String,
}

/// What one capability or application says of a field.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Claim")]
pub struct ClaimAnswer<'a> {
    by: &'a str,
    value: JsonValue<'a>,
    observed_at: Timestamp,
    cause: Option<String>,
    visible: bool,
}

/// Which fields to answer, of those the viewer may read.
pub type Wanted = Option<BTreeSet<FieldName>>;

impl<'a> ProfileAnswer<'a> {
    /// The profile as this revision of the registry shows it to somebody. Claims are for
    /// administrators alone.
    pub fn new(
        profile: &'a ReadProfile,
        names: &'a Names,
        registry: &'a Registry,
        wanted: &Wanted,
        claims: bool,
        viewer: &Viewer,
    ) -> ProfileAnswer<'a> {
        let policy = viewer.policy();
        let mut identifiers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let seen = |identifier: &&Identifier| policy.sees_identifier(identifier.name.as_str());
        for identifier in names.own.iter().filter(seen) {
            identifiers.entry(identifier.name.as_str()).or_default().push(&identifier.value);
        }
        let (mut fields, mut meta) = (BTreeMap::new(), BTreeMap::new());
        for name in
            registry.fields.keys().filter(|name| policy.reads(name.as_str()) && is_wanted(wanted, name))
        {
            let Some(visible) = visible(profile, registry, name) else { continue };
            fields.insert(name.as_str(), JsonValue(Some(visible.value)));
            let cause = item_position(profile.home, visible.cause);
            let source = visible.by.as_str();
            meta.insert(name.as_str(), Meta { source, observed_at: visible.observed_at, cause });
        }
        let claims = (claims && policy.reads_every_claim()).then(|| all_claims(profile, registry, wanted));
        let conflicts = ConflictAnswer::of(&names.conflicts, policy);
        ProfileAnswer { id: profile.state.id, identifiers, conflicts, fields, meta, claims }
    }

    /// What of it is personal.
    pub fn shown(&self, registry: &Registry) -> Shown {
        let mut shown = Shown::of(self.id);
        self.identifiers.keys().for_each(|name| shown.identifier(name));
        self.conflicts.iter().for_each(|conflict| shown.identifier(conflict.name()));
        let claimed = self.claims.iter().flat_map(BTreeMap::keys);
        self.fields.keys().chain(claimed).for_each(|name| shown.field(name, registry));
        shown
    }
}

fn is_wanted(wanted: &Wanted, name: &FieldName) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.contains(name))
}

fn visible<'a>(profile: &'a ReadProfile, registry: &'a Registry, name: &FieldName) -> Option<Visible<'a>> {
    profile.state.visible(name, registry.fields.get(name)?, &profile.partition.adopted.visible)
}

/// What every capability and application says of one field.
pub fn claims_of<'a>(
    profile: &'a ReadProfile,
    registry: &'a Registry,
    field: &FieldName,
) -> Vec<ClaimAnswer<'a>> {
    let wanted = Some(BTreeSet::from([field.clone()]));
    all_claims(profile, registry, &wanted).remove(field.as_str()).unwrap_or_default()
}

/// What every capability and application says; of a capability that is installed only the
/// generation that counts, of one that was removed what it said last.
fn all_claims<'a>(
    profile: &'a ReadProfile,
    registry: &'a Registry,
    wanted: &Wanted,
) -> BTreeMap<&'a str, Vec<ClaimAnswer<'a>>> {
    let mut claims: BTreeMap<&str, Vec<ClaimAnswer<'_>>> = BTreeMap::new();
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
            claims.entry(claim.field.as_str()).or_default().push(ClaimAnswer {
                by: capability_state.capability.as_str(),
                value: JsonValue(claim.value.as_ref()),
                observed_at: claim.observed_at,
                cause: Some(item_position(profile.home, claim.cause)),
                visible: is_seen,
            });
        }
    }
    for held in profile.state.held.iter().filter(|held| is_wanted(wanted, &held.field)) {
        claims.entry(held.field.as_str()).or_default().push(ClaimAnswer {
            by: held.by.as_str(),
            value: JsonValue(held.value.as_ref()),
            observed_at: held.at,
            cause: None,
            visible: false,
        });
    }
    claims
}

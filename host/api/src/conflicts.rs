//! Identifiers that two customers go by: on a profile, on an event, and as a list for administrators.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use samsyn_wire::{IdentifierConflict, ProfileConflicts};

use super::ApiState;
use super::convert::blocking;
use super::pagination::{List, Page};
use super::params::{ListParams, Params};
use super::problem::{Answer, Kind, Problem};
use super::read_audit::{Reader, Shown, record_read};
use samsyn_journal::Conflict;
use samsyn_registry::Policy;
use samsyn_vocabulary::ProfileId;

const CONFLICTS: List = List("/v1/identifiers/conflicts");

/// Those of some conflicts that somebody may see.
pub fn conflicts_of<'c>(
    conflicts: impl IntoIterator<Item = &'c Conflict>,
    policy: &Policy,
) -> Vec<IdentifierConflict<'static>> {
    let seen = |conflict: &&Conflict| policy.sees_identifier(conflict.identifier.name.as_str());
    let answer = |conflict: &Conflict| IdentifierConflict {
        identifier: conflict.identifier.name.to_string().into(),
        value: conflict.identifier.value.clone().into(),
        belongs_to: policy.reads_profiles().then_some(conflict.belongs_to.into()),
    };
    conflicts.into_iter().filter(seen).map(answer).collect()
}

/// `GET /v1/identifiers/conflicts`.
pub async fn list(
    State(state): State<ApiState>,
    reader: Reader,
    Params(params): Params<ListParams>,
) -> Answer {
    let limit = List::limit(params.limit)?;
    let after = CONFLICTS.after(params.cursor.as_deref())?.as_deref().map(read_cursor).transpose()?;
    let engine = state.engine.clone();
    let answered: Answer<(Response, Vec<Shown>)> = blocking(move || {
        let page = engine.query().identifier_conflicts(after, limit)?;
        let next = page.next.map(|last| CONFLICTS.cursor(&last.to_string()));
        let mut shown = Vec::with_capacity(page.profiles.len());
        let mut items = Vec::with_capacity(page.profiles.len());
        for (profile, conflicts) in page.profiles {
            let conflicts = conflicts_of(&conflicts, &Policy::everything());
            let mut seen = Shown::of(profile);
            conflicts.iter().for_each(|conflict| seen.identifier(&conflict.identifier));
            shown.push(seen);
            items.push(ProfileConflicts { profile: profile.into(), conflicts });
        }
        Ok((Json(Page { items, next }).into_response(), shown))
    })
    .await?;
    let (response, shown) = answered?;
    record_read(&state, &reader, shown).await?;
    Ok(response)
}

fn read_cursor(key: &str) -> Answer<ProfileId> {
    key.parse().map_err(|_| {
        Problem::new(Kind::CursorInvalid, "this is not a cursor of the list of conflicts").at("cursor")
    })
}

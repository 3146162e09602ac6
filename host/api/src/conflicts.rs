//! Identifiers that two customers go by: on a profile, on an event, and as a list for administrators.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

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

/// An identifier that two customers go by: it finds the one that had it first.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "IdentifierConflict")]
pub struct ConflictAnswer {
    /// Which identifier.
    identifier: String,
    /// Its value.
    value: String,
    /// The profile that it finds, for a token that may read profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    belongs_to: Option<ProfileId>,
}

impl ConflictAnswer {
    /// Those of some conflicts that somebody may see.
    pub fn of<'c>(conflicts: impl IntoIterator<Item = &'c Conflict>, policy: &Policy) -> Vec<ConflictAnswer> {
        let seen = |conflict: &&Conflict| policy.sees_identifier(conflict.identifier.name.as_str());
        let answer = |conflict: &Conflict| ConflictAnswer {
            identifier: conflict.identifier.name.to_string(),
            value: conflict.identifier.value.clone(),
            belongs_to: policy.reads_profiles().then_some(conflict.belongs_to),
        };
        conflicts.into_iter().filter(seen).map(answer).collect()
    }

    /// Which identifier.
    pub fn name(&self) -> &str {
        &self.identifier
    }
}

/// A customer with the identifiers that find somebody else.
#[derive(Serialize, JsonSchema)]
pub struct ProfileConflicts {
    /// The customer.
    profile: ProfileId,
    /// Identifiers that it came with or shows.
    conflicts: Vec<ConflictAnswer>,
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
        let page = engine.identifier_conflicts(after, limit)?;
        let next = page.next.map(|last| CONFLICTS.cursor(&last.to_string()));
        let mut shown = Vec::with_capacity(page.profiles.len());
        let mut items = Vec::with_capacity(page.profiles.len());
        for (profile, conflicts) in page.profiles {
            let conflicts = ConflictAnswer::of(&conflicts, &Policy::everything());
            let mut seen = Shown::of(profile);
            conflicts.iter().for_each(|conflict| seen.identifier(conflict.name()));
            shown.push(seen);
            items.push(ProfileConflicts { profile, conflicts });
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

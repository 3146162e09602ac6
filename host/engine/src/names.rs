//! What a customer goes by, and what they can't go by because somebody else does.

use super::AcceptError;
use super::query::Query;
use samsyn_identity::Names;
use samsyn_journal::{Conflict, ProfileState};
use samsyn_registry::Registry;
use samsyn_vocabulary::ProfileId;

/// Profiles looked at for one page, beyond which it ends though it isn't full.
const PROFILES_A_PAGE_MAX: usize = 10_000;
/// Profiles read from the view in one go.
const PROFILES_A_SCAN: usize = 1_000;

/// A page of profiles with conflicts.
#[derive(Debug)]
pub struct ConflictsPage {
    /// By id.
    pub profiles: Vec<(ProfileId, Vec<Conflict>)>,
    /// The last one looked at; none on the last page.
    pub next: Option<ProfileId>,
}

impl Query {
    /// The identifiers of a profile as of now.
    pub fn names_of(&self, state: &ProfileState, registry: &Registry) -> Result<Names, AcceptError> {
        Ok(self
            .identity
            .ask(&self.shared.view, |appended| samsyn_identity::names_of(state, registry, appended))?)
    }

    /// The next profiles that came with or show an identifier of somebody else.
    pub fn identifier_conflicts(
        &self,
        mut after: Option<ProfileId>,
        limit: usize,
    ) -> Result<ConflictsPage, AcceptError> {
        let registry = self.shared.registry();
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while looked_at < PROFILES_A_PAGE_MAX {
            let profiles = self.shared.view.profiles_after(after, PROFILES_A_SCAN)?;
            for state in &profiles {
                after = Some(state.id);
                let conflicts = self.names_of(state, &registry)?.conflicts;
                if !conflicts.is_empty() {
                    found.push((state.id, conflicts));
                }
                if found.len() == limit {
                    return Ok(ConflictsPage { profiles: found, next: after });
                }
            }
            looked_at += profiles.len();
            if profiles.len() < PROFILES_A_SCAN {
                return Ok(ConflictsPage { profiles: found, next: None });
            }
        }
        Ok(ConflictsPage { profiles: found, next: after })
    }
}

//! What a customer goes by, and what they can't go by because somebody else does.

use super::identity::forms_of;
use super::{AcceptError, Engine};
use samsyn_journal::{Conflict, ProfileState};
use samsyn_registry::Registry;
use samsyn_state::view::LinkKey;
use samsyn_vocabulary::{Identifier, ProfileId};

/// Profiles looked at for one page, beyond which it ends though it isn't full.
const PROFILES_A_PAGE_MAX: usize = 10_000;
/// Profiles read from the view in one go.
const PROFILES_A_SCAN: usize = 1_000;

/// The identifiers of one profile.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Those that find it.
    pub own: Vec<Identifier>,
    /// Those it came with or shows, and that find another profile.
    pub conflicts: Vec<Conflict>,
}

/// A page of profiles with conflicts.
#[derive(Debug)]
pub struct ConflictsPage {
    /// By id.
    pub profiles: Vec<(ProfileId, Vec<Conflict>)>,
    /// The last one looked at; none on the last page.
    pub next: Option<ProfileId>,
}

impl Engine {
    /// The identifiers of a profile as of now: one that it waited for may have become its own since its
    /// last record.
    pub fn names_of(&self, state: &ProfileState, registry: &Registry) -> Result<Names, AcceptError> {
        let mut names = Names::default();
        let waited_for = state.conflicts.iter().map(|conflict| &conflict.identifier);
        for identifier in state.identifiers.iter().chain(waited_for) {
            let Some(kind) = registry.identifiers.get(&identifier.name) else {
                names.own.push(identifier.clone());
                continue;
            };
            let owner = match self.identity.owner(identifier, registry, &self.view) {
                Ok(owner) => owner,
                // A spelling that is refused today and finds nobody.
                Err(AcceptError::BadIdentifier(..)) => None,
                Err(error) => return Err(error),
            };
            let conflict = |belongs_to| Conflict { identifier: identifier.clone(), belongs_to };
            match owner {
                Some(other) if other != state.id => {
                    names.conflicts.push(conflict(other));
                    continue;
                }
                // What nobody has finds nobody, but for one that it lists itself.
                None if !state.identifiers.contains(identifier) => continue,
                _ => names.own.push(identifier.clone()),
            }
            // Found by its former form, while today's is somebody else's.
            let forms = forms_of(registry, kind, &identifier.value);
            let today = forms.today.ok().map(|normal| LinkKey::of(&identifier.name, &normal));
            match today.and_then(|key| self.identity.find(key, &self.view)) {
                Some(other) if other != state.id => names.conflicts.push(conflict(other)),
                _ => {}
            }
        }
        Ok(names)
    }

    /// The next profiles that came with or show an identifier of somebody else.
    pub fn identifier_conflicts(
        &self,
        mut after: Option<ProfileId>,
        limit: usize,
    ) -> Result<ConflictsPage, AcceptError> {
        let registry = self.registry();
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while looked_at < PROFILES_A_PAGE_MAX {
            let profiles = self.view.profiles_after(after, PROFILES_A_SCAN)?;
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

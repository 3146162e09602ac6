//! What a customer goes by, and what they can't go by because somebody else does.

use super::LookUp;
use super::normalise::forms_of;
use super::resolve::{IdentityError, owner_of};
use samsyn_journal::{Conflict, ProfileState};
use samsyn_registry::Registry;
use samsyn_vocabulary::Identifier;

/// The identifiers of one profile.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Those that find it.
    pub own: Vec<Identifier>,
    /// Those it came with or shows, and that find another profile.
    pub conflicts: Vec<Conflict>,
}

/// The identifiers of a profile as of now: one that it waited for may have become its own since its last record.
pub fn names_of<L: LookUp>(
    state: &ProfileState,
    registry: &Registry,
    look_up: &L,
) -> Result<Names, L::Error> {
    let mut names = Names::default();
    let waited_for = state.conflicts.iter().map(|conflict| &conflict.identifier);
    for identifier in state.identifiers.iter().chain(waited_for) {
        let Some(kind) = registry.identifiers.get(&identifier.name) else {
            names.own.push(identifier.clone());
            continue;
        };
        let owner = match owner_of(identifier, registry, look_up) {
            Ok(owner) => owner,
            Err(IdentityError::LookUp(error)) => return Err(error),
            // A spelling that is refused today and finds nobody.
            Err(_) => None,
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
        match forms.today.ok().and_then(|normal| look_up.link(&identifier.name, &normal, None)) {
            Some(other) if other != state.id => names.conflicts.push(conflict(other)),
            _ => {}
        }
    }
    Ok(names)
}

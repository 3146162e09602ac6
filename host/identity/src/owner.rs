//! Whose an event is: an existing profile or a new one, and what is linked for it.

use super::normalise::normalise;
use super::resolve::find;
use super::{Identified, IdentityError, LinkChanges, LookUp};
use samsyn_journal::{Conflict, IDENTIFIERS_MAX, Line, Linked};
use samsyn_registry::Registry;
use samsyn_vocabulary::{IdentifierName, ProfileId};

/// Whose an event is.
pub struct Owner {
    /// The profile.
    pub profile: ProfileId,
    /// Nothing was known of it before.
    pub is_new: bool,
    /// Links to make.
    pub links: Vec<Linked>,
    /// Kinds of identifiers that the profile gets.
    pub names: Vec<IdentifierName>,
    /// Identifiers that belong to somebody else.
    pub conflicts: Vec<Conflict>,
}

/// Decides whose an event is: looks again, links what is new, and notes what belongs to somebody else. Nobody
/// may link meanwhile. `given` is the profile that the event names itself; `make` makes the id of a new one.
pub fn owner_of_event<L: LookUp>(
    mut identified: Vec<Identified<'_>>,
    given: Option<ProfileId>,
    make: impl FnOnce() -> ProfileId,
    registry: &Registry,
    look_up: &L,
) -> Result<Owner, IdentityError<L::Error>> {
    for is in identified.iter_mut() {
        is.belongs_to = find(is.identifier, &is.forms, look_up)?;
    }
    let found = match given {
        Some(given) => Some(given),
        None => joined(&identified, registry, look_up)?,
    };
    let profile = found.unwrap_or_else(make);
    let mut changes = LinkChanges::new(look_up);
    let (mut names, mut conflicts) = (Vec::new(), Vec::new());
    for Identified { identifier, forms, belongs_to, .. } in identified {
        let name = &identifier.name;
        match (belongs_to, forms.today) {
            (Some(owner), _) if owner == profile => {}
            (Some(belongs_to), today) => {
                if let Ok(normal) = today {
                    changes.wait(name, &normal, profile, Line::Sent);
                }
                conflicts.push(Conflict { identifier: identifier.clone(), belongs_to });
            }
            (None, Ok(_)) if found.is_some() && is_full(profile, look_up)? => {
                return Err(IdentityError::TooManyIdentifiers(name.clone()));
            }
            (None, Ok(normal)) => {
                changes.give(name, &normal, profile);
                names.push(name.clone());
            }
            (None, Err(fault)) => return Err(IdentityError::BadIdentifier(name.clone(), fault)),
        }
    }
    Ok(Owner { profile, is_new: found.is_none(), links: changes.made, names, conflicts })
}

/// The profile that an event joins: that of its strongest known identifier, unless a stronger one of the
/// event says that it is somebody else.
fn joined<L: LookUp>(
    identified: &[Identified<'_>],
    registry: &Registry,
    look_up: &L,
) -> Result<Option<ProfileId>, L::Error> {
    let mut by_strength: Vec<&Identified<'_>> = identified.iter().collect();
    by_strength.sort_by(|one, other| {
        let names = || one.identifier.name.cmp(&other.identifier.name);
        other.strength.cmp(&one.strength).then_with(names)
    });
    for (index, candidate) in by_strength.iter().enumerate() {
        let Some(profile) = candidate.belongs_to else { continue };
        let mut is_stranger = false;
        for stronger in by_strength[..index].iter().filter(|other| other.strength > candidate.strength) {
            is_stranger |= stronger.belongs_to != Some(profile)
                && has_name(profile, &stronger.identifier.name, registry, look_up)?;
        }
        if !is_stranger {
            return Ok(Some(profile));
        }
    }
    Ok(None)
}

/// Whether a profile has any identifier of this kind.
fn has_name<L: LookUp>(
    profile: ProfileId,
    name: &IdentifierName,
    registry: &Registry,
    look_up: &L,
) -> Result<bool, L::Error> {
    if look_up.is_coming(profile, name) {
        return Ok(true);
    }
    let Some(state) = look_up.profile(profile)? else { return Ok(false) };
    if state.identifiers.iter().any(|identifier| identifier.name == *name) {
        return Ok(true);
    }
    // One that it waited for and has got since is listed from its next record on.
    let Some(kind) = registry.identifiers.get(name) else { return Ok(false) };
    let waited_for = state.conflicts.iter().filter(|conflict| conflict.identifier.name == *name);
    Ok(waited_for
        .filter_map(|conflict| normalise(kind, &conflict.identifier.value).ok())
        .any(|normal| look_up.link(name, &normal, None) == Some(profile)))
}

/// Whether the profile takes no more identifiers. What was sent and isn't decided yet isn't counted.
fn is_full<L: LookUp>(profile: ProfileId, look_up: &L) -> Result<bool, L::Error> {
    Ok(look_up.profile(profile)?.is_some_and(|state| state.identifiers.len() >= IDENTIFIERS_MAX))
}

/// Whether a record of `owner` is a record of `profile`. It is when they are the same: no profiles are merged yet.
/// A merge makes the records of the one that left those of the one that stays, and is asked for here.
pub fn belongs_to(owner: ProfileId, profile: ProfileId) -> bool {
    owner == profile
}

//! Which profile an identifier finds, and who shares it.

use super::LookUp;
use super::normalise::{Forms, IdentifierFault, forms_of};
use samsyn_journal::{IDENTIFIERS_MAX, Line, LinePosition, ProfileState};
use samsyn_registry::{IdentifierKind, Registry};
use samsyn_vocabulary::{Identifier, IdentifierName, ProfileId};

/// Why an identifier can't be used. `E` is why a profile can't be read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError<E> {
    /// The dictionary has no such identifier.
    #[error("the dictionary has no identifier {0}")]
    UnknownIdentifier(IdentifierName),
    /// The value identifies nobody.
    #[error("invalid value of the identifier {0}: {1}")]
    BadIdentifier(IdentifierName, IdentifierFault),
    /// The customer has as many identifiers as a profile takes.
    #[error(
        "this customer has {IDENTIFIERS_MAX} identifiers, which is the limit; this {0} would be one more"
    )]
    TooManyIdentifiers(IdentifierName),
    /// A profile can't be read.
    #[error(transparent)]
    LookUp(#[from] E),
}

/// An identifier of an event, with the forms it is matched by.
pub struct Identified<'a> {
    pub(crate) identifier: &'a Identifier,
    pub(crate) forms: Forms,
    pub(crate) strength: u32,
    pub(crate) belongs_to: Option<ProfileId>,
}

impl Identified<'_> {
    /// The profile that it finds.
    pub fn owner(&self) -> Option<ProfileId> {
        self.belongs_to
    }
}

/// Normalises an event's identifiers and looks them up.
pub fn identify<'a, L: LookUp>(
    identifiers: &'a [Identifier],
    registry: &Registry,
    look_up: &L,
) -> Result<Vec<Identified<'a>>, IdentityError<L::Error>> {
    let identified = identifiers.iter().map(|identifier| {
        let name = &identifier.name;
        let kind = known_kind(registry, name)?;
        let forms = forms_of(registry, kind, &identifier.value);
        let belongs_to = find(identifier, &forms, look_up)?;
        match (&forms.today, belongs_to) {
            (Err(fault), None) => Err(IdentityError::BadIdentifier(name.clone(), *fault)),
            _ => Ok(Identified { identifier, forms, strength: kind.strength, belongs_to }),
        }
    });
    identified.collect()
}

/// Whether all are known, and as the same profile: then there is nothing to link.
pub fn same_owner(identified: &[Identified<'_>]) -> Option<ProfileId> {
    let first = identified.first()?.belongs_to?;
    identified.iter().all(|identifier| identifier.belongs_to == Some(first)).then_some(first)
}

/// The profile that an identifier finds.
pub fn owner_of<L: LookUp>(
    identifier: &Identifier,
    registry: &Registry,
    look_up: &L,
) -> Result<Option<ProfileId>, IdentityError<L::Error>> {
    let kind = known_kind(registry, &identifier.name)?;
    let forms = forms_of(registry, kind, &identifier.value);
    let owner = find(identifier, &forms, look_up)?;
    match (forms.today, owner) {
        (Err(fault), None) => Err(IdentityError::BadIdentifier(identifier.name.clone(), fault)),
        (_, owner) => Ok(owner),
    }
}

/// Everybody who has an identifier or stands in line for it, the owner first.
pub fn sharers<L: LookUp>(
    identifier: &Identifier,
    registry: &Registry,
    look_up: &L,
) -> Result<Vec<ProfileId>, IdentityError<L::Error>> {
    let name = &identifier.name;
    let forms = forms_of(registry, known_kind(registry, name)?, &identifier.value);
    let mut sharers: Vec<ProfileId> = find(identifier, &forms, look_up)?.into_iter().collect();
    let Ok(normal) = &forms.today else { return Ok(sharers) };
    let own = look_up.link(name, normal, None);
    let waiting = Line::ALL.into_iter().flat_map(|line| {
        let at = move |number| look_up.link(name, normal, Some(LinePosition { line, number }));
        (0..).map_while(at)
    });
    for profile in own.into_iter().chain(waiting) {
        if !sharers.contains(&profile) {
            sharers.push(profile);
        }
    }
    Ok(sharers)
}

fn known_kind<'a, E>(
    registry: &'a Registry,
    name: &IdentifierName,
) -> Result<&'a IdentifierKind, IdentityError<E>> {
    registry.identifiers.get(name).ok_or_else(|| IdentityError::UnknownIdentifier(name.clone()))
}

/// The profile that an identifier finds. A spelling that an older host linked goes on finding whom it
/// found, also where today's form is another customer's or none; the former form took too much for one
/// name to count for any other spelling.
pub(crate) fn find<L: LookUp>(
    identifier: &Identifier,
    forms: &Forms,
    look_up: &L,
) -> Result<Option<ProfileId>, L::Error> {
    let find = |normal: &String| look_up.link(&identifier.name, normal, None);
    let today = forms.today.as_ref().ok().and_then(find);
    match forms.former.as_ref().and_then(find) {
        Some(former) if today != Some(former) && lists(former, identifier, look_up)? => Ok(Some(former)),
        _ => Ok(today),
    }
}

/// Whether a profile lists an identifier as it is spelled.
fn lists<L: LookUp>(profile: ProfileId, identifier: &Identifier, look_up: &L) -> Result<bool, L::Error> {
    let state = look_up.profile(profile)?;
    Ok(state.is_some_and(|state| lists_spelling(&state, identifier)))
}

fn lists_spelling(state: &ProfileState, identifier: &Identifier) -> bool {
    let same = |is: &Identifier| is.name == identifier.name && is.value.trim() == identifier.value.trim();
    state.identifiers.iter().any(same)
}

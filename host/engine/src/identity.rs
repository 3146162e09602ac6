//! Which profile an identifier belongs to: first wins, and a weaker identifier joins no strangers.
//!
//! A link is ordered in the log before the event that relies on it. What is linked but not yet in
//! the view is kept here; the one lock makes of two concurrent first sights one profile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{RwLock, RwLockWriteGuard};

use super::AcceptError;
use super::linking::LinkChanges;
use samsyn_journal::{Conflict, Decided, IDENTIFIERS_MAX, Line, LinePosition, Linked, ProfileState};
use samsyn_registry::{Forms, IdentifierKind, NormalForms, Registry};
use samsyn_state::view::{LinkKey, StoreError, View};
use samsyn_vocabulary::{Identifier, IdentifierName, ProfileId, Seq};

/// The links in flight.
#[derive(Default)]
pub struct Identity {
    recent: RwLock<Recent>,
}

/// What the view doesn't have yet.
#[derive(Default)]
pub struct Recent {
    /// The newest link of each key, and how many of its records aren't in the view.
    links: HashMap<LinkKey, (Option<ProfileId>, u32)>,
    /// Profiles that were made but nothing was decided about.
    fresh: HashSet<ProfileId>,
    /// Identifiers of profiles that the view's profiles don't list yet.
    names: HashMap<ProfileId, Vec<NewName>>,
}

/// An identifier that a profile has since a record.
struct NewName {
    name: IdentifierName,
    /// The record: the profile lists it when what follows from it is in the view.
    since: Seq,
}

/// An identifier of an event with the forms it is matched by.
pub struct Known<'a> {
    identifier: &'a Identifier,
    forms: Forms,
    strength: u32,
    belongs_to: Option<ProfileId>,
}

/// Whose an event is.
pub struct Owner {
    pub profile: ProfileId,
    /// Nothing was known of it before.
    pub is_new: bool,
    /// Links to make.
    pub links: Vec<Linked>,
    /// Kinds of names that the profile gets.
    pub names: Vec<IdentifierName>,
    /// Identifiers that belong to somebody else.
    pub conflicts: Vec<Conflict>,
}

/// What has become of the links, profiles and names in flight.
#[derive(Default)]
pub struct SettledIdentity {
    /// Links that the view has now.
    pub links: Vec<Arc<Linked>>,
    /// Profiles that it has now.
    pub profiles: Vec<ProfileId>,
    /// Decisions that it has now, with their numbers.
    pub decided: Vec<(Seq, Arc<Decided>)>,
}

impl Identity {
    /// Normalises an event's identifiers and looks them up.
    pub fn look_up<'a>(
        &self,
        identifiers: &'a [Identifier],
        registry: &Registry,
        view: &View,
    ) -> Result<Vec<Known<'a>>, AcceptError> {
        let recent = self.recent.read();
        let known = identifiers.iter().map(|identifier| {
            let name = &identifier.name;
            let kind = known_kind(registry, name)?;
            let forms = forms_of(registry, kind, &identifier.value);
            let belongs_to = recent.owner(identifier, &forms, view)?;
            match (&forms.today, belongs_to) {
                (Err(fault), None) => Err(AcceptError::BadIdentifier(name.clone(), *fault)),
                _ => Ok(Known { identifier, forms, strength: kind.strength, belongs_to }),
            }
        });
        known.collect()
    }

    /// The profile that an identifier finds.
    pub fn owner(
        &self,
        identifier: &Identifier,
        registry: &Registry,
        view: &View,
    ) -> Result<Option<ProfileId>, AcceptError> {
        let forms = forms_of(registry, known_kind(registry, &identifier.name)?, &identifier.value);
        let owner = self.recent.read().owner(identifier, &forms, view)?;
        match (forms.today, owner) {
            (Err(fault), None) => Err(AcceptError::BadIdentifier(identifier.name.clone(), fault)),
            (_, owner) => Ok(owner),
        }
    }

    /// Everybody who has an identifier or stands in line for it, the owner first.
    pub fn everybody(
        &self,
        identifier: &Identifier,
        registry: &Registry,
        view: &View,
    ) -> Result<Vec<ProfileId>, AcceptError> {
        let name = &identifier.name;
        let forms = forms_of(registry, known_kind(registry, name)?, &identifier.value);
        let recent = self.recent.read();
        let mut everybody: Vec<ProfileId> = recent.owner(identifier, &forms, view)?.into_iter().collect();
        let Ok(normal) = &forms.today else { return Ok(everybody) };
        let own = recent.find(LinkKey::of(name, normal), view);
        let waiting = Line::ALL.into_iter().flat_map(|line| recent.line(name, normal, line, view));
        for profile in own.into_iter().chain(waiting) {
            if !everybody.contains(&profile) {
                everybody.push(profile);
            }
        }
        Ok(everybody)
    }

    /// The profile under a key.
    pub fn find(&self, key: LinkKey, view: &View) -> Option<ProfileId> {
        self.recent.read().find(key, view)
    }

    /// Whether a profile was made but nothing is decided about it.
    pub fn is_fresh(&self, profile: ProfileId) -> bool {
        self.recent.read().fresh.contains(&profile)
    }

    /// Stops others from linking until the guard is dropped.
    pub fn lock(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write()
    }

    /// The view has all this now.
    pub fn settle(&self, settled: &SettledIdentity) {
        let SettledIdentity { links, profiles, decided } = settled;
        if links.is_empty() && profiles.is_empty() && self.recent.read().names.is_empty() {
            return;
        }
        let mut recent = self.recent.write();
        for linked in links {
            let key = LinkKey::of_link(linked);
            let Some((_, waiting)) = recent.links.get_mut(&key) else { continue };
            // A newer record may have changed it since.
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                recent.links.remove(&key);
            }
        }
        for profile in profiles {
            recent.fresh.remove(profile);
        }
        for (seq, decided) in decided {
            recent.settle_names(*seq, decided);
        }
    }
}

fn known_kind<'a>(registry: &'a Registry, name: &IdentifierName) -> Result<&'a IdentifierKind, AcceptError> {
    registry.identifiers.get(name).ok_or_else(|| AcceptError::UnknownIdentifier(name.clone()))
}

/// The forms that a value is matched by in this log.
pub fn forms_of(registry: &Registry, kind: &IdentifierKind, value: &str) -> Forms {
    match registry.forms {
        NormalForms::Today => Forms { today: kind.normalise(value), former: None },
        NormalForms::Former | NormalForms::Both => kind.forms(value),
    }
}

impl Known<'_> {
    /// Whose it is, as far as is known.
    pub fn owner(&self) -> Option<ProfileId> {
        self.belongs_to
    }
}

/// Whether all are known, and as the same profile: then there is nothing to link.
pub fn same_owner(known: &[Known<'_>]) -> Option<ProfileId> {
    let first = known.first()?.belongs_to?;
    known.iter().all(|identifier| identifier.belongs_to == Some(first)).then_some(first)
}

impl Recent {
    /// The profile under a key.
    pub fn find(&self, key: LinkKey, view: &View) -> Option<ProfileId> {
        match self.links.get(&key) {
            Some((link, _)) => *link,
            None => view.link(key),
        }
    }

    /// The profiles in a line, in order.
    pub fn line<'a>(
        &'a self,
        name: &'a IdentifierName,
        normal: &'a str,
        line: Line,
        view: &'a View,
    ) -> impl Iterator<Item = ProfileId> + 'a {
        let line_position = move |number| LinkKey::at(name, normal, Some(LinePosition { line, number }));
        (0..).map_while(move |number| self.find(line_position(number), view))
    }

    /// The profile that an identifier finds. A spelling that an older host linked goes on finding whom it
    /// found, also where today's form is another customer's or none; the former form took too much for one
    /// name to count for any other spelling.
    pub fn owner(
        &self,
        identifier: &Identifier,
        forms: &Forms,
        view: &View,
    ) -> Result<Option<ProfileId>, StoreError> {
        let find = |normal: &String| self.find(LinkKey::of(&identifier.name, normal), view);
        let today = forms.today.as_ref().ok().and_then(find);
        match forms.former.as_ref().and_then(find) {
            Some(former) if today != Some(former) && lists(former, identifier, view)? => Ok(Some(former)),
            _ => Ok(today),
        }
    }

    /// Decides whose an event is, under the lock: looks again, links what is new, and records
    /// what belongs to somebody else. `given` is the profile that the event names itself.
    pub fn decide_owner(
        &self,
        mut known: Vec<Known<'_>>,
        given: Option<ProfileId>,
        registry: &Registry,
        view: &View,
    ) -> Result<Owner, AcceptError> {
        for is in known.iter_mut() {
            is.belongs_to = self.owner(is.identifier, &is.forms, view)?;
        }
        let found = match given {
            Some(given) => Some(given),
            None => self.joined(&known, registry, view)?,
        };
        let profile = found.unwrap_or_else(ProfileId::random);
        let mut changes = LinkChanges::new(self, view);
        let (mut names, mut conflicts) = (Vec::new(), Vec::new());
        for Known { identifier, forms, belongs_to, .. } in known {
            let name = &identifier.name;
            match (belongs_to, forms.today) {
                (Some(owner), _) if owner == profile => {}
                (Some(belongs_to), today) => {
                    if let Ok(normal) = today {
                        changes.wait(name, &normal, profile, Line::Sent);
                    }
                    conflicts.push(Conflict { identifier: identifier.clone(), belongs_to });
                }
                (None, Ok(_)) if found.is_some() && is_full(profile, view)? => {
                    return Err(AcceptError::TooManyIdentifiers(name.clone()));
                }
                (None, Ok(normal)) => {
                    changes.link(name, &normal, profile);
                    names.push(name.clone());
                }
                (None, Err(fault)) => return Err(AcceptError::BadIdentifier(name.clone(), fault)),
            }
        }
        Ok(Owner { profile, is_new: found.is_none(), links: changes.made, names, conflicts })
    }

    /// The profile that an event joins: that of its strongest known identifier, unless a stronger one of the
    /// event says that it is somebody else.
    fn joined(
        &self,
        known: &[Known<'_>],
        registry: &Registry,
        view: &View,
    ) -> Result<Option<ProfileId>, StoreError> {
        let mut by_strength: Vec<&Known<'_>> = known.iter().collect();
        by_strength.sort_by(|one, other| {
            let names = || one.identifier.name.cmp(&other.identifier.name);
            other.strength.cmp(&one.strength).then_with(names)
        });
        for (index, candidate) in by_strength.iter().enumerate() {
            let Some(profile) = candidate.belongs_to else { continue };
            let mut is_stranger = false;
            for stronger in by_strength[..index].iter().filter(|other| other.strength > candidate.strength) {
                is_stranger |= stronger.belongs_to != Some(profile)
                    && self.has_name(profile, &stronger.identifier.name, registry, view)?;
            }
            if !is_stranger {
                return Ok(Some(profile));
            }
        }
        Ok(None)
    }

    /// Whether a profile has any identifier of this kind.
    fn has_name(
        &self,
        profile: ProfileId,
        name: &IdentifierName,
        registry: &Registry,
        view: &View,
    ) -> Result<bool, StoreError> {
        if self.names.get(&profile).is_some_and(|names| names.iter().any(|known| known.name == *name)) {
            return Ok(true);
        }
        let Some(state) = view.profile(profile)? else { return Ok(false) };
        if state.identifiers.iter().any(|identifier| identifier.name == *name) {
            return Ok(true);
        }
        // One that it waited for and has got since is listed from its next record on.
        let Some(kind) = registry.identifiers.get(name) else { return Ok(false) };
        let waited_for = state.conflicts.iter().filter(|conflict| conflict.identifier.name == *name);
        Ok(waited_for
            .filter_map(|conflict| kind.normalise(&conflict.identifier.value).ok())
            .any(|normal| self.find(LinkKey::of(name, &normal), view) == Some(profile)))
    }

    /// Remembers a link that was appended.
    pub fn link(&mut self, linked: &Linked) {
        let (link, waiting) = self.links.entry(LinkKey::of_link(linked)).or_default();
        *link = (!linked.retired).then_some(linked.profile);
        *waiting += 1;
    }

    /// Remembers a profile that was made.
    pub fn add_fresh(&mut self, profile: ProfileId) {
        self.fresh.insert(profile);
    }

    /// Remembers that a profile goes by a name of this kind since a record.
    pub fn add_name(&mut self, profile: ProfileId, name: IdentifierName, since: Seq) {
        self.names.entry(profile).or_default().push(NewName { name, since });
    }

    fn settle_names(&mut self, seq: Seq, decided: &Decided) {
        let Some(names) = self.names.get_mut(&decided.profile) else { return };
        // What was accepted up to here is decided, and so is this record itself.
        names.retain(|name| name.since > decided.through.seq && name.since != seq);
        if names.is_empty() {
            self.names.remove(&decided.profile);
        }
    }
}

/// Whether the profile takes no more identifiers. What was sent and isn't decided yet isn't counted.
fn is_full(profile: ProfileId, view: &View) -> Result<bool, StoreError> {
    Ok(view.profile(profile)?.is_some_and(|state| state.identifiers.len() >= IDENTIFIERS_MAX))
}

/// Whether a profile lists an identifier as it is spelled.
fn lists(profile: ProfileId, identifier: &Identifier, view: &View) -> Result<bool, StoreError> {
    let state = view.profile(profile)?;
    Ok(state.is_some_and(|state| lists_spelling(&state, identifier)))
}

fn lists_spelling(state: &ProfileState, identifier: &Identifier) -> bool {
    let same = |is: &Identifier| is.name == identifier.name && is.value.trim() == identifier.value.trim();
    state.identifiers.iter().any(same)
}

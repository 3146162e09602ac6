//! Which profile an identifier belongs to: first wins.
//!
//! A link is ordered in the log before the event that relies on it. What is linked but not yet in
//! the view is kept here; the one lock makes of two concurrent first sights one profile.

use std::collections::{HashMap, HashSet};

use parking_lot::{RwLock, RwLockWriteGuard};

use super::AcceptError;
use crate::record::{Conflict, Linked};
use crate::registry::{IdentifierKind, Registry};
use crate::view::View;
use crate::vocabulary::{Identifier, IdentifierName, ProfileId};

/// The links in flight.
#[derive(Default)]
pub struct Identity {
    recent: RwLock<Recent>,
}

/// What the view doesn't have yet.
#[derive(Default)]
pub struct Recent {
    links: HashMap<(IdentifierName, String), Option<ProfileId>>,
    /// Profiles that were made but nothing was decided about.
    fresh: HashSet<ProfileId>,
}

/// An identifier with its normal form.
pub struct Known<'a> {
    identifier: &'a Identifier,
    normal: String,
    strength: u32,
    belongs_to: Option<ProfileId>,
}

/// Whose an event is.
pub struct Owner {
    /// The profile.
    pub profile: ProfileId,
    /// Nothing was known of it before.
    pub is_new: bool,
    /// Links to make.
    pub links: Vec<Linked>,
    /// Identifiers that belong to somebody else.
    pub conflicts: Vec<Conflict>,
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
            let kind: &IdentifierKind =
                registry.identifiers.get(name).ok_or_else(|| AcceptError::UnknownIdentifier(name.clone()))?;
            let normal = kind.normaliser.normalise(&identifier.value);
            let normal = normal.ok_or_else(|| AcceptError::BadIdentifier(name.clone()))?;
            let belongs_to = recent.find(name, &normal, view);
            Ok(Known { identifier, normal, strength: kind.strength, belongs_to })
        });
        known.collect()
    }

    /// The profile an identifier belongs to.
    pub fn find(&self, name: &IdentifierName, normal: &str, view: &View) -> Option<ProfileId> {
        self.recent.read().find(name, normal, view)
    }

    /// Whether a profile was made but nothing is decided about it.
    pub fn is_fresh(&self, profile: ProfileId) -> bool {
        self.recent.read().fresh.contains(&profile)
    }

    /// Stops others from linking until the guard is dropped.
    pub fn lock(&self) -> RwLockWriteGuard<'_, Recent> {
        self.recent.write()
    }

    /// The view has this link now.
    pub fn settle(&self, linked: &Linked) {
        let mut recent = self.recent.write();
        let key = (linked.identifier.clone(), linked.normal.clone());
        let as_recorded = (!linked.retired).then_some(linked.profile);
        // A newer record may have changed it since.
        if recent.links.get(&key) == Some(&as_recorded) {
            recent.links.remove(&key);
        }
    }

    /// The view has these profiles now.
    pub fn settle_profiles(&self, profiles: &[ProfileId]) {
        let mut recent = self.recent.write();
        for profile in profiles {
            recent.fresh.remove(profile);
        }
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
    known.iter().all(|is| is.belongs_to == Some(first)).then_some(first)
}

impl Recent {
    fn find(&self, name: &IdentifierName, normal: &str, view: &View) -> Option<ProfileId> {
        // The empty map is the common case, and it needs no key.
        if !self.links.is_empty()
            && let Some(link) = self.links.get(&(name.clone(), normal.to_owned()))
        {
            return *link;
        }
        view.link(name, normal)
    }

    /// Decides whose an event is, under the lock: looks again, links what is new, and records
    /// what belongs to somebody else. `given` is the profile that the event names itself.
    pub fn decide_owner(&self, mut known: Vec<Known<'_>>, given: Option<ProfileId>, view: &View) -> Owner {
        for is in known.iter_mut() {
            is.belongs_to = self.find(&is.identifier.name, &is.normal, view);
        }
        let strongest = known.iter().filter(|is| is.belongs_to.is_some()).max_by_key(|is| is.strength);
        let found = given.or_else(|| strongest.and_then(|is| is.belongs_to));
        let profile = found.unwrap_or_else(ProfileId::random);
        let mut owner = Owner { profile, is_new: found.is_none(), links: Vec::new(), conflicts: Vec::new() };
        for is in known {
            match is.belongs_to {
                None => owner.links.push(Linked {
                    identifier: is.identifier.name.clone(),
                    normal: is.normal,
                    profile,
                    retired: false,
                }),
                Some(other) if other != profile => {
                    owner.conflicts.push(Conflict { identifier: is.identifier.clone(), belongs_to: other });
                }
                Some(_) => {}
            }
        }
        owner
    }

    /// Remembers a link that was appended.
    pub fn link(&mut self, linked: &Linked) {
        let key = (linked.identifier.clone(), linked.normal.clone());
        self.links.insert(key, (!linked.retired).then_some(linked.profile));
    }

    /// Remembers a profile that was made.
    pub fn add_fresh(&mut self, profile: ProfileId) {
        self.fresh.insert(profile);
    }

    /// Links a value that became visible in a field that identifies.
    pub fn claim(
        &self,
        name: &IdentifierName,
        normal: &str,
        profile: ProfileId,
        view: &View,
    ) -> Result<Option<Linked>, ProfileId> {
        match self.find(name, normal, view) {
            Some(owner) if owner == profile => Ok(None),
            Some(other) => Err(other),
            None => Ok(Some(Linked {
                identifier: name.clone(),
                normal: normal.to_owned(),
                profile,
                retired: false,
            })),
        }
    }

    /// Retires the link of a value that is no longer visible.
    pub fn retire(
        &self,
        name: &IdentifierName,
        normal: &str,
        profile: ProfileId,
        view: &View,
    ) -> Option<Linked> {
        let mine = self.find(name, normal, view) == Some(profile);
        mine.then(|| Linked { identifier: name.clone(), normal: normal.to_owned(), profile, retired: true })
    }
}

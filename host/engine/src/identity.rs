//! The links in flight, and the one lock over them.
//!
//! Whose an event is, is `samsyn-identity`'s to say. What is linked but not yet in the view is kept here; the lock
//! makes of two concurrent first sights one profile, and holds the order of links in memory and in the log
//! the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{RwLock, RwLockWriteGuard};

use super::AcceptError;
use samsyn_identity::{IdentityError, LookUp};
use samsyn_journal::{Decided, LinePosition, Linked, ProfileState};
use samsyn_state::view::{LinkKey, StoreError, View};
use samsyn_vocabulary::{IdentifierName, ProfileId, Seq};

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

/// Everything that was appended: the view, and what it doesn't have yet.
pub struct AppendedLinks<'a> {
    recent: &'a Recent,
    view: &'a View,
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

impl From<IdentityError<StoreError>> for AcceptError {
    fn from(error: IdentityError<StoreError>) -> AcceptError {
        match error {
            IdentityError::UnknownIdentifier(name) => AcceptError::UnknownIdentifier(name),
            IdentityError::BadIdentifier(name, fault) => AcceptError::BadIdentifier(name, fault),
            IdentityError::TooManyIdentifiers(name) => AcceptError::TooManyIdentifiers(name),
            IdentityError::LookUp(error) => error.into(),
        }
    }
}

impl Identity {
    /// Asks something of the links; nobody links meanwhile.
    pub fn ask<T>(&self, view: &View, question: impl FnOnce(&AppendedLinks<'_>) -> T) -> T {
        question(&self.recent.read().with(view))
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

impl Recent {
    /// It with what the view has.
    pub fn with<'a>(&'a self, view: &'a View) -> AppendedLinks<'a> {
        AppendedLinks { recent: self, view }
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

impl LookUp for AppendedLinks<'_> {
    type Error = StoreError;

    fn link(
        &self,
        name: &IdentifierName,
        normal: &str,
        line_position: Option<LinePosition>,
    ) -> Option<ProfileId> {
        let key = LinkKey::at(name, normal, line_position);
        match self.recent.links.get(&key) {
            Some((link, _)) => *link,
            None => self.view.link(key),
        }
    }

    fn profile(&self, id: ProfileId) -> Result<Option<Arc<ProfileState>>, StoreError> {
        self.view.profile(id)
    }

    fn is_coming(&self, profile: ProfileId, name: &IdentifierName) -> bool {
        self.recent.names.get(&profile).is_some_and(|names| names.iter().any(|known| known.name == *name))
    }
}

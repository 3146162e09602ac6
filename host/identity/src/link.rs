//! How links change: made, ended, passed on to who stands in line.

use std::collections::HashMap;
use std::sync::Arc;

use super::{FORM_VERSION, LookUp};
use samsyn_journal::{LINE_POSITIONS_MAX, Line, LinePosition, Linked, ProfileState};
use samsyn_vocabulary::{IdentifierName, ProfileId};

/// Where a link stands: the identifier, its normal form, and the place in the line for it.
type LinkPlace = (IdentifierName, String, Option<LinePosition>);

/// Changes of links, made while nobody else links. Later ones see earlier ones.
pub struct LinkChanges<'a, L> {
    before: &'a L,
    /// The links, in the order in which they are to be appended.
    pub made: Vec<Linked>,
    /// What the newest of them say.
    newest: HashMap<LinkPlace, Option<ProfileId>>,
}

impl<'a, L: LookUp> LinkChanges<'a, L> {
    /// None yet.
    pub fn new(before: &'a L) -> LinkChanges<'a, L> {
        LinkChanges { before, made: Vec::new(), newest: HashMap::new() }
    }

    /// The profile that an identifier's normal form finds.
    pub fn owner(&self, name: &IdentifierName, normal: &str) -> Option<ProfileId> {
        self.find(name, normal, None)
    }

    fn find(
        &self,
        name: &IdentifierName,
        normal: &str,
        line_position: Option<LinePosition>,
    ) -> Option<ProfileId> {
        if !self.newest.is_empty()
            && let Some(link) = self.newest.get(&(name.clone(), normal.to_owned(), line_position))
        {
            return *link;
        }
        self.before.link(name, normal, line_position)
    }

    fn change(
        &mut self,
        name: &IdentifierName,
        normal: &str,
        change: (Option<LinePosition>, ProfileId, bool),
    ) {
        let (line_position, profile, retired) = change;
        let (identifier, normal) = (name.clone(), normal.to_owned());
        self.newest
            .insert((identifier.clone(), normal.clone(), line_position), (!retired).then_some(profile));
        self.made.push(Linked { identifier, normal, profile, retired, line_position, version: FORM_VERSION });
    }

    /// The identifier finds the profile from now on.
    pub fn give(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId) {
        self.change(name, normal, (None, profile, false));
    }

    /// The profile stands in line for an identifier that is another's. A line that is full stays as it is.
    pub fn wait(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId, line: Line) {
        let last = LinePosition { line, number: LINE_POSITIONS_MAX - 1 };
        if self.owner(name, normal) == Some(profile) || self.find(name, normal, Some(last)).is_some() {
            return;
        }
        for number in 0..LINE_POSITIONS_MAX {
            let line_position = Some(LinePosition { line, number });
            match self.find(name, normal, line_position) {
                Some(waiting) if waiting == profile => return,
                Some(_) => {}
                None => return self.change(name, normal, (line_position, profile, false)),
            }
        }
    }

    /// The profile leaves a line; the last one takes its place.
    pub fn leave(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId, line: Line) {
        let (mut own, mut last) = (None, None);
        for number in 0..LINE_POSITIONS_MAX {
            let line_position = LinePosition { line, number };
            let Some(waiting) = self.find(name, normal, Some(line_position)) else { break };
            if waiting == profile {
                own = Some(line_position);
            }
            last = Some((line_position, waiting));
        }
        let (Some(own), Some((last, moved))) = (own, last) else { return };
        if own != last {
            self.change(name, normal, (Some(own), moved, false));
        }
        self.change(name, normal, (Some(last), moved, true));
    }

    /// The profile no longer shows the value: its link ends, and the first in line gets the identifier.
    pub fn free(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId) {
        Line::ALL.into_iter().for_each(|line| self.leave(name, normal, profile, line));
        if self.owner(name, normal) != Some(profile) {
            return;
        }
        let mut first = Line::ALL.into_iter().map(|line| Some(LinePosition { line, number: 0 }));
        match first.find_map(|line_position| self.find(name, normal, line_position)) {
            Some(next) => {
                self.give(name, normal, next);
                Line::ALL.into_iter().for_each(|line| self.leave(name, normal, next, line));
            }
            None => self.change(name, normal, (None, profile, true)),
        }
    }

    /// The profile shows the value: it gets the identifier, or stands in line for it behind the owner, who
    /// is answered.
    pub fn show(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId) -> Result<(), ProfileId> {
        match self.owner(name, normal) {
            Some(owner) if owner == profile => {}
            Some(other) => {
                self.wait(name, normal, profile, Line::Shown);
                return Err(other);
            }
            None => self.give(name, normal, profile),
        }
        Ok(())
    }
}

/// Links as they are with the changes that are being made.
impl<L: LookUp> LookUp for LinkChanges<'_, L> {
    type Error = L::Error;

    fn link(
        &self,
        name: &IdentifierName,
        normal: &str,
        line_position: Option<LinePosition>,
    ) -> Option<ProfileId> {
        self.find(name, normal, line_position)
    }

    fn profile(&self, id: ProfileId) -> Result<Option<Arc<ProfileState>>, L::Error> {
        self.before.profile(id)
    }

    fn is_coming(&self, profile: ProfileId, name: &IdentifierName) -> bool {
        self.before.is_coming(profile, name)
    }
}

/// Identifiers for which these links take the last place in a line.
pub fn full_lines(links: &[Linked]) -> impl Iterator<Item = &IdentifierName> {
    let is_last = |linked: &&Linked| {
        let last = |place: LinePosition| place.number == LINE_POSITIONS_MAX - 1;
        linked.line_position.is_some_and(last) && !linked.retired
    };
    links.iter().filter(is_last).map(|linked| &linked.identifier)
}

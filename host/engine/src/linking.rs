//! How links change: made, ended, passed on to who stands in line; and what a decision links.

use std::collections::HashMap;

use super::Engine;
use super::identity::{Recent, forms_of};
use super::runtime::Runtime;
use samsyn_journal::{
    AnswerKind, Conflict, Decided, LINE_POSITIONS_MAX, Line, LinePosition, Linked, PartitionState,
    ProfileState,
};
use samsyn_registry::{FORM_VERSION, Forms};
use samsyn_state::view::{LinkKey, View};
use samsyn_vocabulary::{FieldName, Identifier, IdentifierName, ProfileId, Value};

/// Changes of links that one record brings, made under the identity lock. Later ones see earlier ones.
pub struct LinkChanges<'a> {
    recent: &'a Recent,
    view: &'a View,
    /// The links, in the order in which they are to be appended.
    pub made: Vec<Linked>,
    /// What the newest of them say.
    newest: HashMap<LinkKey, Option<ProfileId>>,
}

impl<'a> LinkChanges<'a> {
    /// None yet.
    pub fn new(recent: &'a Recent, view: &'a View) -> LinkChanges<'a> {
        LinkChanges { recent, view, made: Vec::new(), newest: HashMap::new() }
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
        let key = LinkKey::at(name, normal, line_position);
        match self.newest.get(&key) {
            Some(link) => *link,
            None => self.recent.find(key, self.view),
        }
    }

    fn change(
        &mut self,
        name: &IdentifierName,
        normal: &str,
        change: (Option<LinePosition>, ProfileId, bool),
    ) {
        let (line_position, profile, retired) = change;
        self.newest.insert(LinkKey::at(name, normal, line_position), (!retired).then_some(profile));
        let (identifier, normal) = (name.clone(), normal.to_owned());
        self.made.push(Linked { identifier, normal, profile, retired, line_position, version: FORM_VERSION });
    }

    /// The identifier finds the profile from now on.
    pub fn link(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId) {
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
                None => {
                    if line_position == Some(last) {
                        tracing::warn!(identifier = %name, "{LINE_POSITIONS_MAX} customers share one value: no more are noted");
                    }
                    return self.change(name, normal, (line_position, profile, false));
                }
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
                self.link(name, normal, next);
                Line::ALL.into_iter().for_each(|line| self.leave(name, normal, next, line));
            }
            None => self.change(name, normal, (None, profile, true)),
        }
    }

    /// The profile shows the value: it gets the identifier, or stands in line for it behind the owner.
    pub fn show(&mut self, name: &IdentifierName, normal: &str, profile: ProfileId) -> Result<(), ProfileId> {
        match self.owner(name, normal) {
            Some(owner) if owner == profile => {}
            Some(other) => {
                self.wait(name, normal, profile, Line::Shown);
                return Err(other);
            }
            None => self.link(name, normal, profile),
        }
        Ok(())
    }
}

/// A value that identifies, with its forms.
struct Shown {
    identifier: Identifier,
    forms: Forms,
}

impl Engine {
    /// Whether a decision has anything to do with links.
    pub(super) fn concerns_links(
        &self,
        decided: &Decided,
        before: Option<&ProfileState>,
        runtime: &Runtime,
    ) -> bool {
        let identifies =
            |field| runtime.registry.routing.field(field).is_some_and(|field| field.identifies.is_some());
        decided.changes.iter().any(|changed| identifies(&changed.field))
            || accepted_fields(decided).any(identifies)
            || before.is_some_and(|before| !before.conflicts.is_empty())
    }

    /// Links the new values of fields that identify and ends the links of old ones. A value that belongs
    /// to somebody else is a recorded conflict; an identifier that a profile waited for and has got since
    /// becomes its own.
    pub(super) fn links_of(
        &self,
        decided: &mut Decided,
        before: Option<&ProfileState>,
        partition_state: &PartitionState,
        recent: &Recent,
        runtime: &Runtime,
    ) -> Vec<Linked> {
        let profile = decided.profile;
        let mut changes = LinkChanges::new(recent, &self.view);
        let changed: Vec<_> = decided
            .changes
            .iter()
            .map(|changed| (changed.field.clone(), changed.before.clone(), changed.after.clone()))
            .collect();
        for (field, old, new) in &changed {
            let shown = |value: &Option<Value>| shown_of(field, value.as_ref(), runtime);
            let (old, new) = (shown(old), shown(new));
            let same = old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| old.is_same_as(new));
            let still_shown = |old: &Shown| {
                let fields = runtime.registry.fields.keys().filter(|other| *other != field);
                let after = |other: &FieldName| match changed.iter().find(|(changed, ..)| changed == other) {
                    Some((.., after)) => after.clone(),
                    None => visible_of(before, other, partition_state, runtime),
                };
                fields
                    .filter_map(|other| shown_of(other, after(other).as_ref(), runtime))
                    .any(|other| other.is_same_as(old))
            };
            if let Some(old) = old.filter(|old| !same && !still_shown(old)) {
                for normal in old.forms.today.iter().chain(&old.forms.former) {
                    changes.free(&old.identifier.name, normal, profile);
                }
                let spellings = before.map(|before| before.identifiers.as_slice()).unwrap_or_default();
                let same = |other: &&Identifier| old.is_spelled(other, runtime) && **other != old.identifier;
                decided.retired.extend(spellings.iter().filter(same).cloned());
                decided.retired.push(old.identifier);
            }
            if let Some(new) = new {
                new.enter(&mut changes, decided);
            }
        }
        // Accepted as it was: nothing changed, but it may not be linked.
        let unchanged: Vec<FieldName> = accepted_fields(decided)
            .filter(|field| !changed.iter().any(|(changed, ..)| changed == *field))
            .cloned()
            .collect();
        for field in &unchanged {
            let visible = visible_of(before, field, partition_state, runtime);
            if let Some(shown) = shown_of(field, visible.as_ref(), runtime) {
                shown.enter(&mut changes, decided);
            }
        }
        for conflict in before.map(|before| before.conflicts.as_slice()).unwrap_or_default() {
            let identifier = &conflict.identifier;
            let Some(kind) = runtime.registry.identifiers.get(&identifier.name) else { continue };
            let Ok(normal) = kind.normalise(&identifier.value) else { continue };
            let is_own = changes.owner(&identifier.name, &normal) == Some(profile);
            if is_own && !decided.retired.contains(identifier) && !decided.identifiers.contains(identifier) {
                decided.identifiers.push(identifier.clone());
            }
        }
        changes.made
    }
}

/// The fields whose proposals the source accepted.
fn accepted_fields(decided: &Decided) -> impl Iterator<Item = &FieldName> {
    let accepted = decided
        .answers
        .iter()
        .filter(|answer| matches!(answer.outcome, AnswerKind::Accepted | AnswerKind::InAnotherForm(_)));
    accepted.map(|answer| &answer.field)
}

/// What everybody sees of a field that identifies; none of another field.
fn visible_of(
    state: Option<&ProfileState>,
    field: &FieldName,
    partition_state: &PartitionState,
    runtime: &Runtime,
) -> Option<Value> {
    let entry = runtime.registry.routing.field(field).filter(|entry| entry.identifies.is_some())?;
    let visible = state?.visible(field, entry, &partition_state.adopted.visible)?;
    Some(visible.value.clone())
}

/// The identifier that a field's value is; none when it is none, or can't be matched.
fn shown_of(field: &FieldName, value: Option<&Value>, runtime: &Runtime) -> Option<Shown> {
    let registry = &runtime.registry;
    let name = registry.routing.field(field)?.identifies.as_ref()?;
    let kind = registry.identifiers.get(name)?;
    let Some(Value::Text(text)) = value else { return None };
    let forms = forms_of(registry, kind, text);
    let identifier = Identifier { name: name.clone(), value: text.clone() };
    (forms.today.is_ok() || forms.former.is_some()).then_some(Shown { identifier, forms })
}

impl Shown {
    fn is_same_as(&self, other: &Shown) -> bool {
        self.identifier.name == other.identifier.name
            && self.forms.today.is_ok()
            && self.forms.today == other.forms.today
    }

    /// Whether an identifier is another spelling of it.
    fn is_spelled(&self, other: &Identifier, runtime: &Runtime) -> bool {
        let registry = &runtime.registry;
        let kind = || registry.identifiers.get(&other.name);
        self.identifier.name == other.name
            && kind().is_some_and(|kind| {
                let forms = forms_of(registry, kind, &other.value);
                forms.today.is_ok() && forms.today == self.forms.today
            })
    }

    /// Links it to the profile, or notes the conflict.
    fn enter(self, changes: &mut LinkChanges<'_>, decided: &mut Decided) {
        let Shown { identifier, forms } = self;
        let Ok(normal) = forms.today else { return };
        match changes.show(&identifier.name, &normal, decided.profile) {
            Ok(()) => decided.identifiers.push(identifier),
            Err(belongs_to) => decided.conflicts.push(Conflict { identifier, belongs_to }),
        }
    }
}

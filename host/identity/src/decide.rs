//! Which identifiers a decision gives, retires and can't give, and the links that follow: the last step of
//! deciding. Made while nobody else links, when there is anything to link.
//!
//! An event's identifiers were looked up when it was accepted. They are looked up again here, because a crash may
//! have left the event without its links, and a decision before it may have passed one on. What is as it was
//! needs no link.

use std::collections::BTreeMap;

use super::normalise::{Forms, forms_of, normalise};
use super::resolve::find;
use super::{LinkChanges, LookUp};
use samsyn_journal::{Accepted, AnswerKind, Conflict, Decided, Line, Linked, ProfileState};
use samsyn_registry::{NormalForms, Registry};
use samsyn_vocabulary::{CapabilityName, FieldName, Identifier, ProfileId, Value};

/// What identifiers are decided from, beside what is looked up.
#[derive(Clone, Copy)]
pub struct Basis<'a> {
    /// The revision in use.
    pub registry: &'a Registry,
    /// The profile before the decision; none when it is new.
    pub before: Option<&'a ProfileState>,
    /// The generations of capabilities whose claims count.
    pub generations: &'a BTreeMap<CapabilityName, u32>,
}

/// What a decision does to the profile's identifiers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DecidedNames {
    /// Those that it has now.
    pub identifiers: Vec<Identifier>,
    /// Those that it no longer has.
    pub retired: Vec<Identifier>,
    /// Those that it could not get, because another profile has them.
    pub conflicts: Vec<Conflict>,
    /// Links to append before the decision, in this order.
    pub links: Vec<Linked>,
}

/// Whether a decision can change links beside those of its event's identifiers: then nobody may link until it
/// is appended.
pub fn concerns_links(decided: &Decided, basis: &Basis<'_>) -> bool {
    let identifies =
        |field| basis.registry.routing.field(field).is_some_and(|field| field.identifies.is_some());
    decided.changes.iter().any(|changed| identifies(&changed.field))
        || accepted_fields(decided).any(identifies)
        || basis.before.is_some_and(|before| !before.conflicts.is_empty())
}

/// Whether an event came with identifiers that are looked up when it is decided. One that is listed was linked
/// before that was decided.
pub fn looks_up(accepted: &Accepted, basis: &Basis<'_>) -> bool {
    let is_listed = |identifier| basis.before.is_some_and(|before| before.identifiers.contains(identifier));
    !accepted.conflicts.is_empty() || accepted.identifiers.iter().any(|identifier| !is_listed(identifier))
}

/// Decides about identifiers: those that the event came with, the new values of fields that identify, and the
/// old ones. A value that belongs to somebody else is a conflict. An identifier that the profile waited for and
/// has got since becomes its own. `accepted` is the event, when this is its first decision.
pub fn decide_names<L: LookUp>(
    decided: &Decided,
    accepted: Option<&Accepted>,
    basis: &Basis<'_>,
    look_up: &L,
) -> Result<DecidedNames, L::Error> {
    let mut deciding = Deciding::new(decided.profile, basis, look_up);
    if let Some(accepted) = accepted {
        deciding.enter_event(accepted, &[Sent::Own, Sent::Anothers])?;
    }
    if concerns_links(decided, basis) {
        let of_event = deciding.names.identifiers.len();
        deciding.enter_changes(decided);
        deciding.enter_unchanged(decided);
        deciding.drop_freed(of_event)?;
        deciding.take_what_came_free();
    }
    Ok(deciding.end())
}

/// Which identifiers of an event are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Those that were the profile's when the event was accepted.
    Own,
    /// Those that were another's.
    Anothers,
}

/// What [`decide_names`] says of some of an event's identifiers alone. Of several events that lost their links,
/// first all have their own: who found an identifier taken gets it only if whoever had it is gone.
pub fn names_of_event<L: LookUp>(
    accepted: &Accepted,
    sent: Sent,
    basis: &Basis<'_>,
    look_up: &L,
) -> Result<DecidedNames, L::Error> {
    let mut deciding = Deciding::new(accepted.profile, basis, look_up);
    deciding.enter_event(accepted, &[sent])?;
    Ok(deciding.end())
}

struct Deciding<'a, L> {
    profile: ProfileId,
    basis: &'a Basis<'a>,
    changes: LinkChanges<'a, L>,
    names: DecidedNames,
}

impl<'a, L: LookUp> Deciding<'a, L> {
    fn new(profile: ProfileId, basis: &'a Basis<'a>, look_up: &'a L) -> Deciding<'a, L> {
        Deciding { profile, basis, changes: LinkChanges::new(look_up), names: DecidedNames::default() }
    }

    fn end(mut self) -> DecidedNames {
        self.names.links = self.changes.made;
        self.names
    }

    fn is_listed(&self, identifier: &Identifier) -> bool {
        self.basis.before.is_some_and(|before| before.identifiers.contains(identifier))
    }

    /// The identifiers that the event came with, of these kinds.
    fn enter_event(&mut self, accepted: &Accepted, sent: &[Sent]) -> Result<(), L::Error> {
        for identifier in &accepted.identifiers {
            let noted = accepted.conflicts.iter().find(|conflict| conflict.identifier == *identifier);
            let which = if noted.is_some() { Sent::Anothers } else { Sent::Own };
            // One that is listed was linked before that was decided.
            let is_settled = noted.is_none() && self.is_listed(identifier);
            if sent.contains(&which) && !is_settled {
                self.enter_sent(identifier, noted)?;
            }
        }
        Ok(())
    }

    /// An identifier that the event came with, and that was another's when it was accepted if that is `noted`.
    fn enter_sent(&mut self, identifier: &Identifier, noted: Option<&Conflict>) -> Result<(), L::Error> {
        let registry = self.basis.registry;
        let name = &identifier.name;
        let Some(kind) = registry.identifiers.get(name) else {
            self.enter_as_noted(identifier, noted);
            return Ok(());
        };
        let forms = forms_of(registry, kind, &identifier.value);
        match (find(identifier, &forms, &self.changes)?, &forms.today) {
            (Some(owner), _) if owner == self.profile => self.names.identifiers.push(identifier.clone()),
            (Some(belongs_to), today) => {
                if let Ok(normal) = today {
                    self.changes.wait(name, normal, self.profile, Line::Sent);
                }
                self.names.conflicts.push(Conflict { identifier: identifier.clone(), belongs_to });
            }
            (None, Ok(normal)) if self.may_link(&forms, identifier, noted) => {
                self.changes.give(name, normal, self.profile);
                self.names.identifiers.push(identifier.clone());
            }
            (None, _) => self.enter_as_noted(identifier, noted),
        }
        Ok(())
    }

    /// Whether an identifier that finds nobody by today's form becomes the profile's. Links of an older host are
    /// made in today's form one profile after the other, and not by who comes first.
    fn may_link(&self, forms: &Forms, identifier: &Identifier, noted: Option<&Conflict>) -> bool {
        let former = forms.former.as_ref().and_then(|former| self.changes.owner(&identifier.name, former));
        match noted {
            Some(_) => self.basis.registry.forms == NormalForms::Today,
            None => former.is_none(),
        }
    }

    fn enter_as_noted(&mut self, identifier: &Identifier, noted: Option<&Conflict>) {
        match noted {
            Some(conflict) => self.names.conflicts.push(conflict.clone()),
            None => self.names.identifiers.push(identifier.clone()),
        }
    }

    /// Links the new values of fields that identify, and ends the links of old ones.
    fn enter_changes(&mut self, decided: &Decided) {
        for changed in &decided.changes {
            let shown = |value: &Option<Value>| shown_of(&changed.field, value.as_ref(), self.basis.registry);
            let (old, new) = (shown(&changed.before), shown(&changed.after));
            let same = old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| old.is_same_as(new));
            if let Some(old) = old.filter(|old| !same && !self.shows_otherwise(old, &changed.field, decided))
            {
                self.retire(old);
            }
            if let Some(new) = new {
                self.show(new);
            }
        }
    }

    /// Whether another field shows the same, after the decision.
    fn shows_otherwise(&self, old: &Shown, field: &FieldName, decided: &Decided) -> bool {
        let after = |other: &FieldName| match decided.changes.iter().find(|changed| changed.field == *other) {
            Some(changed) => changed.after.clone(),
            None => self.visible_of(other),
        };
        let fields = self.basis.registry.fields.keys().filter(|other| *other != field);
        fields
            .filter_map(|other| shown_of(other, after(other).as_ref(), self.basis.registry))
            .any(|other| other.is_same_as(old))
    }

    /// What everybody sees of a field that identifies; none of another field.
    fn visible_of(&self, field: &FieldName) -> Option<Value> {
        let entry = self.basis.registry.routing.field(field).filter(|entry| entry.identifies.is_some())?;
        let visible = self.basis.before?.visible(field, entry, self.basis.generations)?;
        Some(visible.value.clone())
    }

    /// Ends the links of a value that the profile no longer shows.
    fn retire(&mut self, old: Shown) {
        for normal in old.forms.today.iter().chain(&old.forms.former) {
            self.changes.free(&old.identifier.name, normal, self.profile);
        }
        let spellings = self.basis.before.map(|before| before.identifiers.as_slice()).unwrap_or_default();
        let same =
            |other: &&Identifier| **other != old.identifier && old.is_spelled(other, self.basis.registry);
        self.names.retired.extend(spellings.iter().filter(same).cloned());
        self.names.retired.push(old.identifier);
    }

    /// Links a value that the profile shows, or notes the conflict.
    fn show(&mut self, shown: Shown) {
        let Shown { identifier, forms } = shown;
        let Ok(normal) = forms.today else { return };
        match self.changes.show(&identifier.name, &normal, self.profile) {
            Ok(()) => self.names.identifiers.push(identifier),
            Err(belongs_to) => self.names.conflicts.push(Conflict { identifier, belongs_to }),
        }
    }

    /// A proposal that was accepted as it was: nothing changed, but it may not be linked.
    fn enter_unchanged(&mut self, decided: &Decided) {
        let is_changed = |field: &FieldName| decided.changes.iter().any(|changed| changed.field == *field);
        for field in accepted_fields(decided).filter(|field| !is_changed(field)) {
            if let Some(shown) = shown_of(field, self.visible_of(field).as_ref(), self.basis.registry) {
                self.show(shown);
            }
        }
    }

    /// Forgets which of the event's identifiers, the first `of_event`, this same decision gave up.
    fn drop_freed(&mut self, of_event: usize) -> Result<(), L::Error> {
        if self.names.retired.is_empty() {
            return Ok(());
        }
        let registry = self.basis.registry;
        let mut freed = Vec::new();
        for (index, identifier) in self.names.identifiers.iter().enumerate().take(of_event) {
            let Some(kind) = registry.identifiers.get(&identifier.name) else { continue };
            let forms = forms_of(registry, kind, &identifier.value);
            let is_spelled = |old: &Identifier| {
                old.name == identifier.name && forms_of(registry, kind, &old.value).today == forms.today
            };
            let is_retired = forms.today.is_ok() && self.names.retired.iter().any(is_spelled);
            if is_retired && find(identifier, &forms, &self.changes)? != Some(self.profile) {
                freed.push(index);
            }
        }
        freed.into_iter().rev().for_each(|index| drop(self.names.identifiers.remove(index)));
        Ok(())
    }

    /// What the profile waited for, and has got since.
    fn take_what_came_free(&mut self) {
        for conflict in self.basis.before.map(|before| before.conflicts.as_slice()).unwrap_or_default() {
            let identifier = &conflict.identifier;
            let Some(kind) = self.basis.registry.identifiers.get(&identifier.name) else { continue };
            let Ok(normal) = normalise(kind, &identifier.value) else { continue };
            let is_own = self.changes.owner(&identifier.name, &normal) == Some(self.profile);
            let DecidedNames { retired, identifiers, .. } = &mut self.names;
            if is_own && !retired.contains(identifier) && !identifiers.contains(identifier) {
                identifiers.push(identifier.clone());
            }
        }
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

/// A value that identifies, with its forms.
struct Shown {
    identifier: Identifier,
    forms: Forms,
}

/// The identifier that a field's value is; none when it is none, or can't be matched.
fn shown_of(field: &FieldName, value: Option<&Value>, registry: &Registry) -> Option<Shown> {
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
    fn is_spelled(&self, other: &Identifier, registry: &Registry) -> bool {
        self.identifier.name == other.name
            && registry.identifiers.get(&other.name).is_some_and(|kind| {
                let forms = forms_of(registry, kind, &other.value);
                forms.today.is_ok() && forms.today == self.forms.today
            })
    }
}

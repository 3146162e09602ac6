//! Links in a map: what follows from an event, from an event that lost its links, and from values that come and
//! go. Everything is asked twice: the second time there is nothing to do.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

use super::*;
use samsyn_journal::{
    Accepted, Changed, Conflict, Decided, LINE_POSITIONS_MAX, Line, LinePosition, Linked, ProfileState,
    fold_profile,
};
use samsyn_registry::{Field, IdentifierKind, Normaliser, Registry, RegistryChange};
use samsyn_vocabulary::{
    CapabilityName, Event, EventName, FieldName, Identifier, IdentifierName, Partition, Position, ProfileId,
    Timestamp, Type, Value,
};

/// Where the tests' only record stands.
const HERE: Position = Position { partition: Partition(0), seq: 1 };

const PHONE: &str = "+46701234567";
const SPELLED: &str = "+46 (0)70-123 45 67";
const OTHER_PHONE: &str = "+46701234568";

/// Links and profiles, kept in memory.
#[derive(Default)]
struct Known {
    links: HashMap<(IdentifierName, String, Option<LinePosition>), ProfileId>,
    profiles: BTreeMap<ProfileId, Arc<ProfileState>>,
    /// What accepted events give.
    coming: HashSet<(ProfileId, IdentifierName)>,
}

impl LookUp for Known {
    type Error = Infallible;

    fn link(
        &self,
        name: &IdentifierName,
        normal: &str,
        line_position: Option<LinePosition>,
    ) -> Option<ProfileId> {
        self.links.get(&(name.clone(), normal.to_owned(), line_position)).copied()
    }

    fn profile(&self, id: ProfileId) -> Result<Option<Arc<ProfileState>>, Infallible> {
        Ok(self.profiles.get(&id).cloned())
    }

    fn is_coming(&self, profile: ProfileId, name: &IdentifierName) -> bool {
        self.coming.contains(&(profile, name.clone()))
    }
}

/// A registry, and what is known.
struct World {
    registry: Registry,
    known: Known,
}

fn name(name: &str) -> IdentifierName {
    name.parse().expect("an identifier's name")
}

fn identifiers(identifiers: &[(&str, &str)]) -> Vec<Identifier> {
    identifiers.iter().map(|(is, value)| Identifier { name: name(is), value: (*value).to_owned() }).collect()
}

impl World {
    fn new() -> World {
        let kinds = [
            ("customer_id", Normaliser::Exact, 100),
            ("email", Normaliser::Email, 50),
            ("phone", Normaliser::Phone, 40),
        ];
        let mut changes: Vec<RegistryChange> = kinds
            .into_iter()
            .map(|(is, normaliser, strength)| {
                RegistryChange::identifier(name(is), IdentifierKind::new(normaliser, strength))
            })
            .collect();
        for field in ["phone", "phone.work"] {
            let definition = Field { identifies: Some(name("phone")), ..Field::of(Type::Text) };
            let field: FieldName = field.parse().expect("a field's name");
            changes.push(RegistryChange::FieldDefined { name: field, field: definition });
        }
        let mut registry = Registry::default();
        for (seq, change) in (1..).zip(&changes) {
            registry = registry.apply(seq, change).expect("it applies");
        }
        World { registry, known: Known::default() }
    }

    fn append(&mut self, links: &[Linked]) {
        for linked in links {
            let place = (linked.identifier.clone(), linked.normal.clone(), linked.line_position);
            match linked.retired {
                true => self.known.links.remove(&place),
                false => self.known.links.insert(place, linked.profile),
            };
        }
    }

    /// Accepts an event; its links are answered and not appended.
    fn accept(&mut self, sent: &[(&str, &str)]) -> (Accepted, Vec<Linked>) {
        let sent = identifiers(sent);
        let identified = identify(&sent, &self.registry, &self.known).expect("they identify");
        let owner = owner_of_event(identified, None, ProfileId::random, &self.registry, &self.known);
        let Owner { profile, links, names, conflicts, .. } = owner.expect("it is somebody's");
        self.known.coming.extend(names.into_iter().map(|name| (profile, name)));
        let event = Event {
            id: String::new(),
            application: None,
            name: EventName::new("page.seen").expect("an event's name"),
            at: Timestamp(1),
            received_at: Timestamp(1),
            properties: Vec::new(),
        };
        let accepted = Accepted {
            profile,
            event,
            identifiers: sent,
            proposals: Vec::new(),
            expected: None,
            expected_of: None,
            conflicts,
            shared_by: None,
            content: 0,
        };
        (accepted, links)
    }

    fn names(&self, decided: &Decided, accepted: Option<&Accepted>) -> DecidedNames {
        let before = self.known.profiles.get(&decided.profile).cloned();
        let generations = BTreeMap::new();
        let basis = Basis { registry: &self.registry, before: before.as_deref(), generations: &generations };
        decide_names(decided, accepted, &basis, &self.known).expect("nothing fails")
    }

    /// Decides, appends and folds; and decides once more in between, as after a crash that left the links alone.
    fn decide(&mut self, decided: Decided, accepted: Option<&Accepted>) -> DecidedNames {
        let names = self.names(&decided, accepted);
        self.append(&names.links);
        let (links, again) = (self.known.links.clone(), self.names(&decided, accepted));
        self.append(&again.links);
        assert_eq!(self.known.links, links, "it is idempotent");
        let DecidedNames { identifiers, retired, conflicts, .. } = again;
        assert_eq!(
            (&identifiers, &retired, &conflicts),
            (&names.identifiers, &names.retired, &names.conflicts)
        );
        let decided = Decided { identifiers, retired, conflicts, ..decided };
        let before = self.known.profiles.get(&decided.profile).cloned();
        let state = fold_profile(before.as_deref(), HERE, &decided);
        self.known.profiles.insert(decided.profile, Arc::new(state));
        names
    }

    /// Accepts and decides an event.
    fn seen(&mut self, sent: &[(&str, &str)]) -> ProfileId {
        let (accepted, links) = self.accept(sent);
        self.append(&links);
        let names = self.decide(nothing(accepted.profile), Some(&accepted));
        assert_eq!(names.links, [], "what was accepted is linked");
        accepted.profile
    }

    /// A value that everybody sees changes.
    fn shows(&mut self, profile: ProfileId, field: &str, before: Option<&str>, after: Option<&str>) {
        let text = |value: Option<&str>| value.map(|value| Value::Text(value.to_owned()));
        let changed = Changed {
            by: CapabilityName::new("crm").expect("a capability's name"),
            field: field.parse().expect("a field's name"),
            before: text(before),
            after: text(after),
            protective: false,
        };
        self.decide(Decided { changes: vec![changed], ..nothing(profile) }, None);
    }

    fn found(&self, is: &str, value: &str) -> Option<ProfileId> {
        let identifier = Identifier { name: name(is), value: value.to_owned() };
        owner_of(&identifier, &self.registry, &self.known).expect("it can be looked up")
    }

    fn listed(&self, profile: ProfileId) -> Vec<&str> {
        self.known.profiles[&profile].identifiers.iter().map(|is| is.value.as_str()).collect()
    }
}

fn nothing(profile: ProfileId) -> Decided {
    Decided::nothing(profile, HERE.item(0), Timestamp(1))
}

#[test]
fn an_event_that_lost_its_links_gets_them_when_it_is_decided() {
    let mut world = World::new();
    let (accepted, lost) = world.accept(&[("customer_id", "c1"), ("phone", SPELLED)]);
    assert_eq!((lost.len(), world.found("phone", PHONE)), (2, None));
    let names = world.decide(nothing(accepted.profile), Some(&accepted));
    assert_eq!(names.links, lost, "the same links");
    assert_eq!(world.found("phone", PHONE), Some(accepted.profile));
    assert_eq!(world.seen(&[("phone", PHONE)]), accepted.profile);
}

#[test]
fn of_two_events_that_lost_their_links_the_first_has_the_identifier() {
    let mut world = World::new();
    let (first, _) = world.accept(&[("customer_id", "c1"), ("phone", PHONE)]);
    let (second, _) = world.accept(&[("customer_id", "c2"), ("phone", PHONE)]);
    assert_ne!(first.profile, second.profile);
    world.decide(nothing(first.profile), Some(&first));
    let names = world.decide(nothing(second.profile), Some(&second));
    assert_eq!(world.found("phone", PHONE), Some(first.profile));
    assert_eq!(names.conflicts[0].belongs_to, first.profile, "though it was accepted as its own");
    assert_eq!(world.listed(second.profile), ["c2"]);
}

/// The start looks at undecided events in the order in which they were received, which may be the same moment.
#[test]
fn an_identifier_goes_to_who_brought_it_and_not_to_who_found_it_taken() {
    let mut world = World::new();
    let (first, links) = world.accept(&[("phone", PHONE)]);
    world.append(&links);
    world.known.coming.insert((first.profile, name("customer_id")));
    let (second, _) = world.accept(&[("customer_id", "c2"), ("phone", PHONE)]);
    assert_eq!(second.conflicts[0].belongs_to, first.profile);
    world.known = Known::default();
    let generations = BTreeMap::new();
    for sent in [Sent::Own, Sent::Anothers] {
        for accepted in [&second, &first] {
            let basis = Basis { registry: &world.registry, before: None, generations: &generations };
            let names = names_of_event(accepted, sent, &basis, &world.known).expect("nothing fails");
            world.append(&names.links);
        }
    }
    assert_eq!(world.found("phone", PHONE), Some(first.profile));
    assert_eq!(world.found("customer_id", "c2"), Some(second.profile));
}

#[test]
fn who_waited_for_somebody_that_a_crash_took_gets_the_identifier() {
    let mut world = World::new();
    let (gone, links) = world.accept(&[("customer_id", "c1"), ("phone", PHONE)]);
    world.append(&links);
    let (left, _) = world.accept(&[("customer_id", "c2"), ("phone", PHONE)]);
    assert_eq!(left.conflicts[0].belongs_to, gone.profile);
    // Neither the first event nor a link is there any more.
    world.known = Known::default();
    let names = world.decide(nothing(left.profile), Some(&left));
    assert_eq!((names.conflicts.len(), world.found("phone", PHONE)), (0, Some(left.profile)));
    let again = world.seen(&[("customer_id", "c1"), ("phone", PHONE)]);
    assert_ne!(again, left.profile, "strangers stay strangers");
    assert_eq!(world.known.profiles[&again].conflicts[0].belongs_to, left.profile);
}

#[test]
fn a_value_that_goes_is_passed_on_and_a_decision_repeated_changes_nothing() {
    let mut world = World::new();
    let [first, second, third] = ["c1", "c2", "c3"].map(|customer| {
        let profile = world.seen(&[("customer_id", customer)]);
        world.shows(profile, "phone", None, Some(PHONE));
        profile
    });
    assert_eq!(world.found("phone", PHONE), Some(first));
    world.shows(first, "phone", Some(PHONE), Some(OTHER_PHONE));
    assert_eq!(world.found("phone", PHONE), Some(second));
    world.shows(second, "phone", Some(PHONE), None);
    assert_eq!(world.found("phone", PHONE), Some(third));
    world.shows(third, "phone", Some(PHONE), None);
    assert_eq!((world.found("phone", PHONE), world.found("phone", OTHER_PHONE)), (None, Some(first)));
    assert_eq!(world.listed(first), ["c1", OTHER_PHONE]);
}

/// An event comes with another spelling of the number that its own decision gives up.
#[test]
fn an_identifier_that_its_own_decision_gives_up_is_not_listed() {
    let mut world = World::new();
    let owner = world.seen(&[("customer_id", "c1")]);
    world.shows(owner, "phone", None, Some(PHONE));
    let (accepted, links) = world.accept(&[("phone", SPELLED)]);
    assert_eq!((accepted.profile, links.len()), (owner, 0));
    let text = |value: &str| Some(Value::Text(value.to_owned()));
    let changed = Changed {
        by: CapabilityName::new("crm").expect("a capability's name"),
        field: "phone".parse().expect("a field's name"),
        before: text(PHONE),
        after: text(OTHER_PHONE),
        protective: false,
    };
    world.decide(Decided { changes: vec![changed], ..nothing(owner) }, Some(&accepted));
    assert_eq!(world.listed(owner), ["c1", OTHER_PHONE]);
    assert_eq!(world.found("phone", SPELLED), None);
}

#[test]
fn an_identifier_that_was_given_up_meanwhile_is_linked_again() {
    let mut world = World::new();
    let owner = world.seen(&[("customer_id", "c1")]);
    world.shows(owner, "phone", None, Some(PHONE));
    let (accepted, _) = world.accept(&[("customer_id", "c1"), ("phone", PHONE)]);
    world.shows(owner, "phone", Some(PHONE), None);
    assert_eq!(world.found("phone", PHONE), None);
    world.decide(nothing(owner), Some(&accepted));
    assert_eq!(world.found("phone", PHONE), Some(owner), "what it lists finds it");
    assert_eq!(world.listed(owner), ["c1", PHONE]);
}

#[test]
fn an_identifier_that_the_dictionary_no_longer_has_stays_as_it_was_accepted() {
    let mut world = World::new();
    let (accepted, links) = world.accept(&[("customer_id", "c1"), ("phone", PHONE)]);
    world.append(&links);
    world.registry.identifiers.remove(&name("phone"));
    let names = world.decide(nothing(accepted.profile), Some(&accepted));
    assert_eq!(names.identifiers, accepted.identifiers);
}

#[test]
fn a_line_that_is_full_is_told_once() {
    let mut world = World::new();
    world.seen(&[("customer_id", "c"), ("phone", PHONE)]);
    let mut told = 0;
    for customer in 0..LINE_POSITIONS_MAX + 2 {
        let (accepted, links) = world.accept(&[("customer_id", &format!("c{customer}")), ("phone", PHONE)]);
        told += full_lines(&links).count();
        world.append(&links);
        assert_eq!(accepted.conflicts.len(), 1);
    }
    assert_eq!(told, 1);
    let last = LinePosition { line: Line::Sent, number: LINE_POSITIONS_MAX - 1 };
    assert!(world.known.link(&name("phone"), PHONE, Some(last)).is_some());
    let phone = Identifier { name: name("phone"), value: SPELLED.to_owned() };
    let sharing = sharers(&phone, &world.registry, &world.known).expect("it can be looked up");
    assert_eq!(sharing.len(), usize::from(LINE_POSITIONS_MAX) + 1);
}

#[test]
fn a_profile_goes_by_what_finds_it() {
    let mut world = World::new();
    let owner = world.seen(&[("customer_id", "c1"), ("email", "fam@example.com")]);
    let other = world.seen(&[("customer_id", "c2"), ("email", "FAM@example.com")]);
    let names = names_of(&world.known.profiles[&other], &world.registry, &world.known).expect("it is read");
    let values: Vec<&str> = names.own.iter().map(|identifier| identifier.value.as_str()).collect();
    assert_eq!(values, ["c2"]);
    let conflict = Conflict {
        identifier: Identifier { name: name("email"), value: "FAM@example.com".to_owned() },
        belongs_to: owner,
    };
    assert_eq!(names.conflicts, [conflict]);
}

//! Every question of every combination of scopes.

use super::super::RegistryChange;
use super::super::{IdentifierKind, Normaliser};
use super::*;

/// A registry with a field of each class and two identifiers.
fn registry() -> Registry {
    let mut registry = Registry::default();
    for (name, class) in [("shoe_size", "none"), ("first_name", "personal"), ("allergy", "sensitive")] {
        let field = serde_json::from_value(serde_json::json!({"type": "text", "class": class})).unwrap();
        let change = RegistryChange::FieldDefined { name: FieldName::new(name).unwrap(), field };
        registry = registry.apply(registry.revision + 1, &change).unwrap();
    }
    for name in ["customer_id", "email"] {
        let kind = IdentifierKind::new(Normaliser::Exact, 1);
        let name = IdentifierName::new(name).unwrap();
        let change = RegistryChange::identifier(name, kind);
        registry = registry.apply(registry.revision + 1, &change).unwrap();
    }
    registry
}

fn policy(scopes: &[&str]) -> Policy {
    let scopes: Vec<Scope> = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    Policy::of(&scopes, &registry())
}

const FIELDS: [&str; 4] = ["shoe_size", "first_name", "allergy", "not_defined"];
const IDENTIFIERS: [&str; 3] = ["customer_id", "email", "not_defined"];

fn of<'a>(all: &[&'a str], is: impl Fn(&str) -> bool) -> Vec<&'a str> {
    all.iter().copied().filter(|name| is(name)).collect()
}

#[test]
fn a_scope_gives_what_it_says_and_nothing_else() {
    let (events, named) = (&["events:write"][..], &["events:write=order.*"][..]);
    let (reads, proposes) = (&["profiles:read"][..], &["profiles:propose"][..]);
    let auditor = &[ScopeName::RegistryRead, ScopeName::AuditRead][..];
    let onlooker = &[auditor, &[ScopeName::ProfilesRead, ScopeName::AdminRead]].concat()[..];
    for (scopes, has) in [
        (&[][..], &[][..]),
        (events, &[ScopeName::EventsWrite]),
        (named, &[ScopeName::EventsWrite]),
        (reads, &[ScopeName::ProfilesRead]),
        (&["profiles:read=shoe_size"], &[ScopeName::ProfilesRead]),
        (&["profiles:read=class:sensitive"], &[ScopeName::ProfilesRead]),
        (proposes, &[ScopeName::ProfilesPropose]),
        (&["registry:read"], &[ScopeName::RegistryRead]),
        (&["registry:write"], &[ScopeName::RegistryRead, ScopeName::RegistryWrite]),
        (&["registry:write", "registry:read"], &[ScopeName::RegistryRead, ScopeName::RegistryWrite]),
        (&["audit:read"], auditor),
        (&["admin:read"], onlooker),
        (&["audit:read", "admin:read"], onlooker),
        (&["admin:read", "profiles:read=shoe_size"], onlooker),
        (&["admin"], &ScopeName::ALL),
        (&["admin:read", "admin"], &ScopeName::ALL),
        (&["events:write", "admin"], &ScopeName::ALL),
    ] {
        let policy = policy(scopes);
        for name in ScopeName::ALL {
            assert_eq!(policy.has(name), has.contains(&name), "{scopes:?} {name}");
        }
        assert_eq!(policy.is_admin(), has.contains(&ScopeName::Admin), "{scopes:?}");
        assert_eq!(policy.reads_every_claim(), has.contains(&ScopeName::AdminRead), "{scopes:?}");
        assert!(policy.reads_everything() || !policy.reads_every_claim(), "{scopes:?}");
        assert_eq!(policy.reads_profiles(), has.contains(&ScopeName::ProfilesRead), "{scopes:?}");
        let event = |name: &str| policy.sends(&EventName::new(name).unwrap());
        let sends = has.contains(&ScopeName::EventsWrite);
        assert_eq!(event("order.completed"), sends, "{scopes:?}");
        assert_eq!(event("seen"), sends && scopes != named, "{scopes:?}");
        // A scope of one kind gives nothing of another.
        if !has.contains(&ScopeName::ProfilesRead) {
            assert!(of(&FIELDS, |field| policy.reads(field)).is_empty(), "{scopes:?}");
            assert!(of(&IDENTIFIERS, |name| policy.sees_identifier(name)).is_empty(), "{scopes:?}");
            assert!(!policy.reads_everything(), "{scopes:?}");
        }
        if !has.contains(&ScopeName::ProfilesPropose) {
            assert!(of(&FIELDS, |field| policy.proposes(field)).is_empty(), "{scopes:?}");
        }
    }
}

#[test]
fn a_list_gives_its_fields_its_classes_and_its_identifiers() {
    let personal = &["customer_id", "email"][..];
    for (list, fields, identifiers) in [
        ("shoe_size", &["shoe_size"][..], &[][..]),
        ("not_defined", &["not_defined"], &[]),
        ("class:none", &["shoe_size"], &[]),
        ("class:personal", &["first_name"], personal),
        ("class:sensitive", &["allergy"], &[]),
        ("class:none,class:personal", &["shoe_size", "first_name"], personal),
        ("class:sensitive,first_name", &["first_name", "allergy"], &[]),
        ("identifier:customer_id", &[], &["customer_id"]),
        ("shoe_size,identifier:email", &["shoe_size"], &["email"]),
        ("class:none,class:personal,class:sensitive", &FIELDS, &IDENTIFIERS),
    ] {
        let policy = policy(&[&format!("profiles:read={list}")]);
        assert_eq!(of(&FIELDS, |field| policy.reads(field)), fields, "{list}");
        assert_eq!(of(&IDENTIFIERS, |name| policy.sees_identifier(name)), identifiers, "{list}");
        assert_eq!(policy.reads_everything(), fields == FIELDS, "{list}");
        assert_eq!(of(&FIELDS, |field| policy.knows_field(field)), fields, "{list}");
        assert_eq!(of(&IDENTIFIERS, |name| policy.knows_identifier(name)), identifiers, "{list}");
    }
    for (list, fields) in [("shoe_size", &["shoe_size"]), ("class:sensitive", &["allergy"])] {
        let policy = policy(&[&format!("profiles:propose={list}")]);
        assert_eq!(of(&FIELDS, |field| policy.proposes(field)), fields, "{list}");
        assert_eq!(of(&FIELDS, |field| policy.knows_field(field)), fields, "{list}");
    }
}

#[test]
fn lists_of_one_scope_add_up_and_everything_wins() {
    let two = policy(&["profiles:read=shoe_size", "profiles:read=first_name"]);
    assert_eq!(of(&FIELDS, |field| two.reads(field)), ["shoe_size", "first_name"]);
    for scopes in [["profiles:read=shoe_size", "profiles:read"], ["profiles:read", "profiles:read=shoe_size"]]
    {
        assert!(policy(&scopes).reads_everything(), "{scopes:?}");
    }
    let event = |policy: &Policy, name: &str| policy.sends(&EventName::new(name).unwrap());
    let two = policy(&["events:write=seen", "events:write=order.*"]);
    assert!(event(&two, "seen") && event(&two, "order.completed") && !event(&two, "other"));
    for scopes in [["events:write=seen", "events:write"], ["events:write", "events:write=seen"]] {
        assert!(event(&policy(&scopes), "other"), "{scopes:?}");
    }
}

#[test]
fn who_reads_the_registry_knows_every_name_and_no_value() {
    let policy = policy(&["registry:read"]);
    assert_eq!(of(&FIELDS, |field| policy.knows_field(field)), FIELDS);
    assert_eq!(of(&IDENTIFIERS, |name| policy.knows_identifier(name)), IDENTIFIERS);
    assert!(of(&FIELDS, |field| policy.reads(field)).is_empty());
}

#[test]
fn a_class_follows_the_dictionary() {
    let registry = registry();
    let field = registry.fields["first_name"].clone();
    let field = super::super::Field { class: DataClass::Sensitive, ..field };
    let change = RegistryChange::FieldDefined { name: FieldName::new("first_name").unwrap(), field };
    let next = registry.apply(registry.revision + 1, &change).unwrap();
    let scopes = ["profiles:read=class:personal".parse().unwrap()];
    assert!(Policy::of(&scopes, &registry).reads("first_name"));
    assert!(!Policy::of(&scopes, &next).reads("first_name"));
}

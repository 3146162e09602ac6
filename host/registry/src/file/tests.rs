//! Files that fit a registry, files that don't, and the way there and back.

use proptest::prelude::*;

use super::*;
use crate::{Install, Manifest, Registry};
use samsyn_vocabulary::{Digest, Role, SecretName, Timestamp};

const FILE: &str = r#"
registry = 1

[identifiers]
customer_id = { normaliser = "exact", strength = 100 }
email = { normaliser = "email", strength = 50 }

[fields]
email = { type = "text", class = "personal", identifies = "email", department = "CRM" }
"shop.size" = { type = "text", one_of = ["S", "M"], description = "Of clothes" }
"shop.visits" = { type = "integer", unit = "visits", schema = { minimum = 0 } }
"shop.no_mail" = { type = "boolean", protective = true }
"#;

const SHOP: &str = r#"
    manifest = 1
    [plugin]
    name = "shop"
    version = "1"
    owner = "Shop"
    description = "Sells"
    identifiers = ["customer_id"]
    [subscribes."order.*"]
    [sources]
    "shop.size" = { type = "text" }
    "shop.visits" = { type = "integer" }
    [consumes]
    email = { purposes = ["service"] }
"#;

fn parse(text: &str) -> RegistryFile {
    RegistryFile::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn apply(registry: &Registry, text: &str, remove: bool) -> Result<Registry, String> {
    let plan = parse(text).plan(registry, remove).map_err(|error| error.to_string())?;
    let many = RegistryChange::Many { changes: plan.changes };
    registry.check(&many).map_err(|error| error.to_string())?;
    Ok(registry.apply(registry.revision + 1, &many).expect("it can be applied"))
}

fn install(registry: &Registry, manifest: &str, accept: bool) -> Registry {
    let parsed = Manifest::parse(manifest).unwrap();
    let plan = registry.plan_install(&parsed, Digest::of(manifest.as_bytes()), accept).unwrap();
    let install = Install {
        manifest_text: manifest.to_owned(),
        roles: vec![Role::Source],
        generation: 1,
        from_start: false,
        deliver_while_catching_up: false,
        at: Timestamp(0),
    };
    registry.apply(registry.revision + 1, &plan.change(&parsed, install)).unwrap()
}

fn shop() -> Registry {
    install(&apply(&Registry::default(), FILE, false).unwrap(), SHOP, true)
}

fn words(plan: &RegistryPlan) -> Vec<String> {
    let word =
        |step: &Step| format!("{:?} {} {} {}", step.action, step.what, step.name, step.details.join("; "));
    plan.steps.iter().map(|step| word(step).trim_end().to_lowercase()).collect()
}

#[test]
fn what_is_exported_changes_nothing_and_what_is_applied_is_exported() {
    let registry = shop();
    let text = RegistryFile::of(&registry).to_text();
    let plan = parse(&text).plan(&registry, true).unwrap();
    assert_eq!(words(&plan), [""; 0], "{text}");
    assert_eq!(plan.changes.len(), 0);
    // On a host that is set up anew, with the same plug-in.
    let other = install(&apply(&Registry::default(), FILE, false).unwrap(), SHOP, false);
    let other = apply(&other, &text, true).unwrap();
    assert_eq!(RegistryFile::of(&other).to_text(), text);
    assert_eq!(parse(&text).to_text(), text);
}

#[test]
fn a_plan_says_what_is_added_changed_assigned_and_granted() {
    let registry = shop();
    let text = RegistryFile::of(&registry).to_text();
    let edited = text
        .replace("unit = \"visits\"", "unit = \"calls\"\nclass = \"personal\"")
        .replace("[fields.email]", "[fields.nickname]\ntype = \"text\"\n\n[fields.email]")
        .replace("\"shop.size\" = \"shop\"\n", "")
        .replace("reads = [\"email\"]", "reads = []");
    let plan = parse(&edited).plan(&registry, true).unwrap();
    assert_eq!(
        words(&plan),
        [
            "add field nickname type: none → text",
            "change field shop.visits class: none → personal; unit: visits → calls",
            "grant plugin shop - reading email",
            "assign source shop.size shop → none",
        ]
    );
    let kept = parse(&edited).plan(&registry, false).unwrap();
    assert!(kept.steps.iter().all(|step| step.action != Action::Assign), "{kept:?}");
    assert!(kept.notes.iter().any(|note| note.contains("shop.size")), "{kept:?}");
}

#[test]
fn what_is_left_out_is_removed_only_when_asked_for_and_when_nobody_uses_it() {
    let registry = shop();
    let without = |name: &str| {
        let mut file = RegistryFile::of(&registry);
        file.fields.retain(|field, _| field.as_str() != name);
        file.sources.retain(|field, _| field.as_str() != name);
        file.to_text()
    };
    assert_eq!(apply(&registry, &without("shop.no_mail"), false).unwrap().fields, registry.fields);
    let removed = apply(&registry, &without("shop.no_mail"), true).unwrap();
    assert!(!removed.fields.contains_key("shop.no_mail"));
    let refused = apply(&registry, &without("email"), true).unwrap_err();
    assert!(refused.contains("in use by shop") && refused.contains("revoke"), "{refused}");
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let registry = shop();
    for (text, place) in [
        ("registry = 2\n", "registry"),
        ("registry = 1\n[field]\n", "line 2"),
        ("registry = 1\n[fields]\na = { type = \"text\" }\na = { type = \"text\" }\n", "line 4"),
        ("registry = 1\n[fields]\na = { type = \"txt\" }\n", "line 3"),
        ("registry = 1\n[fields]\nBad = { type = \"text\" }\n", "line 3"),
        ("registry = 1\n[fields]\na = { type = \"integer\", one_of = [\"1\"] }\n", "fields.a"),
        ("registry = 1\n[fields]\na = { type = \"text\", schema = { type = \"strong\" } }\n", "fields.a"),
        ("registry = 1\n[fields]\na = { type = \"text\", identifies = \"nobody\" }\n", "fields.a"),
        ("registry = 1\n[fields]\n\"shop.visits\" = { type = \"text\" }\n", "fields.shop.visits"),
        ("registry = 1\n[fields]\nemails = { type = \"text\", renamed_from = \"email\" }\n", "renamed_from"),
        ("registry = 1\n[sources]\n\"shop.visits\" = \"nobody\"\n", "sources.shop.visits"),
        ("registry = 1\n[sources]\nemail = \"shop\"\n", "sources.email"),
        ("registry = 1\n[grants.nobody]\nreads = []\n", "grants.nobody"),
        ("registry = 1\n[grants.shop]\nreads = [\"phone\"]\n", "grants.shop"),
        ("registry = 1\n[grants.shop]\nsources = []\n", "grants.shop"),
        ("registry = 1\n[grants.shop]\nreads = [\"email\", \"email\"]\n", "grants.shop.reads"),
    ] {
        let error = RegistryFile::parse(text).and_then(|file| file.plan(&registry, false)).unwrap_err();
        assert!(error.place.contains(place), "{text}: {error}");
    }
}

#[test]
fn a_field_is_renamed_once_and_a_proposed_one_accepted() {
    let registry = apply(&Registry::default(), FILE, false).unwrap();
    let renamed =
        "registry = 1\n[fields]\n\"shop.fit\" = { type = \"text\", renamed_from = \"shop.size\" }\n";
    let registry = apply(&registry, renamed, false).unwrap();
    assert!(registry.fields.contains_key("shop.fit") && !registry.fields.contains_key("shop.size"));
    assert_eq!(
        words(&parse(renamed).plan(&registry, false).unwrap()),
        [""; 0],
        "the file may say so for good"
    );
    let brought = install(&registry, SHOP, false);
    assert!(!brought.fields["shop.size"].status.is_defined());
    assert_eq!(brought.source_of("shop.size"), None);
    assert!(
        !RegistryFile::of(&brought).to_text().contains("shop.size\"]"),
        "what waits is nobody's decision yet"
    );
    let accepted =
        "registry = 1\n[fields]\n\"shop.size\" = { type = \"text\" }\n[sources]\n\"shop.size\" = \"shop\"\n";
    let plan = parse(accepted).plan(&brought, false).unwrap();
    assert_eq!(words(&plan)[1], "assign source shop.size none → shop");
    assert_eq!(plan.steps[0].action, Action::Accept);
    let brought = apply(&brought, accepted, false).unwrap();
    assert!(brought.fields["shop.size"].status.is_defined());
}

fn text() -> impl Strategy<Value = String> {
    "[ -~åäö€\n\t\"'\\\\]{0,24}".prop_filter("a text that is there", |text| !text.is_empty())
}

proptest! {
    /// Whatever the strings hold, the file comes back as it went.
    #[test]
    fn any_text_survives_the_file(description in text(), unit in text(), allowed in proptest::collection::vec(text(), 0..3), note in proptest::option::of(text())) {
        let mut registry = Registry::default();
        let field = Field { description, unit: Some(unit), one_of: allowed, deprecated: note, ..Field::of(samsyn_vocabulary::Type::Text) };
        let name = FieldName::new("some.field").unwrap();
        registry = registry.apply(1, &RegistryChange::FieldDefined { name: name.clone(), field }).unwrap();
        let text = RegistryFile::of(&registry).to_text();
        let plan = parse(&text).plan(&registry, true).unwrap();
        prop_assert_eq!(plan.steps, Vec::new());
        let again = apply(&Registry::default(), &text, true).unwrap();
        prop_assert_eq!(again.fields, registry.fields);
        prop_assert_eq!(RegistryFile::of(&parse_into(&text)).to_text(), text);
    }
}

fn parse_into(text: &str) -> Registry {
    apply(&Registry::default(), text, true).unwrap()
}

#[test]
fn a_file_names_secrets_and_has_no_value() {
    let text = "registry = 1\nsecrets = [\"crm_token\", \"sms-key\"]\n";
    let registry = apply(&Registry::default(), text, false).unwrap();
    let exported = RegistryFile::of(&registry).to_text();
    assert!(exported.ends_with(&format!("\n{text}")), "{exported}");
    assert!(parse(text).plan(&registry, true).unwrap().steps.is_empty(), "it is as the file says");
    let left_out = parse("registry = 1\n").plan(&registry, true).unwrap();
    assert!(left_out.steps.is_empty(), "a value couldn't be had back");
    assert!(
        left_out.notes.iter().any(|note| note.contains("samsyn secret retire crm_token --all")),
        "{left_out:?}"
    );
    for (bad, place) in [
        ("registry = 1\nsecrets = [\"Crm\"]", "line 2"),
        ("registry = 1\nsecrets = \"hunter2\"", "line 2"),
        ("registry = 1\nsecrets = [\"hunter2/x\"]", "a list of names"),
        ("registry = 1\nsecrets = { crm = \"hunter2\" }", "line 2"),
        ("registry = 1\n[secrets.crm]\nvalue = \"hunter2\"", "line 2"),
    ] {
        let error = RegistryFile::parse(bad).unwrap_err().to_string();
        assert!(error.contains(place) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_setting_that_becomes_a_secret_keeps_no_clear_text() {
    let with = |kind: &str| SHOP.to_owned() + &format!("[settings]\napi_key = {{ type = \"{kind}\" }}\n");
    let registry = apply(&Registry::default(), FILE, false).unwrap();
    let registry = install(&registry, &with("text"), true);
    let set = |registry: &Registry, text: &str| {
        let settings = [("api_key".to_owned(), Some(samsyn_vocabulary::Value::Text(text.to_owned())))].into();
        let capability = CapabilityName::new("shop").unwrap();
        let change = RegistryChange::SettingsChanged { capability, settings };
        registry.check(&change).map(|()| registry.apply(registry.revision + 1, &change).unwrap())
    };
    let registry = set(&registry, "hunter2").unwrap();
    let manifest = Manifest::parse(&with("secret")).unwrap();
    let plan = registry.plan_install(&manifest, Digest::of(b"2"), true).unwrap();
    assert_eq!(plan.settings[0].value, None);
    assert!(plan.warnings.iter().any(|is| is.contains("samsyn plugin set shop api_key=NAME")), "{plan:?}");
    assert!(!format!("{plan:?}").contains("hunter2"));
    let registry = install(&registry, &with("secret"), true);
    let shop = &registry.capabilities["shop"];
    assert!(shop.settings.is_empty(), "what was in clear is nobody's setting any more");
    // Now it takes the name of a secret that there is.
    assert!(set(&registry, "hunter2").unwrap_err().to_string().contains("samsyn secret set NAME"));
    let named = RegistryChange::SecretNamed { name: SecretName::new("crm_token").unwrap() };
    let registry = registry.apply(registry.revision + 1, &named).unwrap();
    let registry = set(&registry, "crm_token").unwrap();
    let removed = RegistryChange::SecretRemoved { name: SecretName::new("crm_token").unwrap() };
    assert!(registry.check(&removed).unwrap_err().to_string().contains("setting api_key of shop"));
    // A later version keeps it, and tells of nothing.
    let plan = registry.plan_install(&manifest, Digest::of(b"3"), true).unwrap();
    assert_eq!(plan.settings[0].value, Some("crm_token".into()));
    assert!(!plan.warnings.iter().any(|is| is.contains("api_key")), "{plan:?}");
    let registry = install(&registry, &with("secret"), true);
    assert!(registry.capabilities["shop"].settings.contains_key("api_key"));
}

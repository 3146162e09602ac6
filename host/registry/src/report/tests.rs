//! Registries to report on: made of manifests, as plug-ins bring them.

use super::*;
use crate::{Field, IdentifierKind, Install, Manifest, Normaliser, RegistryChange};
use samsyn_vocabulary::{Digest, EventName, IdentifierName, Role, Timestamp};

/// A plug-in of a test.
pub(crate) struct Plugin {
    name: &'static str,
    owner: &'static str,
    sources: String,
    consumes: String,
    hears: String,
    emits: String,
    calls: String,
}

impl Plugin {
    /// One that declares nothing yet.
    pub(crate) fn new(name: &'static str) -> Plugin {
        let empty = String::new;
        Plugin {
            name,
            owner: "Tests",
            sources: empty(),
            consumes: empty(),
            hears: empty(),
            emits: empty(),
            calls: empty(),
        }
    }

    pub(crate) fn owner(mut self, owner: &'static str) -> Plugin {
        self.owner = owner;
        self
    }

    pub(crate) fn sources(mut self, fields: &[&str]) -> Plugin {
        fields.iter().for_each(|field| self.sources += &format!("{field:?} = {{ type = \"text\" }}\n"));
        self
    }

    pub(crate) fn identifying(mut self, field: &str, identifier: &str) -> Plugin {
        self.sources += &format!("{field:?} = {{ type = \"text\", identifies = {identifier:?} }}\n");
        self
    }

    pub(crate) fn consumes(self, fields: &[&str]) -> Plugin {
        self.reads(fields, false)
    }

    pub(crate) fn notified(self, fields: &[&str]) -> Plugin {
        self.reads(fields, true)
    }

    fn reads(mut self, fields: &[&str], notify: bool) -> Plugin {
        for field in fields {
            self.consumes += &format!("{field:?} = {{ purposes = [\"service\"], notify = {notify} }}\n");
        }
        self
    }

    pub(crate) fn hears(mut self, pattern: &str) -> Plugin {
        self.hears += &format!("[subscribes.{pattern:?}]\n");
        self
    }

    pub(crate) fn emits(mut self, event: &str) -> Plugin {
        self.emits += &format!("[emits.{event:?}]\n");
        self
    }

    pub(crate) fn calls(mut self, endpoint: &str) -> Plugin {
        self.calls += &format!("[calls.{endpoint}]\nreason = \"For a test\"\nmethods = [\"GET\"]\n");
        self
    }

    fn manifest(&self) -> String {
        let Plugin { name, owner, sources, consumes, hears, emits, calls } = self;
        format!(
            "manifest = 1\n[plugin]\nname = {name:?}\nversion = \"0.1.0\"\nowner = {owner:?}\n\
             description = \"For a test\"\n[sources]\n{sources}[consumes]\n{consumes}{hears}{emits}{calls}"
        )
    }
}

/// A registry with these plug-ins, installed in this order with all they ask for.
pub(crate) fn registry(plugins: &[Plugin]) -> Registry {
    let mut registry = Registry::default();
    for name in ["customer_id", "email", "phone"] {
        let kind = IdentifierKind::new(Normaliser::Exact, 1);
        apply(&mut registry, &RegistryChange::identifier(IdentifierName::new(name).unwrap(), kind));
    }
    for plugin in plugins {
        let text = plugin.manifest();
        let manifest = Manifest::parse(&text).unwrap();
        let plan = registry.plan_install(&manifest, Digest::of(text.as_bytes()), true).unwrap();
        let install = Install {
            manifest_text: text,
            roles: vec![Role::Source, Role::Subscriber, Role::Observer],
            generation: 1,
            from_start: false,
            deliver_while_catching_up: false,
            at: Timestamp::default(),
        };
        let change = plan.change(&manifest, install);
        apply(&mut registry, &change);
    }
    registry
}

pub(crate) fn apply(registry: &mut Registry, change: &RegistryChange) {
    *registry = registry.apply(registry.revision + 1, change).unwrap();
}

/// Changes a field's entry in the dictionary.
pub(crate) fn redefine(registry: &mut Registry, name: &str, change: impl FnOnce(&mut Field)) {
    let name = FieldName::new(name).unwrap();
    change(registry.fields.get_mut(&name).unwrap());
}

/// Leaves a field without a source.
pub(crate) fn unassign(registry: &mut Registry, field: &str) {
    let field = FieldName::new(field).unwrap();
    apply(registry, &RegistryChange::SourceAssigned { field, source: None });
}

fn used() -> Usage {
    let mut usage = Usage::default();
    usage.event(&EventName::new("order.completed").unwrap());
    usage
}

#[test]
fn an_empty_registry_has_nothing_to_say() {
    let report = Report::of(&Registry::default(), &Usage::default(), Timestamp(0));
    assert_eq!(report.findings, []);
    assert_eq!((report.errors, report.warnings, report.notes), (0, 0, 0));
}

#[test]
fn the_worst_comes_first_and_the_report_is_always_the_same() {
    let registry = registry(&[
        Plugin::new("crm").owner("Data").sources(&["email", "country"]).hears("order.*"),
        Plugin::new("desk").owner("Service").sources(&["country", "contact.email_address"]),
        Plugin::new("mail").owner("Mail").consumes(&["nickname", "email"]).emits("mail.sent"),
    ]);
    let report = Report::of(&registry, &used(), Timestamp(0));
    assert_eq!(report, Report::of(&registry, &used(), Timestamp(0)));
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        [
            "consumed-without-source",
            "departments-same-field",
            "event-never-emitted",
            "field-claimed-twice",
            "fields-look-alike",
            "read-never-valued",
            "source-never-claimed",
            "source-never-claimed",
            "sourced-never-read",
            "sourced-never-read",
        ]
    );
    assert_eq!((report.errors, report.warnings, report.notes), (1, 1, 8));
    assert!(report.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
}

#[test]
fn every_finding_says_what_why_and_what_to_do() {
    let registry = registry(&[
        Plugin::new("crm").owner("Data").sources(&["email", "phone"]).hears("sms.moved"),
        Plugin::new("sms").owner("Mobile").sources(&["phone", "contact.email"]).notified(&["nickname"]),
    ]);
    let findings = Report::of(&registry, &Usage::default(), Timestamp(0)).findings;
    assert!(findings.len() >= 6);
    for finding in findings {
        assert!(finding.explanation.ends_with('.') && finding.mend.ends_with('.'), "{finding:#?}");
        assert!(finding.command.starts_with("samsyn "), "{finding:#?}");
        assert!(!finding.capabilities.is_empty(), "{finding:#?}");
    }
}

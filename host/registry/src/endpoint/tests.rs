//! What can be bound, what a change would change, and what stays over upgrades, records and files.

use super::*;
use crate::{
    Field, Grant, IdentifierKind, Install, Manifest, Normaliser, RegistryChange, RegistryFile, VersionChange,
};
use samsyn_vocabulary::{Digest, FieldName, IdentifierName, Role, SecretName, Type};

const SYNC: &str = r#"
manifest = 1
[plugin]
name = "sync"
version = "1"
owner = "Members"
description = "Tells the members' system"
[calls.members]
reason = "Tiers"
url = "https://members.example.com/api"
methods = ["GET", "PUT"]
auth = "bearer"
repeat = "keyed"
key = { header = "Idempotency-Key", hours = 24 }
rate = "10 per 1s"
[calls.sms]
reason = "Texts"
methods = ["POST"]
reaches = "customers"
[calls.stock]
reason = "Stock"
methods = ["GET"]
"#;

const LEAST: &str = "auth = { bearer = \"members_token\" }\n";

fn install_at(registry: &Registry, manifest: &str, at: i64) -> Registry {
    let parsed = Manifest::parse(manifest).unwrap();
    let named = RegistryChange::SecretNamed { name: SecretName::new("members_token").unwrap() };
    let registry = &registry.apply(registry.revision + 1, &named).unwrap();
    let plan = registry.plan_install(&parsed, Digest::of(manifest.as_bytes()), true).unwrap();
    let install = Install {
        manifest_text: manifest.to_owned(),
        roles: vec![Role::Source],
        generation: 1,
        from_start: false,
        deliver_while_catching_up: false,
        at: Timestamp(at),
    };
    registry.apply(registry.revision + 1, &plan.change(&parsed, install)).unwrap()
}

fn installed() -> Registry {
    install_at(&Registry::default(), SYNC, 0)
}

fn request(toml: &str) -> BindingRequest {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{toml}: {error}"))
}

fn bind(registry: &Registry, name: &str, toml: &str) -> Result<EndpointPlan, RegistryError> {
    registry.plan_endpoint("sync", name, EndpointChange::Bind(Box::new(request(toml))))
}

fn made(registry: &Registry, plan: EndpointPlan) -> Registry {
    let change = plan.change.expect("it changes something");
    // As it is in the log and back.
    let change: RegistryChange = serde_json::from_str(&serde_json::to_string(&change).unwrap()).unwrap();
    registry.check(&change).unwrap();
    registry.apply(registry.revision + 1, &change).unwrap()
}

fn bound() -> Registry {
    let registry = installed();
    made(&registry, bind(&registry, "members", LEAST).unwrap())
}

fn pause(reason: &str) -> Pause {
    Pause { by: Application::new("ops").unwrap(), reason: Reason::new(reason).unwrap(), at: Timestamp(7) }
}

fn binding(toml: &str) -> Binding {
    request(toml).resolved(&Manifest::parse(SYNC).unwrap().calls["members"]).unwrap()
}

fn state(registry: &Registry, name: &str) -> EndpointState {
    registry.endpoint("sync", name).unwrap().state
}

#[test]
fn what_is_left_out_is_as_the_manifest_requests() {
    let plan = bind(&installed(), "members", LEAST).unwrap();
    let lines: Vec<String> = plan.changes.iter().map(|is| is.as_line()).collect();
    assert_eq!(
        lines,
        [
            "answer_max: none → 64 KiB",
            "auth: none → { bearer = \"members_token\" }",
            "key: none → { header = \"Idempotency-Key\", hours = 24 }",
            "methods: none → GET, PUT",
            "parallel: none → 4",
            "rate: none → 10 per 1s",
            "reaches: none → systems",
            "repeat: none → keyed",
            "timeout: none → 30s",
            "url: none → https://members.example.com/api/",
        ]
    );
    assert_eq!((plan.before, plan.after), (EndpointState::Requested, EndpointState::Bound));
    assert_eq!((plan.warnings, plan.other_account), (Vec::<String>::new(), false));
    assert_eq!(plan.secrets.iter().map(|secret| secret.as_str()).collect::<Vec<_>>(), ["members_token"]);
}

#[test]
fn every_kind_of_authentication_can_be_bound_and_needs_its_secrets() {
    for (auth, kind, secrets) in [
        ("\"none\"", "none", vec![]),
        ("{ bearer = \"t\" }", "bearer", vec!["t"]),
        ("{ header = { name = \"X-Api-Key\", secret = \"k\" } }", "header", vec!["k"]),
        ("{ basic = { user = \"samsyn\", secret = \"p\" } }", "basic", vec!["p"]),
        ("{ query = { name = \"key\", secret = \"k\" } }", "query", vec!["k"]),
        (
            "{ oauth2 = { token_url = \"https://id.example.com/token\", client_id = \"c\", secret = \"s\", scopes = [\"a:b\"], audience = \"https://x\" } }",
            "oauth2",
            vec!["s"],
        ),
        (
            "{ oauth2-refresh = { token_url = \"https://id.example.com/token\", client_id = \"c\", secret = \"s\", refresh_token = \"r\" } }",
            "oauth2-refresh",
            vec!["r", "s"],
        ),
        (
            "{ sigv4 = { region = \"eu-north-1\", service = \"execute-api\", access_key_id = \"AKIA1\", secret = \"s\", session_token = \"t\" } }",
            "sigv4",
            vec!["s", "t"],
        ),
    ] {
        let registry = installed();
        let plan = bind(&registry, "members", &format!("auth = {auth}\n"))
            .unwrap_or_else(|error| panic!("{auth}: {error}"));
        let names: Vec<&str> = plan.secrets.iter().map(|secret| secret.as_str()).collect();
        assert_eq!(names, secrets, "{auth}");
        let registry = made(&registry, plan);
        let bound = registry.endpoint("sync", "members").unwrap().bound.unwrap();
        assert_eq!(bound.binding.auth.kind().as_str(), kind);
        // MessagePack, as in the log.
        let text = serde_json::to_string(&bound.binding).unwrap();
        assert_eq!(serde_json::from_str::<Binding>(&text).unwrap(), bound.binding);
    }
}

#[test]
fn what_can_t_be_bound_is_refused_with_what_to_do() {
    let registry = installed();
    for (toml, named) in [
        ("methods = [\"DELETE\"]", "doesn't request DELETE"),
        ("methods = []", "methods is empty"),
        ("methods = [\"GET\", \"GET\"]", "twice"),
        ("parallel = 65", "1 to 64"),
        ("timeout = \"3min\"", "1s to 2min"),
        ("answer_max = \"1 MiB\"", "64 KiB at the most"),
        ("repeat = \"once\"\nkey = { header = \"K\", hours = 24 }", "allowed for repeat"),
        ("url = \"http://members.example.com\"", "networks"),
        ("url = \"https://10.0.0.5\"", "private or special"),
        ("url = \"https://10.0.0.5\"\nnetworks = [\"10.1.0.0/16\"]", "none of the networks"),
        ("networks = [\"10.0.0.0/8\", \"10.0.0.0/8\"]", "twice"),
        ("url = \"https://api.twilio.com/\"", "message_api = true"),
        ("url = \"https://api.twilio.com./\"", "twilio.com"),
        ("reaches = \"customers\"", "the manifest says systems"),
        ("ca_file = \"ca.pem\"", "absolute path"),
        ("ca_file = \"/etc/\\nca.pem\"", "absolute path"),
        ("client_certificate = { file = \"c.pem\", key = \"k\" }", "absolute path"),
        ("proxy = { url = \"https://proxy.example.com/x\" }", "can't have a path"),
        ("proxy = { url = \"https://proxy.example.com\", user = \"u\" }", "belong together"),
        ("proxy = { url = \"https://proxy.example.com\", user = \"a:b\", secret = \"p\" }", "colon"),
        ("proxy = { url = \"https://127.0.0.1:3128\" }", "private or special"),
        ("proxy = { url = \"http://proxy.example.com:3128\" }", "http is not encrypted"),
    ] {
        let error = bind(&registry, "members", &format!("{LEAST}{toml}")).expect_err(toml).to_string();
        assert!(error.contains(named) && error.contains("endpoint members of sync"), "{toml}: {error}");
    }
    for (auth, named) in [
        ("{ basic = { user = \"a:b\", secret = \"p\" } }", "colon"),
        ("{ basic = { user = \"\", secret = \"p\" } }", "1 to 256 bytes"),
        ("{ basic = { user = \"a\\r\\nHost: b\", secret = \"p\" } }", "control characters"),
        ("{ query = { name = \"a&b\", secret = \"p\" } }", "letters, digits"),
        (
            "{ oauth2 = { token_url = \"http://id.example.com\", client_id = \"c\", secret = \"s\" } }",
            "token_url must be https",
        ),
        (
            "{ oauth2 = { token_url = \"https://127.0.0.1/\", client_id = \"c\", secret = \"s\" } }",
            "private or special",
        ),
        (
            "{ oauth2 = { token_url = \"https://id.example.com\", client_id = \"c\", secret = \"s\", scopes = [\"a b\"] } }",
            "write each scope alone",
        ),
        (
            "{ sigv4 = { region = \"eu north\", service = \"s\", access_key_id = \"A\", secret = \"s\" } }",
            "region",
        ),
    ] {
        let error = bind(&registry, "members", &format!("auth = {auth}\n")).expect_err(auth).to_string();
        assert!(error.contains(named), "{auth}: {error}");
    }
    let missing = bind(&registry, "stock", "auth = \"none\"").unwrap_err().to_string();
    assert!(missing.contains("url is missing"), "{missing}");
    let customers = bind(&registry, "sms", "url = \"https://sms.example.com\"\nauth = \"none\"").unwrap_err();
    assert!(customers.to_string().contains("doesn't send to customers yet"), "{customers}");
    let disguised =
        bind(&registry, "sms", "url = \"https://sms.example.com\"\nauth = \"none\"\nreaches = \"systems\"")
            .unwrap_err();
    assert!(disguised.to_string().contains("the manifest says customers"), "{disguised}");
    let unknown = bind(&registry, "nobody", LEAST).unwrap_err().to_string();
    assert!(unknown.contains("it requests: members, sms, stock"), "{unknown}");
    for bad in [
        "auth = \"magic\"",
        "auth = { bearer = \"No Name\" }",
        "url = \"https://a\"",
        "auth = \"none\"\nurls = 1",
    ] {
        assert!(toml::from_str::<BindingRequest>(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_an_admin_should_know_is_warned_of() {
    let registry = installed();
    for (toml, named) in [
        ("repeat = \"safe\"", "wider than the keyed"),
        ("url = \"http://members.internal/\"\nnetworks = [\"10.2.0.0/16\"]", "and with them the secret"),
        ("networks = [\"169.254.0.0/16\"]", "169.254.169.254"),
        ("methods = [\"GET\"]", "it requests PUT as well"),
        ("rate = \"11 per 1s\"", "rate 10 per 1s"),
        ("parallel = 5", "parallel 4"),
        ("timeout = \"5s\"", "timeout 30s"),
        ("answer_max = \"1 KiB\"", "answer_max 64 KiB"),
        ("url = \"https://api.twilio.com/\"\nmessage_api = true", "twilio.com sends messages"),
    ] {
        let plan = bind(&registry, "members", &format!("{LEAST}{toml}"))
            .unwrap_or_else(|error| panic!("{toml}: {error}"));
        assert!(plan.warnings.iter().any(|warning| warning.contains(named)), "{toml}: {:?}", plan.warnings);
    }
    let unset = bind(&registry, "members", "auth = { bearer = \"other_token\" }").unwrap().warnings;
    assert!(unset.len() == 1 && unset[0].starts_with("there is no secret other_token yet"), "{unset:?}");
    let other = bind(&registry, "members", "auth = \"none\"").unwrap();
    assert_eq!(other.warnings, ["its author expects the authentication bearer, not none"]);
    let narrower = bind(&registry, "members", &format!("{LEAST}repeat = \"once\"")).unwrap();
    assert_eq!(narrower.warnings, [""; 0], "narrower is no danger");
}

#[test]
fn who_knows_an_address_and_calls_a_system_is_named() {
    let mut registry = Registry::default();
    let phone = IdentifierName::new("mobile").unwrap();
    let change = RegistryChange::identifier(phone, IdentifierKind::new(Normaliser::Phone, 1));
    registry = registry.apply(1, &change).unwrap();
    for (name, identifies) in [("contact", Some("mobile")), ("email.opted_out", None), ("country", None)] {
        let kind = if name == "email.opted_out" { Type::Boolean } else { Type::Text };
        let identifies = identifies.map(|name| IdentifierName::new(name).unwrap());
        let field = Field { identifies, ..Field::of(kind) };
        let name = FieldName::new(name).unwrap();
        registry =
            registry.apply(registry.revision + 1, &RegistryChange::FieldDefined { name, field }).unwrap();
    }
    for (more, known) in [
        ("[consumes]\ncontact = { purposes = [\"x\"] }\n", Some("the field contact")),
        ("[consumes]\nwork_email = { purposes = [\"x\"] }\n", Some("the field work_email")),
        (
            "[consumes]\n\"email.opted_out\" = { purposes = [\"x\"] }\ncountry = { purposes = [\"x\"] }\n",
            None,
        ),
        (
            "[subscribes.\"order.completed\"]\nemail = { type = \"text\" }\n",
            Some("the property email of order.completed"),
        ),
        ("[subscribes.\"order.completed\"]\nemails = { type = \"integer\" }\n", None),
        ("[sources]\n\"sync.phone\" = { type = \"text\" }\n", Some("the field sync.phone")),
        ("", None),
    ] {
        let text = format!("{SYNC}{more}");
        let plan = registry.plan_install(&Manifest::parse(&text).unwrap(), Digest::of(b"it"), true).unwrap();
        let warned: Vec<&String> =
            plan.warnings.iter().filter(|warning| warning.contains("it knows")).collect();
        let installed = install_at(&registry, &text, 0);
        let bound = bind(&installed, "members", LEAST).unwrap().warnings;
        match known {
            Some(known) => {
                assert!(warned.len() == 1 && warned[0].contains(known), "{more}: {:?}", plan.warnings);
                assert!(warned[0].contains("members, stock"), "{warned:?}");
                assert!(bound.len() == 1 && bound[0].contains(known), "{more}: {bound:?}");
            }
            None => assert!(warned.is_empty() && bound.is_empty(), "{more}: {warned:?} {bound:?}"),
        }
        assert!(plan.warnings.iter().any(|warning| warning.contains("customers (sms)")));
        assert_eq!((plan.change, plan.calls.len()), (VersionChange::Install, 3));
    }
}

#[test]
fn a_binding_is_the_same_as_long_as_system_and_account_are() {
    let base = binding(LEAST).identity();
    for (toml, same) in [
        ("auth = { bearer = \"members_token\" }\nurl = \"https://MEMBERS.example.com:443/api/\"", true),
        (
            "auth = { bearer = \"members_token\" }\nmethods = [\"GET\"]\nrepeat = \"once\"\nrate = \"1 per 1s\"\nparallel = 1",
            true,
        ),
        ("auth = { bearer = \"members_token\" }\nnetworks = [\"10.0.0.0/8\"]\nca_file = \"/ca.pem\"", true),
        ("auth = { bearer = \"members_token\" }\nproxy = { url = \"https://proxy.example.com\" }", true),
        ("auth = { bearer = \"members_token\" }\nurl = \"https://members.example.com/api/v2\"", false),
        ("auth = { bearer = \"members_token\" }\nurl = \"https://members.example.com:8443/api/\"", false),
        ("auth = { bearer = \"other_token\" }", false),
        ("auth = { header = { name = \"Authorization\", secret = \"members_token\" } }", false),
        ("auth = \"none\"", false),
        (
            "auth = { bearer = \"members_token\" }\nclient_certificate = { file = \"/c.pem\", key = \"k\" }",
            false,
        ),
    ] {
        assert_eq!(binding(toml).identity() == base, same, "{toml}");
    }
    let sigv4 = |id: &str, region: &str| {
        binding(&format!(
            "auth = {{ sigv4 = {{ region = \"{region}\", service = \"s\", access_key_id = \"{id}\", secret = \"aws\" }} }}"
        ))
        .identity()
    };
    assert_eq!(sigv4("AKIA1", "eu"), sigv4("AKIA2", "eu"), "a rotated key is of the same account");
    assert_ne!(sigv4("AKIA1", "eu"), sigv4("AKIA1", "us"));
    let basic = |user: &str, secret: &str| {
        binding(&format!("auth = {{ basic = {{ user = \"{user}\", secret = \"{secret}\" }} }}")).identity()
    };
    assert_eq!(basic("a", "one"), basic("a", "two"));
    assert_ne!(basic("a", "one"), basic("b", "one"));
    // It is in records: the same on every host, for good.
    assert_eq!(base.to_string(), IDENTITY_OF_LEAST);
}

/// BLAKE3 of the parts of [`LEAST`], each behind its length.
const IDENTITY_OF_LEAST: &str = "8bca6a20ceb4bbf499dbf356798bb8b5b243738a921a4a10a7864864077bc910";

#[test]
fn it_is_bound_paused_bound_otherwise_resumed_and_unbound() {
    let registry = bound();
    assert_eq!(state(&registry, "members"), EndpointState::Bound);
    assert_eq!(registry.endpoint("sync", "members").unwrap().bound.unwrap().revision, registry.revision);
    let again = bind(&registry, "members", LEAST).unwrap();
    assert!(again.change.is_none() && again.changes.is_empty(), "it is so already");
    let paused = registry.plan_endpoint("sync", "members", EndpointChange::Pause(pause("401"))).unwrap();
    assert_eq!((paused.before, paused.after), (EndpointState::Bound, EndpointState::Paused));
    let registry = made(&registry, paused);
    let same = registry.plan_endpoint("sync", "members", EndpointChange::Pause(pause("401"))).unwrap();
    assert!(same.change.is_none());
    let otherwise = bind(&registry, "members", "auth = { bearer = \"new_token\" }").unwrap();
    assert!(otherwise.other_account && otherwise.warnings.iter().any(|warning| warning.contains("in doubt")));
    assert_eq!(otherwise.after, EndpointState::Paused, "a pause stays");
    let did = otherwise.change.as_ref().unwrap().summary_after(&registry).did;
    assert!(did.starts_with("bound the endpoint members of sync otherwise: auth "), "{did}");
    let registry = made(&registry, otherwise);
    assert_eq!(state(&registry, "members"), EndpointState::Paused);
    let resumed = registry.plan_endpoint("sync", "members", EndpointChange::Resume).unwrap();
    let did = resumed.change.as_ref().unwrap().summary_after(&registry).did;
    assert_eq!(did, "resumed the endpoint members of sync, which ops had paused: 401");
    let registry = made(&registry, resumed);
    assert_eq!(state(&registry, "members"), EndpointState::Bound);
    assert!(registry.plan_endpoint("sync", "members", EndpointChange::Resume).unwrap().change.is_none());
    let used = |name: &str| registry.uses_of_secret(&SecretName::new(name).unwrap());
    assert_eq!(used("members_token"), []);
    assert_eq!(used("new_token")[0].to_string(), "endpoint members of sync");
    let unbound = registry.plan_endpoint("sync", "members", EndpointChange::Unbind).unwrap();
    let did = unbound.change.as_ref().unwrap().summary_after(&registry).did;
    assert_eq!(did, "unbound the endpoint members of sync from https://members.example.com/api/");
    let registry = made(&registry, unbound);
    assert_eq!(state(&registry, "members"), EndpointState::Requested);
    assert!(registry.plan_endpoint("sync", "members", EndpointChange::Unbind).unwrap().change.is_none());
    let refused = registry.plan_endpoint("sync", "members", EndpointChange::Pause(pause("x"))).unwrap_err();
    assert!(refused.to_string().contains("samsyn endpoint bind sync members"), "{refused}");
}

#[test]
fn all_sending_is_paused_and_resumed() {
    let registry = bound();
    let plan = registry.plan_outgoing(Some(pause("a copy")));
    assert_eq!((plan.before, plan.after, plan.endpoints), (false, true, 1));
    let change = plan.change.unwrap();
    assert_eq!(change.summary().did, "paused all sending: a copy");
    let registry = registry.apply(registry.revision + 1, &change).unwrap();
    assert!(registry.plan_outgoing(Some(pause("a copy"))).change.is_none());
    let resume = registry.plan_endpoint("sync", "members", EndpointChange::Resume).unwrap();
    assert!(resume.warnings[0].contains("samsyn outgoing resume"));
    let change = registry.plan_outgoing(None).change.unwrap();
    assert_eq!(change.summary_after(&registry).did, "resumed sending, which ops had paused: a copy");
    let registry = registry.apply(registry.revision + 1, &change).unwrap();
    assert!(registry.outgoing_paused.is_none() && registry.plan_outgoing(None).change.is_none());
}

#[test]
fn an_upgrade_keeps_what_it_still_requests_and_waits_for_more() {
    let registry = bound();
    let with = |from: &str, to: &str| {
        assert!(SYNC.contains(from), "{from}");
        SYNC.replace(from, to)
    };
    let binding_of = |registry: &Registry| {
        registry.endpoint("sync", "members").ok().and_then(|is| is.bound.map(|bound| bound.binding.clone()))
    };
    let wants = |text: &str| {
        let plan = registry.plan_install(&Manifest::parse(text).unwrap(), Digest::of(b"2"), true).unwrap();
        (plan.wants.in_words(), plan)
    };
    let (none, plan) = wants(&with("version = \"1\"", "version = \"2\""));
    assert_eq!(none, [""; 0]);
    assert_eq!(plan.calls[0].state, EndpointState::Bound);
    let (more, _) = wants(&with("[\"GET\", \"PUT\"]", "[\"GET\", \"PUT\", \"DELETE\"]"));
    assert_eq!(more, ["calling members"]);
    let (new, _) = wants(&format!("{SYNC}[calls.new]\nreason = \"x\"\nmethods = [\"GET\"]\n"));
    assert_eq!(new, ["calling new"]);
    // Approved: what is bound stays as an administrator bound it.
    let wider = install_at(&registry, &with("[\"GET\", \"PUT\"]", "[\"GET\", \"PUT\", \"DELETE\"]"), 1);
    assert_eq!(binding_of(&wider), binding_of(&registry));
    let fewer = install_at(&registry, &with("[\"GET\", \"PUT\"]", "[\"GET\"]"), 1);
    assert_eq!(binding_of(&fewer).unwrap().methods, [samsyn_contract::calls::Method::Get]);
    let once =
        with("repeat = \"keyed\"\nkey = { header = \"Idempotency-Key\", hours = 24 }", "repeat = \"once\"");
    let once = binding_of(&install_at(&registry, &once, 1)).unwrap();
    assert_eq!(
        (once.repeat.as_str(), once.key),
        ("once", None),
        "its author knows that it can't be repeated"
    );
    for (from, to) in [
        ("[calls.members]", "[calls.others]"),
        ("[\"GET\", \"PUT\"]", "[\"PATCH\"]"),
        ("rate = \"10 per 1s\"", "reaches = \"customers\""),
    ] {
        let (_, plan) = wants(&with(from, to));
        assert!(plan.warnings.iter().any(|warning| warning.contains("the binding is removed")), "{to}");
        assert_eq!(binding_of(&install_at(&registry, &with(from, to), 1)), None, "{to}");
    }
}

#[test]
fn what_is_revoked_or_removed_is_bound_no_more() {
    let registry = bound();
    let sync = CapabilityName::new("sync").unwrap();
    let members = EndpointName::new("members").unwrap();
    let calls = Grant { calls: vec![members], ..Grant::default() };
    let revoke = registry.regrant(sync.clone(), &Grant::default(), &calls).unwrap();
    let revoked = registry.apply(registry.revision + 1, &revoke).unwrap();
    assert_eq!(state(&revoked, "members"), EndpointState::Revoked);
    let refused = bind(&revoked, "members", LEAST).unwrap_err();
    assert!(refused.to_string().contains("samsyn plugin grant sync --endpoint members"), "{refused}");
    // It stays so over an upgrade, and comes back unbound.
    let upgraded = install_at(&revoked, &SYNC.replace("version = \"1\"", "version = \"2\""), 1);
    assert_eq!(state(&upgraded, "members"), EndpointState::Revoked);
    let granted = upgraded.regrant(sync.clone(), &calls, &Grant::default()).unwrap();
    let granted = upgraded.apply(upgraded.revision + 1, &granted).unwrap();
    assert_eq!(state(&granted, "members"), EndpointState::Requested);
    let removed =
        registry.apply(registry.revision + 1, &RegistryChange::Removed { capability: sync }).unwrap();
    assert_eq!(removed.endpoints().count(), 0);
    let again = install_at(&removed, SYNC, 2);
    assert_eq!(state(&again, "members"), EndpointState::Requested, "a later install inherits nothing");
}

#[test]
fn a_file_has_the_bindings_and_no_secret_and_goes_both_ways() {
    let registry = bound();
    let text = RegistryFile::of(&registry).to_text();
    assert!(
        text.contains("[endpoints.sync.members]") && text.contains("bearer = \"members_token\""),
        "{text}"
    );
    let parse = |text: &str| RegistryFile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(parse(&text).plan(&registry, true).unwrap().changes.is_empty());
    let fresh = installed();
    let plan = parse(&text).plan(&fresh, true).unwrap();
    assert!(plan.changes_grants() && plan.steps.len() == 1, "{:?}", plan.steps);
    assert_eq!((plan.steps[0].what, plan.steps[0].name.as_str()), ("endpoint", "sync/members"));
    let many = RegistryChange::Many { changes: plan.changes };
    fresh.check(&many).unwrap();
    let applied = fresh.apply(fresh.revision + 1, &many).unwrap();
    assert_eq!(RegistryFile::of(&applied).to_text(), text);
    // By hand, with what a manifest says left out.
    let short = "registry = 1\n[endpoints.sync.members]\nauth = { bearer = \"members_token\" }\n";
    assert!(parse(short).plan(&registry, false).unwrap().changes.is_empty());
    let left_out = parse("registry = 1\n");
    let kept = left_out.plan(&registry, false).unwrap();
    assert!(
        kept.changes.is_empty() && kept.notes.iter().any(|note| note.contains("sync/members")),
        "{kept:?}"
    );
    let gone = parse(&RegistryFile::of(&fresh).to_text()).plan(&registry, true).unwrap();
    let gone: Vec<&str> = gone.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(gone, ["sync/members"]);
    for (text, place) in [
        ("registry = 1\n[endpoints.nobody.crm]\nauth = \"none\"\n", "endpoints.nobody.crm"),
        ("registry = 1\n[endpoints.sync.crm]\nauth = \"none\"\n", "endpoints.sync.crm"),
        (
            "registry = 1\n[endpoints.sync.sms]\nauth = \"none\"\nurl = \"https://a.example\"\n",
            "endpoints.sync.sms",
        ),
        ("registry = 1\n[endpoints.sync.members]\nauth = \"magic\"\n", "line 3"),
        ("registry = 1\n[endpoints.sync.members]\nauth = \"none\"\npaused = true\n", "line 4"),
        (
            "registry = 1\n[grants.sync]\ncalls = []\n[endpoints.sync.members]\nauth = \"none\"\n",
            "endpoints.sync.members",
        ),
    ] {
        let error = RegistryFile::parse(text).and_then(|file| file.plan(&registry, false)).unwrap_err();
        assert!(error.place.contains(place), "{text}: {error}");
    }
}

#[test]
fn a_capability_without_calls_has_the_bytes_that_it_had() {
    let text = SYNC.split("[calls").next().unwrap();
    let manifest = Manifest::parse(text).unwrap();
    let grant = serde_json::to_string(&Grant::all_of(&manifest)).unwrap();
    assert_eq!(grant, r#"{"reads":[],"identifiers":[],"hears":[],"sources":[]}"#);
    let file = RegistryFile::of(&install_at(&Registry::default(), text, 0)).to_text();
    assert!(!file.contains("calls") && !file.contains("endpoints"), "{file}");
    let old: Grant =
        serde_json::from_str(r#"{"reads":[],"identifiers":[],"hears":[],"sources":[]}"#).unwrap();
    assert_eq!(old.calls, []);
}

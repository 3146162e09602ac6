//! What an application's token shows it, and what it must not: every call, every class of field,
//! the whole answer searched for what is hidden.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use samsyn_harness::caller::{Answer, Caller};
use samsyn_harness::components;
use samsyn_harness::world::{World, until};

/// Two plug-ins that claim the same fields; the first is their source.
const TABLES: &str = "\
    [subscribes.\"NAME.*\"]\nscript = { type = \"texts\" }\n\
    [emits.\"NAME.pinged\"]\nscript = { type = \"texts\" }\n\
    [sources]\nopen_note = { type = \"text\" }\npersonal_note = { type = \"text\", class = \"personal\" }\n\
    sensitive_note = { type = \"text\", class = \"sensitive\" }\n";

// What is searched for; each stands in values of one kind only.
const OPEN: &str = "zqopen";
const PERSONAL: &str = "zqpersonal";
const SENSITIVE: &str = "zqsensitive";
const CUSTOMER: &str = "zqcustomer";
const MAIL: &str = "zqmail";
const RIVAL: &str = "zqrival";
const PROPERTY: &str = "zqproperty";
const EVENT: &str = "zqevent";
/// What a plug-in writes in its own words.
const WORDS: &str = "zqwords";
const VALUES: [&str; 9] = [OPEN, PERSONAL, SENSITIVE, CUSTOMER, MAIL, RIVAL, PROPERTY, EVENT, WORDS];
const FIELDS: [&str; 4] = ["open_note", "personal_note", "sensitive_note", "held_note"];

/// Who asks: scopes, the values and the names of fields that may be in an answer.
struct Reader {
    scopes: &'static [&'static str],
    values: &'static [&'static str],
    fields: &'static [&'static str],
}

const READERS: [Reader; 14] = [
    Reader { scopes: &["profiles:read=open_note"], values: &[OPEN], fields: &["open_note"] },
    Reader { scopes: &["profiles:read=class:none"], values: &[OPEN], fields: &["open_note"] },
    Reader {
        scopes: &["profiles:read=class:personal"],
        values: &[PERSONAL, CUSTOMER, MAIL],
        fields: &["personal_note"],
    },
    Reader {
        scopes: &["profiles:read=class:sensitive"],
        values: &[SENSITIVE],
        fields: &["sensitive_note", "held_note"],
    },
    Reader {
        scopes: &["profiles:read=open_note,identifier:customer_id", "events:write"],
        values: &[OPEN, CUSTOMER],
        fields: &["open_note"],
    },
    Reader { scopes: &["profiles:read=identifier:email"], values: &[MAIL], fields: &[] },
    Reader {
        scopes: &["profiles:read"],
        values: &[OPEN, PERSONAL, SENSITIVE, CUSTOMER, MAIL, EVENT, WORDS],
        fields: &FIELDS,
    },
    Reader { scopes: &["events:write"], values: &[], fields: &[] },
    Reader { scopes: &["events:write", "profiles:propose"], values: &[], fields: &FIELDS },
    Reader {
        scopes: &["events:write", "profiles:read=open_note", "profiles:propose=personal_note"],
        values: &[OPEN],
        fields: &["open_note", "personal_note"],
    },
    Reader { scopes: &["registry:read"], values: &[], fields: &FIELDS },
    Reader { scopes: &["registry:write"], values: &[], fields: &FIELDS },
    Reader { scopes: &["audit:read"], values: &[], fields: &FIELDS },
    Reader {
        scopes: &["admin:read"],
        values: &[OPEN, PERSONAL, SENSITIVE, CUSTOMER, MAIL, RIVAL, EVENT, WORDS],
        fields: &FIELDS,
    },
];

/// A customer with secrets of every kind, and where the events that made them stand.
struct Secrets {
    world: World,
    profile: String,
    positions: Vec<String>,
}

fn secrets() -> Secrets {
    let world = World::new();
    for name in ["probe", "rival"] {
        world.install(&components::probe(name, &TABLES.replace("NAME", name)));
    }
    world.json("PUT", "/v1/fields/held_note", &json!({"type": "text", "class": "sensitive"})).of(200);
    let whose = json!({"customer_id": CUSTOMER, "email": format!("{MAIL}@example.com")});
    let mut positions = Vec::new();
    let mut profile = String::new();
    let mut send = |name: &str, script: Value, proposes: Value| {
        let id = format!("{EVENT}-{}", positions.len());
        let properties = json!({"script": script, "other": PROPERTY});
        let event = json!({"id": id, "name": name, "identifiers": whose, "properties": properties, "proposes": proposes});
        let decided = world.event(&event);
        positions.push(decided["position"].as_str().expect("it has a position").to_owned());
        decided["profile"].as_str().expect("it has a profile").clone_into(&mut profile);
        decided
    };
    for round in ["a", "b"] {
        let script = [("open_note", OPEN), ("personal_note", PERSONAL), ("sensitive_note", SENSITIVE)]
            .map(|(field, value)| format!("text {field} {value}-{round}"));
        send("probe.asked", json!(script), json!({}));
    }
    let rival = FIELDS[..3].iter().map(|field| format!("text {field} {RIVAL}")).collect::<Vec<_>>();
    send("rival.asked", json!(rival), json!({}));
    let answers = send(
        "asked",
        json!([]),
        json!({"open_note": format!("!shout {OPEN}-c"), "personal_note": format!("{PERSONAL}-c"),
               "sensitive_note": "!refuse", "held_note": format!("{SENSITIVE}-held")}),
    );
    assert_eq!(answers["fields"]["open_note"]["outcome"], "accepted-in-another-form");
    assert_eq!(answers["fields"]["held_note"]["outcome"], "no-source");
    // A code, a name of no field and an emitted event that hold what they should not.
    send("probe.asked", json!([format!("refuse {WORDS}")]), json!({}));
    send("probe.asked", json!([format!("text {WORDS} x")]), json!({}));
    send("probe.asked", json!([format!("fail {WORDS}")]), json!({}));
    send("probe.asked", json!(["text open_note never"]), json!({"personal_note": "later"}));
    Secrets { world, profile, positions }
}

impl Secrets {
    /// Somebody with these scopes.
    fn caller(&self, name: &str, scopes: &[&str]) -> Caller {
        let made = self.world.json("POST", "/v1/tokens", &json!({"name": name, "scopes": scopes})).of(201);
        let mut caller = (*self.world).clone();
        made["secret"].as_str().expect("a secret is told").clone_into(&mut caller.token);
        caller
    }

    /// Every read of the interface that could tell something, as method, path and body.
    fn reads(&self) -> Vec<(&'static str, String, Value)> {
        let profile = format!("/v1/profiles/{}", self.profile);
        let mut paths: Vec<String> =
            ["", "?claims=true", "?fields=unheard_of", "/timeline", "/timeline?limit=1"]
                .iter()
                .map(|rest| format!("{profile}{rest}"))
                .collect();
        paths.extend(FIELDS.iter().map(|field| format!("{profile}?fields={field}")));
        paths.push(format!("/v1/profiles/customer_id:{CUSTOMER}"));
        paths.push(format!("/v1/profiles/email:{MAIL}@example.com/timeline"));
        paths.extend(self.positions.iter().map(|position| format!("/v1/events/{position}")));
        paths.push(format!("/v1/events/{EVENT}-0"));
        paths.extend(FIELDS.iter().map(|field| format!("/v1/fields/{field}/claims")));
        paths.extend(FIELDS.iter().map(|field| format!("/v1/fields/{field}/disagreements")));
        paths.extend(FIELDS.iter().map(|field| format!("/v1/fields/{field}")));
        for path in [
            "fields",
            "registry/report",
            "registry/graph",
            "registry/export",
            "jobs",
            "disagreements",
            "audit/reads",
            "audit/changes",
            "identifiers",
            "refusals",
            "refusals?limit=1",
            "capabilities",
            "capabilities/probe",
            "parked",
            "replays",
            "tokens",
            "status",
        ] {
            paths.push(format!("/v1/{path}"));
        }
        paths.push("/metrics".to_owned());
        let mut reads: Vec<_> = paths.into_iter().map(|path| ("GET", path, Value::Null)).collect();
        for (name, value) in [("customer_id", CUSTOMER.to_owned()), ("email", format!("{MAIL}@example.com"))]
        {
            reads.push(("POST", "/v1/profiles/lookup".to_owned(), json!({ name: value })));
        }
        reads
    }

    /// Every way to write that is answered with something.
    fn writes(&self) -> Vec<(&'static str, String, Value)> {
        let seen = |more: Value| {
            let mut event = json!({"name": "seen", "identifiers": {"customer_id": CUSTOMER}});
            event.as_object_mut().expect("an object").extend(more.as_object().expect("one more").clone());
            event
        };
        let mut writes = vec![
            ("POST", "/v1/events".to_owned(), seen(json!({}))),
            ("POST", "/v1/events".to_owned(), json!([seen(json!({})), seen(json!({"name": "probe.asked"}))])),
            (
                "POST",
                "/v1/events".to_owned(),
                seen(json!({"identifiers": {"email": format!("{MAIL}@example.com")}})),
            ),
            ("POST", "/v1/events".to_owned(), seen(json!({"identifiers": {"passport": "1"}}))),
            ("POST", "/v1/events".to_owned(), json!({"name": "seen", "profile": self.profile})),
        ];
        for field in &FIELDS[..3] {
            let plan = format!("/v1/fields/{field}/source?dry_run=true");
            writes.push(("PUT", plan, json!({"capability": "rival"})));
        }
        for field in FIELDS.iter().chain(&["unheard_of"]) {
            let proposes = json!({ *field: "mine" });
            writes.push(("POST", "/v1/events".to_owned(), seen(json!({"proposes": proposes}))));
            writes.push(("PATCH", format!("/v1/profiles/{}", self.profile), json!({"fields": proposes})));
        }
        writes
    }
}

fn send(caller: &Caller, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("prefer", "wait=2")];
    caller.send(method, path, &headers, body.to_string().as_bytes())
}

/// Everything a client gets: headers and body.
fn searchable(answer: &Answer) -> String {
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n")).collect();
    format!("{headers}\n{}", answer.text).to_lowercase()
}

#[test]
fn no_answer_holds_what_a_token_may_not_see() {
    let secrets = secrets();
    let admin = secrets.world.get(&format!("/v1/profiles/{}?claims=true", secrets.profile));
    assert!(admin.text.contains(RIVAL), "{admin:#?}");
    assert!(secrets.world.get("/v1/parked").text.contains(WORDS));
    for (at, reader) in READERS.iter().enumerate() {
        let caller = secrets.caller(&format!("reader-{at}"), reader.scopes);
        let mut found = BTreeMap::new();
        for (method, path, body) in secrets.reads().into_iter().chain(secrets.writes()) {
            let asked = format!("{path} {body}");
            let mut path = path;
            loop {
                let answer = send(&caller, method, &path, &body);
                assert!(answer.status < 500, "{method} {path}: {answer:#?}");
                let text = searchable(&answer);
                let hidden_values = VALUES.iter().filter(|value| !reader.values.contains(value));
                let hidden_fields = FIELDS.iter().filter(|field| !reader.fields.contains(field));
                for hidden in hidden_values.chain(hidden_fields).filter(|hidden| !asked.contains(**hidden)) {
                    assert!(
                        !text.contains(hidden),
                        "{hidden} for {:?}: {method} {path}\n{text}",
                        reader.scopes
                    );
                }
                for value in reader.values.iter().filter(|value| text.contains(**value)) {
                    *found.entry(*value).or_insert(0) += 1;
                }
                let next = serde_json::from_str::<Value>(&answer.text).ok();
                let next = next.and_then(|page| page["next"].as_str().map(str::to_owned));
                match next.filter(|_| answer.status == 200) {
                    Some(next) => {
                        let start = asked.split(' ').next().unwrap_or_default();
                        let and = if start.contains('?') { '&' } else { '?' };
                        path = format!("{start}{and}cursor={next}");
                    }
                    None => break,
                }
            }
        }
        // What it may see is really there: else the search would prove nothing.
        for value in reader.values {
            assert!(found.contains_key(value), "{value} for {:?} was nowhere", reader.scopes);
        }
    }
}

#[test]
fn the_registry_tells_of_a_quarantine_without_a_plug_ins_words() {
    let mut world = World::with(&[("SAMSYN_ENGINE_QUARANTINE_AFTER", "2")]);
    world.install(&components::probe("probe", &TABLES.replace("NAME", "probe")));
    for customer in ["1", "2"] {
        world.script(customer, &[&format!("panic {WORDS}")]);
    }
    let capability = || world.get("/v1/capabilities/probe");
    until("it is quarantined", || (capability().json()["state"] == "quarantined").then_some(()));
    let shown = capability();
    assert!(shown.json()["reason"].as_str().is_some_and(|reason| reason.contains("trap")), "{shown:#?}");
    assert!(!searchable(&shown).contains(WORDS), "{shown:#?}");
    assert!(world.get("/v1/parked").text.contains(WORDS));
    assert!(world.stop().success());
}

#[test]
fn a_profile_that_is_hidden_is_like_one_that_is_not_there() {
    let secrets = secrets();
    let nobody = "0b6c5f4e-7f4f-4d7e-9c8e-0d6a51a1c0de";
    let event = |id: &str| json!({"name": "seen", "profile": id});
    let patch = json!({"fields": {"open_note": "x"}});
    let blind = secrets.caller("blind", &["events:write", "profiles:propose"]);
    let same = |method: &str, of: &dyn Fn(&str) -> (String, Value), status: u16| {
        let [there, not_there] = [secrets.profile.as_str(), nobody].map(|id| {
            let (path, body) = of(id);
            let answer = send(&blind, method, &path, &body);
            assert_eq!(answer.status, status, "{method} {path}: {answer:#?}");
            let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
            let headers: Vec<String> = headers.map(|(name, value)| format!("{name} {value:?}")).collect();
            (headers, answer.text.replace(id, "ID"))
        });
        assert_eq!(there, not_there, "{method}");
    };
    same("GET", &|id| (format!("/v1/profiles/{id}"), Value::Null), 403);
    same("GET", &|id| (format!("/v1/profiles/{id}/timeline"), Value::Null), 403);
    same("PATCH", &|id| (format!("/v1/profiles/{id}"), patch.clone()), 404);
    same("POST", &|id| ("/v1/events".to_owned(), event(id)), 404);
    same("POST", &|id| ("/v1/events".to_owned(), json!([event(id)])), 422);
    let known = |value: &str| {
        format!("/v1/profiles/customer_id:{}", if value == nobody { "nobody" } else { CUSTOMER })
    };
    same("PATCH", &|id| (known(id), patch.clone()), 404);

    // An identifier that isn't the token's to see is one that doesn't exist.
    let narrow = secrets.caller("narrow", &["profiles:read=open_note,identifier:customer_id"]);
    let code = |path: &str| narrow.get(path).problem();
    assert_eq!(code(&format!("/v1/profiles/email:{MAIL}@example.com")), "unknown-identifier");
    assert_eq!(code("/v1/profiles/email:nobody@example.com"), "unknown-identifier");
    let text = narrow.get("/v1/profiles/email:x").text;
    assert_eq!(text.replace("email", "passport"), narrow.get("/v1/profiles/passport:x").text);
    assert!(!text.contains("phone"), "{text}");
    assert_eq!(code("/v1/profiles/customer_id:nobody"), "unknown-profile");
    let field = |name: &str| narrow.get(&format!("/v1/profiles/customer_id:{CUSTOMER}?fields={name}"));
    let (hidden, unknown) = (field("personal_note"), field("unheard_of"));
    assert_eq!(hidden.problem(), "unknown-field");
    assert_eq!(hidden.text.replace("personal_note", "unheard_of"), unknown.text);

    // An event of another application is one that wasn't sent.
    let event = |caller: &Caller, id: &str| caller.get(&format!("/v1/events/{id}"));
    let hidden = event(&narrow, &secrets.positions[0]);
    assert_eq!(hidden.problem(), "unknown-event");
    assert_eq!(
        hidden.text.replace(&secrets.positions[0], "POSITION"),
        event(&narrow, "60-99999").text.replace("60-99999", "POSITION")
    );
}

#[test]
fn a_proposal_beyond_the_token_is_refused_by_name() {
    let secrets = secrets();
    let caller = secrets.caller("form", &["events:write=seen", "profiles:propose=open_note"]);
    let event = |name: &str, proposes: Value| {
        let event = json!({"name": name, "identifiers": {"customer_id": "42"}, "proposes": proposes});
        send(&caller, "POST", "/v1/events", &event)
    };
    for field in ["personal_note", "unheard_of"] {
        let refused = event("seen", json!({ field: "x" }));
        assert_eq!((refused.status, refused.problem().as_str()), (403, "scope-missing"));
        let problem = refused.json();
        assert_eq!(problem["place"], format!("proposes.{field}"));
        assert_eq!(
            problem["detail"],
            format!("the token has no `profiles:propose` for the field \"{field}\"")
        );
    }
    let refused = event("bought", json!({}));
    assert_eq!((refused.status, refused.problem().as_str()), (403, "scope-missing"));
    assert!(refused.text.contains("bought") && !refused.text.contains("personal_note"), "{refused:#?}");

    // What became of its own proposal it learns, but not a value that it may not read.
    let shout = event("seen", json!({"open_note": "!shout loud"})).of(200);
    assert_eq!(
        shout["fields"],
        json!({"open_note": {"outcome": "accepted-in-another-form", "source": "probe", "proposed": "!shout loud"}})
    );
    assert_eq!((&shout["outcomes"], shout.get("profile")), (&json!([]), None));
    let refused = event("seen", json!({"open_note": "!refuse"})).of(200);
    assert_eq!(refused["verdict"], "refused");
    assert_eq!(refused["fields"]["open_note"]["code"], "probe.refused");
    assert_eq!(refused["fields"]["open_note"]["message"], "The probe was told to.");
    let position = refused["position"].as_str().expect("it has one");
    assert_eq!(caller.get(&format!("/v1/events/{position}")).of(200)["fields"], refused["fields"]);
}

#[test]
fn an_etag_stands_for_what_the_token_sees() {
    let world = World::new();
    world.install(&components::probe("probe", &TABLES.replace("NAME", "probe")));
    let secrets = Secrets { world, profile: String::new(), positions: Vec::new() };
    let world = &secrets.world;
    world.script("7", &["text open_note one", "text sensitive_note one"]);
    let scopes = ["profiles:read=open_note,identifier:customer_id", "profiles:propose=open_note"];
    let caller = secrets.caller("app", &scopes);
    let path = "/v1/profiles/customer_id:7";
    let etag = || caller.get(path).header("etag").to_owned();
    let outcome = |etag: &str| {
        let headers = [("content-type", "application/json"), ("prefer", "wait=30"), ("if-match", etag)];
        let body = json!({"fields": {"open_note": "mine"}}).to_string();
        let decided = caller.send("PATCH", path, &headers, body.as_bytes());
        match decided.status {
            412 => decided.json()["event"]["fields"]["open_note"]["outcome"].clone(),
            _ => decided.of(200)["fields"]["open_note"]["outcome"].clone(),
        }
    };
    let first = etag();
    world.script("7", &["text sensitive_note two"]);
    assert_eq!(etag(), first);
    let unchanged = caller.send("GET", path, &[("if-none-match", &first)], b"");
    assert_eq!(unchanged.status, 304);
    // A change it can't see is none; one it can see fails the precondition.
    assert_eq!(outcome(&first), "accepted");
    assert_ne!(etag(), first);
    assert_eq!(outcome(&first), "precondition-failed");
    let all = world.get(path).header("etag").to_owned();
    world.script("7", &["text sensitive_note three"]);
    assert_ne!(world.get(path).header("etag"), all);
    assert_eq!(caller.get(&format!("{path}?claims=true")).problem(), "scope-missing");
}

#[test]
fn the_command_makes_lists_and_revokes_tokens() {
    let mut world = World::new();
    let refused = world.run(&["token", "create", "web", "--scope", "events:write"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.err.contains("--yes"), "{refused:#?}");
    let made = world
        .run(&[
            "token",
            "create",
            "web",
            "--scope",
            "registry:read",
            "--expires",
            "90d",
            "--yes",
            "--reason",
            "a test",
        ])
        .ok();
    let secret = made.out.trim().to_owned();
    assert!(secret.starts_with("samsyn_") && secret.lines().count() == 1, "{made:#?}");
    let with = |world: &World, arguments: &[&str]| {
        samsyn_harness::world::Said::of(
            world.command(arguments).env("SAMSYN_TOKEN", &secret).output().expect("it can be run"),
        )
    };
    with(&world, &["status"]).ok();
    let refused = with(&world, &["token", "list"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.err.contains("`admin`") && refused.err.contains("token create"), "{refused:#?}");
    // The last use survives a stop, though no record was written for it.
    let used =
        |world: &World| world.run(&["token", "show", "web", "--json"]).ok().json()["last_used_at"].clone();
    let before = used(&world);
    assert!(before.is_string(), "{before}");
    assert!(world.stop().success());
    world.start();
    assert_eq!(used(&world), before);
    world.run(&["token", "revoke", "web", "--yes"]).ok();
    let refused = with(&world, &["status"]);
    assert!(refused.code == Some(1) && refused.err.contains("revoked"), "{refused:#?}");
    let list = world.run(&["token", "list"]).ok();
    assert!(list.out.contains("revoked") && !list.out.contains(&secret), "{list:#?}");
    let log = world.run_on_data(&["log", "verify"]);
    assert!(!log.out.contains(&secret) && !world.log().contains(&secret));
}

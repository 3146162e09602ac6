//! Secrets: their values come in and never go out. Canaries are planted, the host does everything it can at the
//! finest level of its log, and all that it wrote and answered is searched.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rand::Rng;
use samsyn_harness::caller::Answer;
use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{Said, World, until_ok};
use samsyn_testkit::peer::{Act, Cut, Peer};
use serde_json::{Value, json};

/// Hears what the probe hears, and has a setting that names a secret, and one in clear.
const TABLES: &str = "[settings]\napi_key = { type = \"secret\" }\nold_key = { type = \"text\" }\n";

/// Calls a system at four endpoints, each with a secret in another place.
const CALLS: &str = "timers = true\n\
    [calls.bearer]\nreason = \"Tests\"\nmethods = [\"GET\", \"PUT\"]\n\
    [calls.basic]\nreason = \"Tests\"\nmethods = [\"PUT\"]\n\
    [calls.query]\nreason = \"Tests\"\nmethods = [\"PUT\"]\n\
    [calls.header]\nreason = \"Tests\"\nmethods = [\"PUT\"]\n\
    [subscribes.\"caller.*\"]\nscript = { type = \"texts\" }\n\
    [sources]\n\"probe.count\" = { type = \"integer\" }\n\"probe.seen\" = { type = \"text\" }\n";

/// Stands in every answer of the system beside what it repeats.
const REPEATED: &str = "this is all that was said";

/// A value that nothing else in the world is, with characters that each form writes otherwise.
fn canary() -> String {
    let random = || rand::rng().next_u64();
    format!("{:016x}{:016x}/+ %\"\\{:016x}\u{e5}", random(), random(), random())
}

/// One that can stand in a header: visible ASCII.
fn sendable_canary() -> String {
    canary().replace([' ', '\u{e5}'], "~")
}

fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digit = |six: &[u8]| {
        let six = std::str::from_utf8(six).expect("bits are ASCII");
        char::from(alphabet[usize::from_str_radix(six, 2).expect("it is binary")])
    };
    bits.as_bytes().chunks_exact(6).map(digit).collect()
}

/// Bytes as `{:?}` writes them.
const LIST: &str = "list of numbers";

/// Every form in which a value can stand somewhere, in pieces, so that one that is cut is found too. A piece is so
/// long that chance doesn't write it.
fn forms(value: &str) -> Vec<(&'static str, String)> {
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const PIECE_CHARS: usize = 32;
    const NUMBERS_CHARS: usize = 64;
    let bytes = value.as_bytes();
    let percent = |all: bool| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() && !all;
        bytes
            .iter()
            .map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let json = serde_json::to_string(value).expect("a text is JSON");
    let mut forms = vec![
        ("raw", value.to_owned()),
        ("JSON", json[1..json.len() - 1].to_owned()),
        ("percent", percent(false)),
        ("percent", percent(true)),
        ("hex", hex(bytes, false)),
        ("hex", hex(bytes, true)),
        (LIST, bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")),
    ];
    for before in 0..3 {
        for alphabet in [STANDARD, URL] {
            // What stands before it in the group of three changes two characters at most.
            let encoded = base64(&[&[0; 2][..before], bytes].concat(), alphabet);
            forms.push(("base64", encoded[3..].to_owned()));
        }
    }
    let pieces = forms.into_iter().flat_map(|(form, text)| {
        let chars: Vec<char> = text.chars().collect();
        let length = if form == LIST { NUMBERS_CHARS } else { PIECE_CHARS };
        let pieces: Vec<String> = chars.chunks_exact(length).map(|piece| piece.iter().collect()).collect();
        pieces.into_iter().map(move |piece| (form, piece))
    });
    pieces.collect()
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// What was planted and mustn't be found.
struct Canaries {
    planted: Vec<(&'static str, String)>,
    /// A piece of one, by its first two bytes: which one it is of, its form, and it.
    pieces: HashMap<[u8; 2], Vec<(&'static str, &'static str, String)>>,
}

impl Canaries {
    fn new(planted: Vec<(&'static str, String)>) -> Canaries {
        let mut pieces: HashMap<[u8; 2], Vec<_>> = HashMap::new();
        for (what, value) in &planted {
            for (form, piece) in forms(value) {
                let first = [piece.as_bytes()[0], piece.as_bytes()[1]];
                pieces.entry(first).or_default().push((*what, form, piece));
            }
        }
        Canaries { planted, pieces }
    }

    /// Whatever of them stands here, each canary once.
    fn found_in(&self, place: &str, bytes: &[u8]) -> Vec<String> {
        let begins: Vec<bool> =
            (0..=u16::MAX).map(|two| self.pieces.contains_key(&two.to_be_bytes())).collect();
        let mut found: BTreeMap<&str, String> = BTreeMap::new();
        for (at, two) in bytes.windows(2).enumerate() {
            if !begins[usize::from(u16::from_be_bytes([two[0], two[1]]))] {
                continue;
            }
            for (what, form, piece) in &self.pieces[&[two[0], two[1]]] {
                if bytes[at..].starts_with(piece.as_bytes()) {
                    found.entry(what).or_insert_with(|| format!("{place}: {what}, {form}"));
                }
            }
        }
        found.into_values().collect()
    }

    fn found_below(&self, directory: &Path) -> Vec<String> {
        let found_in = |path: PathBuf| {
            self.found_in(&path.display().to_string(), &fs::read(&path).expect("it can be read"))
        };
        files(directory).into_iter().flat_map(found_in).collect()
    }
}

/// A world of which everything that is said is kept.
struct Listened {
    world: World,
    said: RefCell<Vec<u8>>,
}

impl Listened {
    fn hear(&self, text: &str) {
        self.said.borrow_mut().extend_from_slice(text.as_bytes());
        self.said.borrow_mut().push(b'\n');
    }

    fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, None)
    }

    fn run_with(&self, arguments: &[&str], input: Option<&str>) -> Said {
        let mut command = self.world.command(arguments);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            // A command that reads nothing has ended already.
            let _ = stdin.write_all(input.as_bytes());
        }
        let said = Said::of(child.wait_with_output().expect("it ends"));
        self.hear(&said.out);
        self.hear(&said.err);
        said
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let answer = self.world.send(method, path, &[("content-type", kind)], body);
        self.hear(&answer.text);
        self.hear(&format!("{:?}", answer.headers));
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "application/json", b"")
    }
}

fn state(world: &World, name: &str) -> String {
    let list = world.get("/v1/secrets").of(200);
    let mut items = list["items"].as_array().into_iter().flatten();
    let found =
        items.find(|item| item["name"] == name).unwrap_or_else(|| panic!("{name} is missing: {list}"));
    found["state"].as_str().unwrap_or("?").to_owned()
}

#[test]
fn no_value_of_a_secret_is_anywhere_after_everything_was_done() {
    let values: Vec<String> = (0..9).map(|_| canary()).collect();
    let [first, second, piped, mounted, refused, clear, argument, filed, pathed] = &values[..] else {
        unreachable!()
    };
    let key_bytes: [u8; 32] = std::array::from_fn(|_| rand::rng().next_u64() as u8);
    let key = hex(&key_bytes, false);
    let outside = tempfile::tempdir().expect("a directory can be made");
    let (mounts, key_file) = (outside.path().join("mounts"), outside.path().join("key"));
    fs::create_dir(&mounts).expect("it can be made");
    fs::write(mounts.join("mounted"), mounted).expect("it can be written");
    fs::write(&key_file, &key).expect("it can be written");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    let text = |path: &Path| path.to_str().expect("a path is text").to_owned();
    let settings = [
        ("SAMSYN_LOG_FILTER", "trace".to_owned()),
        // There is less to search.
        ("SAMSYN_LOG_SEGMENT_BYTES", "262144".to_owned()),
        ("SAMSYN_AUDIT_SEGMENT_BYTES", "65536".to_owned()),
        ("SAMSYN_SECRETS_KEY_FILE", text(&key_file)),
        ("SAMSYN_SECRETS_MOUNTED", text(&mounts)),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let listened = Listened { world: World::with(&settings), said: RefCell::default() };
    let file = |name: &str, value: &str| {
        let path = outside.path().join(name);
        fs::write(&path, value).expect("it can be written");
        text(&path)
    };

    // Set, rotated, retired, removed: from a file, from a pipe, over HTTP, and mounted.
    listened.run(&["secret", "set", "crm_token", "--file", &file("first", first)]).ok();
    listened.run_with(&["secret", "set", "sms-key", "--trim"], Some(&format!("{piped}\n"))).ok();
    listened.run(&["secret", "set", "mounted", "--mounted"]).ok();
    listened.send("POST", "/v1/secrets/crm_token/rotate", "text/plain", second.as_bytes()).of(200);
    listened.run(&["secret", "list"]).ok();
    listened.run(&["secret", "check", "--json"]).ok();
    listened.run(&["secret", "retire", "crm_token", "--yes"]).ok();
    listened.send("PUT", "/v1/secrets/short-lived", "application/octet-stream", first.as_bytes()).of(200);
    listened.run(&["secret", "retire", "short-lived", "--all", "--yes"]).ok();

    // What is refused is repeated nowhere either.
    for (kind, body) in [
        ("text/plain", format!("{refused}\n")),
        ("text/plain", refused.repeat(2000)),
        ("application/json", json!({ "value": refused }).to_string()),
        ("text/plain; charset=latin1", refused.clone()),
    ] {
        let answer = listened.send("PUT", "/v1/secrets/other", kind, body.as_bytes());
        assert!(matches!(answer.status, 413 | 415 | 422), "{answer:?}");
        answer.problem();
    }
    assert_eq!(
        listened.send("PUT", "/v1/secrets/crm_token", "text/plain", refused.as_bytes()).problem(),
        "secret-conflict"
    );
    let encoded: String = pathed.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(
        listened.send("PUT", &format!("/v1/secrets/{encoded}"), "text/plain", b"x").problem(),
        "secret-invalid"
    );
    assert_ne!(
        listened.run(&["secret", "set", "other", "--file", &file("refused", &format!("{refused}\n"))]).code,
        Some(0)
    );
    assert_ne!(listened.run(&["secret", "set", "other", argument]).code, Some(0));
    let in_a_file = format!("registry = 1\nsecrets = [{}]\n", Value::from(filed.as_str()));
    assert_ne!(listened.run(&["registry", "apply", &file("bad.toml", &in_a_file), "--yes"]).code, Some(0));

    // A setting names a secret; a value in its place is refused, and not repeated.
    let probe = components::probe("probe", &format!("{USUAL}{TABLES}"));
    listened.world.install(&probe);
    let patch = |settings: Value| {
        let kind = "application/merge-patch+json";
        listened.send("PATCH", "/v1/capabilities/probe/settings", kind, settings.to_string().as_bytes())
    };
    assert_eq!(patch(json!({ "api_key": clear })).problem(), "definition-invalid");
    patch(json!({ "api_key": "crm_token" })).of(200);
    assert_eq!(
        listened.send("POST", "/v1/secrets/crm_token/retire?all=true", "text/plain", b"").problem(),
        "secret-conflict"
    );

    let sent: [String; 3] = std::array::from_fn(|_| sendable_canary());
    let system = call_everything(&listened, &sent);

    // Everything else that writes, shows or copies something.
    listened.world.script("anna", &["text probe.note hello", "see probe.seen"]);
    listened.world.script("bo", &["fail on purpose"]);
    listened.world.settle();
    listened.run(&["snapshot", "make"]).ok();
    listened.run(&["registry", "export"]).ok();
    let named = "registry = 1\nsecrets = [\"crm_token\", \"mounted\", \"later\", \"sms-key\"]\n";
    let applied = listened.run(&["registry", "apply", &file("registry.toml", named), "--yes"]).ok();
    assert!(applied.err.contains("still to do: the secret later has no value"), "{applied:?}");
    assert_eq!(listened.run(&["secret", "check"]).code, Some(1));
    for path in [
        "/v1/status",
        "/metrics",
        "/openapi.json",
        "/errors",
        "/v1/secrets",
        "/v1/registry/report",
        "/v1/registry/export",
        "/v1/registry/graph",
        "/v1/audit/changes",
        "/v1/audit/reads",
        "/v1/capabilities",
        "/v1/capabilities/probe",
        "/v1/capabilities/caller",
        "/v1/endpoints",
        "/v1/outgoing",
        "/v1/calls?state=unknown",
        "/v1/calls?state=failed",
        "/v1/profiles/customer_id:carin/timeline",
        "/v1/tokens",
        "/v1/parked",
        "/v1/log/head",
        "/v1/snapshots",
        "/v1/profiles/customer_id:anna?claims=true",
        "/v1/profiles/customer_id:anna/timeline",
    ] {
        assert_eq!(listened.get(path).status, 200, "{path}");
    }
    listened.run(&["status"]).ok();
    let report = listened.run(&["registry", "check"]);
    assert!(report.out.contains("secret-without-value"), "{report:?}");
    let backup = listened.world.directory().join("backup");
    let data = text(&listened.world.data());
    let backed_up = listened.run(&["backup", &text(&backup), "--data", &data]).ok();
    assert!(backed_up.err.contains("the values of secrets are not in the backup"), "{backed_up:?}");
    assert!(!backup.join("secrets").exists());
    let mut printed = listened.world.serve();
    let printed = Said::of(printed.arg("--print-config").output().expect("it can be run")).ok();
    listened.hear(&printed.out);
    for arguments in [&["log", "verify"][..], &["log", "head"]] {
        let said = listened.world.run_on_data(arguments);
        listened.hear(&said.out);
        listened.hear(&said.err);
    }

    drop(system);
    // Starts: after a kill, and with another key and none.
    let Listened { mut world, said } = listened;
    world.crash();
    assert_eq!(state(&world, "crm_token"), "ok");
    world.stop();
    for other in ["", &hex(&[7; 32], false)] {
        fs::write(&key_file, other).expect("it can be written");
        world.start();
        assert_eq!(state(&world, "crm_token"), if other.is_empty() { "no-key" } else { "other-key" });
        assert_eq!(state(&world, "mounted"), "ok", "it needs no key");
        said.borrow_mut().extend(world.get("/v1/secrets").text.bytes());
        said.borrow_mut().extend(world.get("/v1/status").text.bytes());
        world.stop();
    }
    fs::write(&key_file, &key).expect("it can be written");

    let mut canaries = vec![("the key", key.clone()), ("the key's bytes", base64_of(&key_bytes))];
    for (what, value) in [
        ("a first value", first),
        ("a newer value", second),
        ("a value from a pipe", piped),
        ("a mounted value", mounted),
        ("a refused value", refused),
        ("a setting in clear", clear),
        ("an argument", argument),
        ("a value in a registry file", filed),
        ("a value in a path", pathed),
        ("a token that is sent", &sent[0]),
        ("a password that is sent", &sent[1]),
        ("a key that is sent", &sent[2]),
    ] {
        canaries.push((what, value.clone()));
    }
    let canaries = Canaries::new(canaries);
    let log = world.log();
    // Nothing that the host is built of writes lines below this level now; the filter takes whatever comes.
    assert!(log.contains("DEBUG") && log.contains("/v1/secrets/{name}"), "the host's log has everything");
    let mut found = canaries.found_below(world.directory());
    found.extend(canaries.found_in("what was answered and printed", &said.borrow()));
    let has_answers = |path: &PathBuf| {
        let bytes = fs::read(path).expect("it can be read");
        bytes.windows(REPEATED.len()).any(|window| window == REPEATED.as_bytes())
    };
    assert!(files(&world.data()).iter().any(has_answers), "the log has the system's answers");
    assert!(found.is_empty(), "{}", found.join("\n"));

    // The search finds what is planted, in every form: in a file, and in what was said.
    for (what, value) in &canaries.planted {
        for (form, piece) in forms(value) {
            let planted = [b"\0\xff", piece.as_bytes(), b"\0"].concat();
            assert_eq!(canaries.found_in("here", &planted).len(), 1, "{what}, {form}");
        }
    }
    // To read every file again for one of them is enough.
    let leak = world.data().join("leak");
    fs::write(&leak, format!("a token: {second}")).expect("it can be written");
    assert_eq!(canaries.found_below(world.directory()), [format!("{}: a newer value, raw", leak.display())]);
    fs::remove_file(&leak).expect("it is there");

    // A restored directory has no values, and says which.
    let restored = world.directory().join("restored");
    let said = Said::of(
        world.command(&["restore", &text(&backup), "--data", &text(&restored)]).output().expect("it runs"),
    );
    assert!(said.ok().err.contains("samsyn secret check"));
    fs::rename(world.data(), world.directory().join("before")).expect("it can be moved");
    fs::rename(&restored, world.data()).expect("it can be moved");
    world.start();
    for (name, expected) in
        [("crm_token", "missing"), ("sms-key", "missing"), ("mounted", "ok"), ("later", "missing")]
    {
        assert_eq!(state(&world, name), expected, "{name}");
    }
    assert_eq!(world.get("/v1/status").of(200)["secrets"]["unusable"].as_array().map(Vec::len), Some(6));
    let checked = world.run(&["secret", "check"]);
    assert_eq!(checked.code, Some(1));
    for expected in ["crm_token", "sms-key", "samsyn secret set crm_token --file FILE"] {
        assert!(checked.err.contains(expected), "{expected}: {checked:?}");
    }
    // Rotating is no way back; setting is.
    let path = world.file("again", "again");
    assert_eq!(world.run(&["secret", "rotate", "crm_token", "--file", &path]).code, Some(1));
    world.run(&["secret", "set", "crm_token", "--file", &path]).ok();
    assert_eq!(state(&world, "crm_token"), "ok");
}

/// Calls a system that repeats whatever it gets, in every form: it answers, fails, refuses the credentials, and cuts the
/// connection.
fn call_everything(listened: &Listened, secrets: &[String; 3]) -> Peer {
    let peer = Peer::start();
    for (name, value) in ["call-token", "call-password", "call-key"].iter().zip(secrets) {
        listened.send("PUT", &format!("/v1/secrets/{name}"), "text/plain", value.as_bytes()).of(200);
    }
    let values = secrets.clone();
    peer.judge(move |arrival| {
        let percent = |value: &String| value.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let body: Vec<String> = values
            .iter()
            .flat_map(|value| [value.clone(), base64_of(value.as_bytes()), percent(value)])
            .chain(arrival.headers.iter().map(|(name, value)| format!("{name}: {value}")))
            .chain([arrival.target.clone(), REPEATED.to_owned()])
            .collect();
        let got = arrival.header("authorization").or_else(|| arrival.header("x-api-key")).unwrap_or_default();
        let headers = format!("ETag: {got}\r\n");
        let answer = |status| Act::status(status, &headers, &body.join("\n"));
        match arrival.target.split('?').next().unwrap_or_default() {
            "/refused" => answer(401),
            "/failed" => answer(500),
            "/wrong" => answer(422),
            "/cut" => answer(200).cut_answer(20, Cut::Reset),
            _ => answer(200),
        }
    });
    let caller = components::calling_probe("caller", CALLS);
    listened.world.install(&caller);
    let url = peer.url();
    for (endpoint, auth) in [
        ("bearer", json!({ "bearer": "call-token" })),
        ("basic", json!({ "basic": { "user": "samsyn", "secret": "call-password" } })),
        ("query", json!({ "query": { "name": "key", "secret": "call-key" } })),
        ("header", json!({ "header": { "name": "X-Api-Key", "secret": "call-token" } })),
    ] {
        let binding = json!({
            "url": url, "auth": auth, "repeat": "once", "networks": ["127.0.0.0/8"], "rate": "1000 per 1s",
            "timeout": "5s",
        });
        let path = format!("/v1/endpoints/caller/{endpoint}");
        listened.send("PUT", &path, "application/json", binding.to_string().as_bytes()).of(200);
        for number in ["ok", "wrong", "failed", "cut", "refused"] {
            let event = json!({
                "id": format!("{endpoint}-{number}"), "name": "caller.asked",
                "identifiers": { "customer_id": if number == "ok" { "carin" } else { number } },
                "properties": { "script": [format!("call {endpoint} PUT /{number} hello")] },
            });
            listened.send("POST", "/v1/events", "application/json", event.to_string().as_bytes()).of(202);
        }
    }
    // Of what failed some is tried again later; all was called once.
    peer.wait_for(20);
    let ended = |state: &str| {
        let listed = listened.get(&format!("/v1/calls?state={state}&limit=100")).of(200);
        listed["items"].as_array().map_or(0, Vec::len)
    };
    until_ok("the calls end", || {
        // A call of `once` whose end isn't known is unknown; one that was refused is failed.
        let (unknown, failed) = (ended("unknown"), ended("failed"));
        if unknown >= 4 && failed >= 4 { Ok(()) } else { Err(format!("{unknown} unknown, {failed} failed")) }
    });
    listened.run(&["endpoint", "test", "caller", "bearer"]).ok();
    listened.run(&["endpoint", "show", "caller", "basic"]).ok();
    listened.run(&["call", "list", "--state", "unknown"]).ok();
    listened.run(&["call", "list", "--state", "failed", "--json"]).ok();
    let got: Vec<String> = peer.arrivals().iter().map(|arrival| format!("{:?}", arrival.headers)).collect();
    assert!(got.iter().any(|headers| headers.contains("Bearer")), "the secrets are sent: {got:?}");
    peer
}

fn base64_of(bytes: &[u8]) -> String {
    base64(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}

#[test]
fn a_secret_goes_through_its_life_with_each_step_audited() {
    let world = World::with(&[("SAMSYN_SECRETS_KEY", &hex(&[9; 32], false))]);
    assert_eq!(world.run(&["secret", "check"]).ok().out.lines().count(), 1, "there is none yet");
    assert_eq!(world.run(&["secret", "check", "crm"]).code, Some(1), "it is asked for by name");
    let set = |action: &str, value: &str| {
        let path = world.file("value", value);
        world.run(&["secret", action, "crm", "--file", &path, "--reason", "CRM-12", "--json"])
    };
    assert_eq!(set("rotate", "one").code, Some(1), "there is nothing to rotate");
    let one = set("set", "one").ok().json();
    assert_eq!((&one["state"], &one["versions"][0]["version"]), (&json!("ok"), &json!(1)));
    let again = set("set", "two");
    assert_eq!((again.code, again.json()["code"].clone()), (Some(1), json!("secret-conflict")));
    assert!(again.err.contains("samsyn secret rotate crm"), "{again:?}");
    assert!(set("rotate", "one").err.contains("has this value already"));
    let two = set("rotate", "two").ok().json();
    assert_eq!(two["versions"].as_array().map(Vec::len), Some(2));
    assert_ne!(one["fingerprint"], two["fingerprint"]);
    assert!(set("rotate", "three").err.contains("samsyn secret retire crm"));
    let retired = world.run(&["secret", "retire", "crm", "--yes", "--json"]).ok().json();
    assert_eq!(retired["versions"], json!([two["versions"][1]]));
    let sealed = || fs::read_dir(world.data().join("secrets")).expect("it is there").count();
    assert_eq!(sealed(), 1, "the value of version 1 is gone");
    world.run(&["secret", "retire", "crm", "--all", "--yes"]).ok();
    assert_eq!(sealed(), 0);
    assert_eq!(set("set", "one").ok().json()["versions"][0]["version"], 3, "a number is never used again");
    let changes = world.run(&["audit", "changes", "--json"]).ok().json_lines();
    let did: Vec<&str> = changes
        .iter()
        .rev()
        .filter_map(|change| change["kind"].as_str())
        .filter(|kind| kind.starts_with("secret"))
        .collect();
    assert_eq!(did, ["secret-set", "secret-rotated", "secret-retired", "secret-removed", "secret-set"]);
    let first = changes.iter().rfind(|change| change["kind"] == "secret-set").expect("it is there");
    assert_eq!((&first["by"], &first["reason"]), (&json!("admin"), &json!("CRM-12")));
    assert_eq!(first["details"]["fingerprint"], one["fingerprint"]);
    // A token that only reads sees names and can set nothing.
    let token = world.json(
        "POST",
        "/v1/tokens",
        &json!({"name": "reader", "scopes": ["registry:write", "audit:read"]}),
    );
    let bearer = format!("Bearer {}", token.of(201)["secret"].as_str().expect("it has one"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let ask = |method: &str, path: &str| {
        world.try_raw(method, path, &headers, b"value").expect("it answers").status
    };
    assert_eq!((ask("GET", "/v1/secrets"), ask("PUT", "/v1/secrets/sms")), (200, 403));
    assert_eq!((ask("POST", "/v1/secrets/crm/rotate"), ask("POST", "/v1/secrets/crm/retire")), (403, 403));
}

#[test]
fn a_host_without_a_key_starts_and_says_how_to_give_it_one() {
    let mut world = World::with(&[]);
    let refused = world.send("PUT", "/v1/secrets/crm", &[("content-type", "text/plain")], b"value");
    let said = refused.json();
    assert_eq!(refused.problem(), "secret-key-unusable");
    assert!(said["detail"].as_str().is_some_and(|detail| detail.contains("key_file")), "{said}");
    assert_eq!(
        world.get("/v1/secrets").of(200)["items"],
        json!([]),
        "the registry names nothing without its value"
    );
    world.stop();
    let key = world.file("key", hex(&[3; 32], false));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("it is ours");
    world.launch(&[], &[("SAMSYN_SECRETS_KEY_FILE", &key)]);
    assert!(world.is_ready(), "{}", world.log());
    let status = world.status();
    assert!(
        status["secrets"]["key_reason"].as_str().is_some_and(|why| why.contains("chmod 600")),
        "{status}"
    );
    world.stop();
    // systemd's way.
    fs::rename(&key, world.directory().join("samsyn-secrets-key")).expect("it can be moved");
    let credentials = world.directory().to_str().expect("a path is text").to_owned();
    world.launch(&[], &[("CREDENTIALS_DIRECTORY", &credentials)]);
    assert!(world.is_ready(), "{}", world.log());
    assert_eq!(world.status()["secrets"]["key"], "credential");
    world.send("PUT", "/v1/secrets/crm", &[("content-type", "text/plain")], b"value").of(200);
}

#[test]
fn a_kill_at_each_step_of_a_rotation_leaves_every_version_with_its_value() {
    let mut world = World::with(&[("SAMSYN_SECRETS_KEY", &hex(&[5; 32], false))]);
    let kind = [("content-type", "text/plain")];
    world.send("PUT", "/v1/secrets/crm", &kind, b"value 0").of(200);
    let steps =
        ["durable-write", "durable-sync", "durable-rename", "durable-directory", "frame-write", "frame-sync"];
    let all = steps.iter().flat_map(|step| ["before", "after"].map(|side| format!("{step}:{side}:1")));
    let mut named = 0;
    for (number, failpoint) in all.enumerate() {
        world.stop();
        world.launch(&[], &[("SAMSYN_FAILPOINT", &failpoint)]);
        assert!(world.is_ready(), "{failpoint}: {}", world.log());
        let value = format!("value {}", number + 1);
        let sent = world.try_send("POST", "/v1/secrets/crm/rotate", &kind, value.as_bytes());
        assert!(sent.is_err(), "{failpoint}: it ended before it answered: {sent:?}");
        world.gone();
        world.start();
        let secret = world.get("/v1/secrets").of(200)["items"][0].take();
        let versions = secret["versions"].as_array().expect("they are a list");
        assert!(
            secret["state"] == "ok" && versions.iter().all(|is| is["state"] == "ok"),
            "{failpoint}: {secret}"
        );
        // What was named before it ended is rotated; what wasn't can be sent again.
        named += usize::from(versions.len() == 2);
        if versions.len() == 1 {
            world.send("POST", "/v1/secrets/crm/rotate", &kind, value.as_bytes()).of(200);
        }
        world.send("POST", "/v1/secrets/crm/retire", &[], b"").of(200);
        let left = fs::read_dir(world.data().join("secrets")).expect("it is there").count();
        assert_eq!(left, 1, "{failpoint}: nothing is left over");
    }
    assert!((1..12).contains(&named), "some ended before the record was written, and some after: {named}");
}

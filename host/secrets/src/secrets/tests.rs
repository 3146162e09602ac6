use std::fs;
use std::os::unix::fs::PermissionsExt;

use samsyn_testkit::image::Image;
use samsyn_testkit::memory::Memory;
use zeroize::Zeroizing;

use super::*;

/// What a registry says, as a test wants it.
#[derive(Default)]
struct Registry(Mutex<BTreeMap<SecretName, (Vec<u32>, u32)>>);

impl Registry {
    fn set(&self, name: &SecretName, live: &[u32], last: u32) {
        self.0.lock().insert(name.clone(), (live.to_vec(), last));
    }
}

impl Named for Registry {
    fn versions(&self, name: &SecretName) -> Option<Vec<u32>> {
        self.0.lock().get(name).map(|(live, _)| live.clone())
    }

    fn has_ended(&self, name: &SecretName, version: u32) -> bool {
        self.0.lock().get(name).is_some_and(|(live, last)| version <= *last && !live.contains(&version))
    }

    fn names(&self) -> Vec<SecretName> {
        self.0.lock().keys().cloned().collect()
    }
}

struct World {
    registry: Arc<Registry>,
    disk: Memory<()>,
    mounted: tempfile::TempDir,
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn value(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec()).ok().unwrap()
}

fn key(byte: u8) -> KeySources {
    let text = data_encoding::BASE64.encode(&[byte; 32]);
    KeySources { variable: Some(Zeroizing::new(text)), ..KeySources::default() }
}

impl World {
    fn new() -> World {
        World {
            registry: Arc::default(),
            disk: Memory::new(Image::default()),
            mounted: tempfile::tempdir().unwrap(),
        }
    }

    fn open(&self, sources: &KeySources) -> Secrets {
        let config = SecretsConfig { mounted: self.mounted.path().to_owned(), ..SecretsConfig::default() };
        let secrets = Secrets::open(
            &config,
            sources,
            self.disk.disk(),
            PathBuf::from("/data/secrets"),
            self.registry.clone(),
        );
        secrets.tidy_and_tell();
        secrets
    }

    /// Keeps a value as the host does: the file first.
    fn set(&self, secrets: &Secrets, of: &str, version: u32, live: &[u32], text: &str) {
        secrets.keep(&name(of), version, &value(text)).unwrap();
        self.registry.set(&name(of), live, version);
    }
}

fn newest(secrets: &Secrets, of: &str) -> Result<String, String> {
    let live = secrets.newest(&name(of));
    live.map(|live| live.value.expose().to_owned()).map_err(|why| why.word().to_owned())
}

fn live(secrets: &Secrets, of: &str) -> Vec<String> {
    let live = secrets.live(&name(of)).unwrap_or_default();
    live.iter().map(|live| live.value.expose().to_owned()).collect()
}

#[test]
fn a_secret_is_rotated_with_two_live_versions() {
    let world = World::new();
    let secrets = world.open(&key(1));
    assert_eq!(newest(&secrets, "crm"), Err("unknown".to_owned()));
    world.set(&secrets, "crm", 1, &[1], "first");
    assert_eq!(newest(&secrets, "crm").unwrap(), "first");
    world.set(&secrets, "crm", 2, &[1, 2], "second");
    assert_eq!(newest(&secrets, "crm").unwrap(), "second");
    assert_eq!(live(&secrets, "crm"), ["second", "first"]);
    assert_eq!(secrets.newest(&name("crm")).ok().unwrap().version, Some(2));
    world.registry.set(&name("crm"), &[2], 2);
    assert_eq!(live(&secrets, "crm"), ["second"], "the registry's word counts, before the file goes");
    secrets.end(&name("crm"), 1);
    // The same after a start.
    let secrets = world.open(&key(1));
    assert_eq!(live(&secrets, "crm"), ["second"]);
    assert_eq!(secrets.files.list().unwrap(), [(name("crm"), 2)]);
    assert!(secrets.unusable().is_empty());
}

#[test]
fn each_way_to_have_no_value_is_a_state_with_a_next_step() {
    let world = World::new();
    let secrets = world.open(&key(1));
    for of in ["kept", "cut", "gone", "rotating"] {
        world.set(&secrets, of, 1, &[1], "a value");
    }
    world.set(&secrets, "rotating", 2, &[1, 2], "a newer one");
    world.registry.set(&name("named"), &[], 0);
    world.disk.rot(Path::new("/data/secrets/cut.v1"), |bytes| bytes.truncate(40));
    world.disk.disk().remove(Path::new("/data/secrets/gone.v1")).unwrap();
    world.disk.rot(Path::new("/data/secrets/rotating.v2"), |bytes| *bytes.last_mut().unwrap() ^= 1);
    fs::write(world.mounted.path().join("mounted"), "a value\n").unwrap();
    world.registry.set(&name("mounted"), &[], 0);
    let words = |secrets: &Secrets| -> Vec<String> {
        let names = ["kept", "named", "gone", "cut", "rotating", "mounted", "stranger"];
        names.map(|of| newest(secrets, of).err().unwrap_or_else(|| "ok".to_owned())).to_vec()
    };
    let started = |sources: &KeySources| {
        let secrets = world.open(sources);
        for (name, why) in secrets.unusable() {
            let said = format!("{why}, {}", why.next_step(&name));
            assert!(!said.contains("value\n") && !why.next_step(&name).is_empty(), "{said}");
        }
        words(&secrets)
    };
    assert_eq!(started(&key(1)), ["ok", "missing", "missing", "damaged", "damaged", "invalid", "unknown"]);
    assert_eq!(started(&key(2))[..5], ["other-key", "missing", "missing", "other-key", "other-key"]);
    assert_eq!(started(&KeySources::default())[..5], ["no-key", "missing", "missing", "no-key", "no-key"]);
    let bad = KeySources { variable: Some(Zeroizing::new("a password".to_owned())), ..KeySources::default() };
    assert_eq!(started(&bad)[0], "no-key");
    // While the newest can't be used, the one before is still accepted, and isn't sent.
    assert_eq!(live(&world.open(&key(1)), "rotating"), ["a value"]);
    // A file that comes back is used at once.
    let secrets = world.open(&key(1));
    assert_eq!(newest(&secrets, "gone"), Err("missing".to_owned()));
    secrets.keep(&name("gone"), 1, &value("again")).unwrap();
    assert_eq!(newest(&secrets, "gone").unwrap(), "again");
}

#[test]
fn a_value_in_use_stays_in_use_and_its_lost_file_is_told() {
    let world = World::new();
    let secrets = world.open(&key(1));
    world.set(&secrets, "crm", 1, &[1], "a value");
    assert_eq!(newest(&secrets, "crm").unwrap(), "a value");
    world.disk.disk().remove(Path::new("/data/secrets/crm.v1")).unwrap();
    assert_eq!(newest(&secrets, "crm").unwrap(), "a value");
    assert_eq!(secrets.unusable()[0].1.word(), "missing");
    assert!(secrets.metrics_text().contains("samsyn_secrets_unusable 1\n"));
}

#[test]
fn without_a_key_nothing_is_kept() {
    let world = World::new();
    let secrets = world.open(&KeySources::default());
    let error = secrets.keep(&name("crm"), 1, &value("hunter2")).unwrap_err();
    assert!(error.to_string().contains("key_file"), "{error}");
    assert!(secrets.files.list().unwrap().is_empty());
    assert!(secrets.key().unwrap_err().contains("openssl rand"));
}

#[test]
fn a_start_removes_what_ended_and_leaves_what_it_doesnt_know() {
    let world = World::new();
    let secrets = world.open(&key(1));
    for version in [1, 2, 3] {
        secrets.keep(&name("crm"), version, &value("a value")).unwrap();
    }
    secrets.keep(&name("stranger"), 1, &value("a value")).unwrap();
    // The host ended between the file of version 3 and its record, and before the file of version 1 had gone.
    world.registry.set(&name("crm"), &[2], 2);
    let secrets = world.open(&key(1));
    assert_eq!(secrets.files.list().unwrap(), [(name("crm"), 2), (name("crm"), 3), (name("stranger"), 1)]);
    assert_eq!(newest(&secrets, "stranger"), Err("unknown".to_owned()));
    assert_eq!(live(&secrets, "crm").len(), 1);
    // The next version replaces what nobody was told of.
    world.set(&secrets, "crm", 3, &[2, 3], "the next");
    assert_eq!(newest(&world.open(&key(1)), "crm").unwrap(), "the next");
}

#[test]
fn a_mounted_file_counts_where_nobody_set_a_value() {
    let world = World::new();
    let secrets = world.open(&KeySources::default());
    let file = world.mounted.path().join("crm");
    fs::write(&file, "mounted").unwrap();
    assert_eq!(newest(&secrets, "crm"), Err("unknown".to_owned()), "the registry names what there is");
    world.registry.set(&name("crm"), &[], 0);
    assert_eq!(newest(&secrets, "crm").unwrap(), "mounted", "it needs no key");
    assert_eq!(secrets.newest(&name("crm")).ok().unwrap().version, None);
    assert!(secrets.state(&name("crm")).is_mounted && secrets.state(&name("crm")).fingerprint.is_none());
    fs::write(world.mounted.path().join("crm.previous"), "older").unwrap();
    fs::write(&file, "newer").unwrap();
    assert_eq!(live(&secrets, "crm"), ["newer", "older"]);
    fs::remove_file(&file).unwrap();
    assert_eq!(newest(&secrets, "crm"), Err("missing".to_owned()));
    fs::write(&file, "mounted").unwrap();
    let secrets = world.open(&key(1));
    assert_eq!(secrets.state(&name("crm")).fingerprint.unwrap().len(), 12);
    world.set(&secrets, "crm", 1, &[1], "sealed");
    assert_eq!(newest(&secrets, "crm").unwrap(), "sealed");
    assert!(secrets.state(&name("crm")).ignores_mounted);
}

#[test]
fn answers_are_scrubbed_of_all_live_values() {
    let world = World::new();
    let secrets = world.open(&key(1));
    world.set(&secrets, "crm", 1, &[1], "first-token");
    world.set(&secrets, "crm", 2, &[1, 2], "second-token");
    world.set(&secrets, "sms", 1, &[1], "of another");
    let scrub = secrets.scrub([&name("crm"), &name("nothing")]);
    let answer = "bad second-token, not first-token; of another";
    assert_eq!(scrub.text(answer), "bad [secret crm], not [secret crm]; of another");
}

#[test]
fn a_key_in_the_data_directory_is_noticed() {
    let data = tempfile::tempdir().unwrap();
    let key = data.path().join("key");
    fs::write(&key, data_encoding::HEXLOWER.encode(&[7; 32])).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let sources = KeySources { file: Some(key), ..KeySources::default() };
    let open = |dir: &Path| {
        let config = SecretsConfig::default();
        Secrets::open(
            &config,
            &sources,
            samsyn_disk::local(),
            dir.join("secrets"),
            Arc::new(Registry::default()),
        )
    };
    assert!(open(data.path()).is_key_beside_them());
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(!open(elsewhere.path()).is_key_beside_them());
    assert_eq!(open(elsewhere.path()).key(), Ok(KeySource::File));
}

//! The sealing key: 32 bytes that the host gets from outside its data directory, and what is derived of them.
//!
//! Who has the data directory without the key can read no value. So the key never lies in it, and no backup has
//! it. What may be wrong with it is said once, at the start, and again wherever a value is asked for.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

use crate::value::SecretValue;

/// The bytes of a key.
pub const KEY_BYTES: usize = 32;
/// The name of the systemd credential that is the key.
pub const CREDENTIAL: &str = "samsyn-secrets-key";
/// The environment variable that is the key.
pub const KEY_VARIABLE: &str = "SAMSYN_SECRETS_KEY";
/// A file longer than this is no key: 64 hexadecimal digits and a line end are 66 bytes.
const FILE_BYTES_MAX: u64 = 256;
/// Bytes of a fingerprint. It tells two values apart; it proves nothing to strangers.
const FINGERPRINT_BYTES: usize = 6;
/// Bytes that say of a sealed file under which key it is.
pub const KEY_ID_BYTES: usize = 8;
/// How to make a key.
pub const MAKE_ONE: &str = "(umask 077; openssl rand -base64 32 > FILE)";

/// Where a key may come from, in the order in which the first counts.
#[derive(Clone, Default)]
pub struct KeySources {
    /// The file that the settings name.
    pub file: Option<PathBuf>,
    /// The directory of systemd's credentials.
    pub credentials: Option<PathBuf>,
    /// The value of the environment variable.
    pub variable: Option<Zeroizing<String>>,
}

impl KeySources {
    /// Those of this process: the file of the settings (empty: none), and the environment.
    pub fn of_process(key_file: &Path) -> KeySources {
        KeySources {
            file: Some(key_file.to_owned()).filter(|file| !file.as_os_str().is_empty()),
            credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            variable: std::env::var(KEY_VARIABLE).ok().map(Zeroizing::new),
        }
    }
}

/// Where the key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The file of the settings.
    File,
    /// A systemd credential.
    Credential,
    /// The environment.
    Environment,
}

impl KeySource {
    /// `file`, `credential` or `environment`.
    pub fn as_str(self) -> &'static str {
        match self {
            KeySource::File => "file",
            KeySource::Credential => "credential",
            KeySource::Environment => "environment",
        }
    }
}

/// Why there is no key. Never a part of what was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nobody gave one.
    #[error(
        "no sealing key is configured: make one with `{}`, outside the data directory, and set key_file under [secrets]",
        MAKE_ONE
    )]
    None,
    /// The file can't be read.
    #[error("the sealing key {} can't be read: {cause}", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// Others can read it.
    #[error(
        "others than its owner can read the sealing key {} (mode {mode:04o}): run `chmod 600 {}`", .path.display(), .path.display()
    )]
    ReadableByOthers {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is none.
    #[error(
        "{place} holds no sealing key: it must have 32 random bytes as base64 or hexadecimal digits; make one with `{}`",
        MAKE_ONE
    )]
    Malformed {
        /// The file, or the variable.
        place: String,
    },
}

/// What is derived of the sealing key.
pub struct Keys {
    /// Seals and opens.
    pub seal: aead::LessSafeKey,
    /// Which key it is. It tells nothing of the key.
    pub id: [u8; KEY_ID_BYTES],
    fingerprint: hmac::Key,
}

impl Keys {
    /// The keys of the first source that is given. One that can't be used isn't passed over.
    pub fn from(sources: &KeySources) -> Result<(Keys, KeySource), KeyError> {
        if let Some(path) = &sources.file {
            return Ok((Keys::of_text(&read(path, true)?, &path.display())?, KeySource::File));
        }
        if let Some(path) =
            sources.credentials.as_ref().map(|dir| dir.join(CREDENTIAL)).filter(|path| path.exists())
        {
            // systemd itself lets nobody else read it, whatever its mode says.
            return Ok((Keys::of_text(&read(&path, false)?, &path.display())?, KeySource::Credential));
        }
        match &sources.variable {
            Some(text) => Ok((Keys::of_text(text.as_bytes(), &KEY_VARIABLE)?, KeySource::Environment)),
            None => Err(KeyError::None),
        }
    }

    fn of_text(text: &[u8], place: &dyn std::fmt::Display) -> Result<Keys, KeyError> {
        let malformed = || KeyError::Malformed { place: place.to_string() };
        let text = text.trim_ascii();
        let decoded = HEXLOWER_PERMISSIVE.decode(text).or_else(|_| BASE64.decode(text)).map(Zeroizing::new);
        let bytes = decoded.ok().filter(|bytes| bytes.len() == KEY_BYTES).ok_or_else(malformed)?;
        Keys::of(&bytes).ok_or_else(malformed)
    }

    /// The keys of 32 bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Keys> {
        let whole = hkdf::Salt::new(hkdf::HKDF_SHA256, b"samsyn secrets").extract(bytes);
        let [for_id, for_seal, for_fingerprint] = [[&b"key id"[..]], [&b"seal"[..]], [&b"fingerprint"[..]]];
        let mut id = [0; KEY_ID_BYTES];
        whole.expand(&for_id, Length(KEY_ID_BYTES)).ok()?.fill(&mut id).ok()?;
        let seal = whole.expand(&for_seal, &aead::CHACHA20_POLY1305).ok()?;
        let fingerprint = whole.expand(&for_fingerprint, hkdf::HKDF_SHA256).ok()?;
        let mut bytes = Zeroizing::new([0; 32]);
        fingerprint.fill(&mut *bytes).ok()?;
        Some(Keys {
            seal: aead::LessSafeKey::new(aead::UnboundKey::from(seal)),
            id,
            fingerprint: hmac::Key::new(hmac::HMAC_SHA256, &*bytes),
        })
    }

    /// A short name of a value that only who has the key can compute: 12 hexadecimal digits.
    pub fn fingerprint(&self, value: &SecretValue) -> String {
        let tag = hmac::sign(&self.fingerprint, value.expose().as_bytes());
        HEXLOWER_PERMISSIVE.encode(&tag.as_ref()[..FINGERPRINT_BYTES])
    }
}

/// How many bytes are derived.
struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Reads a key's file. As other servers do, it refuses one that others can read; a group may read a file of
/// root's, which is how a key is given to the user of a service.
fn read(path: &Path, of_a_user: bool) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let unreadable =
        |cause: std::io::Error| KeyError::Unreadable { path: path.to_owned(), cause: cause.to_string() };
    let file = File::open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if about.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    let mode = about.mode() & 0o777;
    let too_much = if about.uid() == 0 { 0o007 } else { 0o077 };
    if of_a_user && mode & too_much != 0 {
        return Err(KeyError::ReadableByOthers { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX as usize + 1));
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const BASE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    fn in_environment(text: &str) -> KeySources {
        KeySources { variable: Some(Zeroizing::new(text.to_owned())), ..KeySources::default() }
    }

    #[test]
    fn a_key_comes_as_what_openssl_prints() {
        let id = |text: &str| Keys::from(&in_environment(text)).map(|(keys, _)| keys.id);
        assert_eq!(id(BASE).unwrap(), id(HEX).unwrap());
        assert_eq!(id(&format!("{BASE}\n")).unwrap(), id(HEX).unwrap());
        for bad in
            ["", "hunter2", &BASE[1..], &HEX[2..], &format!("{HEX}00"), "0123456789abcdef0123456789abcdef"]
        {
            let error = id(bad).unwrap_err();
            assert_eq!(error, KeyError::Malformed { place: KEY_VARIABLE.to_owned() }, "{bad}");
            assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
        }
    }

    #[test]
    fn the_first_source_counts_and_a_bad_one_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        fs::write(&file, HEX).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let mut sources = in_environment("no key");
        let from = |sources: &KeySources| Keys::from(sources).map(|(_, source)| source);
        sources.credentials = Some(dir.path().to_owned());
        assert!(matches!(from(&sources), Err(KeyError::Malformed { .. })), "there is no such credential");
        fs::write(dir.path().join(CREDENTIAL), BASE).unwrap();
        assert_eq!(from(&sources), Ok(KeySource::Credential));
        sources.file = Some(file.clone());
        assert_eq!(from(&sources), Ok(KeySource::File));
        fs::write(&file, "no key").unwrap();
        assert!(matches!(from(&sources), Err(KeyError::Malformed { .. })));
        sources.file = Some(dir.path().join("nothing"));
        assert!(matches!(from(&sources), Err(KeyError::Unreadable { .. })));
        sources.file = Some(dir.path().to_owned());
        assert!(matches!(from(&sources), Err(KeyError::Unreadable { .. })));
        assert_eq!(from(&KeySources::default()), Err(KeyError::None));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        fs::write(&file, HEX).unwrap();
        let of_root = fs::metadata(&file).unwrap().uid() == 0;
        for (mode, taken) in [(0o600, true), (0o400, true), (0o604, false), (0o644, false), (0o640, of_root)]
        {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let keys = Keys::from(&KeySources { file: Some(file.clone()), ..KeySources::default() });
            assert_eq!(keys.is_ok(), taken, "{mode:o}");
            if let Err(error) = keys {
                assert!(error.to_string().contains(&format!("mode {mode:04o}")), "{error}");
            }
        }
    }

    #[test]
    fn a_fingerprint_names_a_value_under_one_key() {
        let (one, other) = (Keys::of(&[1; 32]).unwrap(), Keys::of(&[2; 32]).unwrap());
        let value = |text: &str| SecretValue::new(text.as_bytes().to_vec()).ok().unwrap();
        let print = one.fingerprint(&value("hunter2"));
        assert_eq!(print.len(), 2 * FINGERPRINT_BYTES);
        assert_eq!(print, one.fingerprint(&value("hunter2")));
        assert_ne!(print, one.fingerprint(&value("hunter3")));
        assert_ne!(print, other.fingerprint(&value("hunter2")));
        assert_ne!(one.id, other.id);
    }
}

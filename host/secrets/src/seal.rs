//! A sealed value, as it lies in its file:
//!
//! ```text
//! 0    8   samsec, 0, and the version of this format: 1
//! 8    8   which key it is sealed under
//! 16   12  the nonce: random, a new one for each seal
//! 28   …   the value under ChaCha20-Poly1305, and 16 bytes that prove it
//! ```
//!
//! What is authenticated with the value: bytes 0 to 16, the secret's name and the version. So a file that was
//! renamed or copied to another secret opens nowhere. The file tells how long the value is, and nothing else.

use ring::aead::{Aad, NONCE_LEN, Nonce};
use ring::rand::{SecureRandom, SystemRandom};
use samsyn_vocabulary::SecretName;
use zeroize::Zeroizing;

use crate::key::{KEY_ID_BYTES, Keys};
use crate::unusable::Unusable;
use crate::value::SecretValue;

const MAGIC: &[u8; 8] = b"samsec\0\x01";
const NONCE_AT: usize = MAGIC.len() + KEY_ID_BYTES;
const SEALED_AT: usize = NONCE_AT + NONCE_LEN;

fn authenticated(header: &[u8], name: &SecretName, version: u32) -> Vec<u8> {
    // The header has one length and the version too, so no two names and versions are the same bytes.
    [header, name.as_str().as_bytes(), &version.to_be_bytes()].concat()
}

/// Seals a value; none when the system has no random numbers.
pub fn seal(keys: &Keys, name: &SecretName, version: u32, value: &SecretValue) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let mut file = [&MAGIC[..], &keys.id, &nonce].concat();
    let about = authenticated(&file[..NONCE_AT], name, version);
    // Room for all of it, so that no copy of the clear text is left behind when it grows.
    let mut sealed =
        Zeroizing::new(Vec::with_capacity(value.expose().len() + keys.seal.algorithm().tag_len()));
    sealed.extend_from_slice(value.expose().as_bytes());
    let nonce = Nonce::assume_unique_for_key(nonce);
    keys.seal.seal_in_place_append_tag(nonce, Aad::from(about), &mut *sealed).ok()?;
    file.extend_from_slice(&sealed);
    Some(file)
}

/// Opens what [`seal`] made for this name and version.
pub fn open(keys: &Keys, name: &SecretName, version: u32, file: &[u8]) -> Result<SecretValue, Unusable> {
    let damaged = |why: &str| Unusable::Damaged { version, why: why.to_owned() };
    if file.len() < SEALED_AT || file[..MAGIC.len() - 1] != MAGIC[..MAGIC.len() - 1] {
        return Err(damaged("it is no sealed secret"));
    }
    if file[MAGIC.len() - 1] != MAGIC[MAGIC.len() - 1] {
        return Err(damaged("a newer host wrote it"));
    }
    if file[MAGIC.len()..NONCE_AT] != keys.id {
        return Err(Unusable::OtherKey { version });
    }
    let mut nonce = [0; NONCE_LEN];
    nonce.copy_from_slice(&file[NONCE_AT..SEALED_AT]);
    let about = authenticated(&file[..NONCE_AT], name, version);
    let mut bytes = Zeroizing::new(file[SEALED_AT..].to_vec());
    let opened = keys.seal.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(about), &mut bytes);
    let length = opened.map_err(|_| damaged("its checksum doesn't match"))?.len();
    SecretValue::new(bytes[..length].to_vec()).map_err(|error| damaged(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    fn keys(byte: u8) -> Keys {
        Keys::of(&[byte; 32]).unwrap()
    }

    fn value() -> SecretValue {
        SecretValue::new(b"correct horse battery staple".to_vec()).ok().unwrap()
    }

    #[test]
    fn a_seal_opens_for_its_key_name_and_version_alone() {
        let (keys, crm) = (keys(7), name("crm"));
        let file = seal(&keys, &crm, 3, &value()).unwrap();
        assert_eq!(open(&keys, &crm, 3, &file).ok().unwrap().expose(), value().expose());
        assert!(matches!(open(&keys, &crm, 4, &file), Err(Unusable::Damaged { version: 4, .. })));
        assert!(matches!(open(&keys, &name("crn"), 3, &file), Err(Unusable::Damaged { .. })));
        assert_eq!(open(&self::keys(8), &crm, 3, &file).err(), Some(Unusable::OtherKey { version: 3 }));
    }

    #[test]
    fn each_seal_has_its_own_nonce_and_none_has_the_value() {
        let (keys, crm) = (keys(7), name("crm"));
        let files: Vec<Vec<u8>> = (0..100).map(|_| seal(&keys, &crm, 1, &value()).unwrap()).collect();
        let nonces: std::collections::BTreeSet<&[u8]> =
            files.iter().map(|file| &file[NONCE_AT..SEALED_AT]).collect();
        assert_eq!(nonces.len(), files.len());
        for part in ["correct", "horse", "staple"] {
            assert!(files.iter().all(|file| !file.windows(part.len()).any(|at| at == part.as_bytes())));
        }
    }

    #[test]
    fn any_changed_bit_and_any_cut_is_damage_or_another_key() {
        let (keys, crm) = (keys(7), name("crm"));
        let file = seal(&keys, &crm, 1, &value()).unwrap();
        for bit in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&keys, &crm, 1, &changed).is_err(), "bit {bit}");
        }
        for length in 0..file.len() {
            assert!(
                matches!(open(&keys, &crm, 1, &file[..length]), Err(Unusable::Damaged { .. })),
                "{length}"
            );
        }
        assert!(open(&keys, &crm, 1, &[&file[..], b"\0"].concat()).is_err());
    }

    /// Written by the first host that had secrets; every later one opens it.
    #[test]
    fn the_format_stays() {
        const FILE: &str = include_str!("seal.fixture.hex");
        let file = data_encoding::HEXLOWER.decode(FILE.trim().as_bytes()).unwrap();
        assert_eq!(open(&keys(42), &name("crm_token"), 7, &file).ok().unwrap().expose(), "a value of today");
    }
}

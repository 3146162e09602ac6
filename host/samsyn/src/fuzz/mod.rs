//! What is read from anybody, as functions of bytes that must never panic: for the fuzzer (`fuzz/`,
//! see docs/hostile.md) and, for a short time with a stored corpus, for ordinary tests.
//!
//! Each belongs to the floor it tries; only for tests and with the feature `fuzz`.

#[cfg(test)]
mod made;
#[cfg(test)]
mod tests;

use crate::registry::Registry;
use crate::registry::manifest::Manifest;

pub use crate::api::fuzz::{cursor, event, header};
pub use crate::log::fuzz::segment;
pub use crate::record::fuzz::record;
pub use crate::sandbox::fuzz::{component, effects};

/// Something that reads bytes, and panics when it breaks a promise.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also its corpus's in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 8] = [
    ("segment", segment),
    ("record", record),
    ("event", event),
    ("effects", effects),
    ("manifest", manifest),
    ("component", component),
    ("header", header),
    ("cursor", cursor),
];

/// A manifest's text: read, and its install planned.
pub fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(manifest) = Manifest::parse(text) {
        let digest = crate::vocabulary::Digest::of(data);
        let _ = Registry::default().plan_install(&manifest, digest, true);
    }
}

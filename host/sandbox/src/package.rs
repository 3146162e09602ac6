//! Bytes in: what a `.wasm` file is, and whether this host could run it, before it is compiled.
//!
//! Only declarations are read here: sections, names, types. No function body is looked at and
//! nothing of the guest runs, so a file from anybody can be judged by this.

use std::collections::BTreeSet;

use wasmparser::component_types::ComponentEntityType;
use wasmparser::{Encoding, Parser, Payload, ValidPayload, Validator};

use super::contract::{self, Item, MANIFEST_SECTION};
use super::error::PackageError;
use super::limits::{Limits, as_usize};
use super::section;
use samsyn_vocabulary::{Digest, Role};

/// Where wit-bindgen leaves a module's world; its end varies with the world's name.
const COMPONENT_TYPE_SECTION: &str = "component-type";

/// A component that this host could run: its imports are offered, its roles are known.
#[derive(Clone, Debug)]
pub struct Package {
    digest: Digest,
    roles: BTreeSet<Role>,
    manifest: String,
    component: Vec<u8>,
}

impl Package {
    /// Reads a component, or a core module that wit-bindgen left its world in.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Package, PackageError> {
        let (length, limit) = (bytes.len() as u64, limits.component_bytes);
        if length > limit {
            let what = "the file, in bytes,";
            return Err(PackageError::TooLarge { what, found: length, limit, setting: "component_bytes" });
        }
        let component = match encoding(bytes)? {
            Encoding::Component => bytes.to_vec(),
            Encoding::Module => componentise(bytes)?,
        };
        let roles = inspect(&component)?;
        let manifest = manifest(bytes, limits)?;
        Ok(Package { digest: Digest::of(bytes), roles, manifest, component })
    }

    /// The hash of the bytes as they were given.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The roles it exports, at least one.
    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    /// The text of its `plugin.toml`, not yet parsed.
    pub fn manifest(&self) -> &str {
        &self.manifest
    }

    /// The component's bytes; those given, unless they were a core module.
    pub fn component(&self) -> &[u8] {
        &self.component
    }
}

/// Turns a core module that wit-bindgen left its world in into a component.
///
/// Custom sections of the module are not carried over; embed the manifest afterwards.
pub fn componentise(module: &[u8]) -> Result<Vec<u8>, PackageError> {
    let names = section::names(module)?;
    if !names.iter().any(|name| name.starts_with(COMPONENT_TYPE_SECTION)) {
        return Err(PackageError::NoRole);
    }
    // The encoder reads what anybody may have sent: should it meet a case it didn't expect, that
    // is a refused file and not the end of the host.
    let encoded = std::panic::catch_unwind(|| {
        // Named, because the shims between guest and host stand in backtraces.
        wit_component::ComponentEncoder::default().debug_names(true).validate(true).module(module)?.encode()
    });
    match encoded {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(PackageError::engine(error)),
        Err(_) => Err(PackageError::invalid("the module can't be made a component")),
    }
}

/// Puts a manifest into a component or module, in the place of one that is there already.
pub fn embed_manifest(component: &[u8], manifest: &str) -> Result<Vec<u8>, PackageError> {
    encoding(component)?;
    section::replace(component, MANIFEST_SECTION, manifest.as_bytes())
}

fn encoding(bytes: &[u8]) -> Result<Encoding, PackageError> {
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(encoding),
        _ => Err(PackageError::NotWasm),
    }
}

fn manifest(bytes: &[u8], limits: &Limits) -> Result<String, PackageError> {
    let found = section::custom(bytes, MANIFEST_SECTION)?;
    let content = match found.as_slice() {
        [] => return Err(PackageError::NoManifest),
        [content] => *content,
        _ => return Err(PackageError::invalid("it holds more than one manifest")),
    };
    if content.len() > as_usize(limits.manifest_bytes) {
        let (what, found, limit) = ("the manifest, in bytes,", content.len() as u64, limits.manifest_bytes);
        return Err(PackageError::TooLarge { what, found, limit, setting: "manifest_bytes" });
    }
    String::from_utf8(content.to_vec()).map_err(|_| PackageError::invalid("its manifest is not UTF-8"))
}

/// Checks every import and export against the contract and returns the roles.
fn inspect(component: &[u8]) -> Result<BTreeSet<Role>, PackageError> {
    let mut validator = Validator::new();
    let mut depth = 0_usize;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut types = None;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(PackageError::invalid)?;
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section.clone() {
                    imports.push(import.map_err(PackageError::invalid)?.name.name);
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section.clone() {
                    exports.push(export.map_err(PackageError::invalid)?.name.name);
                }
            }
            _ => {}
        }
        // Bodies are left to the compiler, which validates them as well.
        if let ValidPayload::End(found) = validator.payload(&payload).map_err(PackageError::invalid)? {
            match depth {
                0 => types = Some(found),
                _ => depth -= 1,
            }
        }
    }
    let types = types.ok_or_else(|| PackageError::invalid("it ends early"))?;
    for import in imports {
        check_import(import, types.as_ref())?;
    }
    let mut roles = BTreeSet::new();
    for export in exports {
        roles.extend(check_export(export)?);
    }
    if roles.is_empty() { Err(PackageError::NoRole) } else { Ok(roles) }
}

fn check_import(name: &str, types: wasmparser::types::TypesRef<'_>) -> Result<(), PackageError> {
    let unknown = |import: String| PackageError::UnknownImport { import };
    let functions = match contract::import(name) {
        Item::Known(functions) => functions,
        Item::OtherVersion => return Err(PackageError::NewerContract { name: name.to_owned() }),
        Item::Unknown | Item::Foreign => return Err(unknown(name.to_owned())),
    };
    let Some(ComponentEntityType::Instance(instance)) =
        types.component_item_for_import(name).map(|item| item.ty)
    else {
        return Err(unknown(name.to_owned()));
    };
    for (item, described) in &types[instance].exports {
        let offered = match described.ty {
            ComponentEntityType::Type { .. } => true,
            ComponentEntityType::Func(_) => functions.contains(&item.as_str()),
            _ => false,
        };
        if !offered {
            return Err(unknown(format!("{name}#{item}")));
        }
    }
    Ok(())
}

fn check_export(name: &str) -> Result<Option<Role>, PackageError> {
    match contract::export(name) {
        Item::Known(role) => Ok(role),
        Item::OtherVersion => Err(PackageError::NewerContract { name: name.to_owned() }),
        Item::Unknown => Err(PackageError::UnknownRole { role: name.to_owned() }),
        // What else a component exports harms nobody: nothing calls it.
        Item::Foreign => Ok(None),
    }
}

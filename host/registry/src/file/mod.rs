//! The registry as a file: `registry.toml`, for version control and review.
//!
//! The file says what should be; [`plan`] says what that changes, and nothing that the file leaves
//! out is taken away unless that is asked for. There is one canonical text for a registry: what is
//! exported, applied and exported again is the same file.

mod plan;
mod rename;

pub use plan::{Action, PlannedMove, RegistryPlan, Step};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::manifest::toml_as_schema;
use super::{BindingRequest, Compare, DataClass, Field, FieldStatus, IdentifierKind, Registry, Schema};
use samsyn_vocabulary::{
    CapabilityName, EndpointName, EventPattern, FieldName, IdentifierName, SecretName, Type,
};

/// The version of the file that this host reads and writes.
const FILE_VERSION: u32 = 1;
/// The largest file taken, in bytes: some thousand fields.
pub const FILE_BYTES_MAX: usize = 500 * 1024;

/// What stands above an exported registry.
const HEADING: &str = "\
# A Samsyn registry. `samsyn registry apply FILE` shows what it would change, asks, and does it.
";

/// A registry file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryFile {
    registry: u32,
    /// Secrets, by name alone: a value is set with `samsyn secret set`, or mounted.
    #[serde(default, deserialize_with = "names_of_secrets", skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<SecretName>,
    /// What customers go by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identifiers: BTreeMap<IdentifierName, IdentifierKind>,
    /// Fields that an administrator defined.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<FieldName, FiledField>,
    /// Whose claim is each field's value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<FieldName, CapabilityName>,
    /// What each installed plug-in may do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<CapabilityName, FiledGrant>,
    /// What endpoints are bound to. Whether one is paused stands in no file: that is an operation, as a quarantine is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<CapabilityName, BTreeMap<EndpointName, BindingRequest>>,
}

/// A field as it stands in the file. What is left out is as it is for a field of which nothing else
/// is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiledField {
    #[serde(rename = "type")]
    kind: Type,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    one_of: Vec<String>,
    #[serde(default, deserialize_with = "toml_as_schema", skip_serializing_if = "Option::is_none")]
    schema: Option<Schema>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    class: DataClass,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifies: Option<IdentifierName>,
    #[serde(default, skip_serializing_if = "is_default")]
    protective: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    compare: Compare,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deprecated: Option<String>,
    /// The name it had before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<FieldName>,
}

/// What a plug-in may do. A list that is left out stays as it is granted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiledGrant {
    /// Fields of others it reads.
    pub reads: Option<Vec<FieldName>>,
    /// The customer's identifiers it sees.
    pub identifiers: Option<Vec<IdentifierName>>,
    /// Events it hears.
    pub hears: Option<Vec<EventPattern>>,
    /// Fields it makes claims for.
    pub sources: Option<Vec<FieldName>>,
    /// Endpoints it may call once they are bound.
    pub calls: Option<Vec<EndpointName>>,
}

/// Why a registry file can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct FileError {
    /// Where in the file: a line, or a table's key.
    pub place: String,
    /// What is wrong there, and what to do.
    pub why: String,
}

impl FileError {
    fn at(place: impl Into<String>, why: impl ToString) -> FileError {
        FileError { place: place.into(), why: why.to_string() }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl RegistryFile {
    /// Reads a file. What is wrong in itself is said with its place; whether it fits a registry is
    /// for [`RegistryFile::plan`] to say.
    pub fn parse(text: &str) -> Result<RegistryFile, FileError> {
        if text.len() > FILE_BYTES_MAX {
            let why = format!("it has {} bytes; the limit is {FILE_BYTES_MAX}", text.len());
            return Err(FileError::at("the file", why));
        }
        let file: RegistryFile = toml::from_str(text).map_err(|error| FileError {
            place: error.span().map_or_else(|| "the file".to_owned(), |span| line_of(text, span.start)),
            why: error.message().to_owned(),
        })?;
        if file.registry != FILE_VERSION {
            let why =
                format!("{} is not supported; this host supports registry = {FILE_VERSION}", file.registry);
            return Err(FileError::at("registry", why));
        }
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), FileError> {
        for (name, filed) in &self.fields {
            filed.field().check().map_err(|why| FileError::at(format!("fields.{name}"), why))?;
        }
        for (name, grant) in &self.grants {
            let place = |list: &str| format!("grants.{name}.{list}");
            refuse_duplicates(grant.reads.as_deref(), place("reads"))?;
            refuse_duplicates(grant.identifiers.as_deref(), place("identifiers"))?;
            refuse_duplicates(grant.hears.as_deref(), place("hears"))?;
            refuse_duplicates(grant.sources.as_deref(), place("sources"))?;
            refuse_duplicates(grant.calls.as_deref(), place("calls"))?;
        }
        rename::order(&self.fields).map(|_| ())
    }

    /// The registry as a file. A field that waits for acceptance isn't in it.
    pub fn of(registry: &Registry) -> RegistryFile {
        let defined = registry.fields.iter().filter(|(_, field)| field.status.is_defined());
        let sourced =
            registry.fields.iter().filter_map(|(name, field)| Some((name.clone(), field.source.clone()?)));
        let grants = registry.capabilities.iter().map(|(name, capability)| {
            let grant = &capability.grant;
            let filed = FiledGrant {
                reads: Some(sorted(&grant.reads)),
                identifiers: Some(sorted(&grant.identifiers)),
                hears: Some(sorted(&grant.hears)),
                sources: Some(sorted(grant.sources())),
                calls: (!capability.manifest.calls.is_empty()).then(|| sorted(&grant.calls)),
            };
            (name.clone(), filed)
        });
        let endpoints =
            registry.capabilities.iter().filter(|(_, capability)| !capability.endpoints.is_empty());
        let endpoints = endpoints.map(|(name, capability)| {
            let bound = capability.endpoints.iter();
            (name.clone(), bound.map(|(name, bound)| (name.clone(), (&bound.binding).into())).collect())
        });
        RegistryFile {
            registry: FILE_VERSION,
            secrets: registry.secrets.keys().cloned().collect(),
            identifiers: registry.identifiers.clone(),
            fields: defined.map(|(name, field)| (name.clone(), FiledField::of(field))).collect(),
            sources: sourced.collect(),
            grants: grants.collect(),
            endpoints: endpoints.collect(),
        }
    }

    /// The canonical text.
    pub fn to_text(&self) -> String {
        // Names and plain strings: TOML can hold all of them.
        let text = toml::to_string(self).unwrap_or_else(|error| unreachable!("invalid TOML: {error}"));
        format!("{HEADING}{text}")
    }
}

/// A [`FiledField`] of a [`Field`], or the other way round: what a definition consists of stands here once.
macro_rules! same_definition {
    ($type:ident of $other:expr, $($own:tt)*) => {{
        let other = $other.clone();
        $type {
            kind: other.kind,
            description: other.description,
            one_of: other.one_of,
            schema: other.schema,
            unit: other.unit,
            class: other.class,
            department: other.department,
            identifies: other.identifies,
            protective: other.protective,
            compare: other.compare,
            deprecated: other.deprecated,
            $($own)*
        }
    }};
}

impl FiledField {
    /// A field as a file would have it.
    pub(super) fn of(field: &Field) -> FiledField {
        same_definition!(FiledField of field, renamed_from: None)
    }

    /// The definition, without a source.
    fn field(&self) -> Field {
        same_definition!(Field of self, status: FieldStatus::Defined, source: None, inherits: Vec::new())
    }
}

/// What isn't a name may be a value that somebody put there: it is not repeated.
fn names_of_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<SecretName>, D::Error> {
    let wrong = || {
        let what = "secrets must be a list of names, such as secrets = [\"crm_token\"]; a value never stands in this file";
        serde::de::Error::custom(what)
    };
    let toml::Value::Array(listed) = toml::Value::deserialize(deserializer)? else { return Err(wrong()) };
    let name = |is: &toml::Value| is.as_str().and_then(|text| SecretName::new(text).ok());
    listed.iter().map(|is| name(is).ok_or_else(wrong)).collect()
}

fn sorted<T: Ord + Clone>(names: &[T]) -> Vec<T> {
    let mut names = names.to_vec();
    names.sort();
    names
}

fn refuse_duplicates<T: Ord + std::fmt::Display>(
    names: Option<&[T]>,
    place: String,
) -> Result<(), FileError> {
    let mut seen = std::collections::BTreeSet::new();
    match names.unwrap_or_default().iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(FileError::at(place, format!("{twice} is there twice; remove one"))),
        None => Ok(()),
    }
}

fn line_of(text: &str, byte: usize) -> String {
    let before = &text[..text.floor_char_boundary(byte)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

//! As much of `plugin.toml` as a test needs. The host checks it in full; this one knows every key
//! too, so that a mistyped one fails the first test and not the installation.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Type, Value};

use super::coerce::coerce;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    manifest: u32,
    pub(crate) plugin: Plugin,
    #[serde(default)]
    pub(crate) subscribes: BTreeMap<String, Properties>,
    #[serde(default)]
    pub(crate) emits: BTreeMap<String, Properties>,
    #[serde(default)]
    pub(crate) sources: BTreeMap<String, Sourced>,
    #[serde(default)]
    pub(crate) consumes: BTreeMap<String, Consumed>,
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, Setting>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read so that a missing or unknown key is found")]
pub(crate) struct Plugin {
    name: String,
    version: String,
    owner: String,
    description: String,
    #[serde(default)]
    pub(crate) identifiers: Vec<String>,
    #[serde(default)]
    shared_events: Vec<String>,
}

pub(crate) type Properties = BTreeMap<String, Property>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Property {
    #[serde(rename = "type")]
    pub(crate) kind: Type,
    #[serde(default)]
    pub(crate) required: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read so that an unknown key is found")]
pub(crate) struct Sourced {
    #[serde(rename = "type")]
    pub(crate) kind: Type,
    #[serde(default)]
    pub(crate) one_of: Vec<String>,
    schema: Option<toml::Value>,
    unit: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    class: Option<String>,
    identifies: Option<String>,
    #[serde(default)]
    pub(crate) protective: bool,
    compare: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read so that a missing or unknown key is found")]
pub(crate) struct Consumed {
    purposes: Vec<String>,
    #[serde(default)]
    pub(crate) notify: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read so that an unknown key is found")]
pub(crate) struct Setting {
    #[serde(rename = "type")]
    pub(crate) kind: Type,
    #[serde(default)]
    default: Option<toml::Value>,
    #[serde(default)]
    description: String,
}

impl Manifest {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Manifest {
        let manifest: Manifest = toml::from_str(text).unwrap_or_else(|error| panic!("plugin.toml: {error}"));
        assert_eq!(manifest.manifest, 1, "plugin.toml: manifest = 1 is the only version there is");
        manifest
    }

    /// The declared properties of an event. An exact name wins over a pattern, a longer pattern
    /// over a shorter one; `order.*` takes whole segments.
    pub(crate) fn subscription(&self, event: &str) -> Option<&Properties> {
        let takes = |pattern: &str| {
            let head = pattern.strip_suffix(".*")?;
            event.strip_prefix(head)?.starts_with('.').then_some(head.len())
        };
        let matching = self.subscribes.iter().filter_map(|(pattern, found)| Some((takes(pattern)?, found)));
        self.subscribes
            .get(event)
            .or_else(|| matching.max_by_key(|(length, _)| *length).map(|(_, found)| found))
    }

    /// Every field a profile can hold for this plug-in.
    pub(crate) fn fields(&self) -> Vec<String> {
        self.sources.keys().chain(self.consumes.keys()).cloned().collect()
    }
}

impl Setting {
    /// The default as the setting's type.
    #[track_caller]
    pub(crate) fn default(&self, name: &str) -> Option<Value> {
        let json = match self.default.as_ref()? {
            toml::Value::Datetime(moment) => format!("{:?}", moment.to_string()),
            other => {
                serde_json::to_string(other).unwrap_or_else(|error| panic!("[settings] {name}: {error}"))
            }
        };
        let value = coerce(&Value::Json(json), self.kind);
        Some(value.unwrap_or_else(|| panic!("[settings] {name}: the default is no {}", self.kind)))
    }
}

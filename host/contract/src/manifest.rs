//! `plugin.toml`: what a plug-in is and what it asks for. A manifest requests, the registry grants.
//!
//! The manifest travels inside the component as the custom section `samsyn:manifest`, so that one
//! file says everything before a line of it runs. Unknown keys are errors: a key with a typing
//! error must not silently ask for less, or more, than its author meant.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::calls::{CallRequest, ENDPOINTS_MAX, Repeat};
use crate::compare::Compare;
use crate::data_class::DataClass;
use crate::schema::Schema;
use crate::setting_type::SettingType;
use crate::vocabulary::{
    CapabilityName, EndpointName, EventName, EventPattern, FieldName, IdentifierName, Role, Type, Value,
};

/// The manifest version this host reads.
const MANIFEST_VERSION: u32 = 1;
/// Events whose name starts so are the platform's own: nobody sends, emits or hears them.
pub const PLATFORM_PREFIX: &str = "samsyn.";

/// A plug-in's manifest.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    manifest: u32,
    /// The plug-in's name, version and owner.
    pub plugin: About,
    /// Which events it hears, and which of their properties.
    #[serde(default)]
    pub subscribes: BTreeMap<EventPattern, Properties>,
    /// Which events it may emit.
    #[serde(default)]
    pub emits: BTreeMap<EventName, Properties>,
    /// Which fields it makes claims for.
    #[serde(default)]
    pub sources: BTreeMap<FieldName, Sourced>,
    /// Which fields of others it reads.
    #[serde(default)]
    pub consumes: BTreeMap<FieldName, Consumed>,
    /// What an administrator can set.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// Which systems it asks to call.
    #[serde(default)]
    pub calls: BTreeMap<EndpointName, CallRequest>,
}

/// The declared properties of an event, by name.
pub type Properties = BTreeMap<String, PropertyType>;

/// The plug-in's name, version and owner.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The capability's name.
    pub name: CapabilityName,
    /// The plug-in's own version, such as `0.1.0`.
    pub version: String,
    /// The department that answers for it.
    pub owner: String,
    /// One line about its job.
    pub description: String,
    /// Which of a customer's identifiers it may see.
    #[serde(default)]
    pub identifiers: Vec<IdentifierName>,
    /// Events about an address or a number, such as a STOP or a bounce: they reach every customer who shares
    /// one of the event's identifiers, not only the one it finds.
    #[serde(default)]
    pub shared_events: Vec<EventName>,
    /// Whether it sets timers, so that the host invokes it at times of its own choice.
    #[serde(default)]
    pub timers: bool,
}

/// A declared property.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyType {
    /// Its type; the host coerces to it without loss or refuses the invocation.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Whether an invocation without it is refused.
    #[serde(default)]
    pub required: bool,
}

/// A field the plug-in makes claims for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced {
    /// The field's type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// Allowed strings; empty allows all.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What a value must also be like, as JSON Schema: a table, or a text of JSON.
    #[serde(default, deserialize_with = "toml_as_schema")]
    pub schema: Option<Schema>,
    /// What a number counts, such as `points` or `SEK`.
    #[serde(default)]
    pub unit: Option<String>,
    /// What the field means.
    #[serde(default)]
    pub description: String,
    /// How personal it is.
    #[serde(default)]
    pub class: DataClass,
    /// The identifier that a value of this field is.
    pub identifies: Option<IdentifierName>,
    /// When two claims say the same.
    #[serde(default)]
    pub compare: Option<Compare>,
    /// An opt-out: nothing but a word of its source turns `true` off.
    #[serde(default)]
    pub protective: bool,
}

/// A field of another capability that the plug-in reads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consumed {
    /// What it is read for.
    pub purposes: Vec<String>,
    /// Whether `on-change` is called when it changes.
    #[serde(default)]
    pub notify: bool,
}

/// Something an administrator can set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: SettingType,
    /// Its value until somebody sets one.
    #[serde(default, deserialize_with = "toml_as_value")]
    pub default: Option<Value>,
    /// What it does.
    #[serde(default)]
    pub description: String,
}

/// Why a manifest can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin.toml: {0}")]
pub struct ManifestError(pub String);

impl Manifest {
    /// Reads and checks a manifest; the error names the place and what to write instead. The
    /// caller limits its length.
    pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
        let mut manifest: Manifest =
            toml::from_str(text).map_err(|error| ManifestError(error.to_string().trim_end().to_owned()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&mut self) -> Result<(), ManifestError> {
        let error = |message: String| Err(ManifestError(message));
        if self.manifest != MANIFEST_VERSION {
            return error(format!(
                "manifest = {} is not supported; this host supports manifest = {MANIFEST_VERSION}: use a newer host",
                self.manifest
            ));
        }
        if self.plugin.version.is_empty() || self.plugin.version.len() > 64 {
            return error("[plugin] version must have 1 to 64 characters, such as \"0.1.0\"".to_owned());
        }
        for pattern in self.subscribes.keys() {
            if format!("{pattern}.").starts_with(PLATFORM_PREFIX) {
                return error(format!(
                    "[subscribes.\"{pattern}\"]: names with {PLATFORM_PREFIX} are reserved for the platform"
                ));
            }
        }
        let subscribed = |event: &&EventName| self.subscription(event).is_none();
        if let Some(event) = self.plugin.shared_events.iter().find(subscribed) {
            return error(format!(
                "[plugin] shared_events has {event}, but [subscribes] doesn't: add [subscribes.\"{event}\"]"
            ));
        }
        for event in self.emits.keys() {
            if event.as_str().starts_with(PLATFORM_PREFIX) {
                return error(format!(
                    "[emits.\"{event}\"]: names with {PLATFORM_PREFIX} are reserved for the platform"
                ));
            }
        }
        for (field, sourced) in &self.sources {
            if self.consumes.contains_key(field) {
                return error(format!(
                    "{field} is in both [sources] and [consumes]: a source sees its own claim; remove one"
                ));
            }
            if !sourced.one_of.is_empty() && !matches!(sourced.kind, Type::Text | Type::Texts) {
                return error(format!(
                    "[sources] {field}: one_of is allowed for text and texts, not for {}",
                    sourced.kind
                ));
            }
            if sourced.protective && sourced.kind != Type::Boolean {
                return error(format!(
                    "[sources] {field}: protective is allowed for boolean, not for {}",
                    sourced.kind
                ));
            }
            if sourced.identifies.is_some() && sourced.kind != Type::Text {
                return error(format!(
                    "[sources] {field}: identifies is allowed for text, not for {}",
                    sourced.kind
                ));
            }
        }
        for (field, consumed) in &self.consumes {
            if consumed.purposes.is_empty() {
                return error(format!(
                    "[consumes] {field}: purposes is missing, such as purposes = [\"service\"]"
                ));
            }
        }
        if self.calls.len() > ENDPOINTS_MAX {
            return error(format!(
                "[calls] has {} endpoints; the limit is {ENDPOINTS_MAX}: split the plug-in",
                self.calls.len()
            ));
        }
        for (name, call) in &self.calls {
            call.check().map_err(|why| ManifestError(format!("[calls.{name}] {why}")))?;
        }
        for (name, setting) in &mut self.settings {
            if let Some(default) = &setting.default {
                if setting.kind.is_secret() {
                    return error(format!(
                        "[settings] {name}: a secret has no default; remove it: an administrator names the secret"
                    ));
                }
                let coerced = default.coerce(setting.kind.of_values());
                let value =
                    coerced.map_err(|why| ManifestError(format!("[settings] {name}: default: {why}")))?;
                setting.default = Some(value);
            }
        }
        Ok(())
    }

    /// Whether the manifest declares anything for a role, and where.
    pub fn declares(&self, role: Role) -> (bool, &'static str) {
        match role {
            Role::Source => (!self.sources.is_empty(), "[sources]"),
            Role::Subscriber => (!self.subscribes.is_empty(), "[subscribes]"),
            Role::Observer => {
                (self.consumes.values().any(|consumed| consumed.notify), "notify = true in [consumes]")
            }
            Role::Timed => (self.plugin.timers, "timers = true in [plugin]"),
            Role::Caller => (!self.calls.is_empty(), "[calls.NAME]"),
            Role::Prober | Role::Judge => (
                self.calls.values().any(|call| call.repeat() == Repeat::Probe),
                "repeat = \"probe\" in [calls.NAME]",
            ),
        }
    }

    /// The declared properties of an event, when the manifest subscribes to it. An exact name wins
    /// over a pattern, a longer pattern over a shorter one.
    pub fn subscription(&self, event: &EventName) -> Option<&Properties> {
        if let Some(exact) = self.subscribes.get(event.as_str()) {
            return Some(exact);
        }
        let matching = self.subscribes.iter().filter(|(pattern, _)| pattern.matches(event));
        matching.max_by_key(|(pattern, _)| pattern.as_str().len()).map(|(_, properties)| properties)
    }
}

/// A default as it stands in TOML: held as JSON until the setting's type coerces it.
fn toml_as_value<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let json = match &value {
        toml::Value::Datetime(moment) => serde_json::Value::String(moment.to_string()).to_string(),
        other => serde_json::to_string(other).map_err(serde::de::Error::custom)?,
    };
    Ok(Some(Value::Json(json)))
}

/// A schema as it stands in TOML: a table, or JSON in a text. Whether it can be compiled is asked
/// where something new is taken: an installed manifest must be read whatever is in it.
pub fn toml_as_schema<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Schema>, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        other => serde_json::to_value(other).map_err(serde::de::Error::custom)?.to_string(),
    };
    // One schema has one text, however it was spaced.
    let compact = serde_json::from_str::<serde_json::Value>(&text).map(|json| json.to_string());
    Ok(Some(Schema::kept(compact.unwrap_or(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOYALTY: &str = r#"
        manifest = 1
        [plugin]
        name = "loyalty"
        version = "0.1.0"
        owner = "Membership team"
        description = "Points and tiers from purchases"
        identifiers = ["customer_id"]
        [subscribes."order.completed"]
        amount = { type = "decimal", required = true }
        [subscribes."order.*"]
        [emits."loyalty.tier_reached"]
        tier = { type = "text" }
        [sources]
        "loyalty.tier" = { type = "text", one_of = ["bronze", "silver"] }
        [consumes]
        email = { purposes = ["service"], notify = true }
        [settings]
        points_per_unit = { type = "decimal", default = "1.0" }
    "#;

    #[test]
    fn the_documented_manifest_is_read() {
        let manifest = Manifest::parse(LOYALTY).unwrap();
        assert_eq!(manifest.plugin.name.as_str(), "loyalty");
        let default = manifest.settings["points_per_unit"].default.clone().unwrap();
        assert_eq!(default, Value::Json("1".into()).coerce(Type::Decimal).unwrap());
        let exact = manifest.subscription(&EventName::new("order.completed").unwrap()).unwrap();
        assert!(exact["amount"].required);
        assert!(manifest.subscription(&EventName::new("order.refunded").unwrap()).unwrap().is_empty());
        assert!(manifest.subscription(&EventName::new("profile.seen").unwrap()).is_none());
    }

    #[test]
    fn each_mistake_is_named() {
        for (from, to, named) in [
            ("manifest = 1", "manifest = 2", "manifest = 2"),
            ("owner =", "ownr =", "ownr"),
            ("\"order.*\"", "\"samsyn.*\"", "samsyn."),
            ("\"order.*\"", "\"order*\"", "order*"),
            ("\"1.0\"", "\"one\"", "points_per_unit"),
            ("type = \"decimal\", default", "type = \"secret\", default", "a secret has no default"),
            ("type = \"decimal\", default = \"1.0\"", "type = \"password\"", "`secret`"),
            ("type = \"decimal\", required", "type = \"secret\", required", "secret"),
            ("type = \"text\", one_of", "type = \"secret\", one_of", "secret"),
            ("[\"service\"]", "[]", "purposes"),
            ("email =", "\"loyalty.tier\" =", "both [sources] and [consumes]"),
            ("type = \"decimal\", required", "type = \"money\", required", "money"),
            ("\"loyalty\"", "\"Loyalty!\"", "Loyalty!"),
            ("[plugin]", "[plugin", "line 3"),
        ] {
            let error = Manifest::parse(&LOYALTY.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(named), "{to}: {error}");
        }
    }
}

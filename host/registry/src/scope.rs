//! What a token may do, as an administrator writes it: `events:write`,
//! `profiles:read=first_name,class:none,identifier:customer_id`.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DataClass;
use samsyn_vocabulary::{EventPattern, FieldName, IdentifierName, nearest};

/// The most things one scope may list: more is a sign that a class is meant.
const LISTED_MAX: usize = 256;

/// The name of a scope, without what it is narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeName {
    /// Send events.
    EventsWrite,
    /// Read profiles.
    ProfilesRead,
    /// Propose values.
    ProfilesPropose,
    /// Read the dictionary, plug-ins, status and metrics.
    RegistryRead,
    /// Change them, and read them.
    RegistryWrite,
    /// Read the registry, the audits and counts, and nothing of a customer.
    AuditRead,
    /// Read what an administrator reads, and change nothing.
    AdminRead,
    /// Everything, tokens, claims and parked deliveries included.
    Admin,
}

impl ScopeName {
    /// Every name, in the order of the documentation.
    pub const ALL: [ScopeName; 8] = [
        ScopeName::EventsWrite,
        ScopeName::ProfilesRead,
        ScopeName::ProfilesPropose,
        ScopeName::RegistryRead,
        ScopeName::RegistryWrite,
        ScopeName::AuditRead,
        ScopeName::AdminRead,
        ScopeName::Admin,
    ];

    /// The name as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            ScopeName::EventsWrite => "events:write",
            ScopeName::ProfilesRead => "profiles:read",
            ScopeName::ProfilesPropose => "profiles:propose",
            ScopeName::RegistryRead => "registry:read",
            ScopeName::RegistryWrite => "registry:write",
            ScopeName::AuditRead => "audit:read",
            ScopeName::AdminRead => "admin:read",
            ScopeName::Admin => "admin",
        }
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing a token may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Send events: those of these patterns, of any name when there is none.
    EventsWrite(Vec<EventPattern>),
    /// Read profiles: these parts, everything when there is none.
    ProfilesRead(Vec<Part>),
    /// Propose values: for these fields or classes, for any field when there is none.
    ProfilesPropose(Vec<Part>),
    /// Read the registry.
    RegistryRead,
    /// Change the registry.
    RegistryWrite,
    /// Read the registry, the audits and counts.
    AuditRead,
    /// Read everything.
    AdminRead,
    /// Everything.
    Admin,
}

/// A part of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A field, whether the dictionary has it yet or not.
    Field(FieldName),
    /// Every field of this class; `class:personal` is every identifier too.
    Class(DataClass),
    /// One kind of identifier.
    Identifier(IdentifierName),
}

/// A text that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid scope {text:?}: {why}")]
pub struct ScopeError {
    /// The start of the text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
    /// What may have been meant, the nearest first.
    pub near: Vec<String>,
}

const CLASSES: [(&str, DataClass); 3] =
    [("none", DataClass::None), ("personal", DataClass::Personal), ("sensitive", DataClass::Sensitive)];

impl Scope {
    /// Its name, without what it is narrowed to.
    pub fn name(&self) -> ScopeName {
        match self {
            Scope::EventsWrite(_) => ScopeName::EventsWrite,
            Scope::ProfilesRead(_) => ScopeName::ProfilesRead,
            Scope::ProfilesPropose(_) => ScopeName::ProfilesPropose,
            Scope::RegistryRead => ScopeName::RegistryRead,
            Scope::RegistryWrite => ScopeName::RegistryWrite,
            Scope::AuditRead => ScopeName::AuditRead,
            Scope::AdminRead => ScopeName::AdminRead,
            Scope::Admin => ScopeName::Admin,
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Scope, ScopeError> {
        let wrong =
            |why: String| ScopeError { text: text.chars().take(100).collect(), why, near: near(text) };
        let (name, list) = match text.split_once('=') {
            Some((name, list)) => (name, Some(list)),
            None => (text, None),
        };
        let name = ScopeName::ALL.into_iter().find(|is| is.as_str() == name).ok_or_else(|| {
            let names: Vec<&str> = ScopeName::ALL.iter().map(|is| is.as_str()).collect();
            wrong(format!("it must be one of {}", names.join(", ")))
        })?;
        let items: Vec<&str> = list.map(|list| list.split(',').collect()).unwrap_or_default();
        if items.len() > LISTED_MAX {
            return Err(wrong(format!("it has {} items; the limit is {LISTED_MAX}", items.len())));
        }
        let parts = |identifiers| {
            items.iter().map(|item| part(item, identifiers)).collect::<Result<Vec<_>, _>>().map_err(wrong)
        };
        match name {
            ScopeName::EventsWrite => {
                let patterns = items.iter().map(|item| EventPattern::new(item)).collect::<Result<_, _>>();
                Ok(Scope::EventsWrite(patterns.map_err(|error| wrong(error.to_string()))?))
            }
            ScopeName::ProfilesRead => Ok(Scope::ProfilesRead(parts(true)?)),
            ScopeName::ProfilesPropose => Ok(Scope::ProfilesPropose(parts(false)?)),
            _ if list.is_some() => Err(wrong("this scope can't be limited".to_owned())),
            ScopeName::RegistryRead => Ok(Scope::RegistryRead),
            ScopeName::RegistryWrite => Ok(Scope::RegistryWrite),
            ScopeName::AuditRead => Ok(Scope::AuditRead),
            ScopeName::AdminRead => Ok(Scope::AdminRead),
            ScopeName::Admin => Ok(Scope::Admin),
        }
    }
}

/// The scopes that a mistyped one is near to, each with what it was narrowed to.
fn near(text: &str) -> Vec<String> {
    let names = || ScopeName::ALL.iter().map(|name| name.as_str());
    // `profiles:read:email` is narrowed by the wrong sign.
    for name in names() {
        let rest = text.strip_prefix(name).and_then(|rest| rest.strip_prefix([':', ' ', '/', '.']));
        if let Some(list) = rest.filter(|list| !list.is_empty() && name != ScopeName::Admin.as_str()) {
            return vec![format!("{name}={list}")];
        }
    }
    let (name, list) = text.split_once('=').map_or((text, None), |(name, list)| (name, Some(list)));
    if names().any(|is| is == name) {
        return list.into_iter().flat_map(|list| list.split(',')).flat_map(near_parts).collect();
    }
    let with_list = |name: &str| list.map_or_else(|| name.to_owned(), |list| format!("{name}={list}"));
    nearest(name, names()).into_iter().map(with_list).collect()
}

fn near_parts(part: &str) -> Vec<String> {
    let Some(class) = part.strip_prefix("class:") else { return Vec::new() };
    let near = nearest(class, CLASSES.map(|(name, _)| name));
    near.into_iter().filter(|near| *near != class).map(|near| format!("class:{near}")).collect()
}

fn part(text: &str, identifiers: bool) -> Result<Part, String> {
    if let Some(class) = text.strip_prefix("class:") {
        let known = CLASSES.iter().find(|(name, _)| *name == class);
        return known.map(|(_, class)| Part::Class(*class)).ok_or_else(|| {
            format!("unknown class {:?}; the classes are none, personal and sensitive", shortened(class))
        });
    }
    if let Some(identifier) = text.strip_prefix("identifier:") {
        if !identifiers {
            return Err("an identifier can't be proposed: it comes with an event".to_owned());
        }
        return IdentifierName::new(identifier).map(Part::Identifier).map_err(|error| error.to_string());
    }
    FieldName::new(text).map(Part::Field).map_err(|error| error.to_string())
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(64)]
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Field(name) => write!(f, "{name}"),
            Part::Class(class) => {
                let name = CLASSES.iter().find(|(_, is)| is == class).map_or("", |(name, _)| name);
                write!(f, "class:{name}")
            }
            Part::Identifier(name) => write!(f, "identifier:{name}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn listed<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
            for (at, item) in items.iter().enumerate() {
                write!(f, "{}{item}", if at == 0 { '=' } else { ',' })?;
            }
            Ok(())
        }
        write!(f, "{}", self.name())?;
        match self {
            Scope::EventsWrite(patterns) => listed(f, patterns),
            Scope::ProfilesRead(parts) | Scope::ProfilesPropose(parts) => listed(f, parts),
            Scope::RegistryRead
            | Scope::RegistryWrite
            | Scope::AuditRead
            | Scope::AdminRead
            | Scope::Admin => Ok(()),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let part = "(class:(none|personal|sensitive)|[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*)";
        let read = format!("({part}|identifier:[a-z][a-z0-9_]*)");
        let event = "[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*([.][*])?";
        let pattern = format!(
            "^(events:write(={event}(,{event})*)?|profiles:read(={read}(,{read})*)?\
             |profiles:propose(={part}(,{part})*)?|registry:read|registry:write|audit:read|admin:read|admin)$"
        );
        json_schema!({
            "type": "string",
            "pattern": pattern,
            "description": "A scope: its name, and after an equals sign its limits, such as `profiles:read=first_name`",
        })
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scope, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for text in [
            "events:write",
            "events:write=order.completed,order.*",
            "profiles:read",
            "profiles:read=first_name,loyalty.points,class:none,class:sensitive,identifier:customer_id",
            "profiles:propose=class:personal,email",
            "registry:read",
            "registry:write",
            "audit:read",
            "admin:read",
            "admin",
        ] {
            let scope: Scope = text.parse().unwrap();
            assert_eq!(scope.to_string(), text);
            assert!(text.starts_with(scope.name().as_str()));
        }
    }

    #[test]
    fn what_could_grant_more_than_was_meant_is_refused() {
        let long = format!("profiles:read={}", vec!["a"; LISTED_MAX + 1].join(","));
        for text in [
            "",
            "profile:read",
            "profiles:read=",
            "profiles:read=a,",
            "profiles:read= a",
            "profiles:read=*",
            "profiles:read=class:secret",
            "profiles:propose=identifier:email",
            "events:write=*",
            "events:write=",
            "admin=",
            "registry:read=first_name",
            "audit:read=first_name",
            "admin:read=",
            "admin:write",
            "Admin",
            &long,
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text:?}");
        }
    }
}

//! One event's JSON read and checked: what is right becomes a [`NewEvent`], what isn't a problem
//! with its path. Pure: it looks at the text, the registry and the time it is given.

use serde_json::value::RawValue;

use super::convert::accept_problem;
use super::json::{self, DEPTH_MAX, Elements, JsonPath, Scan};
use super::problem::{Kind, Problem};
use super::twice;
use samsyn_engine::{AcceptError, NewEvent};
use samsyn_registry::manifest::PLATFORM_PREFIX;
use samsyn_registry::{Field, Policy, Registry, ScopeName};
use samsyn_vocabulary::{
    Application, CoerceError, Epoch, EventName, FieldName, Identifier, IdentifierName, Members, NameError,
    ProfileId, Property, Proposal, Rules, Speaker, Timestamp, Type, Value,
};
use samsyn_wire::request::{
    self, EVENT_BYTES_MAX, EVENT_ID_BYTES_MAX, EVENTS_MAX, NewEventList, PROPERTY_NAME_BYTES_MAX,
};

/// How deep an event's own members are: the event, and its identifiers, properties and proposals.
const DEPTH_OF_MEMBERS: usize = 2;

/// The sender of an event, and the registry and time that it is checked against.
pub struct Sender<'a> {
    registry: &'a Registry,
    application: Application,
    speaker: Speaker,
    now: Timestamp,
    policy: Option<&'a Policy>,
    rules: Rules,
}

impl<'a> Sender<'a> {
    /// An application that sends now.
    pub fn new(registry: &'a Registry, application: Application, now: Timestamp) -> Sender<'a> {
        let speaker = Speaker::from(&application);
        Sender { registry, application, speaker, now, policy: None, rules: Rules::Today }
    }

    /// The same, limited to what this policy allows.
    pub fn within(self, policy: &'a Policy) -> Sender<'a> {
        Sender { policy: Some(policy), ..self }
    }

    /// The same, read by the rules of older hosts: to know an event again that one of them took.
    pub fn as_before(&self) -> Sender<'a> {
        let Sender { registry, policy, now, .. } = *self;
        let (application, speaker) = (self.application.clone(), self.speaker.clone());
        Sender { registry, application, speaker, now, policy, rules: Rules::Before }
    }

    fn may(&self, what: impl Fn(&Policy) -> bool) -> bool {
        self.policy.is_none_or(what)
    }

    /// Reads one event of a batch: its size and depth first, then its members.
    pub fn read(&self, json: &str, path: &JsonPath<'_>) -> Result<NewEvent, Problem> {
        let suspect = self.check_text(json, path)?;
        let members = json::members(json, path, "an event")?;
        self.read_members(&members, suspect, path)
    }

    /// Refuses what is too large or too deep before any of it is read, and keys that stand twice; answers
    /// whether its texts need a closer look.
    fn check_text(&self, json: &str, path: &JsonPath<'_>) -> Result<bool, Problem> {
        let scan = check_bounds(json, path)?;
        // What stands less deep is met where its members are read.
        if scan.depth > DEPTH_OF_MEMBERS && self.rules == Rules::Today {
            twice::refuse(json, path)?;
        }
        Ok(scan.suspect)
    }

    fn read_members(
        &self,
        members: &Members<'_>,
        suspect: bool,
        path: &JsonPath<'_>,
    ) -> Result<NewEvent, Problem> {
        let parts = request::NewEvent::of(members).map_err(|unknown| unknown_event_key(unknown, path))?;
        let name = event_name(parts.name, path)?;
        if !self.may(|policy| policy.sends(&name)) {
            let detail = format!("the token's `{}` doesn't include {name}", ScopeName::EventsWrite);
            return Err(path.key("name").problem(Kind::ScopeMissing, detail));
        }
        let at = parts.at.map(|at| self.moment(at, &path.key("at"))).transpose()?;
        let event = NewEvent {
            id: parts.id.map(|id| event_id(id, &path.key("id"))).transpose()?,
            application: self.application.clone(),
            name,
            at,
            profile: parts.profile.map(|id| self.profile(id, path)).transpose()?,
            identifiers: match parts.identifiers {
                Some(value) => self.identifiers(value, &path.key("identifiers"))?,
                None => Vec::new(),
            },
            properties: match parts.properties {
                Some(value) => properties(value, suspect, &path.key("properties"))?,
                None => Vec::new(),
            },
            proposals: match parts.proposes {
                Some(value) => self.proposals(value, at, suspect, &path.key("proposes"))?,
                None => Vec::new(),
            },
            expected: None,
        };
        if event.profile.is_none() && event.identifiers.is_empty() {
            let detail = "the event has neither `profile` nor an identifier";
            return Err(path.key("identifiers").problem(Kind::MissingIdentifier, detail));
        }
        Ok(event)
    }

    /// A token that may not read profiles learns of none by its id: each is unknown to it.
    fn profile(&self, value: &RawValue, event: &JsonPath<'_>) -> Result<ProfileId, Problem> {
        let id = profile_id(value, &event.key("profile"))?;
        if self.may(Policy::reads_profiles) {
            return Ok(id);
        }
        Err(accept_problem(&AcceptError::UnknownProfile(id), event))
    }

    fn identifiers(&self, value: &RawValue, path: &JsonPath<'_>) -> Result<Vec<Identifier>, Problem> {
        let members = json::members(value.get(), path, "`identifiers`")?;
        members.0.iter().map(|(name, value)| self.identifier(name, value, &path.key(name))).collect()
    }

    /// Reads one identifier: a name the dictionary knows, and a text.
    pub fn identifier(
        &self,
        name: &str,
        value: &RawValue,
        path: &JsonPath<'_>,
    ) -> Result<Identifier, Problem> {
        let Some((name, _)) = self.registry.identifiers.get_key_value(name) else {
            return Err(unknown_identifier(self.registry.identifiers.keys(), name, path));
        };
        let text = json::text(value, path, "an identifier")?;
        // Whether it is an address or a number, the engine says, once it knows that the event is new.
        if let Err(fault) = samsyn_identity::trimmed(&text) {
            let detail = AcceptError::BadIdentifier(name.clone(), fault).to_string();
            return Err(path.problem(Kind::IdentifierInvalid, detail));
        }
        Ok(Identifier { name: name.clone(), value: text.into_owned() })
    }

    /// Reads `proposes`: each value of its field's type, null to clear.
    pub fn proposals(
        &self,
        value: &RawValue,
        at: Option<Timestamp>,
        suspect: bool,
        path: &JsonPath<'_>,
    ) -> Result<Vec<Proposal>, Problem> {
        let members = json::members(value.get(), path, "`proposes`")?;
        let mut proposals = Vec::with_capacity(members.0.len());
        for (name, value) in &members.0 {
            let path = path.key(name);
            // Before the dictionary is asked: a token that may not propose the field must not learn that it
            // exists.
            if !self.may(|policy| policy.proposes(name)) {
                let (scope, name) = (ScopeName::ProfilesPropose, json::shortened(name));
                let detail = format!("the token has no `{scope}` for the field {name:?}");
                return Err(path.problem(Kind::ScopeMissing, detail));
            }
            let Some((name, field)) = self.registry.fields.get_key_value(name.as_ref()) else {
                let detail = format!("there is no field {:?}", json::shortened(name));
                let known = self.registry.fields.keys().map(FieldName::as_str);
                let known = known.filter(|known| self.may(|policy| policy.proposes(known)));
                return Err(path.problem(Kind::UnknownField, detail).nearest(name, known));
            };
            let value = self.proposed(value, field, suspect, &path)?;
            let at = at.unwrap_or(self.now);
            proposals.push(Proposal { field: name.clone(), value, by: self.speaker.clone(), at });
        }
        Ok(proposals)
    }

    fn proposed(
        &self,
        value: &RawValue,
        field: &Field,
        suspect: bool,
        path: &JsonPath<'_>,
    ) -> Result<Option<Value>, Problem> {
        if value.get() == "null" {
            return Ok(None);
        }
        let json = if suspect { json::taken_texts(value, path)? } else { value.get().into() };
        let wrong = |error: CoerceError| {
            let next =
                match Epoch::of(value.get()).filter(|_| matches!(field.kind, Type::Timestamp | Type::Date)) {
                    Some(epoch) => format!("The field has the type {}; {epoch}.", field.kind),
                    None => format!("The field has the type {}; null clears it.", field.kind),
                };
            path.problem(Kind::WrongType, error.to_string()).next(next)
        };
        let value = Value::from_json(&json, field.kind, self.rules).map_err(wrong)?;
        let refused = |why| path.problem(Kind::ValueNotAllowed, format!("the field {why}"));
        field.check_value(&value).map_err(refused)?;
        Ok(Some(value))
    }

    fn moment(&self, value: &RawValue, path: &JsonPath<'_>) -> Result<Timestamp, Problem> {
        let wrong = |detail: String| {
            match Epoch::of(value.get()) {
            Some(epoch) => {
                let next = format!(
                    "A time is a string. If you mean {1} since 1970, write \"at\": \"{0}\".",
                    epoch.at,
                    epoch.unit.as_str()
                );
                path.problem(Kind::WrongType, format!("{detail}; {epoch}")).next(next)
            }
            None => path.problem(Kind::WrongType, detail).next(
                "Write for example \"2026-11-21T10:00:00Z\", or with an offset: \"2026-11-21T11:00:00+01:00\".",
            ),
        }
        };
        if !value.get().starts_with('"') {
            return Err(wrong(format!("`at` must be a string, not {}", json::kind_of(value.get()))));
        }
        let text = json::text(value, path, "`at`")?;
        let moment = match self.rules {
            Rules::Today => text.parse().ok(),
            Rules::Before => Timestamp::parse_as_before(&text),
        };
        moment.ok_or_else(|| wrong(format!("{:?} is not an RFC 3339 time", json::shortened(&text))))
    }
}

/// What a body of `POST /v1/events` holds.
pub enum Body<'a> {
    /// One event, read.
    One(Box<Result<NewEvent, Problem>>),
    /// A list, its elements not read yet: at most [`EVENTS_MAX`].
    List {
        /// Each event's JSON.
        events: Vec<&'a RawValue>,
        /// Whether they stood in `{"events": […]}`.
        wrapped: bool,
    },
}

/// Takes a body apart. What concerns the request as a whole is a problem at once; what concerns
/// one event of a list is met when that event is read.
pub fn read_body<'a>(text: &'a str, sender: &Sender<'_>) -> Result<Body<'a>, Problem> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'[') => {
            Ok(Body::List { events: elements(json::body(text)?, &JsonPath::Root)?, wrapped: false })
        }
        Some(b'{') => read_object(text, sender),
        _ => {
            let other: &RawValue = json::body(text)?;
            let found = json::kind_of(other.get());
            let detail =
                format!("the body must be an event, a list of events or {{\"events\": […]}}, not {found}");
            Err(Problem::new(Kind::WrongType, detail))
        }
    }
}

fn read_object<'a>(text: &'a str, sender: &Sender<'_>) -> Result<Body<'a>, Problem> {
    let members: Members<'a> = json::body_object(text)?;
    let Some(list) = NewEventList::of(&members) else {
        let read = sender
            .check_text(text.trim_ascii(), &JsonPath::Root)
            .and_then(|suspect| sender.read_members(&members, suspect, &JsonPath::Root));
        return Ok(Body::One(Box::new(read)));
    };
    let NewEventList { events } = list.map_err(|other| {
        let detail = format!("no other member is allowed beside `events`: {:?}", json::shortened(other));
        let next = "Send each event in `events`, and nothing beside it.";
        JsonPath::Root.key(other).problem(Kind::UnknownKey, detail).next(next)
    })?;
    let (json, path) = (events.get(), JsonPath::Root.key("events"));
    if !json.starts_with('[') {
        return Err(
            path.problem(Kind::WrongType, format!("`events` must be a list, not {}", json::kind_of(json)))
        );
    }
    Ok(Body::List { events: elements(json::body(json)?, &path)?, wrapped: true })
}

fn elements<'a>(
    elements: Elements<'a, EVENTS_MAX>,
    path: &JsonPath<'_>,
) -> Result<Vec<&'a RawValue>, Problem> {
    if elements.count > EVENTS_MAX {
        let detail = format!("the list has {} events; the limit is {EVENTS_MAX}", elements.count);
        return Err(path.problem(Kind::TooManyEvents, detail));
    }
    Ok(elements.kept)
}

/// Refuses what is too large or too deep before any of it is read.
fn check_bounds(json: &str, path: &JsonPath<'_>) -> Result<Scan, Problem> {
    if json.len() > EVENT_BYTES_MAX {
        let detail = format!("the event has {} bytes; the limit is {EVENT_BYTES_MAX}", json.len());
        return Err(path.problem(Kind::EventTooLarge, detail));
    }
    let scan = json::scan(json);
    if scan.depth > DEPTH_MAX {
        let detail =
            format!("lists and objects are nested {} levels deep; the limit is {DEPTH_MAX}", scan.depth);
        return Err(path.problem(Kind::TooDeep, detail));
    }
    Ok(scan)
}

fn event_name(value: Option<&RawValue>, path: &JsonPath<'_>) -> Result<EventName, Problem> {
    let Some(value) = value else {
        let detail = "the event has no `name`";
        return Err(path
            .key("name")
            .problem(Kind::MissingKey, detail)
            .next("Name what happened, such as \"name\": \"order.completed\"."));
    };
    let path = path.key("name");
    let text = json::text(value, &path, "`name`")?;
    let name = EventName::new(&text).map_err(|error| bad_name(&error, &path))?;
    if name.as_str().starts_with(PLATFORM_PREFIX) {
        return Err(path.problem(Kind::ReservedName, format!("{name} starts with {PLATFORM_PREFIX}")));
    }
    Ok(name)
}

fn event_id(value: &RawValue, path: &JsonPath<'_>) -> Result<String, Problem> {
    let id = json::text(value, path, "`id`")?;
    if id.is_empty() || id.len() > EVENT_ID_BYTES_MAX {
        let detail = format!("an event id must have 1 to {EVENT_ID_BYTES_MAX} bytes, not {}", id.len());
        return Err(path
            .problem(Kind::NameInvalid, detail)
            .next("Leave `id` out: the host then makes an id."));
    }
    if let Some(letter) = id.chars().find(|letter| letter.is_control()) {
        let detail = format!("the id has the control character U+{:04X}", u32::from(letter));
        return Err(path.problem(Kind::ControlCharacters, detail));
    }
    Ok(id.into_owned())
}

fn profile_id(value: &RawValue, path: &JsonPath<'_>) -> Result<ProfileId, Problem> {
    let text = json::text(value, path, "`profile`")?;
    let wrong = |_| {
        path.problem(Kind::WrongType, format!("{:?} is not a profile id", json::shortened(&text)))
            .next("Use the id from the host's answer; for a customer's identifier use `identifiers`.")
    };
    text.parse().map_err(wrong)
}

fn properties(value: &RawValue, suspect: bool, path: &JsonPath<'_>) -> Result<Vec<Property>, Problem> {
    let members = json::members(value.get(), path, "`properties`")?;
    let mut properties = Vec::with_capacity(members.0.len());
    for (name, value) in members.0 {
        if name.is_empty() || name.len() > PROPERTY_NAME_BYTES_MAX || name.contains(char::is_control) {
            let detail = format!(
                "a property name must have 1 to {PROPERTY_NAME_BYTES_MAX} bytes and no control characters"
            );
            return Err(path.key(&name).problem(Kind::NameInvalid, detail));
        }
        let json = if suspect { json::taken_texts(value, &path.key(&name))? } else { value.get().into() };
        properties.push(Property { value: Value::Json(json.into_owned()), name: name.into_owned() });
    }
    Ok(properties)
}

/// The problem of a name that isn't one.
pub fn bad_name(error: &NameError, path: &JsonPath<'_>) -> Problem {
    path.problem(Kind::NameInvalid, error.to_string())
}

/// The problem of an identifier that is none of these.
pub fn unknown_identifier<'a>(
    known: impl Iterator<Item = &'a IdentifierName>,
    name: &str,
    path: &JsonPath<'_>,
) -> Problem {
    let known: Vec<&str> = known.map(IdentifierName::as_str).collect();
    let detail =
        format!("unknown identifier {:?}; the identifiers are: {}", json::shortened(name), known.join(", "));
    path.problem(Kind::UnknownIdentifier, detail).nearest(name, known)
}

fn unknown_event_key(key: &str, event: &JsonPath<'_>) -> Problem {
    let keys: Vec<String> = request::NewEvent::MEMBERS.iter().map(|key| format!("`{key}`")).collect();
    let detail = format!("an event has no member {:?}; it has {}", json::shortened(key), keys.join(", "));
    let problem = event.key(key).problem(Kind::UnknownKey, detail);
    problem
        .next("Remove it, or put the event's own data into `properties`.")
        .nearest(key, request::NewEvent::MEMBERS.iter().copied())
}

#[cfg(test)]
#[path = "event_json_tests.rs"]
mod tests;

//! What a handler asks for, judged the moment it asks: taken, refused, or a limit spent.
//!
//! Nothing here acts, and a test host judges as a host does. The effects are a list that the caller gets if the handler returns ok.

use std::sync::Arc;

use crate::access::Access;
use crate::effects_calls;
use crate::given::{self, Given, GivenProperty, Objection};
use crate::limits::{Limits, as_usize};
use crate::refusal::RefusalCode;
use crate::rule::FieldRule;
use crate::vocabulary::{
    Action, Effect, EventName, FieldName, NameError, Property, Refusal, TimerName, Timestamp, Type, Value,
};

/// An effect: a function of one of the contract's interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectEntry {
    /// Its name in the log: the function's, for those of the interface `effects`.
    pub name: &'static str,
    /// What a capability does with it, as a story tells it: `loyalty claims …`.
    pub verb: &'static str,
}

/// Every effect of the interface `effects`, in the contract's order.
pub const EFFECTS: &[EffectEntry] = &[
    EffectEntry { name: "set", verb: "claims" },
    EffectEntry { name: "clear", verb: "claims no" },
    EffectEntry { name: "refuse", verb: "rejects" },
    EffectEntry { name: "emit", verb: "emits" },
    EffectEntry { name: "remember", verb: "remembers" },
];

/// Every effect of the interface `timers`, in the contract's order. In the log the interface stands before the
/// function, so that no two effects have one name.
pub const TIMER_EFFECTS: &[EffectEntry] = &[
    EffectEntry { name: TIMER_SET, verb: "sets timer" },
    EffectEntry { name: TIMER_CANCEL, verb: "cancels timer" },
];

/// The functions of the interface `timers`.
pub const TIMER_FUNCTIONS: [&str; 2] = ["set", "cancel"];

/// The action that sets a timer: its subject is the timer's name, its value the time.
pub const TIMER_SET: &str = "timer.set";
/// The action that cancels a timer: its subject is the timer's name.
pub const TIMER_CANCEL: &str = "timer.cancel";

/// The shortest time from setting a timer to its firing, in milliseconds: a plug-in that sets its timer again each
/// time it fires is invoked once a second.
pub const TIMER_DELAY_MS: i64 = 1_000;

/// The most timers of one plug-in that can be set for one customer.
pub const TIMERS_MAX: usize = 32;

/// The names of [`EFFECTS`].
pub const EFFECT_NAMES: [&str; EFFECTS.len()] = {
    let mut names = [""; EFFECTS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = EFFECTS[index].name;
        index += 1;
    }
    names
};

/// The verb of an effect; of one that only a newer host knows, a general one.
pub fn effect_verb(name: &str) -> &'static str {
    effect(name).map_or("asks for", |entry| entry.verb)
}

/// The entry of an effect of any interface; none when only a newer host knows it.
pub fn effect(name: &str) -> Option<&'static EffectEntry> {
    EFFECTS.iter().chain(TIMER_EFFECTS).find(|entry| entry.name == name)
}

/// The longest code of a refusal, in bytes; it is a word, not a sentence.
const CODE_BYTES_MAX: usize = 64;

/// How much of a name nobody declared is repeated in a refusal, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A limit was spent, which ends the invocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LimitSpent(pub String);

/// What the guest hears at once: taken, or why not. The error ends the invocation.
pub type Answer = Result<Result<(), Refused>, LimitSpent>;

/// The effects of one invocation so far.
#[derive(Debug)]
pub struct Effects {
    access: Arc<Access>,
    limits: Arc<Limits>,
    asked: u32,
    bytes: u64,
    /// Timers of the plug-in that are set for this customer, by name.
    timers: Vec<TimerName>,
    /// Calls of the plug-in that wait for this customer.
    pub(crate) calls_waiting: usize,
    /// The handler begins the look-up of a call, and nothing else.
    pub(crate) looks_up: bool,
    taken: Vec<Effect>,
    refusals: Vec<Refusal>,
}

impl Effects {
    /// Of an invocation with this access, within these limits.
    pub fn new(access: Arc<Access>, limits: Arc<Limits>) -> Effects {
        let (timers, taken, refusals) = (Vec::new(), Vec::new(), Vec::new());
        Effects {
            access,
            limits,
            asked: 0,
            bytes: 0,
            timers,
            calls_waiting: 0,
            looks_up: false,
            taken,
            refusals,
        }
    }

    /// Says which timers of the plug-in are set for the customer, before the handler is invoked.
    pub fn set_known_timers(&mut self, timers: Vec<TimerName>) {
        self.timers = timers;
    }

    /// What was taken, in order, and what was refused.
    pub fn into_parts(self) -> (Vec<Effect>, Vec<Refusal>) {
        (self.taken, self.refusals)
    }

    /// What the invocation may say and read.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Claims a value.
    pub fn set(&mut self, field: &str, value: Given) -> Answer {
        self.count()?;
        match self.claim(field, value) {
            Ok(effect) => self.take_about_field(effect),
            Err(refused) => self.refuse_it(Some(field), refused),
        }
    }

    /// Claims that the field has no value.
    pub fn clear(&mut self, field: &str) -> Answer {
        self.count()?;
        match sourced(&self.access, field) {
            Ok((field, _)) => self.take_about_field(Effect::Claim { field: field.clone(), value: None }),
            Err(refused) => self.refuse_it(Some(field), refused),
        }
    }

    /// Refuses one proposed field, or the whole invocation.
    pub fn refuse(&mut self, field: Option<&str>, code: &str, message: &str) -> Answer {
        self.count()?;
        let found = field.map(|field| sourced(&self.access, field)).transpose();
        let field_name = match found {
            Ok(found) => found.map(|(field, _)| field.clone()),
            Err(refused) => return self.refuse_it(field, refused),
        };
        if !is_code(code) {
            let reason = "a refusal's code is at most 64 lower-case letters, digits, '.', '_' and '-'";
            return self
                .refuse_it(field, Refused { code: RefusalCode::RefuseCode, message: reason.to_owned() });
        }
        // Its sender reads what these say of an event as the host's word.
        if RefusalCode::tells_sender(code) {
            let message = format!("{code} is a code of the host's own");
            return self.refuse_it(field, Refused { code: RefusalCode::RefuseCode, message });
        }
        let message = given::message(message, as_usize(self.limits.message_bytes));
        self.take_about_field(Effect::Refuse { field: field_name, code: code.to_owned(), message })
    }

    /// Emits an event.
    pub fn emit(&mut self, name: &str, properties: Vec<GivenProperty>) -> Answer {
        self.count()?;
        match self.event(name, properties) {
            Ok(effect) => self.take(effect),
            Err(refused) => self.refuse_it(None, refused),
        }
    }

    /// Keeps private bytes, or forgets them.
    pub fn remember(&mut self, memory: Option<Vec<u8>>) -> Answer {
        self.count()?;
        let (bytes, limit) = (memory.as_ref().map_or(0, Vec::len) as u64, self.limits.remember_bytes);
        if bytes > limit {
            let message = format!("a plug-in can remember {limit} bytes of a customer, not {bytes}");
            return self.refuse_it(None, Refused { code: RefusalCode::MemoryTooLarge, message });
        }
        self.taken.retain(|earlier| !matches!(earlier, Effect::Remember(_)));
        self.take(Effect::Remember(memory))
    }

    /// Sets a timer of the plug-in for this customer. The last word on a timer counts.
    pub fn set_timer(&mut self, name: &str, at: Timestamp) -> Answer {
        self.count()?;
        let action = self.timer(name).and_then(|name| {
            let at = given::take(Given::Timestamp(at.millis()), Type::Timestamp, self.limits.value_bytes)
                .map_err(|objection| Refused::of("the timer's time", objection))?;
            Ok((name, at))
        });
        let (name, at) = match action {
            Ok(action) => action,
            Err(refused) => return self.refuse_it(None, refused),
        };
        if self.timers_set(&name) >= TIMERS_MAX {
            let message = format!(
                "{TIMERS_MAX} timers are set for this customer, so {name} can't be set: cancel one, or use one name again"
            );
            return self.refuse_it(None, Refused { code: RefusalCode::TimerTooMany, message });
        }
        self.take_timer(TIMER_SET, name, Some(at))
    }

    /// Cancels a timer of the plug-in for this customer. Of a timer that isn't set nothing is recorded.
    pub fn cancel_timer(&mut self, name: &str) -> Answer {
        self.count()?;
        match self.timer(name) {
            Ok(name) if self.timers.contains(&name) => self.take_timer(TIMER_CANCEL, name, None),
            Ok(name) => {
                self.taken.retain(|earlier| timer_of(earlier) != Some(name.as_str()));
                Ok(Ok(()))
            }
            Err(refused) => self.refuse_it(None, refused),
        }
    }

    fn timer(&self, name: &str) -> Result<TimerName, Refused> {
        if !self.access.timers {
            let message = "the manifest doesn't have timers = true in [plugin]".to_owned();
            return Err(Refused { code: RefusalCode::TimerNotDeclared, message });
        }
        let refused = |error: NameError| Refused { code: RefusalCode::TimerName, message: error.to_string() };
        TimerName::new(name).map_err(refused)
    }

    /// How many other timers are set when the invocation ends as it is now.
    fn timers_set(&self, except: &TimerName) -> usize {
        let said = |name: &str| self.taken.iter().any(|effect| timer_of(effect) == Some(name));
        let kept = self.timers.iter().filter(|name| *name != except && !said(name.as_str())).count();
        let sets = |effect: &&Effect| matches!(effect, Effect::Action(action) if action.name == TIMER_SET && action.subject != except.as_str());
        kept + self.taken.iter().filter(sets).count()
    }

    fn take_timer(&mut self, kind: &'static str, name: TimerName, value: Option<Value>) -> Answer {
        self.taken.retain(|earlier| timer_of(earlier) != Some(name.as_str()));
        let (name, subject) = (kind.to_owned(), name.as_str().to_owned());
        self.take(Effect::Action(Action { name, subject, value }))
    }

    /// Asks for an action: the one rule of every effect that is no claim, refusal, event or memory. Its subject
    /// is text and its value of the given type, each within the limit of a value. What else one kind of action
    /// checks, such as a grant, it checks before.
    pub fn act(&mut self, name: &'static str, subject: &str, value: Option<(Given, Type)>) -> Answer {
        self.count()?;
        let limit = self.limits.value_bytes;
        let checked = |what: &str, given, kind| {
            given::take(given, kind, limit)
                .map_err(|objection| Refused::of(&format!("{name}: {what}"), objection))
        };
        let text = Given::Text(subject.to_owned());
        let subject = match checked("its subject", text, Type::Text) {
            Ok(_) => subject.to_owned(),
            Err(refused) => return self.refuse_it(None, refused),
        };
        let value = match value.map(|(given, kind)| checked("its value", given, kind)).transpose() {
            Ok(value) => value,
            Err(refused) => return self.refuse_it(None, refused),
        };
        let same = |earlier: &Effect| matches!(earlier, Effect::Action(action) if action.name == name && action.subject == subject);
        self.taken.retain(|earlier| !same(earlier));
        self.take(Effect::Action(Action { name: name.to_owned(), subject, value }))
    }

    fn claim(&self, field: &str, value: Given) -> Result<Effect, Refused> {
        let (name, declared) = sourced(&self.access, field)?;
        let value = given::take(value, declared.kind, self.limits.value_bytes)
            .map_err(|objection| Refused::of(name.as_str(), objection))?;
        if let Err(why) = declared.check(&value) {
            let message = given::message(&format!("{name} {why}"), as_usize(self.limits.message_bytes));
            return Err(Refused { code: RefusalCode::ValueNotAllowed, message });
        }
        Ok(Effect::Claim { field: name.clone(), value: Some(value) })
    }

    fn event(&self, name: &str, given: Vec<GivenProperty>) -> Result<Effect, Refused> {
        let Some((name, declared)) = self.access.emits.get_key_value(name) else {
            let message = format!("the manifest doesn't emit {:?}", shorten(name));
            return Err(Refused { code: RefusalCode::EventNotDeclared, message });
        };
        let mut properties: Vec<Property> = Vec::with_capacity(given.len().min(declared.len()));
        for GivenProperty { name: property, value } in given {
            let refused = |problem: &str| Refused {
                code: RefusalCode::EventProperty,
                message: format!("{name} {problem} property {:?}", shorten(&property)),
            };
            let kind = declared.get(&property).ok_or_else(|| refused("declares no"))?;
            if properties.iter().any(|earlier| earlier.name == property) {
                return Err(refused("has twice the"));
            }
            let value = given::take(value, *kind, self.limits.value_bytes)
                .map_err(|objection| Refused::of(&format!("{name}'s {property}"), objection))?;
            properties.push(Property { name: property, value });
        }
        Ok(Effect::Emit { name: EventName::clone(name), properties })
    }

    /// The last word on a field counts: it takes the place of what was said about it before.
    fn take_about_field(&mut self, effect: Effect) -> Answer {
        if let Some(field) = field_of(&effect) {
            self.taken.retain(|earlier| field_of(earlier) != Some(field));
        }
        self.take(effect)
    }

    pub(crate) fn take(&mut self, effect: Effect) -> Answer {
        // What is replaced stays counted: else a guest could make us copy without end.
        self.add_bytes(size(&effect))?;
        self.taken.push(effect);
        Ok(Ok(()))
    }

    pub(crate) fn taken(&self) -> &[Effect] {
        &self.taken
    }

    pub(crate) fn access_and_taken(&mut self) -> (&Access, &mut Vec<Effect>) {
        (&self.access, &mut self.taken)
    }

    pub(crate) fn add_bytes(&mut self, bytes: u64) -> Result<(), LimitSpent> {
        self.bytes += bytes;
        if self.bytes > self.limits.effect_bytes {
            let limit = self.limits.effect_bytes;
            return Err(LimitSpent(format!("its effects hold more than {limit} bytes (effect_bytes)")));
        }
        Ok(())
    }

    fn refuse_it(&mut self, field: Option<&str>, refused: Refused) -> Answer {
        Ok(Err(self.note_refusal(field, refused)))
    }

    pub(crate) fn note_refusal(&mut self, field: Option<&str>, refused: Refused) -> Refused {
        let Refused { code, message } = refused;
        self.refusals.push(Refusal {
            field: field.map(|field| shorten(field).to_owned()),
            code: code.into(),
            message: message.clone(),
        });
        Refused { code, message }
    }

    pub(crate) fn count(&mut self) -> Result<(), LimitSpent> {
        self.asked += 1;
        if self.asked > self.limits.effects {
            let limit = self.limits.effects;
            return Err(LimitSpent(format!("it asked for more than {limit} effects in one call (effects)")));
        }
        Ok(())
    }
}

/// Why one effect is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The host's stable code.
    pub code: RefusalCode,
    /// A sentence for the plug-in's author.
    pub message: String,
}

impl Refused {
    fn of(name: &str, objection: Objection) -> Refused {
        Refused { code: objection.code, message: format!("{name} {}", objection.reason) }
    }
}

fn sourced<'a>(access: &'a Access, field: &str) -> Result<(&'a FieldName, &'a FieldRule), Refused> {
    access.sources.get_key_value(field).ok_or_else(|| Refused {
        code: RefusalCode::FieldNotSourced,
        message: format!("the manifest doesn't source {:?}, or it was not granted", shorten(field)),
    })
}

fn field_of(effect: &Effect) -> Option<&FieldName> {
    match effect {
        Effect::Claim { field, .. } => Some(field),
        Effect::Refuse { field, .. } => field.as_ref(),
        Effect::Emit { .. }
        | Effect::Remember(_)
        | Effect::Call(_)
        | Effect::Finding(_)
        | Effect::Action(_) => None,
    }
}

/// The timer that an effect is about.
fn timer_of(effect: &Effect) -> Option<&str> {
    match effect {
        Effect::Action(action) if matches!(action.name.as_str(), TIMER_SET | TIMER_CANCEL) => {
            Some(&action.subject)
        }
        _ => None,
    }
}

fn size(effect: &Effect) -> u64 {
    let bytes = match effect {
        Effect::Claim { field, value } => {
            field.as_str().len() + value.as_ref().map_or(0, crate::vocabulary::Value::size)
        }
        Effect::Refuse { field, code, message } => {
            field.as_ref().map_or(0, |field| field.as_str().len()) + code.len() + message.len()
        }
        Effect::Emit { name, properties } => {
            let properties = properties.iter().map(|property| property.name.len() + property.value.size());
            name.as_str().len() + properties.sum::<usize>()
        }
        Effect::Remember(memory) => memory.as_ref().map_or(0, Vec::len),
        Effect::Call(call) => effects_calls::size(call),
        Effect::Finding(_) => 0,
        Effect::Action(Action { name, subject, value }) => {
            name.len() + subject.len() + value.as_ref().map_or(0, crate::vocabulary::Value::size)
        }
    };
    bytes as u64
}

pub(crate) fn is_code(code: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=CODE_BYTES_MAX).contains(&code.len()) && code.bytes().all(letter)
}

pub(crate) fn shorten(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;

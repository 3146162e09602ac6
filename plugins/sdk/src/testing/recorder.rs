//! Takes effects as the host does: checked against the manifest at once, kept until the end.

use std::cell::RefCell;
use std::sync::Arc;

use crate::log::Level;
use crate::{Refusal, Value};

use super::check;
use super::manifest::Manifest;
use super::run::{Effect, HostRefusal, LogLine};

/// The most effects a host takes of one call; one more ends the call.
const EFFECTS_MAX: usize = 256;
/// Lines a host takes of one call, and bytes of a line.
const LOG_LINES_MAX: usize = 64;
const LOG_BYTES_MAX: usize = 1024;

thread_local! {
    static LOG: RefCell<Vec<LogLine>> = const { RefCell::new(Vec::new()) };
}

/// Logging needs no handle in a guest, so here the lines of the running test wait in its thread.
pub(crate) fn log(level: Level, message: &str) {
    LOG.with_borrow_mut(|lines| {
        if lines.len() < LOG_LINES_MAX {
            let message = &message[..message.floor_char_boundary(LOG_BYTES_MAX)];
            lines.push(LogLine { level, message: message.to_owned() });
        }
    });
}

pub(crate) fn take_log() -> Vec<LogLine> {
    LOG.take()
}

/// The recording host behind [`crate::Effects`].
#[derive(Debug)]
pub(crate) struct Effects {
    manifest: Arc<Manifest>,
    asked: usize,
    pub(crate) taken: Vec<Effect>,
    pub(crate) refused: Vec<HostRefusal>,
}

impl Effects {
    pub(crate) fn new(manifest: Arc<Manifest>) -> Effects {
        Effects { manifest, asked: 0, taken: Vec::new(), refused: Vec::new() }
    }

    /// Whether the handler asked for more than a host takes, which would have ended it.
    pub(crate) fn limit_spent(&self) -> bool {
        self.asked > EFFECTS_MAX
    }

    pub(crate) fn set(&mut self, field: &str, value: Value) -> Result<(), Refusal> {
        let checked = check::claim(&self.manifest, field, &value);
        self.take(field, checked, Effect::Claim { field: field.to_owned(), value: Some(value) })
    }

    pub(crate) fn clear(&mut self, field: &str) -> Result<(), Refusal> {
        let checked = check::sourced(&self.manifest, field).map(|_| ());
        self.take(field, checked, Effect::Claim { field: field.to_owned(), value: None })
    }

    pub(crate) fn refuse(&mut self, field: Option<&str>, code: &str, message: &str) -> Result<(), Refusal> {
        let checked = check::refuse(&self.manifest, field, code);
        let effect = Effect::Refuse {
            field: field.map(str::to_owned),
            code: code.to_owned(),
            message: message.to_owned(),
        };
        self.take(field.unwrap_or_default(), checked, effect)
    }

    pub(crate) fn emit(&mut self, name: &str, properties: Vec<(String, Value)>) -> Result<(), Refusal> {
        let checked = check::event(&self.manifest, name, &properties);
        self.take(name, checked, Effect::Emit { name: name.to_owned(), properties })
    }

    pub(crate) fn remember(&mut self, memory: Option<Vec<u8>>) -> Result<(), Refusal> {
        let checked = check::memory(memory.as_deref());
        self.take("memory", checked, Effect::Remember(memory))
    }

    /// The last word on a field, and the last memory, take the place of earlier ones.
    fn take(&mut self, subject: &str, checked: Result<(), Refusal>, effect: Effect) -> Result<(), Refusal> {
        self.asked += 1;
        checked.inspect_err(|refusal| {
            self.refused.push(HostRefusal { subject: subject.to_owned(), code: refusal.code.clone() });
        })?;
        self.taken.retain(|earlier| !replaces(&effect, earlier));
        self.taken.push(effect);
        Ok(())
    }
}

fn replaces(effect: &Effect, earlier: &Effect) -> bool {
    let field_of = |effect: &Effect| match effect {
        Effect::Claim { field, .. } | Effect::Refuse { field: Some(field), .. } => Some(field.clone()),
        _ => None,
    };
    let both_remember = matches!((effect, earlier), (Effect::Remember(_), Effect::Remember(_)));
    both_remember || field_of(effect).is_some_and(|field| field_of(earlier) == Some(field))
}

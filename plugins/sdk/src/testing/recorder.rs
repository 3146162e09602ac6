//! Records effects as the host does: checked at once by the contract's rules, kept until the end.

use std::cell::RefCell;
use std::sync::Arc;

use samsyn_contract::{Access, Answer, GivenProperty, LimitSpent, Limits, Logs, Refused};
use samsyn_vocabulary as host;

use crate::log::Level;
use crate::{Refusal, Timestamp, Value};

use super::run::{Effect, HostRefusal, LogLine, SentCall};
use super::words::{given, of_a_plug_in};

thread_local! {
    static LOG: RefCell<Option<Logs>> = const { RefCell::new(None) };
}

/// Logging needs no handle in a guest, so the lines of the running test are kept in its thread.
/// Outside an invocation they are dropped.
pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => host::LogLevel::Debug,
        Level::Info => host::LogLevel::Info,
        Level::Warn => host::LogLevel::Warn,
        Level::Error => host::LogLevel::Error,
    };
    LOG.with_borrow_mut(|lines| {
        if let Some(lines) = lines {
            lines.push(level, message);
        }
    });
}

/// Starts recording lines, within these limits.
pub(super) fn begin_log(limits: &Limits) {
    LOG.set(Some(Logs::new(limits)));
}

/// Ends the recording and returns the lines.
pub(super) fn end_log() -> Vec<LogLine> {
    let level = |level| match level {
        host::LogLevel::Debug => Level::Debug,
        host::LogLevel::Info => Level::Info,
        host::LogLevel::Warn => Level::Warn,
        host::LogLevel::Error => Level::Error,
    };
    let lines = LOG.take().map(Logs::into_lines).unwrap_or_default();
    lines.into_iter().map(|line| LogLine { level: level(line.level), message: line.message }).collect()
}

/// The recording host behind [`crate::Effects`].
#[derive(Debug)]
pub(crate) struct Effects {
    effects: samsyn_contract::Effects,
    refused: Vec<HostRefusal>,
    /// The exceeded limit that would have ended the invocation in a sandbox.
    spent: Option<String>,
}

/// The recorded effects of an invocation.
pub(super) struct Recorded {
    pub(super) taken: Vec<host::Effect>,
    pub(super) refused: Vec<HostRefusal>,
    pub(super) spent: Option<String>,
}

impl Effects {
    pub(super) fn new(access: Arc<Access>, limits: Arc<Limits>) -> Effects {
        Effects { effects: samsyn_contract::Effects::new(access, limits), refused: Vec::new(), spent: None }
    }

    /// Says that the handler begins a look-up.
    pub(super) fn set_looks_up(&mut self) {
        self.effects.set_looks_up();
    }

    /// Says how many calls wait for the customer.
    pub(super) fn set_waiting_calls(&mut self, calls: usize) {
        self.effects.set_waiting_calls(calls);
    }

    /// Says which timers are set for the customer.
    pub(super) fn set_known_timers(&mut self, timers: Vec<host::TimerName>) {
        self.effects.set_known_timers(timers);
    }

    pub(super) fn into_recorded(self) -> Recorded {
        let (taken, _) = self.effects.into_parts();
        Recorded { taken, refused: self.refused, spent: self.spent }
    }

    pub(crate) fn set(&mut self, field: &str, value: Value) -> Result<(), Refusal> {
        let answer = self.effects.set(field, given(value));
        self.answer(field, answer)
    }

    pub(crate) fn clear(&mut self, field: &str) -> Result<(), Refusal> {
        let answer = self.effects.clear(field);
        self.answer(field, answer)
    }

    pub(crate) fn refuse(&mut self, field: Option<&str>, code: &str, message: &str) -> Result<(), Refusal> {
        let answer = self.effects.refuse(field, code, message);
        self.answer(field.unwrap_or_default(), answer)
    }

    pub(crate) fn emit(&mut self, name: &str, properties: Vec<(String, Value)>) -> Result<(), Refusal> {
        let given = |(name, value)| GivenProperty { name, value: given(value) };
        let answer = self.effects.emit(name, properties.into_iter().map(given).collect());
        self.answer(name, answer)
    }

    pub(crate) fn set_timer(&mut self, name: &str, at: Timestamp) -> Result<(), Refusal> {
        let answer = self.effects.set_timer(name, host::Timestamp(at.millis()));
        self.answer(name, answer)
    }

    pub(crate) fn cancel_timer(&mut self, name: &str) -> Result<(), Refusal> {
        let answer = self.effects.cancel_timer(name);
        self.answer(name, answer)
    }

    pub(crate) fn begin_call(&mut self, endpoint: &str, method: &str, path: &str) -> Result<u32, Refusal> {
        let begun = self.effects.begin_call(endpoint, method, path);
        self.begun(endpoint, begun)
    }

    fn begun(
        &mut self,
        endpoint: &str,
        begun: Result<Result<u32, Refused>, LimitSpent>,
    ) -> Result<u32, Refusal> {
        match begun {
            Ok(Ok(number)) => Ok(number),
            Ok(Err(refused)) => self.answer(endpoint, Ok(Err(refused))).map(|()| u32::MAX),
            Err(limit) => self.answer(endpoint, Err(limit)).map(|()| u32::MAX),
        }
    }

    pub(crate) fn call_row(&mut self, endpoint: &str, row: &[u8]) -> Result<u32, Refusal> {
        let begun = self.effects.call_row(endpoint, row);
        self.begun(endpoint, begun)
    }

    pub(crate) fn call_query(&mut self, call: u32, name: &str, value: &str) -> Result<(), Refusal> {
        let answer = self.effects.call_query(call, name, value);
        self.answer(name, answer)
    }

    pub(crate) fn call_header(&mut self, call: u32, name: &str, value: &str) -> Result<(), Refusal> {
        let answer = self.effects.call_header(call, name, value);
        self.answer(name, answer)
    }

    pub(crate) fn call_body(&mut self, call: u32, media_type: &str, body: Vec<u8>) -> Result<(), Refusal> {
        let answer = self.effects.call_body(call, media_type, body);
        self.answer("body", answer)
    }

    pub(crate) fn call_note(&mut self, call: u32, note: Vec<u8>) -> Result<(), Refusal> {
        let answer = self.effects.call_note(call, note);
        self.answer("note", answer)
    }

    pub(crate) fn remember(&mut self, memory: Option<Vec<u8>>) -> Result<(), Refusal> {
        let answer = self.effects.remember(memory);
        self.answer("memory", answer)
    }

    /// The result for the handler. In a sandbox an exceeded limit ends the invocation; here the handler
    /// continues, and its effects are dropped.
    fn answer(&mut self, subject: &str, answer: Answer) -> Result<(), Refusal> {
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refused)) => {
                let code = String::from(refused.code);
                self.refused.push(HostRefusal { subject: subject.to_owned(), code: code.clone() });
                Err(Refusal { code, message: refused.message })
            }
            Err(limit) => {
                self.spent.get_or_insert(limit.0);
                Ok(())
            }
        }
    }
}

fn sent(call: host::NewCall) -> SentCall {
    let host::NewCall { endpoint, method, path, query, headers, body, note, is_row } = call;
    let body = body.map(|body| (body.media_type, body.bytes));
    SentCall { endpoint: endpoint.to_string(), method, path, query, headers, body, note, is_row }
}

/// The effect in the SDK's types.
pub(super) fn effect(effect: host::Effect) -> Effect {
    match effect {
        host::Effect::Claim { field, value } => {
            Effect::Claim { field: field.to_string(), value: value.as_ref().map(of_a_plug_in) }
        }
        host::Effect::Refuse { field, code, message } => {
            Effect::Refuse { field: field.map(|field| field.to_string()), code, message }
        }
        host::Effect::Emit { name, properties } => {
            let converted = |property: host::Property| (property.name, of_a_plug_in(&property.value));
            Effect::Emit {
                name: name.to_string(),
                properties: properties.into_iter().map(converted).collect(),
            }
        }
        host::Effect::Remember(memory) => Effect::Remember(memory),
        // The test host never notes one: it has what the handler returned.
        host::Effect::Finding(_) => Effect::Remember(None),
        host::Effect::Call(call) => Effect::Call(sent(*call)),
        host::Effect::Action(host::Action { name, subject, value }) => {
            Effect::Action { name, subject, value: value.as_ref().map(of_a_plug_in) }
        }
    }
}

//! The guest's side of the contract: it converts the host's arguments, invokes the role, and sends
//! each effect to the host at once. Only for wasm; a native build uses `testing` instead.

pub mod bindings;
mod convert;
mod panic;
pub mod roles;

use crate::log::Level;
use crate::{Error, Refusal, Timestamp, Value};

use bindings::imports::samsyn::plugin::{calls, effects, logging, settings, timers, types};

#[global_allocator]
static ALLOCATOR: crate::arena::Arena<std::alloc::System> = crate::arena::Arena::new(std::alloc::System);

const SETTINGS: crate::Settings = crate::Settings { _host: () };

fn effects() -> crate::Effects {
    crate::Effects { host: Effects }
}

/// Effects that go directly to the host.
#[derive(Debug)]
pub struct Effects;

impl Effects {
    pub(crate) fn set(&mut self, field: &str, value: Value) -> Result<(), Refusal> {
        effects::set(field, &convert::to_wire(value)).map_err(refusal)
    }

    pub(crate) fn clear(&mut self, field: &str) -> Result<(), Refusal> {
        effects::clear(field).map_err(refusal)
    }

    pub(crate) fn refuse(&mut self, field: Option<&str>, code: &str, message: &str) -> Result<(), Refusal> {
        effects::refuse(field, code, message).map_err(refusal)
    }

    pub(crate) fn emit(&mut self, name: &str, properties: Vec<(String, Value)>) -> Result<(), Refusal> {
        let to_wire = |(name, value)| types::Property { name, value: convert::to_wire(value) };
        let properties: Vec<_> = properties.into_iter().map(to_wire).collect();
        effects::emit(name, &properties).map_err(refusal)
    }

    pub(crate) fn set_timer(&mut self, name: &str, at: Timestamp) -> Result<(), Refusal> {
        timers::set(name, at.millis()).map_err(refusal)
    }

    pub(crate) fn cancel_timer(&mut self, name: &str) -> Result<(), Refusal> {
        timers::cancel(name).map_err(refusal)
    }

    pub(crate) fn begin_call(&mut self, endpoint: &str, method: &str, path: &str) -> Result<u32, Refusal> {
        calls::begin(endpoint, method, path).map_err(refusal)
    }

    pub(crate) fn call_row(&mut self, endpoint: &str, row: &[u8]) -> Result<u32, Refusal> {
        calls::row(endpoint, row).map_err(refusal)
    }

    pub(crate) fn call_query(&mut self, call: u32, name: &str, value: &str) -> Result<(), Refusal> {
        calls::query(call, name, value).map_err(refusal)
    }

    pub(crate) fn call_header(&mut self, call: u32, name: &str, value: &str) -> Result<(), Refusal> {
        calls::header(call, name, value).map_err(refusal)
    }

    pub(crate) fn call_body(&mut self, call: u32, media_type: &str, body: Vec<u8>) -> Result<(), Refusal> {
        calls::body(call, media_type, &body).map_err(refusal)
    }

    pub(crate) fn call_note(&mut self, call: u32, note: Vec<u8>) -> Result<(), Refusal> {
        calls::note(call, &note).map_err(refusal)
    }

    pub(crate) fn remember(&mut self, memory: Option<Vec<u8>>) -> Result<(), Refusal> {
        effects::remember(memory.as_deref()).map_err(refusal)
    }
}

fn refusal(refusal: types::Refusal) -> Refusal {
    Refusal { code: refusal.code, message: refusal.message }
}

pub(crate) fn setting(name: &str) -> Result<Option<Value>, Error> {
    settings::get(name).map(|value| convert::value(name, value)).transpose()
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => logging::Level::Debug,
        Level::Info => logging::Level::Info,
        Level::Warn => logging::Level::Warn,
        Level::Error => logging::Level::Error,
    };
    logging::log(level, message);
}

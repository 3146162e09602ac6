//! The guest's side of the contract: it converts the host's arguments, invokes the role, and sends
//! each effect to the host at once. Only for wasm; a native build uses `testing` instead.

pub mod bindings;
mod convert;
mod panic;

use std::marker::PhantomData;

use crate::log::Level;
use crate::{Error, Observer, Refusal, Source, Subscriber, Timestamp, Value};

use bindings::imports::samsyn::plugin::{effects, logging, settings, types};

#[global_allocator]
static ALLOCATOR: crate::arena::Arena<std::alloc::System> = crate::arena::Arena::new(std::alloc::System);

/// The type that the bindings export: the author's type behind the conversions.
pub struct Exported<P>(PhantomData<P>);

impl<P: Subscriber> bindings::subscriber::exports::samsyn::plugin::subscriber::Guest for Exported<P> {
    fn on_event(event: types::Event, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (event, profile) = (convert::event(event)?, convert::profile(profile)?);
            P::on_event(&event, &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Source> bindings::source::exports::samsyn::plugin::source::Guest for Exported<P> {
    fn on_proposal(proposed: Vec<types::Proposal>, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (proposals, profile) = (convert::proposals(proposed)?, convert::profile(profile)?);
            P::on_proposal(&proposals, &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

impl<P: Observer> bindings::observer::exports::samsyn::plugin::observer::Guest for Exported<P> {
    fn on_change(changes: Vec<types::Change>, at: i64, profile: types::Profile) -> Result<(), String> {
        panic::report_to_host();
        let run = || {
            let (changes, profile) = (convert::changes(changes)?, convert::profile(profile)?);
            P::on_change(&changes, Timestamp::from_millis(at), &profile, &SETTINGS, &mut effects())
        };
        run().map_err(|error| error.to_string())
    }
}

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

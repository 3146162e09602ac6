//! What a store holds during one invocation: the effects, the log lines, and how much memory was used.

use std::sync::Arc;

use wasmtime::ResourceLimiter;
use wasmtime::component::HasSelf;

use super::bindings::samsyn::plugin::{calls, effects, logging, settings, timers, types};
use super::limits::{Limits, as_usize};
use super::thread_clock::InvocationTime;
use super::values::{give, given, given_properties, refusal};
use samsyn_contract::{self as contract, Access, Effects, Logs};
use samsyn_vocabulary::{LogLevel, Timestamp};

/// The store's data. It is made for one invocation and thrown away with the store.
pub(super) struct InvocationState {
    pub(super) effects: Effects,
    pub(super) logs: Logs,
    pub(super) growth: Growth,
    pub(super) time: InvocationTime,
}

impl InvocationState {
    pub(super) fn new(
        access: Arc<Access>,
        limits: &Limits,
        of_effects: Arc<contract::Limits>,
        time: InvocationTime,
    ) -> InvocationState {
        InvocationState {
            time,
            logs: Logs::new(&of_effects),
            growth: Growth::new(limits),
            effects: Effects::new(access, of_effects),
        }
    }
}

/// Offers the contract's imports, and nothing else.
pub(super) fn add_to_linker(
    linker: &mut wasmtime::component::Linker<InvocationState>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<_, HasSelf<InvocationState>>(linker, |state| state)?;
    effects::add_to_linker::<_, HasSelf<InvocationState>>(linker, |state| state)?;
    timers::add_to_linker::<_, HasSelf<InvocationState>>(linker, |state| state)?;
    calls::add_to_linker::<_, HasSelf<InvocationState>>(linker, |state| state)?;
    settings::add_to_linker::<_, HasSelf<InvocationState>>(linker, |state| state)?;
    logging::add_to_linker::<_, HasSelf<InvocationState>>(linker, |state| state)
}

type Answer = wasmtime::Result<Result<(), types::Refusal>>;

impl types::Host for InvocationState {}

impl effects::Host for InvocationState {
    fn set(&mut self, field: String, value: types::ValueResult) -> Answer {
        Ok(self.effects.set(&field, given(value))?.map_err(refusal))
    }

    fn clear(&mut self, field: String) -> Answer {
        Ok(self.effects.clear(&field)?.map_err(refusal))
    }

    fn refuse(&mut self, field: Option<String>, code: String, message: String) -> Answer {
        Ok(self.effects.refuse(field.as_deref(), &code, &message)?.map_err(refusal))
    }

    fn emit(&mut self, name: String, properties: Vec<types::PropertyResult>) -> Answer {
        Ok(self.effects.emit(&name, given_properties(properties))?.map_err(refusal))
    }

    fn remember(&mut self, memory: Option<Vec<u8>>) -> Answer {
        Ok(self.effects.remember(memory)?.map_err(refusal))
    }
}

impl timers::Host for InvocationState {
    fn set(&mut self, name: String, at: types::Timestamp) -> Answer {
        Ok(self.effects.set_timer(&name, Timestamp(at))?.map_err(refusal))
    }

    fn cancel(&mut self, name: String) -> Answer {
        Ok(self.effects.cancel_timer(&name)?.map_err(refusal))
    }
}

impl calls::Host for InvocationState {
    fn begin(
        &mut self,
        endpoint: String,
        method: String,
        path: String,
    ) -> wasmtime::Result<Result<u32, types::Refusal>> {
        Ok(self.effects.begin_call(&endpoint, &method, &path)?.map_err(refusal))
    }

    fn query(&mut self, call: u32, name: String, value: String) -> Answer {
        Ok(self.effects.call_query(call, &name, &value)?.map_err(refusal))
    }

    fn header(&mut self, call: u32, name: String, value: String) -> Answer {
        Ok(self.effects.call_header(call, &name, &value)?.map_err(refusal))
    }

    fn body(&mut self, call: u32, media_type: String, body: Vec<u8>) -> Answer {
        Ok(self.effects.call_body(call, &media_type, body)?.map_err(refusal))
    }

    fn note(&mut self, call: u32, note: Vec<u8>) -> Answer {
        Ok(self.effects.call_note(call, note)?.map_err(refusal))
    }

    fn row(&mut self, endpoint: String, row: Vec<u8>) -> wasmtime::Result<Result<u32, types::Refusal>> {
        Ok(self.effects.call_row(&endpoint, &row)?.map_err(refusal))
    }
}

impl settings::Host for InvocationState {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<types::ValueResult>> {
        Ok(self.effects.access().settings.get(&name).map(give))
    }
}

impl logging::Host for InvocationState {
    fn log(&mut self, level: logging::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            logging::Level::Debug => LogLevel::Debug,
            logging::Level::Info => LogLevel::Info,
            logging::Level::Warn => LogLevel::Warn,
            logging::Level::Error => LogLevel::Error,
        };
        self.logs.push(level, &message);
        Ok(())
    }
}

/// Counts what an invocation's memories, tables and instances take, and refuses more at the limit.
pub(super) struct Growth {
    memory_bytes_max: usize,
    table_elements_max: usize,
    instances_max: usize,
    tables_max: usize,
    memories_max: usize,
    memory_bytes: usize,
    /// The limit that was met first. The guest may live with the no; if it fails, this is why.
    pub(super) denied: Option<&'static str>,
}

impl Growth {
    fn new(limits: &Limits) -> Growth {
        Growth {
            memory_bytes_max: as_usize(limits.memory_bytes),
            table_elements_max: as_usize(limits.table_elements),
            instances_max: as_usize(limits.instances.into()),
            tables_max: as_usize(limits.tables.into()),
            memories_max: as_usize(limits.memories.into()),
            memory_bytes: 0,
            denied: None,
        }
    }

    fn deny(&mut self, limit: &'static str) -> bool {
        self.denied.get_or_insert(limit);
        false
    }
}

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if all > self.memory_bytes_max {
            return Ok(self.deny("memory_bytes"));
        }
        self.memory_bytes = all;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements_max || self.deny("table_elements"))
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn tables(&self) -> usize {
        self.tables_max
    }

    fn memories(&self) -> usize {
        self.memories_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let mut growth = Growth::new(&Limits { memory_bytes: 100, ..Limits::default() });
        assert!(growth.memory_growing(0, 60, None).unwrap());
        assert!(!growth.memory_growing(0, 60, None).unwrap());
        assert_eq!(growth.denied, Some("memory_bytes"));
        assert!(growth.memory_growing(60, 100, None).unwrap());
    }
}

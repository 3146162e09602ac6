//! The baseline: the same component called by wasmtime with nothing around it. Set up as fast as we
//! know how to, and with the same compiled code as the host's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use samsyn::sandbox::Package;
use samsyn::vocabulary::Value;
use samsyn_sandbox::bindings::exports::samsyn::plugin::subscriber::GuestIndices;
use samsyn_sandbox::bindings::samsyn::plugin::types::{
    DataPoint, Event, Identifier, Profile, PropertyParam, PropertyResult, Refusal, ValueParam, ValueResult,
};
use samsyn_sandbox::bindings::samsyn::plugin::{effects, logging, settings, types};
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::subject::{Failure, Sample};

/// Calls of one instance that is kept before the next is made: the guest's arena is never emptied.
const CALLS_AN_INSTANCE: u64 = 200;
/// More than any call takes.
const TICKS: u64 = 1 << 40;
/// As many as threads may call.
const CALLS: u32 = 8;
/// Memory that stays in a slot.
const KEEP_BYTES: usize = 2 << 20;

/// What a call leaves behind.
struct State {
    settings: Vec<(String, Vec<String>)>,
    sets: Vec<(String, ValueResult)>,
}

impl types::Host for State {}

/// What an effect is answered.
type Answer = wasmtime::Result<Result<(), Refusal>>;

impl effects::Host for State {
    fn set(&mut self, field: String, value: ValueResult) -> Answer {
        self.sets.push((field, value));
        Ok(Ok(()))
    }

    fn clear(&mut self, _: String) -> Answer {
        Ok(Ok(()))
    }

    fn refuse(&mut self, _: Option<String>, _: String, _: String) -> Answer {
        Ok(Ok(()))
    }

    fn emit(&mut self, _: String, _: Vec<PropertyResult>) -> Answer {
        Ok(Ok(()))
    }

    fn remember(&mut self, _: Option<Vec<u8>>) -> Answer {
        Ok(Ok(()))
    }
}

impl settings::Host for State {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<ValueResult>> {
        let found = self.settings.iter().find(|(known, _)| *known == name);
        Ok(found.map(|(_, texts)| ValueResult::Texts(texts.clone())))
    }
}

impl logging::Host for State {
    fn log(&mut self, _: logging::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// A component that is compiled and linked.
pub struct Bare {
    engine: Engine,
    instance: InstancePre<State>,
    handler: GuestIndices,
    sample: Sample,
}

impl Bare {
    /// Compiles it.
    pub fn new(package: &Package, sample: Sample) -> Result<Bare, Failure> {
        let engine = Engine::new(&config())?;
        let component = Component::new(&engine, package.component())?;
        let mut linker = Linker::<State>::new(&engine);
        types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        effects::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        settings::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        logging::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        // What the component imports for other benchmarks is never called here.
        linker.define_unknown_imports_as_traps(&component)?;
        let instance = linker.instantiate_pre(&component)?;
        let handler = GuestIndices::new(&instance)?;
        Ok(Bare { engine, instance, handler, sample })
    }

    /// A call in a fresh instance.
    pub fn call(&self) -> Result<usize, Failure> {
        let mut store = self.store();
        let instance = self.instance.instantiate(&mut store)?;
        self.call_in(&mut store, &instance)
    }

    /// Calls of one instance after the other in the same store, until `going` says no.
    pub fn call_kept(&self, mut going: impl FnMut() -> bool) -> Result<(), Failure> {
        loop {
            let mut store = self.store();
            let instance = self.instance.instantiate(&mut store)?;
            for _ in 0..CALLS_AN_INSTANCE {
                if !going() {
                    return Ok(());
                }
                store.data_mut().sets.clear();
                self.call_in(&mut store, &instance)?;
            }
        }
    }

    fn store(&self) -> Store<State> {
        let settings = self.sample.access.settings.iter().filter_map(|(name, value)| match value {
            Value::Texts(texts) => Some((name.clone(), texts.clone())),
            _ => None,
        });
        let mut store = Store::new(&self.engine, State { settings: settings.collect(), sets: Vec::new() });
        store.set_epoch_deadline(TICKS);
        store
    }

    fn call_in(&self, store: &mut Store<State>, instance: &Instance) -> Result<usize, Failure> {
        let handler = self.handler.load(&mut *store, instance)?;
        let Sample { event, profile, .. } = &self.sample;
        let properties: Vec<PropertyParam<'_>> = event
            .properties
            .iter()
            .map(|property| PropertyParam { name: &property.name, value: param(&property.value) })
            .collect();
        let identifiers: Vec<Identifier<'_>> = profile
            .identifiers
            .iter()
            .map(|identifier| Identifier { name: identifier.name.as_str(), value: &identifier.value })
            .collect();
        let points: Vec<DataPoint<'_>> = profile
            .points
            .iter()
            .map(|point| DataPoint {
                field: point.field.as_str(),
                value: param(&point.value),
                observed_at: point.observed_at.millis(),
            })
            .collect();
        let id = profile.id.to_string();
        let event = Event {
            id: &event.id,
            name: event.name.as_str(),
            at: event.at.millis(),
            received_at: event.received_at.millis(),
            properties: &properties,
        };
        let profile = Profile { id: &id, identifiers: &identifiers, points: &points, memory: None };
        handler.call_on_event(&mut *store, event, profile)??;
        match store.data().sets.len() {
            2 => Ok(2),
            sets => Err(format!("the guest set {sets} fields instead of two").into()),
        }
    }
}

/// Calls a second of one thread for each of these; the same may be there more than once.
pub fn calls_per_second(callees: &[&Bare], time: Duration) -> Result<f64, Failure> {
    let calls = AtomicU64::new(0);
    let start = Instant::now();
    let call = |bare: &Bare| -> Result<(), Failure> {
        while start.elapsed() < time {
            for _ in 0..100 {
                bare.call()?;
            }
            calls.fetch_add(100, Ordering::Relaxed);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let callers: Vec<_> = callees.iter().map(|bare| scope.spawn(|| call(bare))).collect();
        callers.into_iter().try_for_each(|caller| caller.join().map_err(|_| "a caller panicked")?)
    })?;
    Ok(calls.into_inner() as f64 / start.elapsed().as_secs_f64())
}

fn param(value: &Value) -> ValueParam<'_> {
    match value {
        Value::Text(text) => ValueParam::Text(text),
        Value::Integer(number) => ValueParam::Integer(*number),
        Value::Json(text) => ValueParam::Json(text),
        _ => ValueParam::Boolean(false),
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config.concurrency_support(false);
    config.epoch_interruption(true);
    config.cranelift_nan_canonicalization(true);
    config.memory_reservation(4 << 30);
    config.memory_may_move(false);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(CALLS);
    pool.total_core_instances(CALLS * 8);
    pool.total_memories(CALLS * 2);
    pool.total_tables(CALLS * 8);
    pool.max_tables_per_module(8);
    pool.linear_memory_keep_resident(KEEP_BYTES);
    pool.table_keep_resident(64 << 10);
    pool.pagemap_scan(Enabled::Auto);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

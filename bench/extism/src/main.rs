//! The benchmarks' capability as an Extism plug-in, in a fresh instance for each call and in one
//! that is kept. The argument is the guest's module; the figures go out as JSON, in microseconds.
//!
//! A call is what a host would do: the event and the profile to JSON, the plug-in, its answer from
//! JSON. The module is compiled once, and instances come from a pool, as in the host it is
//! compared with.

use std::error::Error;
use std::time::Instant;

use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

const TURN: u32 = 500;
const TURNS: usize = 100;
/// Instances that may live at once: one, and one that is being dropped.
const INSTANCES: u32 = 8;
const KEEP_BYTES: usize = 2 << 20;

fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: samsyn-bench-extism GUEST.wasm")?;
    let module = std::fs::read(path)?;
    let compiled = CompiledPlugin::new(
        PluginBuilder::new(Manifest::new([Wasm::data(module)])).with_wasmtime_config(config()),
    )?;
    let mut kept = Plugin::new_from_compiled(&compiled)?;
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        times.0.push(timed(|| call(&mut Plugin::new_from_compiled(&compiled)?))?);
        times.1.push(timed(|| call(&mut kept))?);
    }
    println!("{}", json!({ "fresh": median(times.0), "kept": median(times.1) }));
    Ok(())
}

fn timed(mut call: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let start = Instant::now();
    for _ in 0..TURN {
        call()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(TURN))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The same event and customer as in `bench/src/subject.rs`.
fn call(plugin: &mut Plugin) -> Result<(), Failure> {
    let input = json!({
        "event": {
            "id": "order-0000042", "name": "bench.bought", "at": 1_700_000_000_000_i64, "received_at": 1_700_000_000_000_i64,
            "properties": [{ "name": "item", "value": "item-3" }],
        },
        "profile": {
            "id": "3f0e63a2-4dc8-4fb0-8d0b-0e4fb8d3a1b1",
            "identifiers": [{ "name": "customer_id", "value": "customer-0000042" }],
            "points": [
                { "field": "bench0.count", "value": 12, "observed_at": 1_700_000_000_000_i64 },
                { "field": "bench0.item", "value": "item-5", "observed_at": 1_700_000_000_000_i64 },
            ],
        },
        "settings": { "fields": ["bench0.count", "bench0.item"] },
    });
    let answer: String = plugin.call("on_event", input.to_string())?;
    let effects: Value = serde_json::from_str(&answer)?;
    match effects.as_array().map(Vec::len) {
        Some(2) => Ok(()),
        _ => Err(format!("the guest did {effects}").into()),
    }
}

fn config() -> wasmtime::Config {
    let mut pool = wasmtime::PoolingAllocationConfig::new();
    pool.total_core_instances(INSTANCES * 8);
    pool.total_memories(INSTANCES * 4);
    pool.total_tables(INSTANCES * 8);
    pool.linear_memory_keep_resident(KEEP_BYTES);
    let mut config = wasmtime::Config::new();
    config.allocation_strategy(wasmtime::InstanceAllocationStrategy::Pooling(pool));
    config
}

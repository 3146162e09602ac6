//! The settings of an engine: what code it makes, and what it holds ready for instances.

use std::num::NonZeroUsize;

use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig, WasmBacktraceDetails};

use super::failure::FRAMES_MAX;
use super::limits::{Limits, as_usize};

/// Address space of one linear memory: all a 32-bit memory can reach, so that compiled code needs
/// no bounds checks. Reserved, not used.
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;

/// How much of a memory stays resident in its slot from call to call, so that the next invocation finds its
/// pages mapped: more than a Rust plug-in touches.
const MEMORY_KEEP_BYTES: usize = 2 << 20;

/// The same for a table.
const TABLE_KEEP_BYTES: usize = 64 << 10;

/// Tables one core module may define. Adapters that a componentiser adds have a few.
const TABLES_PER_MODULE: u32 = 8;

/// An engine that makes the same code as a sandbox's and reserves no memory for instances.
pub(super) fn compiling() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// What decides about the compiled code. None of it can be configured: code is kept, and replay
/// must repeat.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    // Calls run on worker threads from start to end.
    config.concurrency_support(false);
    config.epoch_interruption(true);
    // A NaN's bits differ between machines; replay must not.
    config.cranelift_nan_canonicalization(true);
    config.memory_reservation(MEMORY_RESERVATION_BYTES);
    // A pooled memory stays where it is, so its base can be kept in a register.
    config.memory_may_move(false);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES_MAX));
    // Failures name functions; lines would need debug information in memory.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    // What neither Rust nor an interpreter needs is one thing less to trust. Threads, garbage
    // collection and exceptions are not even compiled in.
    config.wasm_memory64(false);
    // What passes between the parts of a composed component goes from memory to memory.
    config.wasm_multi_memory(true);
    config.wasm_tail_call(false);
    config.wasm_relaxed_simd(false);
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
    config
}

/// Slots for as many invocations as may run at once, each of the largest size.
///
/// After an invocation its slot is made what it was. The quick way asks the system which pages the
/// invocation wrote to, and may not hear of one that was written out to swap meanwhile: the next customer's
/// instance would read it. So beside swap every page that is kept is reset.
pub(super) fn pool(limits: &Limits, swap_is_on: bool) -> PoolingAllocationConfig {
    let calls = limits.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls);
    pool.max_core_instances_per_component(limits.instances);
    pool.total_core_instances(calls.saturating_mul(limits.instances));
    pool.max_memories_per_component(limits.memories);
    pool.max_memories_per_module(limits.memories);
    pool.total_memories(calls.saturating_mul(limits.memories));
    pool.max_tables_per_component(limits.tables);
    pool.max_tables_per_module(limits.tables.min(TABLES_PER_MODULE));
    pool.total_tables(calls.saturating_mul(limits.tables));
    pool.max_memory_size(as_usize(limits.memory_bytes));
    pool.table_elements(as_usize(limits.table_elements));
    pool.linear_memory_keep_resident(MEMORY_KEEP_BYTES);
    pool.table_keep_resident(TABLE_KEEP_BYTES);
    pool.pagemap_scan(if swap_is_on { Enabled::No } else { Enabled::Auto });
    pool
}

//! Why an invocation failed, in words for the developer of the plug-in.

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};

use super::limits::Limits;
use super::state::InvocationState;
use super::thread_clock::{InvocationTime, Spent};
use samsyn_contract::{LimitSpent, message as message_of};
use samsyn_vocabulary::{Failure, FailureKind, LogLevel};

/// How many guest functions a failure names, from the innermost out.
pub(super) const FRAMES_MAX: usize = 16;

/// The longest name of a function in a backtrace, in bytes: generics make endless ones.
const FRAME_BYTES_MAX: usize = 256;

/// How wasmtime words it when a guest hands over more than `hostcall_bytes`. The error's type is
/// private; a test holds the wording.
const HOSTCALL_FUEL: &str = "fuel allocated for hostcalls has been exhausted";

/// How wasmtime words a store's limit on instances, tables or memories, as above.
const COUNT_LIMIT: &str = "resource limit exceeded";

/// Judges the error that an invocation ended with.
pub(super) fn classify(error: &wasmtime::Error, state: &InvocationState, limits: &Limits) -> Failure {
    let (kind, message) = judge(error, state, limits);
    let message = message_of(&message, super::limits::as_usize(limits.message_bytes));
    Failure { kind, message, backtrace: backtrace(error) }
}

fn judge(error: &wasmtime::Error, state: &InvocationState, limits: &Limits) -> (FailureKind, String) {
    if let Some(LimitSpent(message)) = error.downcast_ref() {
        return (FailureKind::Limit, message.clone());
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        let calls = limits.concurrent_calls;
        return (FailureKind::Limit, format!("more than {calls} calls ran at once (concurrent_calls)"));
    }
    let trap = error.downcast_ref::<Trap>().copied();
    if trap == Some(Trap::Interrupt) {
        return (FailureKind::Timeout, too_long(&state.time));
    }
    if trap == Some(Trap::StackOverflow) {
        let bytes = limits.stack_bytes;
        return (
            FailureKind::Trap,
            format!("stack overflow: it used more than {bytes} bytes of stack (stack_bytes)"),
        );
    }
    if let Some(limit) = state.growth.denied {
        return (FailureKind::Limit, denied(limit, limits));
    }
    let cause = format!("{:#}", error.root_cause());
    if cause.contains(HOSTCALL_FUEL) {
        let bytes = limits.hostcall_bytes;
        return (
            FailureKind::Limit,
            format!("it handed over more than {bytes} bytes at once (hostcall_bytes)"),
        );
    }
    if cause.contains(COUNT_LIMIT) {
        return (FailureKind::Limit, format!("{cause} (instances, tables, memories)"));
    }
    // A panic hook logs the message and then traps; nothing can come between the two.
    let last_words = state.logs.newest().filter(|line| line.level == LogLevel::Error);
    match (trap, last_words) {
        (Some(Trap::UnreachableCodeReached), Some(line)) => (FailureKind::Trap, line.message.clone()),
        (Some(trap), _) => (FailureKind::Trap, trap.to_string()),
        (None, _) => (FailureKind::Trap, cause),
    }
}

fn too_long(time: &InvocationTime) -> String {
    let allowed = time.allowed_ms();
    match time.spent() {
        Some(Spent::Wall { had, within }) => format!(
            "it got {} of its {allowed} ms of CPU time (time_ms) within {} ms: this machine is too busy",
            had.as_millis(),
            within.as_millis()
        ),
        _ => format!("it used more than {allowed} ms of CPU time (time_ms)"),
    }
}

fn denied(limit: &'static str, limits: &Limits) -> String {
    match limit {
        "table_elements" => {
            format!("it wanted a table of more than {} elements (table_elements)", limits.table_elements)
        }
        _ => format!("it wanted more than {} bytes of memory ({limit})", limits.memory_bytes),
    }
}

fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let frames = backtrace.frames().iter().take(FRAMES_MAX);
    frames
        .map(|frame| match frame.func_name() {
            // Without the hash that ends a Rust symbol: it says nothing to anybody.
            Some(name) => message_of(&format!("{:#}", rustc_demangle::demangle(name)), FRAME_BYTES_MAX),
            None => format!("function {}", frame.func_index()),
        })
        .collect()
}

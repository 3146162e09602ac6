//! How much one invocation, one component and the whole sandbox may take. Every number is here.

use serde::{Deserialize, Serialize};

use samsyn_contract as contract;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What a plug-in may spend. Everything can be configured; the defaults say why they are so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Linear memory of one invocation, over all its memories, in bytes. 64 MiB: a Python or JavaScript
    /// runtime starts with 10 to 30 and a Rust plug-in needs less than one.
    pub memory_bytes: u64,
    /// Elements of one table. 65,536: the function table of an interpreter has about 20,000.
    pub table_elements: u64,
    /// Core instances of one invocation. 64: JavaScript and Python components have about forty.
    pub instances: u32,
    /// Tables of one invocation. 64: as the instances, which have about one each.
    pub tables: u32,
    /// Linear memories of one invocation. 4: one is usual; an adapter and each part of a composed component
    /// bring their own.
    pub memories: u32,
    /// CPU time of one invocation in milliseconds, from making the instance to its return. 50: a handler
    /// takes microseconds, and even an interpreter starts within a few milliseconds. Time in which the
    /// machine has its thread wait isn't counted, up to a hundred times as much.
    pub time_ms: u64,
    /// Stack of the guest in bytes, at most 1 MiB. 512 KiB: enough for deep recursion in a parser,
    /// and a quarter of a thread's stack, which the host's own frames share.
    pub stack_bytes: u64,
    /// Invocations that can run at the same moment. 32: more than worker threads on any machine this is
    /// meant for; each reserves address space, none of it is memory until it is used.
    pub concurrent_calls: u32,
    /// Bytes a guest may hand over in one call of the host. 4 MiB: what a guest asks the host to copy must
    /// be bounded before the copy is made.
    pub hostcall_bytes: u64,
    /// Effects one invocation may ask for; this and the next six are [`contract::Limits`], whose defaults
    /// they have.
    pub effects: u32,
    /// Bytes of all effects of one invocation.
    pub effect_bytes: u64,
    /// Bytes of one value.
    pub value_bytes: u64,
    /// Bytes a plug-in may remember of one customer.
    pub remember_bytes: u64,
    /// Bytes of a plug-in's claims and memory of one customer together; at most
    /// [`contract::CUSTOMER_BYTES_MAX`].
    pub customer_bytes: u64,
    /// Log lines of one invocation.
    pub log_lines: u32,
    /// Bytes of one log line, refusal or error message.
    pub message_bytes: u64,
    /// Bytes of a component or module. 32 MiB: twice what a Python component takes.
    pub component_bytes: u64,
    /// Bytes of a manifest.
    pub manifest_bytes: u64,
    /// Time to compile a component in milliseconds. 120,000: the largest take six seconds on an
    /// idle machine, and this one may be busy.
    pub compile_time_ms: u64,
    /// Address space of the process that compiles a component, in bytes. 4 GiB: a Python
    /// component takes about one, and threads reserve more than they use.
    pub compile_memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        let contract::Limits {
            effects,
            effect_bytes,
            value_bytes,
            remember_bytes,
            customer_bytes,
            log_lines,
            message_bytes,
        } = contract::Limits::default();
        Limits {
            memory_bytes: 64 * MIB,
            table_elements: 65_536,
            instances: 64,
            tables: 64,
            memories: 4,
            time_ms: 50,
            stack_bytes: 512 * KIB,
            concurrent_calls: 32,
            hostcall_bytes: 4 * MIB,
            effects,
            effect_bytes,
            value_bytes,
            remember_bytes,
            customer_bytes,
            log_lines,
            message_bytes,
            component_bytes: 32 * MIB,
            manifest_bytes: contract::MANIFEST_BYTES_MAX,
            compile_time_ms: 120_000,
            compile_memory_bytes: 4096 * MIB,
        }
    }
}

impl Limits {
    /// Those that the contract's rules keep.
    pub fn of_effects(&self) -> contract::Limits {
        contract::Limits {
            effects: self.effects,
            effect_bytes: self.effect_bytes,
            value_bytes: self.value_bytes,
            remember_bytes: self.remember_bytes,
            customer_bytes: self.customer_bytes,
            log_lines: self.log_lines,
            message_bytes: self.message_bytes,
        }
    }
}

/// A length or limit as `usize`; what doesn't fit is no limit on this machine.
pub(super) fn as_usize(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_limit_is_an_error() {
        let limits: Limits = toml::from_str("time_ms = 20").unwrap();
        assert_eq!(limits, Limits { time_ms: 20, ..Limits::default() });
        assert!(toml::from_str::<Limits>("time_millis = 20").is_err());
    }
}

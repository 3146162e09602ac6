//! The engines all plug-ins share, and the way from a package to a plug-in.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, InstanceAllocationStrategy};

use super::cache::{self, Cache};
use super::compile::Compiler;
use super::config::{config, pool};
use super::error::PackageError;
use super::invocation::Plugin;
use super::limits::{Limits, as_usize};
use super::package::Package;
use super::state::{self, InvocationState};
use super::swap;
use super::thread_clock::{self, Timing};
use super::ticker::Ticker;
use samsyn_contract::CUSTOMER_BYTES_MAX;
use samsyn_vocabulary::{Digest, Role};

/// The largest guest stack: half of what a thread of Rust's has by default, because guest and host
/// share it.
const STACK_BYTES_MAX: u64 = 1 << 20;

/// Slots of a worker's own engine. It makes one invocation at a time; with a slot for each plug-in it finds
/// the memory as the last invocation of the same plug-in left it.
const OWN_SLOTS: u32 = 16;

/// Compiled code up to this size is there once more for each worker. That of an interpreter is larger, and
/// its invocations take so long that sharing an engine isn't felt.
pub(super) const OWN_CODE_BYTES_MAX: usize = 8 << 20;

/// The sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The guest's stack would not fit into a thread's, and running over that one ends the host.
    #[error("`stack_bytes` is {found}, it can be at most {STACK_BYTES_MAX}: lower it")]
    Stack {
        /// What was configured, in bytes.
        found: u64,
    },
    /// What is kept of a customer would not fit into the view.
    #[error("`customer_bytes` is {found}, it can be at most {CUSTOMER_BYTES_MAX}: lower it")]
    Customer {
        /// What was configured, in bytes.
        found: u64,
    },
    /// The engine refused the limits, or the operating system the memory or the thread.
    #[error(
        "the sandbox can't be made: {reason}; if the address space is limited (ulimit -v, a container's limit), lower `concurrent_calls`"
    )]
    Engine {
        /// What was said.
        reason: String,
    },
}

impl SandboxError {
    fn engine(error: impl std::fmt::Display) -> SandboxError {
        // The alternate form of wasmtime's errors has the causes in it.
        SandboxError::Engine { reason: format!("{error:#}") }
    }
}

/// Engines, the imports they offer and their clock. One for the whole host.
///
/// Every invocation writes to what all invocations in an engine share: counts of its users, the locks of
/// its slots. Two threads that invoke handlers in one engine at the same time spend half as much again on
/// each invocation as two with an engine each. So every worker has one of its own ([`work_as`]), and the
/// first is for all other threads.
pub struct Sandbox {
    engines: Vec<Offering>,
    limits: Arc<Limits>,
    timing: Timing,
    compiler: Compiler,
    cache: Option<Cache>,
}

/// An engine and what components can import in it.
struct Offering {
    engine: Engine,
    linker: Linker<InvocationState>,
}

impl Sandbox {
    /// A sandbox with these limits, that compiles in its own process and keeps no compiled code.
    pub fn new(limits: &Limits) -> Result<Sandbox, SandboxError> {
        Sandbox::for_workers(limits, 0)
    }

    /// The same, with an engine more for each of so many workers.
    pub fn for_workers(limits: &Limits, workers: usize) -> Result<Sandbox, SandboxError> {
        Sandbox::offering(limits, workers, |_| Ok(()))
    }

    /// Compiles components there.
    pub fn compiling_in(self, compiler: Compiler) -> Sandbox {
        Sandbox { compiler, ..self }
    }

    /// Keeps compiled code in that directory. It must be the host's own: what lies there is run.
    pub fn caching_in(self, directory: impl Into<PathBuf>) -> Sandbox {
        Sandbox { cache: Some(Cache::new(directory.into())), ..self }
    }

    /// Counts calls' time by another clock than the system's.
    #[cfg(test)]
    pub(super) fn timed_by(self, clock: Arc<dyn thread_clock::ThreadClock>) -> Sandbox {
        Sandbox { timing: Timing { clock, ..self.timing.clone() }, ..self }
    }

    /// Compiles where another does, and finds the code that one kept, but keeps none itself. Calls of
    /// one never take the slots of the other.
    pub fn with_code_of(self, other: &Sandbox) -> Sandbox {
        let cache = other.cache.as_ref().map(Cache::only_read);
        Sandbox { compiler: other.compiler.clone(), cache, ..self }
    }

    /// The limits it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a package a plug-in. Compiles it unless its code is kept, which can take seconds,
    /// and makes one instance to see that it can be made.
    pub fn load(&self, package: &Package) -> Result<Plugin, PackageError> {
        let component = self.compiled(package)?;
        self.link(component, package.digest(), package.roles())
    }

    fn link(
        &self,
        component: Component,
        digest: Digest,
        roles: &BTreeSet<Role>,
    ) -> Result<Plugin, PackageError> {
        let mut components = self.copies(&component)?;
        components.insert(0, component);
        let linked = self.engines.iter().zip(&components);
        let linked = linked.map(|(offering, component)| offering.linker.instantiate_pre(component));
        let instances = linked.collect::<Result<_, _>>().map_err(PackageError::engine)?;
        Plugin::new(digest, roles.clone(), instances, &self.limits, &self.timing)
    }

    /// The component once more for each worker's own engine; none if it is too large for that.
    fn copies(&self, component: &Component) -> Result<Vec<Component>, PackageError> {
        let workers = &self.engines[1..];
        if workers.is_empty() {
            return Ok(Vec::new());
        }
        let code = component.serialize().map_err(PackageError::engine)?;
        if code.len() > OWN_CODE_BYTES_MAX {
            return Ok(Vec::new());
        }
        let copies = workers.iter().map(|own| cache::deserialize(&own.engine, &code));
        copies.collect::<Result<_, _>>().map_err(|error| PackageError::engine_within(error, &self.limits))
    }

    fn first(&self) -> &Engine {
        &self.engines[0].engine
    }

    /// As [`Sandbox::for_workers`], and offers what `more` adds: how a later host's contract is tested.
    pub(super) fn offering(
        limits: &Limits,
        workers: usize,
        more: impl Fn(&mut Linker<InvocationState>) -> wasmtime::Result<()>,
    ) -> Result<Sandbox, SandboxError> {
        Sandbox::make(limits, workers, more, swap::is_on())
    }

    /// One as on a machine that may or may not swap.
    #[cfg(test)]
    pub(super) fn new_beside_swap(limits: &Limits, swap_is_on: bool) -> Result<Sandbox, SandboxError> {
        Sandbox::make(limits, 0, |_| Ok(()), swap_is_on)
    }

    fn make(
        limits: &Limits,
        workers: usize,
        more: impl Fn(&mut Linker<InvocationState>) -> wasmtime::Result<()>,
        swap_is_on: bool,
    ) -> Result<Sandbox, SandboxError> {
        if limits.stack_bytes > STACK_BYTES_MAX {
            return Err(SandboxError::Stack { found: limits.stack_bytes });
        }
        if limits.customer_bytes > CUSTOMER_BYTES_MAX {
            return Err(SandboxError::Customer { found: limits.customer_bytes });
        }
        let own = Limits { concurrent_calls: limits.concurrent_calls.min(OWN_SLOTS), ..limits.clone() };
        let all = std::iter::once(limits).chain(std::iter::repeat_n(&own, workers));
        if swap_is_on {
            tracing::info!(
                "this machine may swap: after a call all memory that is kept is reset, which takes longer; without swap only what the call wrote to"
            );
        }
        let engines = all.map(|limits| Offering::new(limits, &more, swap_is_on));
        let engines: Vec<Offering> =
            engines.collect::<wasmtime::Result<_>>().map_err(SandboxError::engine)?;
        let ticker = Ticker::start(engines.iter().map(|offering| &offering.engine));
        Ok(Sandbox {
            engines,
            limits: Arc::new(limits.clone()),
            timing: Timing {
                ticker: Arc::new(ticker.map_err(SandboxError::engine)?),
                clock: Arc::new(thread_clock::of_this_thread()),
            },
            compiler: Compiler::InProcess,
            cache: None,
        })
    }

    fn compiled(&self, package: &Package) -> Result<Component, PackageError> {
        let digest = package.digest();
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.load(self.first(), digest)) {
            return Ok(component);
        }
        let code = self.compiler.compile(package.component(), &self.limits)?;
        let component = cache::deserialize(self.first(), &code)
            .map_err(|error| PackageError::engine_within(error, &self.limits))?;
        if let Some(cache) = &self.cache {
            cache.store(self.first(), digest, &code);
        }
        Ok(component)
    }
}

impl Offering {
    fn new(
        limits: &Limits,
        more: impl Fn(&mut Linker<InvocationState>) -> wasmtime::Result<()>,
        swap_is_on: bool,
    ) -> wasmtime::Result<Offering> {
        let mut config = config();
        config.max_wasm_stack(as_usize(limits.stack_bytes));
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, swap_is_on)));
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        state::add_to_linker(&mut linker)?;
        more(&mut linker)?;
        Ok(Offering { engine, linker })
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.limits).finish_non_exhaustive()
    }
}

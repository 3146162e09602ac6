//! A plug-in that is ready, and one invocation of it: a fresh store and instance, thrown away after.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::InstancePre;
use wasmtime::{Store, StoreContextMut, UpdateDeadline};

use super::error::PackageError;
use super::failure;
use super::handlers::{HandlerInput, Handlers};
use super::limits::{Limits, as_usize};
use super::state::InvocationState;
use super::thread_clock::{InvocationTime, Timing};
use samsyn_contract::{self as contract, Access};
use samsyn_vocabulary::{Digest, Effect, Failure, FailureKind, LogLine, Refusal, Role};

/// How many times the time of an invocation the instance made at loading may take: its pages are touched
/// for the first time.
const TRY_OUT_FACTOR: u64 = 20;

/// How an invocation went.
#[derive(Clone, Debug, PartialEq)]
pub struct InvocationReport {
    /// What the handler asked for, or why nothing of it happens. At most one claim or refusal for
    /// each field, and at most one `Remember`.
    pub result: Result<Vec<Effect>, Failure>,
    /// What the host refused, also when the plug-in ignored it and when the invocation failed.
    pub refusals: Vec<Refusal>,
    /// What the guest logged, at most `log_lines` and one.
    pub logs: Vec<LogLine>,
    /// From making the instance to having thrown it away: time that passed.
    pub duration: Duration,
    /// How much of it the invocation's thread computed. Of an invocation that took less than about two
    /// milliseconds it is all of it.
    pub cpu: Duration,
}

thread_local! {
    /// Which of a plug-in's engines this thread calls in.
    static ENGINE: Cell<usize> = const { Cell::new(0) };
}

/// From now on this thread calls in the engine of the worker with this number, counted from 0; in
/// the one for everybody when the sandbox has none for it. Two threads may say the same: it costs
/// them time, nothing else.
pub fn work_as(worker: usize) {
    ENGINE.set(worker + 1);
}

/// A component that is compiled and linked. Calls may run at the same time on any number of
/// threads up to `concurrent_calls`.
pub struct Plugin {
    digest: Digest,
    roles: BTreeSet<Role>,
    /// The first for everybody, the others for a worker each.
    linked: Vec<Linked>,
}

/// A component in one engine, with nothing that another engine's invocations write to.
struct Linked {
    instance: InstancePre<InvocationState>,
    handlers: Handlers,
    limits: Arc<Limits>,
    of_effects: Arc<contract::Limits>,
    timing: Arc<Timing>,
}

impl Plugin {
    /// Finds the roles' functions and makes one instance, so that what would fail on every invocation fails
    /// here: a function of another type, more instances than the limits allow, a start function that traps.
    pub(super) fn new(
        digest: Digest,
        roles: BTreeSet<Role>,
        instances: Vec<InstancePre<InvocationState>>,
        limits: &Limits,
        timing: &Timing,
    ) -> Result<Plugin, PackageError> {
        let link = |instance| Linked::new(instance, &roles, limits, timing);
        let linked: Vec<Linked> = instances.into_iter().map(link).collect::<Result<_, _>>()?;
        linked[0].try_out()?;
        Ok(Plugin { digest, roles, linked })
    }

    /// The hash of the bytes it was made from, as they were given.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// In how many engines it is.
    #[cfg(test)]
    pub(super) fn engines(&self) -> usize {
        self.linked.len()
    }

    /// The roles it has.
    pub fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    /// Calls it within the configured CPU time, `time_ms`.
    pub fn invoke(&self, access: &Arc<Access>, input: HandlerInput<'_>) -> InvocationReport {
        self.invoke_within(access, input, Duration::from_millis(self.linked[0].limits.time_ms))
    }

    /// Calls it within the given CPU time of this thread, of which the first two milliseconds are taken for
    /// computed. A hundred times as much may pass until the invocation ends though it had less.
    pub fn invoke_within(
        &self,
        access: &Arc<Access>,
        input: HandlerInput<'_>,
        time: Duration,
    ) -> InvocationReport {
        let linked = self.linked.get(ENGINE.get()).unwrap_or(&self.linked[0]);
        let mut store = linked.store(access.clone(), time);
        let outcome = linked.run(&mut store, input);
        let state = store.into_data();
        let (cpu, duration) = state.time.end();
        let failure = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(message)) => Some(Failure {
                kind: FailureKind::Error,
                message: contract::message(&message, as_usize(linked.limits.message_bytes)),
                backtrace: Vec::new(),
            }),
            Err(error) => Some(failure::classify(&error, &state, &linked.limits)),
        };
        let (effects, refusals) = state.effects.into_parts();
        InvocationReport {
            result: failure.map_or(Ok(effects), Err),
            refusals,
            logs: state.logs.into_lines(),
            duration,
            cpu,
        }
    }
}

impl Linked {
    fn new(
        instance: InstancePre<InvocationState>,
        roles: &BTreeSet<Role>,
        limits: &Limits,
        timing: &Timing,
    ) -> Result<Linked, PackageError> {
        let handlers = Handlers::find(&instance, roles)?;
        let (of_effects, timing) = (Arc::new(limits.of_effects()), Arc::new(timing.clone()));
        Ok(Linked { instance, handlers, limits: Arc::new(limits.clone()), of_effects, timing })
    }

    /// A store whose limits are set and whose deadline runs.
    fn store(&self, access: Arc<Access>, time: Duration) -> Store<InvocationState> {
        let time = InvocationTime::begin(self.timing.clone(), time);
        let ticks = time.ticks();
        let state = InvocationState::new(access, &self.limits, self.of_effects.clone(), time);
        let mut store = Store::new(self.instance.engine(), state);
        store.limiter(|state| &mut state.growth);
        store.set_hostcall_fuel(as_usize(self.limits.hostcall_bytes));
        store.epoch_deadline_callback(at_deadline);
        store.set_epoch_deadline(ticks);
        store.data().time.keep_going(ticks);
        store
    }

    fn run(
        &self,
        store: &mut Store<InvocationState>,
        input: HandlerInput<'_>,
    ) -> wasmtime::Result<Result<(), String>> {
        let effects = &mut store.data_mut().effects;
        effects.set_known_timers(input.profile().timers.clone());
        effects.set_waiting_calls(input.profile().calls);
        let instance = self.instance.instantiate(&mut *store)?;
        self.handlers.call(store, instance, input)
    }

    fn try_out(&self) -> Result<(), PackageError> {
        let time_ms = self.limits.time_ms.saturating_mul(TRY_OUT_FACTOR);
        let mut store = self.store(Arc::default(), Duration::from_millis(time_ms));
        let tried = self
            .instance
            .instantiate(&mut store)
            .and_then(|instance| self.handlers.load_all(&mut store, instance));
        tried.map_err(|error| {
            let failure = failure::classify(&error, store.data(), &self.limits);
            PackageError::invalid(format!("an instance can't be made: {}", failure.message))
        })
    }
}

/// An invocation's deadline is there: it ends, or goes on while its thread had less than its time.
fn at_deadline(mut store: StoreContextMut<'_, InvocationState>) -> wasmtime::Result<UpdateDeadline> {
    let goes_on = store.data_mut().time.go_on();
    Ok(goes_on.map_or(UpdateDeadline::Interrupt, UpdateDeadline::Continue))
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("digest", &self.digest)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

//! The roles as this host calls them: what each handler is given, and where its function is.

use std::collections::BTreeSet;

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::bindings::exports::samsyn::plugin::{caller, judge, observer, prober, source, subscriber, timed};
use super::error::PackageError;
use super::lower;
use super::state::InvocationState;
use samsyn_vocabulary::{
    CallAnswer, Change, EndpointName, Finding, HeardEvent, Projection, Proposal, Role, TimerName, Timestamp,
};

/// What a plug-in is called with.
#[derive(Clone, Copy, Debug)]
pub enum HandlerInput<'a> {
    /// To a subscriber: something happened.
    Event {
        /// What happened, with only the properties that the plug-in declared, coerced.
        event: &'a HeardEvent<'a>,
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
    /// To a source: somebody suggests values.
    Proposals {
        /// Only for fields the plug-in sources.
        proposed: &'a [Proposal],
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
    /// To an observer: visible values changed.
    Changes {
        /// Only of fields the plug-in consumes.
        changes: &'a [Change],
        /// When they changed.
        at: Timestamp,
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
    /// To a plug-in that set a timer: it is due.
    Timer {
        /// Its name.
        name: &'a TimerName,
        /// The time that the plug-in set.
        due: Timestamp,
        /// When the host fired it.
        now: Timestamp,
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
    /// To a plug-in that called a system: the answer.
    Answer {
        /// Which of its endpoints.
        endpoint: &'a EndpointName,
        /// How the call ended.
        answer: &'a CallAnswer,
        /// What it had noted.
        note: Option<&'a [u8]>,
        /// When the answer came.
        at: Timestamp,
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
    /// To a plug-in whose call is in doubt: it begins the look-up.
    Doubt {
        /// Which of its endpoints.
        endpoint: &'a EndpointName,
        /// What it had noted of the call.
        note: Option<&'a [u8]>,
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
    /// To a plug-in that looked a call up: the answer.
    Lookup {
        /// A response; of anything else there is nothing to judge.
        answer: &'a CallAnswer,
        /// What it had noted of the call in doubt.
        note: Option<&'a [u8]>,
        /// What the plug-in may know of the customer.
        profile: &'a Projection<'a>,
    },
}

impl<'a> HandlerInput<'a> {
    /// The role that is called.
    pub fn role(&self) -> Role {
        match self {
            HandlerInput::Event { .. } => Role::Subscriber,
            HandlerInput::Proposals { .. } => Role::Source,
            HandlerInput::Changes { .. } => Role::Observer,
            HandlerInput::Timer { .. } => Role::Timed,
            HandlerInput::Answer { .. } => Role::Caller,
            HandlerInput::Doubt { .. } => Role::Prober,
            HandlerInput::Lookup { .. } => Role::Judge,
        }
    }

    /// What the plug-in may know of the customer.
    pub fn profile(&self) -> &'a Projection<'a> {
        match self {
            HandlerInput::Event { profile, .. }
            | HandlerInput::Proposals { profile, .. }
            | HandlerInput::Changes { profile, .. }
            | HandlerInput::Timer { profile, .. }
            | HandlerInput::Answer { profile, .. }
            | HandlerInput::Doubt { profile, .. }
            | HandlerInput::Lookup { profile, .. } => profile,
        }
    }
}

/// Where each role's function is; found once.
#[derive(Default)]
pub(super) struct Handlers {
    subscriber: Option<subscriber::GuestIndices>,
    source: Option<source::GuestIndices>,
    observer: Option<observer::GuestIndices>,
    timed: Option<timed::GuestIndices>,
    caller: Option<caller::GuestIndices>,
    prober: Option<prober::GuestIndices>,
    judge: Option<judge::GuestIndices>,
}

impl Handlers {
    /// Finds the functions of these roles.
    pub(super) fn find(
        instance: &InstancePre<InvocationState>,
        roles: &BTreeSet<Role>,
    ) -> Result<Handlers, PackageError> {
        let mut handlers = Handlers::default();
        for role in roles {
            match role {
                Role::Subscriber => {
                    handlers.subscriber = Some(indices(subscriber::GuestIndices::new(instance))?)
                }
                Role::Source => handlers.source = Some(indices(source::GuestIndices::new(instance))?),
                Role::Observer => handlers.observer = Some(indices(observer::GuestIndices::new(instance))?),
                Role::Timed => handlers.timed = Some(indices(timed::GuestIndices::new(instance))?),
                Role::Caller => handlers.caller = Some(indices(caller::GuestIndices::new(instance))?),
                Role::Prober => handlers.prober = Some(indices(prober::GuestIndices::new(instance))?),
                Role::Judge => handlers.judge = Some(indices(judge::GuestIndices::new(instance))?),
            }
        }
        Ok(handlers)
    }

    /// Loads every function that was found: one of another type fails here.
    pub(super) fn load_all(
        &self,
        store: &mut Store<InvocationState>,
        instance: Instance,
    ) -> wasmtime::Result<()> {
        if let Some(handler) = &self.subscriber {
            handler.load(&mut *store, &instance)?;
        }
        if let Some(handler) = &self.source {
            handler.load(&mut *store, &instance)?;
        }
        if let Some(handler) = &self.observer {
            handler.load(&mut *store, &instance)?;
        }
        if let Some(handler) = &self.timed {
            handler.load(&mut *store, &instance)?;
        }
        if let Some(handler) = &self.caller {
            handler.load(&mut *store, &instance)?;
        }
        if let Some(handler) = &self.prober {
            handler.load(&mut *store, &instance)?;
        }
        if let Some(handler) = &self.judge {
            handler.load(&mut *store, &instance)?;
        }
        Ok(())
    }

    /// Calls the function of the input's role; the inner error is the handler's own.
    pub(super) fn call(
        &self,
        store: &mut Store<InvocationState>,
        instance: Instance,
        input: HandlerInput<'_>,
    ) -> wasmtime::Result<Result<(), String>> {
        let role = input.role();
        match input {
            HandlerInput::Event { event, profile } => {
                let handler = found(&self.subscriber, role)?.load(&mut *store, &instance)?;
                lower::event(event, |event| {
                    lower::profile(profile, |profile| handler.call_on_event(store, event, profile))
                })
            }
            HandlerInput::Proposals { proposed, profile } => {
                let handler = found(&self.source, role)?.load(&mut *store, &instance)?;
                lower::proposals(proposed, |proposed| {
                    lower::profile(profile, |profile| handler.call_on_proposal(store, proposed, profile))
                })
            }
            HandlerInput::Changes { changes, at, profile } => {
                let handler = found(&self.observer, role)?.load(&mut *store, &instance)?;
                lower::changes(changes, |changes| {
                    lower::profile(profile, |profile| {
                        handler.call_on_change(store, changes, at.millis(), profile)
                    })
                })
            }
            HandlerInput::Timer { name, due, now, profile } => {
                let handler = found(&self.timed, role)?.load(&mut *store, &instance)?;
                lower::profile(profile, |profile| {
                    handler.call_on_timer(store, name.as_str(), due.millis(), now.millis(), profile)
                })
            }
            HandlerInput::Answer { endpoint, answer, note, at, profile } => {
                let handler = found(&self.caller, role)?.load(&mut *store, &instance)?;
                lower::answer(answer, |answer| {
                    lower::profile(profile, |profile| {
                        handler.call_on_answer(store, endpoint.as_str(), answer, note, at.millis(), profile)
                    })
                })
            }
            HandlerInput::Doubt { endpoint, note, profile } => {
                let handler = found(&self.prober, role)?.load(&mut *store, &instance)?;
                store.data_mut().effects.set_looks_up();
                lower::profile(profile, |profile| {
                    handler.call_on_doubt(store, endpoint.as_str(), note, profile)
                })
            }
            HandlerInput::Lookup { answer, note, profile } => {
                let handler = found(&self.judge, role)?.load(&mut *store, &instance)?;
                let judged = lower::lookup(answer, |answer| {
                    lower::profile(profile, |profile| {
                        handler.call_on_lookup(&mut *store, answer, note, profile)
                    })
                })?;
                match judged {
                    Ok(finding) => {
                        // It is no effect that can be refused.
                        let _ = store.data_mut().effects.find(finding_of(finding))?;
                        Ok(Ok(()))
                    }
                    Err(message) => Ok(Err(message)),
                }
            }
        }
    }
}

fn finding_of(finding: judge::Finding) -> Finding {
    match finding {
        judge::Finding::Found => Finding::Found,
        judge::Finding::Absent => Finding::Absent,
        judge::Finding::Unknown => Finding::Unknown,
    }
}

fn indices<T>(found: wasmtime::Result<T>) -> Result<T, PackageError> {
    found.map_err(PackageError::engine)
}

fn found<T>(handler: &Option<T>, role: Role) -> wasmtime::Result<&T> {
    handler.as_ref().ok_or_else(|| wasmtime::format_err!("the plug-in has no role {role}"))
}

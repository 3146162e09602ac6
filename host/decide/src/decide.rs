//! From what the handlers asked for to one record but for its identifiers, see [`Draft`]: a pure function.

use super::draft::Draft;
use super::pending_notifications::pending_notifications;
use samsyn_journal::{
    Accepted, Body, Call, CallBody, CallNumber, CapabilityState, CauseKind, Changed, Cursor, Decided,
    DoubtStep, Emitted, EndedCall, EndedTimer, HeldProposal, InvocationStatus, Memory, Note, Outcome,
    PartitionState, ProfileState,
};
use samsyn_registry::{Field, Routing};
use samsyn_sandbox::InvocationReport;
use samsyn_vocabulary::{
    CapabilityName, Digest, Effect, Failure, FieldName, Finding, FullPosition, ItemPosition, NewCall,
    Position, Proposal, Refusal, Role, Seq, Timestamp, Value,
};

/// The item that is decided.
#[derive(Clone, Debug)]
pub struct Cause {
    pub item: FullPosition,
    /// What kind of item it is.
    pub kind: CauseKind,
    /// The accepted event at the root of the chain of causes.
    pub root: Position,
    /// Generations of cause since the root.
    pub depth: u16,
    /// Derived invocations the root has spent before this record.
    pub spent: u32,
    /// When it happened: the time of the claims that follow.
    pub observed_at: Timestamp,
    /// It is a copy of another customer's event, about a number or address that both share.
    pub shared: bool,
    /// The timer that ends with the decision.
    pub timer: Option<EndedTimer>,
    /// The call that was answered.
    pub call: Option<Box<EndedCall>>,
    /// The call in doubt that is looked up, or whose look-up is judged.
    pub doubt: Option<Box<DoubtStep>>,
}

/// How one invocation went.
#[derive(Clone, Debug)]
pub struct CompletedInvocation {
    /// The capability's index in the routing.
    pub capability: usize,
    pub generation: u32,
    pub role: Role,
    /// What came of it.
    pub result: InvocationResult,
}

impl CompletedInvocation {
    /// How much the handler asked for.
    fn effects(&self) -> usize {
        match &self.result {
            InvocationResult::Called(InvocationReport { result: Ok(effects), .. }) => effects.len(),
            _ => 0,
        }
    }

    /// How often the handler itself said no.
    pub fn refuses(&self) -> u64 {
        let refuses = |effect: &&Effect| matches!(effect, Effect::Refuse { .. });
        match &self.result {
            InvocationResult::Called(InvocationReport { result: Ok(effects), .. }) => {
                effects.iter().filter(refuses).count() as u64
            }
            _ => 0,
        }
    }

    /// What the handler found of a call in doubt.
    fn finding(&self) -> Option<Finding> {
        let InvocationResult::Called(InvocationReport { result: Ok(effects), .. }) = &self.result else {
            return None;
        };
        effects.iter().rev().find_map(|effect| match effect {
            Effect::Finding(finding) => Some(*finding),
            _ => None,
        })
    }
}

/// What came of an invocation.
#[derive(Clone, Debug)]
pub enum InvocationResult {
    /// The handler was called.
    Called(InvocationReport),
    /// It can't be called, and waits as if it had failed.
    Failed(Failure),
    /// The event can't be given to this plug-in as it is.
    Unfit(Refusal),
    /// An earlier invocation of the same capability and customer is parked.
    Held,
    /// An admin gave it up.
    Skipped(String),
    /// A bound of the root is spent.
    Undeliverable(String),
}

/// Whose invocation: the capability's index in the routing, and its generation.
#[derive(Clone, Copy)]
pub struct CapabilityRef {
    pub capability: usize,
    pub generation: u32,
}

/// What a decision is made from.
pub struct Decision<'a, 'e> {
    pub cause: Cause,
    /// The revision in use.
    pub routing: &'a Routing,
    pub revision: Seq,
    /// The partition before this record.
    pub partition: &'a PartitionState,
    /// The profile before this record.
    pub state: &'a ProfileState,
    /// The item, when it is an application's event.
    pub accepted: Option<&'e Accepted>,
    /// What the item proposes.
    pub proposals: &'a [Proposal],
    /// Whether the profile is what the sender expected.
    pub precondition_met: bool,
    /// How each invocation went.
    pub completed: Vec<CompletedInvocation>,
    /// The last item that is decided with this one, when a bound ended others; else the item itself.
    pub through: Option<ItemPosition>,
    /// A lagging capability whose own cursor moves.
    pub cursor: Option<Cursor>,
    /// Whether this is one invocation on its own, made after the item was decided.
    pub late: bool,
    /// The most that one capability may keep of one customer, claims and memory together, in bytes.
    pub customer_bytes: u64,
    /// Now.
    pub at: Timestamp,
}

impl<'e> Decision<'_, 'e> {
    /// All of what follows, or for a handler that failed nothing.
    pub fn decide(mut self) -> Draft<'e> {
        let own_refusals = self.completed.iter().map(CompletedInvocation::refuses).collect();
        let mut decided = self.empty();
        decided.refused_opt_outs = self.refuse_outdated_words();
        self.add_answers(&mut decided);
        if let (Some(doubt), Some(finding)) =
            (&mut decided.doubt, self.completed.iter().find_map(CompletedInvocation::finding))
        {
            doubt.finding = Some(finding);
        }
        decided.changes.reserve(self.completed.iter().map(CompletedInvocation::effects).sum());
        let mut bodies = Vec::new();
        // What the handlers asked for is moved into the record, not copied.
        for invocation in std::mem::take(&mut self.completed) {
            let of = CapabilityRef { capability: invocation.capability, generation: invocation.generation };
            let outcome = self.outcome(invocation, &decided.outcomes, &mut decided.emitted, &mut bodies);
            decided.outcomes.push(outcome);
            self.add_changes(of, &decided.outcomes, &mut decided.changes);
        }
        if !self.partition.adopted.jobs.is_empty() {
            self.add_pending_notifications(&mut decided);
        }
        let outcomes = &decided.outcomes;
        decided.changes.retain(|changed| changed.before != changed.after || self.latches(changed, outcomes));
        // What is decided later is about one invocation: the event's identifiers were decided with the event.
        let accepted = self.accepted.filter(|_| !self.late);
        Draft { decided, accepted, own_refusals, bodies }
    }

    /// Only what the handlers said: of a record that nobody will see, nothing else is worth making.
    pub fn decide_said(mut self) -> Decided {
        let mut decided = self.empty();
        self.refuse_outdated_words();
        for invocation in std::mem::take(&mut self.completed) {
            let outcome = self.outcome(invocation, &decided.outcomes, &mut decided.emitted, &mut Vec::new());
            decided.outcomes.push(outcome);
        }
        decided
    }

    /// Adds the customer's pending notifications about moved sources, so that their job need not: a
    /// change begins at the value that consumers were last notified of.
    fn add_pending_notifications(&self, decided: &mut Decided) {
        let pending = pending_notifications(self.state, self.partition, self.routing);
        decided.notifies = !pending.is_empty();
        for changed in pending.changes {
            match decided.changes.iter_mut().find(|change| change.field == changed.field) {
                Some(is) => is.before = changed.before,
                None => decided.changes.push(changed),
            }
        }
        let answered = |held: &HeldProposal| decided.answers.iter().any(|answer| answer.field == held.field);
        decided.offered = pending.offered.into_iter().filter(|held| !answered(held)).collect();
    }

    fn empty(&self) -> Decided {
        let calls = self
            .completed
            .iter()
            .filter(|invocation| matches!(invocation.result, InvocationResult::Called(_)))
            .count() as u32;
        let Cause { item, kind, root, depth, spent, observed_at, shared: _, ref timer, ref call, ref doubt } =
            self.cause;
        Decided {
            kind,
            root,
            depth,
            spent: if depth == 0 { 0 } else { spent + calls },
            through: if self.late {
                self.partition.through
            } else {
                self.through.unwrap_or(ItemPosition { seq: item.seq, index: item.index })
            },
            cursor: self.cursor.clone(),
            revision: self.revision,
            observed_at,
            previous: self.state.head,
            timer: timer.clone(),
            call: call.clone(),
            doubt: doubt.clone().filter(|doubt| self.is_of_own_call(&doubt.call)),
            outcomes: Vec::with_capacity(self.completed.len()),
            ..Decided::nothing(self.state.id, item, self.at)
        }
    }

    /// A generation that catches up says nothing of the calls of another one.
    fn is_of_own_call(&self, call: &CallNumber) -> bool {
        let catching_up = self.cursor.as_ref().filter(|cursor| cursor.catching_up);
        catching_up.is_none_or(|cursor| cursor.generation == call.generation)
    }

    pub fn name(&self, capability: usize) -> &CapabilityName {
        &self.routing.capabilities[capability].name
    }

    pub fn capability_state(&self, of: CapabilityRef) -> Option<&CapabilityState> {
        self.state.capability_state(self.name(of.capability), of.generation)
    }

    fn outcome(
        &self,
        invocation: CompletedInvocation,
        earlier: &[Outcome],
        emitted: &mut Vec<Emitted>,
        bodies: &mut Vec<Body>,
    ) -> Outcome {
        let routed = &self.routing.capabilities[invocation.capability];
        let mut outcome = Outcome {
            capability: routed.name.clone(),
            generation: invocation.generation,
            role: invocation.role,
            digest: routed.capability.digest,
            settings: routed.capability.settings_revision,
            result: InvocationStatus::Done,
            claims: Vec::new(),
            refusals: Vec::new(),
            memory: None,
            actions: Vec::new(),
            calls: Vec::new(),
        };
        let of = CapabilityRef { capability: invocation.capability, generation: invocation.generation };
        match invocation.result {
            InvocationResult::Called(report) => {
                outcome.refusals = report.refusals;
                match report.result {
                    Ok(effects) => self.take_effects(of, effects, earlier, &mut outcome, (emitted, bodies)),
                    Err(failure) => outcome.result = InvocationStatus::Parked(failure),
                }
            }
            InvocationResult::Failed(failure) => outcome.result = InvocationStatus::Parked(failure),
            InvocationResult::Unfit(refusal) => outcome.refusals.push(refusal),
            InvocationResult::Held => outcome.result = InvocationStatus::Held,
            InvocationResult::Skipped(reason) => outcome.result = InvocationStatus::Skipped { reason },
            InvocationResult::Undeliverable(reason) => {
                outcome.result = InvocationStatus::Undeliverable { reason }
            }
        }
        outcome
    }

    fn take_effects(
        &self,
        of: CapabilityRef,
        effects: Vec<Effect>,
        earlier: &[Outcome],
        outcome: &mut Outcome,
        (emitted, bodies): (&mut Vec<Emitted>, &mut Vec<Body>),
    ) {
        let capability_state = self.capability_state(of);
        // What the same capability said in another role of this item came after what it told before.
        let own = |is: &&Outcome| is.generation == of.generation && is.capability == outcome.capability;
        let said: Vec<&Outcome> = earlier.iter().rev().filter(own).collect();
        outcome.claims.reserve_exact(effects.len());
        let (first_new, first_body) = (emitted.len(), bodies.len());
        for effect in effects {
            match effect {
                Effect::Claim { field, value } => {
                    let claims = said.iter().flat_map(|outcome| outcome.claims.iter().rev());
                    let said = claims.into_iter().find(|(is, _)| *is == field).map(|(_, value)| value);
                    let known =
                        || capability_state.and_then(|own| own.claim(&field)).map(|claim| &claim.value);
                    let known = said.or_else(known);
                    // Setting an equal value is no change; said again, a wish is newer.
                    if known != Some(&value) || self.renews(capability_state, &field, &value) {
                        outcome.claims.push((field, value));
                    }
                }
                Effect::Refuse { field, code, message } => outcome.refusals.push(Refusal {
                    field: field.map(|field| field.to_string()),
                    code,
                    message,
                }),
                Effect::Emit { name, properties } => emitted.push(Emitted {
                    by: outcome.capability.clone(),
                    name,
                    properties,
                    silent: self.is_silent(of),
                }),
                Effect::Remember(memory) => {
                    let kept = || {
                        capability_state.and_then(|own| own.memory.as_ref()).map(|memory| memory.0.as_slice())
                    };
                    let known = match said.iter().find_map(|outcome| outcome.memory.as_ref()) {
                        Some(Memory::Kept(bytes)) => Some(bytes.as_slice()),
                        Some(Memory::Forgotten) => None,
                        None => kept(),
                    };
                    if known != memory.as_deref() {
                        outcome.memory = Some(memory.map_or(Memory::Forgotten, Memory::Kept));
                    }
                }
                Effect::Call(call) => {
                    let silent = self.is_silent(of);
                    let call = self.call(*call, silent, bodies);
                    let looks_up = self.cause.doubt.as_ref().filter(|doubt| {
                        outcome.role == Role::Prober && doubt.call.generation == of.generation
                    });
                    let looks_up = looks_up.map(|doubt| doubt.call.number);
                    outcome.calls.push(Call { looks_up, ..call });
                }
                // The record has it, see `decide`.
                Effect::Finding(_) => {}
                Effect::Action(action) => outcome.actions.push(action),
            }
        }
        if let Some(failure) = self.too_large(of, outcome) {
            outcome.result = InvocationStatus::Parked(failure);
            outcome.claims.clear();
            outcome.memory = None;
            outcome.actions.clear();
            outcome.calls.clear();
            emitted.truncate(first_new);
            bodies.truncate(first_body);
        }
    }

    /// A request as it stands in the record; the bytes of its body become a record of their own, unless it isn't sent.
    fn call(&self, call: NewCall, silent: bool, bodies: &mut Vec<Body>) -> Call {
        let NewCall { endpoint, method, path, query, headers, body, note, is_row } = call;
        let body = body.map(|body| {
            let digest = Digest::of(&body.bytes);
            let bytes = u32::try_from(body.bytes.len()).unwrap_or(u32::MAX);
            if !silent {
                bodies.push(Body { profile: self.state.id, digest, bytes: body.bytes });
            }
            CallBody { media_type: body.media_type, digest, bytes, before: 0 }
        });
        let note = note.map(Note);
        Call { endpoint, method, path, query, headers, body, note, key: None, looks_up: None, silent, is_row }
    }

    /// What a generation emits while it catches up is recorded, and routed only if the admin asked for
    /// that.
    fn is_silent(&self, of: CapabilityRef) -> bool {
        let routed = &self.routing.capabilities[of.capability];
        let catching_up = self.partition.generation(&routed.name) != Some(of.generation)
            || self.cursor.as_ref().is_some_and(|cursor| cursor.catching_up);
        catching_up && !routed.capability.deliver_while_catching_up
    }

    /// The visible values that the claims of the newest outcome change: those of fields whose
    /// source it is, or that inherit from it.
    fn add_changes(&self, of: CapabilityRef, outcomes: &[Outcome], changes: &mut Vec<Changed>) {
        let Some(outcome) = outcomes.last() else { return };
        let name = &outcome.capability;
        if self.partition.generation(name) != Some(of.generation) {
            return;
        }
        for (field, value) in &outcome.claims {
            let Some(entry) = self.routing.field(field) else { continue };
            let is_source = entry.source.as_ref() == Some(name);
            if !is_source && !entry.inherits.contains(name) {
                continue;
            }
            let visible = self.state.visible(field, entry, &self.partition.adopted.visible);
            let before = visible.map(|visible| visible.value.clone());
            let opted_out = entry.protective && before == Some(Value::Boolean(true));
            let after = match value {
                // Only its source's word ends an opt-out: taking the claim back does not.
                None if opted_out => before.clone(),
                _ if opted_out && !is_source => before.clone(),
                value if is_source => value.clone(),
                _ => self.inherited(field, entry, outcomes),
            };
            match changes.iter_mut().find(|changed| changed.field == *field) {
                Some(changed) => {
                    changed.after = after;
                    if is_source {
                        changed.by = name.clone();
                    }
                }
                None => changes.push(Changed {
                    by: name.clone(),
                    field: field.clone(),
                    before,
                    after,
                    protective: entry.protective,
                }),
            }
        }
    }

    /// The value that a field inherits, with the claims that are made in this record.
    fn inherited(&self, name: &FieldName, field: &Field, outcomes: &[Outcome]) -> Option<Value> {
        let says = |by: &CapabilityName| {
            let generation = self.partition.generation(by)?;
            let own = |outcome: &&Outcome| outcome.generation == generation && outcome.capability == *by;
            let made = outcomes.iter().rev().filter(own).flat_map(|outcome| outcome.claims.iter().rev());
            match made.into_iter().find(|(claimed, _)| claimed == name) {
                Some((_, value)) => Some(value.clone()),
                None => Some(self.state.capability_state(by, generation)?.claim(name)?.value.clone()),
            }
        };
        field.lineage().pick(says).map(|(_, value)| value)
    }
}

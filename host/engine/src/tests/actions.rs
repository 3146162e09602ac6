//! Actions: effects that the record carries by their names.

use super::*;
use samsyn_decide::decide::{Cause, CompletedInvocation, Decision, InvocationResult};
use samsyn_journal::{CauseKind, Decided, InvocationStatus, PartitionState};
use samsyn_registry::Routing;
use samsyn_sandbox::InvocationReport;

fn wake(subject: &str) -> Action {
    Action { name: "wake".to_owned(), subject: subject.to_owned(), value: Some(Value::Integer(7)) }
}

/// What is decided when the probe asks for this, with so many bytes for a customer.
fn decided(effects: Vec<Effect>, customer_bytes: u64) -> Decided {
    let bench = Bench::new();
    bench.install("probe", USUAL);
    let routing = Routing::of(&bench.engine.registry());
    let (event, at) = (Position { partition: Partition(1), seq: 3 }, Timestamp(5));
    let report = InvocationReport {
        result: Ok(effects),
        refusals: Vec::new(),
        logs: Vec::new(),
        duration: Duration::ZERO,
        cpu: Duration::ZERO,
    };
    let cause = Cause {
        item: event.item(0),
        kind: CauseKind::Event,
        root: event,
        depth: 0,
        spent: 0,
        observed_at: at,
        shared: false,
        timer: None,
        call: None,
        doubt: None,
    };
    let state = ProfileState::new(ProfileId::random(), at);
    let decision = Decision {
        cause,
        routing: &routing,
        revision: 1,
        partition: &PartitionState::default(),
        state: &state,
        accepted: None,
        proposals: &[],
        precondition_met: true,
        completed: vec![CompletedInvocation {
            capability: 0,
            generation: 1,
            role: Role::Subscriber,
            result: InvocationResult::Called(report),
        }],
        through: None,
        cursor: None,
        late: false,
        customer_bytes,
        at,
    };
    decision.decide().without_names()
}

#[test]
fn an_action_stands_in_the_record_with_all_other_effects_or_not_at_all() {
    let claim = Effect::Claim { field: field("probe.note"), value: text("a") };
    let effects = || vec![Effect::Action(wake("birthday")), claim.clone(), Effect::Action(wake("renewal"))];
    let whole = decided(effects(), 1_000);
    let outcome = &whole.outcomes[0];
    assert_eq!(outcome.result, InvocationStatus::Done);
    assert_eq!(outcome.actions, [wake("birthday"), wake("renewal")]);
    assert_eq!(outcome.claims.len(), 1);
    // The claim is above the limit, so nothing of the invocation happens.
    let parked = decided(effects(), 10);
    let outcome = &parked.outcomes[0];
    assert!(matches!(outcome.result, InvocationStatus::Parked(_)), "{outcome:?}");
    assert!(outcome.actions.is_empty() && outcome.claims.is_empty());
}

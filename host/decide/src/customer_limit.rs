//! The limit of what one capability may keep of one customer, claims and memory together.

use super::decide::{CapabilityRef, Decision};
use samsyn_contract as contract;
use samsyn_journal::{Memory, Outcome};
use samsyn_vocabulary::{Failure, FailureKind};

impl Decision<'_, '_> {
    /// Why an invocation comes to nothing: its effects would leave more than the limit.
    pub fn too_large(&self, of: CapabilityRef, outcome: &Outcome) -> Option<Failure> {
        let capability_state = self.capability_state(of);
        let known = capability_state.map(|own| own.claims.as_slice()).unwrap_or_default();
        let kept =
            known.iter().filter(|claim| !outcome.claims.iter().any(|(field, _)| *field == claim.field));
        let kept = kept.map(|claim| (&claim.field, claim.value.as_ref()));
        let new = outcome.claims.iter().map(|(field, value)| (field, value.as_ref()));
        let memory = match &outcome.memory {
            Some(Memory::Kept(bytes)) => bytes.len(),
            Some(Memory::Forgotten) => 0,
            None => capability_state.and_then(|own| own.memory.as_ref()).map_or(0, |memory| memory.0.len()),
        };
        let total = contract::customer_bytes(kept.chain(new), memory);
        (total as u64 > self.customer_bytes).then(|| Failure {
            kind: FailureKind::Limit,
            message: contract::customer_bytes_refusal(total, self.customer_bytes),
            backtrace: Vec::new(),
        })
    }
}

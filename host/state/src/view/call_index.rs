//! All calls that are listed, by state, endpoint and time: those that may be tried, and those that ended badly.

use super::store::StoreError;
use super::{Shared, View, keys};
use samsyn_journal::{CallState, PendingCall};
use samsyn_vocabulary::{CapabilityName, EndpointName, Timestamp};

impl View {
    /// How many calls wait for their answers.
    pub fn calls_waiting(&self) -> u64 {
        self.shared.tables.read().applied.values().map(|applied| applied.calls).sum()
    }

    /// The endpoints that have calls in this state. Each costs one look-up, however many they are.
    pub fn call_endpoints(
        &self,
        state: CallState,
    ) -> Result<Vec<(CapabilityName, EndpointName)>, StoreError> {
        let mut endpoints = Vec::new();
        let mut from = keys::calls_in(state);
        let beyond = keys::behind_all(&from);
        while let Some(first) = self.shared.calls_between(&from, &beyond, 1)?.pop() {
            from = keys::behind_all(&keys::calls_of(state, &first.capability, &first.endpoint));
            endpoints.push((first.capability, first.endpoint));
        }
        Ok(endpoints)
    }

    /// The first calls of an endpoint in this state that are to be tried by a time, in the order in which they are.
    pub fn calls_due(
        &self,
        state: CallState,
        (capability, endpoint): (&CapabilityName, &EndpointName),
        by: Timestamp,
        limit: usize,
    ) -> Result<Vec<PendingCall>, StoreError> {
        let from = keys::calls_of(state, capability, endpoint);
        let beyond = keys::calls_until(&from, by);
        self.shared.calls_between(&from, &beyond, limit)
    }

    /// Calls in this state behind `after`, in the order of their endpoints and times.
    pub fn calls_in(
        &self,
        state: CallState,
        after: Option<&PendingCall>,
        limit: usize,
    ) -> Result<Vec<PendingCall>, StoreError> {
        let begin = keys::calls_in(state);
        let beyond = keys::behind_all(&begin);
        let from = after.map_or(begin, |after| keys::behind(&keys::call(after)));
        self.shared.calls_between(&from, &beyond, limit)
    }
}

impl Shared {
    fn calls_between(
        &self,
        from: &[u8],
        beyond: &[u8],
        limit: usize,
    ) -> Result<Vec<PendingCall>, StoreError> {
        let unreadable = || self.store.damaged("a call's key can't be read");
        let keys = self.pending_between(keys::CALLS, from, beyond, limit)?;
        keys.iter().map(|key| keys::parse_call(key).ok_or_else(unreadable)).collect()
    }
}

//! Endpoints and all sending: planned, and changed under the lock of the registry.

use super::registrar::{ChangeError, Registrar};
use samsyn_registry::endpoint::{EndpointChange, EndpointPlan, OutgoingPlan};
use samsyn_registry::{Attribution, Pause, RegistryChange};
use samsyn_vocabulary::Seq;

impl Registrar {
    /// Changes an endpoint, and says what that changed; the record's number, or none when nothing changes. `planned`
    /// is the revision of the plan that was looked at; at another one it is refused.
    pub fn change_endpoint(
        &self,
        capability: &str,
        name: &str,
        wanted: EndpointChange,
        planned: Option<Seq>,
        by: impl Into<Attribution>,
    ) -> Result<(EndpointPlan, Option<Seq>), ChangeError> {
        let _changing = self.changing.lock();
        planned.map_or(Ok(()), |planned| self.check_plan(planned))?;
        let plan = self.shared.registry().plan_endpoint(capability, name, wanted)?;
        let seq = self.make(plan.change.clone(), by)?;
        Ok((plan, seq))
    }

    /// Pauses all sending, or resumes it where `pause` is none, likewise.
    pub fn change_outgoing(
        &self,
        pause: Option<Pause>,
        planned: Option<Seq>,
        by: impl Into<Attribution>,
    ) -> Result<(OutgoingPlan, Option<Seq>), ChangeError> {
        let _changing = self.changing.lock();
        planned.map_or(Ok(()), |planned| self.check_plan(planned))?;
        let plan = self.shared.registry().plan_outgoing(pause);
        let seq = self.make(plan.change.clone(), by)?;
        Ok((plan, seq))
    }

    fn make(
        &self,
        change: Option<RegistryChange>,
        by: impl Into<Attribution>,
    ) -> Result<Option<Seq>, ChangeError> {
        change.map(|change| self.append_change_locked(change, by.into())).transpose()
    }
}

//! A registry file, applied as one change.

use super::{ChangeError, Engine};
use crate::registry::{Attribution, RegistryChange, RegistryFile, RegistryPlan};
use crate::vocabulary::{Partition, Position, Seq};

impl Engine {
    /// Makes the registry what a file says, in one record, and waits until that is on the disk.
    /// `planned` is the revision of the plan that was looked at; at another one it is refused. The
    /// answer's revision is the one it made.
    pub async fn apply_registry_file(
        &self,
        file: &RegistryFile,
        remove: bool,
        planned: Seq,
        by: impl Into<Attribution>,
    ) -> Result<RegistryPlan, ChangeError> {
        let mut plan = {
            let _changing = self.changing.lock();
            self.check_plan(planned)?;
            let mut plan = file.plan(&self.registry(), remove)?;
            if !plan.changes.is_empty() {
                let changes = std::mem::take(&mut plan.changes);
                plan.revision = self.append_change_locked(RegistryChange::Many { changes }, by.into())?;
            }
            plan
        };
        plan.changes.clear();
        self.durable(Position { partition: Partition::REGISTRY, seq: plan.revision }).await?;
        Ok(plan)
    }
}

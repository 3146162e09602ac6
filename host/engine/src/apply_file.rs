//! A registry file: planned with whom it concerns, and applied as one change.

use super::FieldPlan;
use super::registrar::{ChangeError, Registrar};
use samsyn_registry::assignment::Mode;
use samsyn_registry::{Attribution, Registry, RegistryChange, RegistryFile, RegistryPlan};
use samsyn_vocabulary::Seq;

/// How a file is applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOptions {
    /// Fields and sources that it leaves out are taken away.
    pub remove: bool,
    /// What becomes of customers that a new source has no claim for.
    pub mode: Mode,
}

impl Registrar {
    /// What applying a file would change, and whom each source that moves would concern.
    pub fn plan_registry_file(
        &self,
        file: &RegistryFile,
        options: FileOptions,
    ) -> Result<(RegistryPlan, Vec<FieldPlan>), ChangeError> {
        let registry = self.shared.registry();
        let plan = file.plan_with(&registry, options.remove, options.mode)?;
        let moves = self.plan_moves(&registry, &plan)?;
        Ok((plan, moves))
    }

    /// Makes the registry what a file says, in one record. `planned` is the revision of the plan that was
    /// looked at; at another one it is refused. The answer's revision is the one it made, which isn't durable
    /// before [`Engine::durable`](crate::Engine::durable) says so.
    pub fn apply_registry_file(
        &self,
        file: &RegistryFile,
        options: FileOptions,
        planned: Seq,
        by: impl Into<Attribution>,
    ) -> Result<(RegistryPlan, Vec<FieldPlan>), ChangeError> {
        let _changing = self.changing.lock();
        self.check_plan(planned)?;
        let (mut plan, moves) = self.plan_registry_file(file, options)?;
        if !plan.changes.is_empty() {
            let changes = std::mem::take(&mut plan.changes);
            plan.revision = self.append_change_locked(RegistryChange::Many { changes }, by.into())?;
        }
        Ok((plan, moves))
    }

    fn plan_moves(&self, registry: &Registry, plan: &RegistryPlan) -> Result<Vec<FieldPlan>, ChangeError> {
        plan.moves.iter().map(|moved| self.plan_move(registry, moved.clone())).collect()
    }
}

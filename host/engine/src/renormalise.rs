//! Links of an older host, made in today's normal form as well.
//!
//! A host that finds a log whose identifiers were linked by former normal forms looks at every profile
//! once, before it accepts its first event, and writes down that it did. What it links, `samsyn-identity` says
//! (`carry_over`).
//!
//! Cut short, it begins anew at the next start: what is linked already needs no link.

use std::time::Duration;

use super::fault::StopCause;
use super::recover::StartError;
use super::{ChangeError, Engine};
use samsyn_identity::{LinkChanges, carry_over};
use samsyn_journal::ProfileState;
use samsyn_registry::{FORM_VERSION, NormalForms, Registry, RegistryChange};
use samsyn_vocabulary::{Application, Identifier, Value};

/// Profiles whose links are appended in one go.
const PROFILES_A_STEP: usize = 200;
/// How long accepted events that are not decided may take: its identifiers are listed when it is.
const PATIENCE: Duration = Duration::from_secs(600);

impl Engine {
    /// Links what an older host linked by today's forms, when that hasn't been done.
    pub(super) fn renormalise_identifiers(&self) -> Result<(), StartError> {
        if self.shared.registry().forms != NormalForms::Former {
            return Ok(());
        }
        let Ok(host) = Application::new("host") else { return Ok(()) };
        tracing::info!(
            "an older host linked identifiers by other normal forms: linking them by today's as well"
        );
        if !self.drain(PATIENCE) {
            tracing::warn!("accepted events are still undecided: linking starts again at the next start");
            return Ok(());
        }
        let (mut after, mut links) = (None, 0);
        loop {
            let profiles = self.shared.view.profiles_after(after, PROFILES_A_STEP)?;
            links += self.renormalise(&profiles).map_err(ChangeError::Stopped)?;
            match profiles.last() {
                Some(last) if profiles.len() == PROFILES_A_STEP => after = Some(last.id),
                _ => break,
            }
        }
        tracing::info!(links, "identifiers are linked by today's normal forms");
        self.registrar.append_change(RegistryChange::IdentifiersNormalised { form: FORM_VERSION }, &host)?;
        Ok(())
    }

    /// Makes the links of some profiles, and says how many.
    fn renormalise(&self, profiles: &[std::sync::Arc<ProfileState>]) -> Result<usize, StopCause> {
        let registry = self.shared.registry();
        let mut recent = self.identity.lock();
        let appended = recent.with(&self.shared.view);
        let mut changes = LinkChanges::new(&appended);
        for state in profiles {
            carry_over(&mut changes, state, &self.shown_identifiers(state, &registry), &registry);
        }
        let links = changes.made;
        self.sequencer.append_links(&links, None)?;
        links.iter().for_each(|linked| recent.link(linked));
        Ok(links.len())
    }

    /// The values of its identifying fields that everybody sees.
    fn shown_identifiers(&self, state: &ProfileState, registry: &Registry) -> Vec<Identifier> {
        let partition_state = self.shared.view.applied(self.shared.home(state.id)).partition;
        let mut shown = Vec::new();
        for (field, entry) in &registry.fields {
            let Some(name) = &entry.identifies else { continue };
            let visible = state.visible(field, entry, &partition_state.adopted.visible);
            if let Some(Value::Text(text)) = visible.map(|visible| visible.value) {
                shown.push(Identifier { name: name.clone(), value: text.clone() });
            }
        }
        shown
    }
}

//! Links of an older host, made in today's normal form as well.
//!
//! A host that finds a log whose identifiers were linked by former normal forms looks at every profile
//! once, before it accepts its first event, and writes down that it did. Each spelling that a profile lists
//! is linked in today's form too, so that other spellings of it find the profile. Where two links become
//! equal the first keeps the form and the other stands in line: it is a conflict that is listed, and nobody
//! is joined. What was a conflict stands in line as well, and who shows a value that finds nobody gets it.
//!
//! Cut short, it begins anew at the next start: what is linked already needs no link.

use std::time::Duration;

use super::identity::forms_of;
use super::linking::LinkChanges;
use super::recover::StartError;
use super::{AcceptError, ChangeError, Engine};
use samsyn_journal::{Line, Linked, ProfileState};
use samsyn_registry::{FORM_VERSION, NormalForms, Registry, RegistryChange};
use samsyn_vocabulary::{Application, Identifier, ProfileId, Value};

/// Profiles whose links are appended in one go.
const PROFILES_A_STEP: usize = 200;

/// Links appended in one go, so that they fit into a frame.
const LINKS_AN_APPEND: usize = 1_000;
/// How long accepted events that are not decided may take: its identifiers are listed when it is.
const PATIENCE: Duration = Duration::from_secs(600);

impl Engine {
    /// Links what an older host linked by today's forms, when that hasn't been done.
    pub(super) fn renormalise_identifiers(&self) -> Result<(), StartError> {
        if self.registry().forms != NormalForms::Former {
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
            let profiles = self.view.profiles_after(after, PROFILES_A_STEP)?;
            links += self.renormalise(&profiles).map_err(ChangeError::Unavailable)?;
            match profiles.last() {
                Some(last) if profiles.len() == PROFILES_A_STEP => after = Some(last.id),
                _ => break,
            }
        }
        tracing::info!(links, "identifiers are linked by today's normal forms");
        self.append_change(RegistryChange::IdentifiersNormalised { form: FORM_VERSION }, &host)?;
        Ok(())
    }

    /// Makes the links of some profiles, and says how many.
    fn renormalise(&self, profiles: &[std::sync::Arc<ProfileState>]) -> Result<usize, AcceptError> {
        let registry = self.registry();
        let mut recent = self.identity.lock();
        let mut changes = LinkChanges::new(&recent, &self.view);
        for state in profiles {
            for shown in self.shown_identifiers(state, &registry) {
                link(&mut changes, state.id, &shown, Some(Line::Shown), &registry);
            }
            for identifier in &state.identifiers {
                link(&mut changes, state.id, identifier, None, &registry);
            }
            for conflict in &state.conflicts {
                link(&mut changes, state.id, &conflict.identifier, Some(Line::Sent), &registry);
            }
        }
        let links = changes.made;
        if !links.is_empty() {
            for some in links.chunks(LINKS_AN_APPEND) {
                self.journal.append_all(some.iter().map(|linked| self.link_entry(linked)).collect())?;
            }
            links.iter().for_each(|linked: &Linked| recent.link(linked));
        }
        Ok(links.len())
    }

    /// The values of its identifying fields that everybody sees.
    fn shown_identifiers(&self, state: &ProfileState, registry: &Registry) -> Vec<Identifier> {
        let partition_state = self.view.applied(self.home(state.id)).partition;
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

/// Links one spelling by today's form, or stands in line for it. `line` says where a profile waits that has
/// no right to the identifier by a former link.
fn link(
    changes: &mut LinkChanges<'_>,
    profile: ProfileId,
    identifier: &Identifier,
    line: Option<Line>,
    registry: &Registry,
) {
    let name = &identifier.name;
    let Some(kind) = registry.identifiers.get(name) else { return };
    let forms = forms_of(registry, kind, &identifier.value);
    let Ok(normal) = &forms.today else { return };
    let former = forms.former.as_ref().and_then(|former| changes.owner(name, former));
    match (changes.owner(name, normal), former) {
        (Some(owner), _) if owner == profile => {}
        // Another's by today's form, whoever a former form finds.
        (Some(_), _) => changes.wait(name, normal, profile, line.unwrap_or(Line::Sent)),
        (None, Some(owner)) if owner != profile => {
            changes.wait(name, normal, profile, line.unwrap_or(Line::Sent))
        }
        (None, Some(_)) => changes.link(name, normal, profile),
        // Nobody's: an owner left it. Who shows it gets it; who once sent it doesn't.
        (None, None) if line == Some(Line::Shown) => changes.link(name, normal, profile),
        (None, None) => {}
    }
}

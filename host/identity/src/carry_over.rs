//! Links of an older host, made in today's normal form as well.

use super::normalise::forms_of;
use super::{LinkChanges, LookUp};
use samsyn_journal::{Line, ProfileState};
use samsyn_registry::Registry;
use samsyn_vocabulary::{Identifier, ProfileId};

/// Links each spelling that a profile lists in today's form too. `shown` are the identifiers that its fields show.
///
/// Where two links become equal the first keeps the form and the other stands in line: it is a conflict that is
/// listed, and nobody is joined. What was a conflict stands in line as well, and who shows a value that finds
/// nobody gets it.
pub fn carry_over<L: LookUp>(
    changes: &mut LinkChanges<'_, L>,
    state: &ProfileState,
    shown: &[Identifier],
    registry: &Registry,
) {
    for identifier in shown {
        carry_over_one(changes, state.id, identifier, Some(Line::Shown), registry);
    }
    for identifier in &state.identifiers {
        carry_over_one(changes, state.id, identifier, None, registry);
    }
    for conflict in &state.conflicts {
        carry_over_one(changes, state.id, &conflict.identifier, Some(Line::Sent), registry);
    }
}

/// Links one spelling by today's form, or stands in line for it. `line` says where a profile waits that has
/// no right to the identifier by a former link.
fn carry_over_one<L: LookUp>(
    changes: &mut LinkChanges<'_, L>,
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
        (None, Some(_)) => changes.give(name, normal, profile),
        // Nobody's: an owner left it. Who shows it gets it; who once sent it doesn't.
        (None, None) if line == Some(Line::Shown) => changes.give(name, normal, profile),
        (None, None) => {}
    }
}

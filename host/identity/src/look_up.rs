//! What is asked of links and profiles.

use std::sync::Arc;

use samsyn_journal::{LinePosition, ProfileState};
use samsyn_vocabulary::{IdentifierName, ProfileId};

/// Links and profiles as they are known, with everything that was appended.
pub trait LookUp {
    /// Why a profile can't be read.
    type Error;

    /// The profile that an identifier's normal form finds, or that stands at this place in the line for it.
    fn link(
        &self,
        name: &IdentifierName,
        normal: &str,
        line_position: Option<LinePosition>,
    ) -> Option<ProfileId>;

    /// A profile; none when nothing was decided about it.
    fn profile(&self, id: ProfileId) -> Result<Option<Arc<ProfileState>>, Self::Error>;

    /// Whether an accepted event gives the profile an identifier of this kind, and isn't decided yet.
    fn is_coming(&self, profile: ProfileId, name: &IdentifierName) -> bool;
}

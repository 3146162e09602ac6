//! The roles a plug-in can have. Each is a pure function: what it decides follows from its
//! arguments alone, so it can be tested, replayed and compared.

use crate::{Change, Effects, Error, Event, Profile, Proposal, Settings, Timestamp};

/// Hears of events that the manifest subscribes to.
pub trait Subscriber {
    /// Called once for every such event, in the order of the log. Events can be late or out of
    /// order by [`Event::at`]: calculate with that, never with the order of calls.
    ///
    /// # Errors
    ///
    /// An error parks this delivery and holds back the customer's next ones.
    fn on_event(
        event: &Event,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Decides the data points that the manifest sources.
pub trait Source {
    /// Called with the proposals of one event or request, at most one a field. What is set,
    /// cleared or refused is the answer, field by field; a field left alone has no answer.
    ///
    /// # Errors
    ///
    /// An error parks this delivery. A value that can't be right is no error: refuse it.
    fn on_proposal(
        proposals: &[Proposal],
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

/// Hears when visible values of fields consumed with `notify = true` have changed.
pub trait Observer {
    /// Called once per record with all its changes; never with the plug-in's own.
    ///
    /// # Errors
    ///
    /// An error parks this delivery.
    fn on_change(
        changes: &[Change],
        at: Timestamp,
        profile: &Profile,
        settings: &Settings,
        effects: &mut Effects,
    ) -> Result<(), Error>;
}

//! An event that comes again, by rules that would refuse it today.
//!
//! Who got no answer sends again, and a host may have become stricter meanwhile. An event that was accepted
//! stays taken: whoever reads requests reads a refused one once more by the rules of before, and asks here
//! whether the log has it.

use super::accept::{AcceptError, Acceptance, Accepting, NewEvent, Remembered};
use samsyn_state::view::EventKey;
use samsyn_vocabulary::{Application, Position};

impl Accepting {
    /// The place of an event that was accepted before, with the same content; `None` when its id is new, or
    /// was used for something else. Nothing is accepted.
    pub fn known(&self, new: &NewEvent) -> Result<Option<Acceptance>, AcceptError> {
        let Some(id) = &new.id else { return Ok(None) };
        let key = EventKey::of(&new.application, id);
        let shard = self.event_ids.shard(key);
        let again = match self.known_by(shard.get(&key).copied(), key, &new.application, id)? {
            Remembered::Entry(entry) if self.is_remembered(&entry, self.shared.clock.now()) => {
                self.duplicate(id.clone(), entry, new)
            }
            Remembered::Removed(position) => self.duplicate_of_removed(id.clone(), position, new),
            Remembered::Entry(_) | Remembered::Nothing => return Ok(None),
        };
        match again {
            Ok(acceptance) => Ok(Some(acceptance)),
            Err(error @ AcceptError::Stopped(_)) => Err(error),
            // It was another event: what is wrong with this one has been found already.
            Err(_) => Ok(None),
        }
    }

    /// Where an application's event stands, or stood.
    pub fn event(&self, application: &Application, id: &str) -> Result<Option<Position>, AcceptError> {
        let key = EventKey::of(application, id);
        // What was just acknowledged may not be in the view yet.
        let in_flight = self.event_ids.shard(key).get(&key).copied();
        Ok(match self.known_by(in_flight, key, application, id)? {
            Remembered::Entry(entry) => Some(entry.position),
            Remembered::Removed(position) => Some(position),
            Remembered::Nothing => None,
        })
    }
}

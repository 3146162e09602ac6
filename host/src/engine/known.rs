//! An event that comes again, by rules that would refuse it today.
//!
//! Who got no answer sends again, and a host may have become stricter meanwhile. An event that was accepted
//! stays taken: whoever reads requests reads a refused one once more by the rules of before, and asks here
//! whether the log has it.

use super::Engine;
use super::accept::{AcceptError, Acceptance, NewEvent, Remembered};
use crate::view::EventKey;

impl Engine {
    /// The place of an event that was accepted before, with the same content; `None` when its id is new, or
    /// was used for something else. Nothing is accepted.
    pub fn known(&self, new: &NewEvent) -> Result<Option<Acceptance>, AcceptError> {
        let Some(id) = &new.id else { return Ok(None) };
        let key = EventKey::of(&new.application, id);
        let shard = self.event_ids.shard(key);
        let known = match shard.get(&key) {
            Some(entry) => Remembered::Entry(*entry),
            None => self.remembered(key, &new.application, id)?,
        };
        let again = match known {
            Remembered::Entry(entry) if self.is_remembered(&entry, self.clock.now()) => {
                self.duplicate(id.clone(), entry, new)
            }
            Remembered::Removed(position) => self.duplicate_of_removed(id.clone(), position, new),
            Remembered::Entry(_) | Remembered::Nothing => return Ok(None),
        };
        match again {
            Ok(acceptance) => Ok(Some(acceptance)),
            Err(AcceptError::Unavailable(why)) => Err(AcceptError::Unavailable(why)),
            Err(AcceptError::Unreadable(why)) => Err(AcceptError::Unreadable(why)),
            // It was another event: what is wrong with this one has been found already.
            Err(_) => Ok(None),
        }
    }
}

//! What a run is about: the components, the registry as it ever was, the log, and whose records.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::candidate::Candidate;
use super::control::Control;
use super::error::ReplayError;
use super::revisions::Revisions;
use super::shadow::Shadow;
use super::share::Share;
use crate::log::LogReader;
use crate::sandbox::{Package, Sandbox};
use crate::vocabulary::CapabilityName;

/// What is replayed.
pub struct Input {
    /// The log; up to what is durable when the run begins.
    pub log: LogReader,
    /// Where components are compiled and run: one of [`own_sandbox`](super::own_sandbox), for a run must
    /// not take the slots of the invocations that matter now.
    pub sandbox: Sandbox,
    /// The component.
    pub new: Package,
    /// What it is compared with: another component of the same plug-in, else what the log has.
    pub against: Option<Package>,
    /// Which customers.
    pub share: Share,
    /// Customers that are held in memory at most.
    pub profiles_max: u64,
    /// Whether to give way to everything else on this machine.
    pub lower_priority: bool,
}

/// Everything a thread needs. What is used at every record each has for itself: two threads that count
/// who uses the same thing slow each other down.
pub(super) struct Plan {
    pub capability: CapabilityName,
    pub candidates: Arc<[Candidate]>,
    pub share: Share,
    pub revisions: Revisions,
    pub log: LogReader,
    pub control: Arc<Control>,
    pub time: Duration,
    pub customer_bytes: u64,
    pub profiles_max: u64,
    pub lower_priority: bool,
}

impl Plan {
    /// Compiles what is replayed, and reads the registry as it ever was.
    pub fn new(input: Input, control: &Arc<Control>) -> Result<Plan, ReplayError> {
        let Input { log, sandbox, new, against, share, profiles_max, lower_priority } = input;
        let packages = [Some(new), against].into_iter().flatten();
        let candidates: Result<Arc<[Candidate]>, ReplayError> =
            packages.map(|package| Candidate::load(&package, &sandbox)).collect();
        let candidates = candidates?;
        let capability = candidates[0].manifest.plugin.name.clone();
        if let Some(other) = candidates.iter().find(|is| is.manifest.plugin.name != capability) {
            let other = other.manifest.plugin.name.clone();
            return Err(ReplayError::Another { capability, other });
        }
        let revisions = Revisions::read(&log, capability.clone(), candidates.clone())?;
        Ok(Plan {
            capability,
            candidates,
            share,
            revisions,
            log,
            control: control.clone(),
            time: Duration::from_millis(sandbox.limits().time_ms),
            customer_bytes: sandbox.limits().customer_bytes,
            profiles_max,
            lower_priority,
        })
    }

    /// The same for another thread.
    pub fn beside(&self) -> Plan {
        Plan {
            capability: self.capability.clone(),
            candidates: self.candidates.clone(),
            revisions: self.revisions.beside(),
            log: self.log.clone(),
            control: self.control.clone(),
            ..*self
        }
    }

    /// Another customer is held in memory.
    pub fn holds_another(&self) -> Result<(), ReplayError> {
        self.control.held(self.share, self.profiles_max)
    }

    /// A candidate's run, which counts its invocations.
    pub fn shadow<'a>(&'a self, index: usize, invocations: &'a Cell<u64>) -> Shadow<'a> {
        Shadow {
            candidate: &self.candidates[index],
            capability: &self.capability,
            control: &self.control,
            time: self.time,
            customer_bytes: self.customer_bytes,
            invocations,
        }
    }
}

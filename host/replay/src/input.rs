//! What a replay runs on: the components, the registry as it ever was, the log, and a share of the
//! customers.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use super::control::Control;
use super::error::ReplayError;
use super::revisions::Revisions;
use super::shadow::Shadow;
use samsyn_journal::Reader;
use samsyn_log::LogReader;
use samsyn_registry::Manifest;
use samsyn_sandbox::{Package, Plugin, Sandbox};
use samsyn_vocabulary::{CapabilityName, Digest, ProfileId};

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
    pub records: Reader,
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
        if let Some(other) = candidates.iter().find(|candidate| candidate.manifest.plugin.name != capability)
        {
            let other = other.manifest.plugin.name.clone();
            return Err(ReplayError::Another { capability, other });
        }
        let records = Reader::new(log);
        let revisions = Revisions::read(&records, capability.clone(), candidates.clone())?;
        Ok(Plan {
            capability,
            candidates,
            share,
            revisions,
            records,
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
            records: self.records.clone(),
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

/// A component that is compiled and read.
pub struct Candidate {
    /// Ready to be called.
    pub plugin: Plugin,
    /// What it asks for.
    pub manifest: Manifest,
    /// The same as it stands in the component.
    pub manifest_text: String,
}

impl Candidate {
    /// Compiles a component unless its code is kept.
    pub fn load(package: &Package, sandbox: &Sandbox) -> Result<Candidate, ReplayError> {
        Ok(Candidate {
            manifest: Manifest::parse(package.manifest())?,
            manifest_text: package.manifest().to_owned(),
            plugin: sandbox.load(package)?,
        })
    }

    /// The component's hash.
    pub fn digest(&self) -> Digest {
        self.plugin.digest()
    }
}

/// A share of the customers, chosen by a hash of their ids: the same ones in every run, and those of
/// a smaller share are among those of a larger one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    percent: f64,
    /// Hashes below it are taken; none takes all.
    below: Option<u64>,
}

/// A text that is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid share {0:?}: write a percentage such as 10% or 0.5%, above 0 and at most 100")]
pub struct ShareError(String);

impl Default for Share {
    /// Everybody.
    fn default() -> Share {
        Share { percent: 100.0, below: None }
    }
}

impl Share {
    /// So many percent, above 0 and at most 100.
    pub fn percent(percent: f64) -> Result<Share, ShareError> {
        if !(percent > 0.0 && percent <= 100.0) {
            return Err(ShareError(percent.to_string()));
        }
        let below = (percent < 100.0).then_some((percent / 100.0 * u64::MAX as f64) as u64);
        Ok(Share { percent, below })
    }

    /// How many percent.
    pub fn as_percent(self) -> f64 {
        self.percent
    }

    /// Whether it is everybody.
    pub fn is_all(self) -> bool {
        self.below.is_none()
    }

    /// Whether this customer is among them.
    pub fn takes(self, profile: ProfileId) -> bool {
        self.below.is_none_or(|below| {
            // Not the id's own bits: they choose the partition already.
            let hash = blake3::hash(profile.0.as_bytes());
            let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
            u64::from_le_bytes([a, b, c, d, e, f, g, h]) < below
        })
    }
}

impl std::str::FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Share, ShareError> {
        let wrong = || ShareError(text.to_owned());
        let number = text.strip_suffix('%').unwrap_or(text);
        Share::percent(number.parse().map_err(|_| wrong())?).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_about_as_many_and_a_smaller_one_none_others() {
        let customers: Vec<ProfileId> =
            (0..20_000_u128).map(|id| ProfileId(uuid::Uuid::from_u128(id))).collect();
        let [tenth, half, all]: [Share; 3] = ["10%", "50", "100%"].map(|text| text.parse().unwrap());
        let count = |share: Share| customers.iter().filter(|id| share.takes(**id)).count();
        assert!((1_800..2_200).contains(&count(tenth)), "{}", count(tenth));
        assert!((9_600..10_400).contains(&count(half)), "{}", count(half));
        assert_eq!(count(all), customers.len());
        assert!(customers.iter().all(|id| !tenth.takes(*id) || half.takes(*id)));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in ["", "%", "0", "-1", "101%", "ten", "NaN", "inf", "10 %"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }
}

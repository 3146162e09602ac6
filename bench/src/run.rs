//! One run of the benchmarks: what is measured, how thoroughly, and where its data goes.

use std::path::PathBuf;
use std::time::Duration;

/// What the arguments ask for.
pub struct Bench {
    /// Names or their beginnings; none for all.
    pub only: Vec<String>,
    /// Less of everything, to see that it works.
    pub quick: bool,
    /// Where data goes while it is measured; deleted in the end.
    pub data: PathBuf,
    /// Cargo's target directory.
    pub target: PathBuf,
}

impl Bench {
    /// Whether any of these figures is asked for.
    pub fn wants(&self, names: &[&str]) -> bool {
        self.only.is_empty() || names.iter().any(|name| self.wants_one(name))
    }

    /// Whether this figure is asked for.
    pub fn wants_one(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| name.starts_with(only.as_str()))
    }

    /// How much of something: `full`, or `quick` when it must be quick.
    pub fn scale(&self, full: u64, quick: u64) -> u64 {
        if self.quick { quick } else { full }
    }

    /// How long something is measured.
    pub fn time(&self, full: Duration) -> Duration {
        if self.quick { full / 10 } else { full }
    }

    /// How often something is measured; the median counts.
    pub fn runs(&self) -> u64 {
        self.scale(3, 1)
    }

    /// Tells how far it is.
    pub fn say(&self, line: &str) {
        eprintln!("  {line}");
    }
}

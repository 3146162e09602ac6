//! What installing a component makes of the version that is there.

use std::cmp::Ordering;

use schemars::JsonSchema;
use serde::Serialize;

use samsyn_vocabulary::Digest;

/// How a component differs from the version that is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VersionChange {
    /// No capability of this name is installed.
    Install,
    /// The same component is installed.
    Reinstall,
    /// A higher version.
    Upgrade,
    /// A lower version.
    Downgrade,
    /// The same version, but another component.
    SameVersion,
    /// Another version that can't be compared.
    OtherVersion,
}

/// A version of a plug-in that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledVersion {
    /// Its version.
    pub version: String,
    /// Its component.
    pub digest: Digest,
}

impl VersionChange {
    /// What installing a component of this digest and version is.
    pub fn of(installed: Option<&InstalledVersion>, digest: Digest, version: &str) -> VersionChange {
        let Some(installed) = installed else { return VersionChange::Install };
        if installed.digest == digest {
            return VersionChange::Reinstall;
        }
        if installed.version == version {
            return VersionChange::SameVersion;
        }
        match order(&installed.version, version) {
            Some(Ordering::Less) => VersionChange::Upgrade,
            Some(Ordering::Greater) => VersionChange::Downgrade,
            Some(Ordering::Equal) | None => VersionChange::OtherVersion,
        }
    }

    /// A version that waits for approval, as it is sent and as it is spoken of later: `an upgrade of shop
    /// (0.9.0 → 0.10.0) that wants more than is granted and waits`, `the upgrade of shop (0.9.0 → 0.10.0)`.
    pub fn waiting(self, name: &str, before: &str, version: &str) -> [String; 2] {
        let (one, the) = match self {
            VersionChange::SameVersion => {
                return [
                    format!("other bytes of {name} {version} that want more than is granted and wait"),
                    format!("the other bytes of {name} {version}"),
                ];
            }
            VersionChange::Downgrade => ("a downgrade", "the downgrade"),
            VersionChange::OtherVersion => ("another version", "the other version"),
            _ => ("an upgrade", "the upgrade"),
        };
        let of = format!("of {name} ({before} → {version})");
        [format!("{one} {of} that wants more than is granted and waits"), format!("{the} {of}")]
    }

    /// What was done, as the end of a sentence that begins with a name: `upgraded shop 0.9.0 → 0.10.0`.
    pub fn done(self, name: &str, before: &str, version: &str) -> String {
        match self {
            VersionChange::Install => format!("installed {name} {version}"),
            VersionChange::Reinstall => format!("installed {name} {version} again"),
            VersionChange::Upgrade => format!("upgraded {name} {before} → {version}"),
            VersionChange::Downgrade => format!("downgraded {name} {before} → {version}"),
            VersionChange::SameVersion => {
                format!("replaced {name} {version} by other bytes of the same version")
            }
            VersionChange::OtherVersion => format!("changed {name} {before} → {version}"),
        }
    }
}

/// Which of two versions is higher, by the rules of semantic versions; none when one of them isn't written
/// as numbers with points between them.
fn order(one: &str, other: &str) -> Option<Ordering> {
    let (one, other) = (Parts::of(one)?, Parts::of(other)?);
    Some(one.numbers.cmp(&other.numbers).then_with(|| match (one.pre, other.pre) {
        (None, None) => Ordering::Equal,
        // A release is higher than what came before it.
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) => order_of_pre(one, other),
    }))
}

/// `1.2.0-rc.1+build`: the numbers without zeros at their end, and what stands behind the hyphen.
struct Parts<'a> {
    numbers: Vec<u64>,
    pre: Option<&'a str>,
}

impl Parts<'_> {
    fn of(version: &str) -> Option<Parts<'_>> {
        let version = version.split('+').next()?;
        let (numbers, pre) =
            version.split_once('-').map_or((version, None), |(numbers, pre)| (numbers, Some(pre)));
        let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
        let number =
            |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
        let mut numbers = numbers.split('.').map(number).collect::<Option<Vec<u64>>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Parts { numbers, pre })
    }
}

fn order_of_pre(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        let (a, b) = match (one.next(), other.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => (a, b),
        };
        let ordered = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        if ordered.is_ne() {
            return ordered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semantic_versions_are() {
        let ascending = [
            "0.1",
            "0.9.0",
            "0.10.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "v1.2",
            "2",
            "2026.11.30",
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (place, other) in ascending.iter().enumerate() {
                assert_eq!(order(one, other), Some(at.cmp(&place)), "{one} {other}");
            }
        }
        assert_eq!(order("1.0", "1.0.0+build.7"), Some(Ordering::Equal));
        for none in ["", "nightly", "1.x", "1..2", "1.-2", "99999999999999999999"] {
            assert_eq!(order(none, "1.0"), None, "{none}");
        }
    }

    #[test]
    fn a_change_is_called_what_it_is() {
        let [one, other] = [b"one", b"two"].map(|bytes| Digest::of(bytes));
        let installed = InstalledVersion { version: "1.1.0".to_owned(), digest: one };
        for (digest, version, change) in [
            (one, "1.1.0", VersionChange::Reinstall),
            (other, "1.1.0", VersionChange::SameVersion),
            (other, "1.1.1", VersionChange::Upgrade),
            (other, "1.0.9", VersionChange::Downgrade),
            (other, "1.1", VersionChange::OtherVersion),
            (other, "nightly", VersionChange::OtherVersion),
        ] {
            assert_eq!(VersionChange::of(Some(&installed), digest, version), change, "{version}");
        }
        assert_eq!(VersionChange::of(None, one, "1"), VersionChange::Install);
    }
}

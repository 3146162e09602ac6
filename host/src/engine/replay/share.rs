//! Which customers are replayed: a share of them, whole customers and always the same ones.

use crate::vocabulary::ProfileId;

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

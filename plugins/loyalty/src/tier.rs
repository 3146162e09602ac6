//! The tier, and the day it ends: points *earned* over 365 days, so that spending costs none.

use samsyn_plugin::Date;

/// How many days an order counts for the tier, its own day included.
pub const WINDOW_DAYS: i32 = 365;

/// A customer's tier, lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Everybody who has ordered.
    #[default]
    Bronze,
    /// At least `silver_at` points.
    Silver,
    /// At least `gold_at` points.
    Gold,
}

impl Tier {
    /// The field's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Tier::Bronze => "bronze",
            Tier::Silver => "silver",
            Tier::Gold => "gold",
        }
    }
}

/// The points over 365 days that each tier asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    silver: u64,
    gold: u64,
}

impl Thresholds {
    /// `None` when one is negative or gold is below silver.
    pub fn new(silver: i64, gold: i64) -> Option<Thresholds> {
        let (silver, gold) = (u64::try_from(silver).ok()?, u64::try_from(gold).ok()?);
        (silver <= gold).then_some(Thresholds { silver, gold })
    }

    fn tier(self, points: u128) -> Tier {
        if points >= u128::from(self.gold) {
            Tier::Gold
        } else if points >= u128::from(self.silver) {
            Tier::Silver
        } else {
            Tier::Bronze
        }
    }

    /// The tier on `today`, and the first day on which it is lower if nothing more is earned:
    /// none when it can't drop. `earned` is points by day in the order of days; what lies
    /// outside the window is passed over.
    pub fn standing(
        self,
        earned: impl Iterator<Item = (Date, u64)> + Clone,
        today: Date,
    ) -> (Tier, Option<Date>) {
        let counts = earned.filter(|(day, _)| is_counted(*day, today));
        let mut left: u128 = counts.clone().map(|(_, points)| u128::from(points)).sum();
        let tier = self.tier(left);
        for (day, points) in counts {
            left -= u128::from(points);
            if self.tier(left) < tier {
                return (tier, Some(day.add_days(WINDOW_DAYS)));
            }
        }
        (tier, None)
    }
}

/// Whether what was earned on `day` counts on `today`.
pub fn is_counted(day: Date, today: Date) -> bool {
    day <= today && day.add_days(WINDOW_DAYS) > today
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use samsyn_plugin::Timestamp;

    use super::*;

    const USUAL: Thresholds = Thresholds { silver: 100, gold: 300 };

    const EPOCH: Date = Timestamp::from_millis(0).date();

    /// Days are counted from the epoch.
    fn standing(thresholds: Thresholds, earned: &[(i32, u64)], today: i32) -> (Tier, Option<i32>) {
        let earned = earned.iter().map(|(day, points)| (EPOCH.add_days(*day), *points));
        let (tier, until) = thresholds.standing(earned, EPOCH.add_days(today));
        (tier, until.map(|day| day.days_since(EPOCH)))
    }

    #[test]
    fn a_tier_lasts_until_its_points_leave_the_window() {
        use Tier::{Bronze, Gold, Silver};
        for (earned, today, tier, until) in [
            (&[][..], 0, Bronze, None),
            (&[(0, 99)], 0, Bronze, None),
            (&[(0, 100)], 0, Silver, Some(365)),
            (&[(0, 100)], 364, Silver, Some(365)),
            (&[(0, 100)], 365, Bronze, None),
            (&[(0, 300)], 10, Gold, Some(365)),
            (&[(0, 50), (10, 50)], 10, Silver, Some(365)),
            (&[(0, 50), (10, 100)], 10, Silver, Some(375)),
            (&[(0, 200), (10, 100)], 10, Gold, Some(365)),
            (&[(0, 200), (10, 100)], 370, Silver, Some(375)),
            (&[(0, 10), (10, 10), (20, 300)], 20, Gold, Some(385)),
            (&[(-5, 60), (0, 60)], 0, Silver, Some(360)),
        ] {
            assert_eq!(standing(USUAL, earned, today), (tier, until), "{earned:?} on {today}");
        }
    }

    #[test]
    fn a_tier_that_asks_for_nothing_never_ends() {
        let free = Thresholds::new(0, 300).unwrap();
        assert_eq!(standing(free, &[(0, 10)], 0), (Tier::Silver, None));
        assert_eq!(standing(free, &[(0, 300)], 0), (Tier::Gold, Some(365)));
    }

    #[test]
    fn thresholds_are_in_order() {
        assert!(Thresholds::new(100, 100).is_some());
        assert!(Thresholds::new(101, 100).is_none());
        assert!(Thresholds::new(-1, 100).is_none());
    }

    proptest! {
        #[test]
        fn the_last_day_is_the_last(
            mut earned in prop::collection::vec((-500i32..=0, 0u64..200), 0..20),
            silver in 1i64..300, more in 0i64..300,
        ) {
            earned.sort();
            let thresholds = Thresholds::new(silver, silver + more).unwrap();
            let (tier, until) = standing(thresholds, &earned, 0);
            match until {
                None => prop_assert_eq!(tier, Tier::Bronze),
                Some(day) => {
                    prop_assert!(day > 0);
                    prop_assert_eq!(standing(thresholds, &earned, day - 1).0, tier);
                    prop_assert!(standing(thresholds, &earned, day).0 < tier);
                }
            }
        }
    }
}

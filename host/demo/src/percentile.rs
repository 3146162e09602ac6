//! Percentiles of the host's histograms, as `GET /metrics` has them: interpolated within a bucket, because a
//! bucket's bound is no measurement.

/// A histogram in Prometheus' text.
#[derive(Debug, Default, PartialEq)]
pub struct Histogram {
    /// Upper bounds in microseconds, each with how many lie at or below it; the last one is infinite.
    buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// The histogram of this name whose labels hold this text, such as `capability="crm"`; empty when there is
    /// none.
    pub fn find(metrics: &str, name: &str, label: &str) -> Histogram {
        let lines = metrics.lines().filter_map(|line| {
            let (labels, count) = line.strip_prefix(name)?.strip_prefix("_bucket{")?.split_once("} ")?;
            let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse::<f64>().ok()? * 1e6 };
            labels.contains(label).then_some((bound, count.parse::<f64>().ok()? as u64))
        });
        let mut buckets: Vec<(f64, u64)> = lines.collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        Histogram { buckets }
    }

    /// The value in microseconds at or below which this share (0 to 1) lies: within its bucket as if what is
    /// in there were spread evenly. Infinite beyond the last bound; none when nothing was counted.
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        let all = self.buckets.last().map(|(_, all)| *all).filter(|all| *all > 0)?;
        let wanted = all as f64 * share;
        let (mut below, mut counted) = (0.0, 0);
        for (bound, through) in &self.buckets {
            if *through as f64 >= wanted && *through > counted {
                let part = (wanted - counted as f64) / (through - counted) as f64;
                return Some(if bound.is_infinite() { *bound } else { below + (bound - below) * part });
            }
            (below, counted) = (*bound, *through);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# TYPE call_seconds histogram
call_seconds_bucket{capability=\"crm\",le=\"0.00001\"} 50
call_seconds_bucket{capability=\"crm\",le=\"0.00002\"} 90
call_seconds_bucket{capability=\"crm\",le=\"0.0001\"} 100
call_seconds_bucket{capability=\"crm\",le=\"+Inf\"} 100
call_seconds_sum{capability=\"crm\"} 0.001
call_seconds_bucket{capability=\"sms\",le=\"0.00001\"} 0
call_seconds_bucket{capability=\"sms\",le=\"+Inf\"} 4
all_seconds_bucket{le=\"0.001\"} 10
all_seconds_bucket{le=\"+Inf\"} 10
";

    #[test]
    fn a_percentile_lies_within_its_bucket() {
        let crm = Histogram::find(METRICS, "call_seconds", "capability=\"crm\"");
        for (share, us) in [(0.25, 5.0), (0.5, 10.0), (0.7, 15.0), (0.9, 20.0), (0.95, 60.0), (0.99, 92.0)] {
            let found = crm.quantile_us(share).unwrap();
            assert!((found - us).abs() < 1e-6, "{share}: {found}");
        }
        assert_eq!(Histogram::find(METRICS, "all_seconds", "").quantile_us(0.5).map(f64::round), Some(500.0));
    }

    #[test]
    fn what_is_beyond_or_was_never_counted_is_no_number() {
        let sms = Histogram::find(METRICS, "call_seconds", "capability=\"sms\"");
        assert_eq!(sms.quantile_us(0.5), Some(f64::INFINITY));
        assert_eq!(Histogram::find(METRICS, "call_seconds", "capability=\"email\"").quantile_us(0.5), None);
    }
}

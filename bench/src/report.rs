//! Figures, as a table for people and as JSON for the next run to be compared with.

use std::path::Path;

use serde_json::{Map, Value, json};

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The value is at least this.
    AtLeast(f64),
    /// The value is at most this.
    AtMost(f64),
    /// The ratio to the baseline is at least this.
    RatioAtLeast(f64),
    /// The ratio to the baseline is at most this.
    RatioAtMost(f64),
}

/// Something measured.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Stable, so that two runs can be compared.
    pub name: &'static str,
    /// The median of several runs.
    pub value: f64,
    /// Of value and baseline.
    pub unit: &'static str,
    /// What it is compared with, from the same run.
    pub baseline: Option<f64>,
    /// The median of the runs' own ratios, so that a slow moment of the machine counts in both.
    pub ratio: Option<f64>,
    /// What was promised; all must hold.
    pub targets: Vec<Target>,
    /// What else is worth telling.
    pub note: String,
}

impl Figure {
    /// A figure on its own.
    pub fn new(name: &'static str, value: f64, unit: &'static str) -> Figure {
        Figure { name, value, unit, baseline: None, ratio: None, targets: Vec::new(), note: String::new() }
    }

    /// Compared with a baseline.
    pub fn against(self, baseline: f64, ratio: f64) -> Figure {
        Figure { baseline: Some(baseline), ratio: Some(ratio), ..self }
    }

    /// With what was promised.
    pub fn target(mut self, target: Target) -> Figure {
        self.targets.push(target);
        self
    }

    /// With what else is worth telling.
    pub fn note(self, note: impl Into<String>) -> Figure {
        Figure { note: note.into(), ..self }
    }

    /// Whether all that was promised holds; none when nothing was.
    pub fn holds(&self) -> Option<bool> {
        let holds = |target: &Target| match *target {
            Target::AtLeast(least) => self.value >= least,
            Target::AtMost(most) => self.value <= most,
            Target::RatioAtLeast(least) => self.ratio.is_some_and(|ratio| ratio >= least),
            Target::RatioAtMost(most) => self.ratio.is_some_and(|ratio| ratio <= most),
        };
        (!self.targets.is_empty()).then(|| self.targets.iter().all(holds))
    }

    fn json(&self) -> Value {
        json!({ "value": self.value, "unit": self.unit, "baseline": self.baseline, "ratio": self.ratio })
    }
}

/// The middle of several values; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => 0.0,
        (length, middle) if length % 2 == 1 => values[middle],
        (_, middle) => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// All figures as JSON, by name.
pub fn json(figures: &[Figure]) -> Value {
    let figures = figures.iter().map(|figure| (figure.name.to_owned(), figure.json()));
    Value::Object(figures.collect::<Map<_, _>>())
}

/// Writes these into `bench.json`, beside those an earlier run left there.
pub fn write(figures: &[Figure], path: &Path) -> std::io::Result<()> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let mut all: Map<String, Value> = serde_json::from_str(&before).unwrap_or_default();
    all.extend(figures.iter().map(|figure| (figure.name.to_owned(), figure.json())));
    std::fs::write(path, format!("{:#}\n", Value::Object(all)))
}

/// The table.
pub fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "{:<24} {:>12} {:<10} {:>12} {:>7}  {:<22}\n",
        "figure", "value", "unit", "baseline", "ratio", "target"
    );
    for figure in figures {
        let baseline = figure.baseline.map(number).unwrap_or_default();
        let ratio = figure.ratio.map(|ratio| format!("{ratio:.3}")).unwrap_or_default();
        let targets: Vec<String> = figure.targets.iter().map(target).collect();
        let verdict = match figure.holds() {
            Some(true) => "holds",
            Some(false) => "MISSED",
            None => "",
        };
        let row = format!(
            "{:<24} {:>12} {:<10} {baseline:>12} {ratio:>7}  {:<22} {verdict}",
            figure.name,
            number(figure.value),
            figure.unit,
            targets.join(", ")
        );
        text.push_str(row.trim_end());
        text.push('\n');
        for line in figure.note.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => grouped(value.round() as i64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(value: i64) -> String {
    let digits = value.abs().to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let groups = tail.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let parts: Vec<_> = (!head.is_empty()).then(|| head.into()).into_iter().chain(groups).collect();
    format!("{}{}", if value < 0 { "-" } else { "" }, parts.join(","))
}

fn target(target: &Target) -> String {
    match target {
        Target::AtLeast(least) => format!("≥ {}", number(*least)),
        Target::AtMost(most) => format!("≤ {}", number(*most)),
        Target::RatioAtLeast(least) => format!("ratio ≥ {least}"),
        Target::RatioAtMost(most) => format!("ratio ≤ {most}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn a_figure_holds_when_all_its_targets_do() {
        let figure = Figure::new("x", 50_000.0, "events/s").against(62_500.0, 0.8);
        assert_eq!(figure.holds(), None);
        let figure = figure.target(Target::RatioAtLeast(0.65));
        assert_eq!(figure.holds(), Some(true));
        let figure = figure.target(Target::AtLeast(60_000.0));
        assert_eq!(figure.holds(), Some(false));
        let table = table(&[figure]);
        assert!(
            table.contains("50,000") && table.contains("ratio ≥ 0.65, ≥ 60,000") && table.contains("MISSED")
        );
    }

    #[test]
    fn figures_that_were_not_measured_keep_what_an_earlier_run_wrote() {
        let path = std::env::temp_dir().join(format!("samsyn-bench-{}.json", std::process::id()));
        let _ = std::fs::remove_file(&path);
        write(&[Figure::new("one", 1.0, "s"), Figure::new("two", 2.0, "s")], &path).unwrap();
        write(&[Figure::new("two", 3.0, "s"), Figure::new("three", 4.0, "s")], &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let found: Value = serde_json::from_str(&text).unwrap();
        let values = ["one", "two", "three"].map(|name| found[name]["value"].as_f64());
        assert_eq!(values, [Some(1.0), Some(3.0), Some(4.0)]);
        // What isn't a table of figures is no reason to lose those that were measured.
        std::fs::write(&path, "half a fi").unwrap();
        write(&[Figure::new("one", 5.0, "s")], &path).unwrap();
        let found: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((found["one"]["value"].as_f64(), found.as_object().map(Map::len)), (Some(5.0), Some(1)));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [grouped(1), grouped(1234), grouped(123_456), grouped(-1_234_567)].join(" "),
            "1 1,234 123,456 -1,234,567"
        );
    }
}

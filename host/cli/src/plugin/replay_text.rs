//! The report of a replay as people read it.

use samsyn_client::{ReplayFinding, ReplayReport, ReplaySample, ReplayVersion};
use samsyn_terminal::output::{Paint, grouped, plain, value_text};

/// How much of a digest is shown: enough to tell two apart.
const DIGEST_CHARS: usize = 12;

/// The whole report.
pub fn report_text(report: &ReplayReport, paint: Paint) -> String {
    let mut text = head(report, paint);
    for finding in &report.findings {
        text.push_str(&finding_text(finding, paint));
    }
    for (why, count) in &report.not_replayed {
        text.push_str(&format!("not replayed: {} invocations: {}\n", grouped(*count), plain(why)));
    }
    if report.profiles_skipped > 0 {
        let skipped = grouped(report.profiles_skipped);
        text.push_str(&format!("left out: {skipped} customers whose first records the log no longer has\n"));
    }
    for more in &report.wants {
        text.push_str(&format!("the run included what is not granted yet: {}\n", plain(more)));
    }
    if let Some(why) = &report.gave_up {
        text.push_str(&format!("{} {}\n", paint.bad("aborted:"), plain(why)));
    }
    text.push_str(&tail(report, paint));
    text
}

fn head(report: &ReplayReport, paint: Paint) -> String {
    let name = |version: &ReplayVersion| {
        let digest: String = version.digest.chars().take(DIGEST_CHARS).collect();
        match &version.version {
            Some(version) => format!("{} ({digest})", plain(version)),
            None => digest,
        }
    };
    let title = format!("{} {}", plain(&report.capability), name(&report.new));
    let against = match &report.against {
        Some(other) => format!("{} run again", name(other)),
        None => "the log".to_owned(),
    };
    let share = if report.percent < 100.0 { format!(" ({}%)", report.percent) } else { String::new() };
    let mut text = format!(
        "{} against {against}: {} invocations of {} customers{share} in {:.1} s\n",
        paint.strong(&title),
        grouped(report.deliveries),
        grouped(report.profiles),
        report.seconds
    );
    // Whose decisions the log has matters only when there were several versions.
    if report.decided_by.len() > 1 {
        for by in &report.decided_by {
            let (all, others) = (grouped(by.deliveries), grouped(by.different));
            text.push_str(
                &paint.dim(&format!("  decided by {}: {all}; {others} of them differ\n", name(by))),
            );
        }
    }
    text
}

fn tail(report: &ReplayReport, paint: Paint) -> String {
    if report.different == 0 {
        let same = grouped(report.effects.same);
        return format!("{}: {same} effects are equal\n", paint.good("no difference"));
    }
    let effects = &report.effects;
    let counts = [
        (effects.changed, "changed"),
        (effects.added, "added"),
        (effects.gone, "missing"),
        (effects.refused, "rejected"),
        (effects.failed, "failed"),
        (effects.mended, "fixed"),
        (effects.same, "equal"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{} {word}", grouped(*count))).collect();
    format!(
        "{} of {} invocations differ, for {} of {} customers: {}\n",
        grouped(report.different),
        grouped(report.deliveries),
        grouped(report.profiles_different),
        grouped(report.profiles),
        counts.join(", ")
    )
}

fn finding_text(finding: &ReplayFinding, paint: Paint) -> String {
    let severity = match finding.severity.as_str() {
        "error" => paint.bad("error"),
        "note" => paint.dim("note"),
        other => paint.strong(other),
    };
    let what = match finding.what.as_str() {
        "delivery" => format!("invocations of {}", plain(&finding.name)),
        "memory" => "its memory".to_owned(),
        "other" => "others".to_owned(),
        what => format!("{} {}", plain(what), plain(&finding.name)),
    };
    let mut text = format!(
        "{severity} {what}: {} {}, {} customers\n",
        grouped(finding.count),
        kind_text(&finding.kind),
        grouped(finding.profiles)
    );
    finding.samples.iter().for_each(|sample| text.push_str(&sample_text(sample)));
    text
}

/// A kind of difference in the words of the report; the JSON has older ones.
fn kind_text(kind: &str) -> String {
    match kind {
        "gone" => "missing".to_owned(),
        "refused" => "rejected".to_owned(),
        "mended" => "fixed".to_owned(),
        other => plain(other),
    }
}

fn sample_text(sample: &ReplaySample) -> String {
    let ReplaySample { profile, position, on, before, after } = sample;
    let mut line = format!("  {}  {} {}", plain(profile), plain(position), plain(on));
    if !before.is_null() || !after.is_null() {
        line.push_str(&format!("  {} -> {}", plain(&value_text(before)), plain(&value_text(after))));
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: &str, different: u64) -> ReplayReport {
        let json = format!(
            r#"{{"capability": "loyalty", "new": {{"version": "0.2.0", "digest": "0123456789abcdef"}},
                "against": null, "percent": 10.0, "profiles": 2357, "profiles_different": 12,
                "deliveries": 6966, "different": {different}, "effects": {{"same": 20898, "changed": 12}},
                "findings": [{findings}], "gave_up": null, "seconds": 0.42}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_report_says_what_would_be_another_for_whom() {
        let finding = r#"{"severity": "warning", "what": "field", "name": "loyalty.tier", "kind": "changed",
            "count": 12, "profiles": 12, "samples": [
                {"profile": "ab", "position": "12-345", "on": "order.completed", "before": "silver", "after": "gold"},
                {"profile": "cd", "position": "13-1", "on": "a\u001b[2J"}]}"#;
        assert_eq!(
            report_text(&report(finding, 12), Paint(false)),
            "loyalty 0.2.0 (0123456789ab) against the log: 6,966 invocations of 2,357 customers (10%) in 0.4 s\n\
             warning field loyalty.tier: 12 changed, 12 customers\n\
             \x20 ab  12-345 order.completed  silver -> gold\n\
             \x20 cd  13-1 a\\u{1b}[2J\n\
             12 of 6,966 invocations differ, for 12 of 2,357 customers: 12 changed, 20,898 equal\n"
        );
    }

    #[test]
    fn no_difference_is_said_in_a_line() {
        let text = report_text(&report("", 0), Paint(false));
        assert!(text.ends_with("no difference: 20,898 effects are equal\n"), "{text}");
    }
}

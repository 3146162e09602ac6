//! `samsyn registry check`: the silo report, for people and for CI.

use clap::{Args, ValueEnum};

use samsyn_client::{Finding, Report};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, Exit};
use samsyn_terminal::output::{Paint, plain};

pub const EXAMPLES: &str = "\
Examples:
  samsyn registry check
  samsyn registry check --fail-on warning --json

An error can't work as it is. A warning needs a decision. A note is for information. Each finding has a
stable code, and a command that fixes it or shows what to decide.

Exit codes:
  0  no finding as severe as --fail-on
  1  findings as severe as --fail-on
  2  invalid command line or address
  3  no host answers
  4  the host gave no report";

/// The width that explanations are wrapped to, in characters.
const LINE_CHARS: usize = 96;

/// The arguments of `samsyn registry check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The lowest severity for exit code 1
    #[arg(long, value_enum, default_value = "error", value_name = "SEVERITY")]
    pub fail_on: Severity,
}

/// How bad a finding is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Severity {
    /// For information
    Note,
    /// Needs a decision
    Warning,
    /// Can't work as it is
    Error,
}

/// Asks the host, prints the report, and fails when it says enough.
pub fn run(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    // In CI "findings" and "no answer" must not look the same.
    let no_report = |error: CliError| match error.exit {
        Exit::Refused => CliError { exit: Exit::NoAnswer, ..error },
        _ => error,
    };
    let answer = context.client()?.registry_report().map_err(|error| no_report(error.into()))?;
    context.answer(&answer.raw, |paint| text(&answer.body, paint))?;
    let bad = findings_at(&answer.body, args.fail_on);
    if bad == 0 {
        return Ok(());
    }
    let found = if bad == 1 { "1 finding".to_owned() } else { format!("{bad} findings") };
    let at = match args.fail_on {
        Severity::Note => "in the registry",
        Severity::Warning => "that are warnings or errors",
        Severity::Error => "that are errors",
    };
    Err(CliError::refused(format!("{found} {at}")).next("run the commands below the findings"))
}

fn findings_at(report: &Report, least: Severity) -> u64 {
    let Report { errors, warnings, notes, .. } = report;
    match least {
        Severity::Error => *errors,
        Severity::Warning => errors + warnings,
        Severity::Note => errors + warnings + notes,
    }
}

fn text(report: &Report, paint: Paint) -> String {
    let Report { errors, warnings, notes, revision, .. } = report;
    if report.findings.is_empty() {
        return format!("{} at revision {revision}\n", paint.good("no findings in the registry"));
    }
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&finding_text(finding, paint));
        text.push('\n');
    }
    let count = |count: &u64, one: &str| format!("{count} {one}{}", if *count == 1 { "" } else { "s" });
    text.push_str(&format!(
        "{}, {} and {} at revision {revision}\n",
        count(errors, "error"),
        count(warnings, "warning"),
        count(notes, "note")
    ));
    text
}

fn finding_text(finding: &Finding, paint: Paint) -> String {
    let severity = match finding.severity.as_str() {
        "error" => paint.bad("error"),
        "note" => paint.dim("note"),
        other => paint.strong(other),
    };
    let mut text = format!("{severity} {}\n", paint.dim(&finding.code));
    for part in [&finding.explanation, &finding.mend] {
        for line in wrapped(&plain(part), LINE_CHARS) {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text.push_str(&format!("  $ {}\n", paint.strong(&plain(&finding.command))));
    text
}

/// Lines of at most this many characters, longer words excepted.
fn wrapped(text: &str, chars_max: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= chars_max => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        serde_json::from_str(
            r#"{"revision": 7, "errors": 1, "warnings": 1, "notes": 0, "findings": [
                {"severity": "error", "code": "consumed-without-source", "fields": ["nickname"], "capabilities": ["mail"],
                 "events": [], "explanation": "mail reads nickname, which has no source: there is never a value.",
                 "mend": "Install a plug-in that declares nickname.", "command": "samsyn plugin install FILE"},
                {"severity": "warning", "code": "departments-same-field", "explanation": "A\u001b[2J and B.",
                 "mend": "Agree.", "command": "samsyn field disagreements"}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_finding_says_what_and_what_to_do() {
        let text = text(&report(), Paint(false));
        assert!(
            text.starts_with(
                "error consumed-without-source\n  mail reads nickname, which has no source: there is never a value.\n  \
                 Install a plug-in that declares nickname.\n  $ samsyn plugin install FILE\n\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("1 error, 1 warning and 0 notes at revision 7\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "what a plug-in says can't drive the terminal");
    }

    #[test]
    fn the_least_that_fails_counts_what_is_worse_too() {
        let counts =
            [Severity::Error, Severity::Warning, Severity::Note].map(|least| findings_at(&report(), least));
        assert_eq!(counts, [1, 2, 2]);
    }

    #[test]
    fn long_explanations_are_wrapped_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), Vec::<String>::new());
        assert_eq!(wrapped("incomprehensibilities a", 7), ["incomprehensibilities", "a"]);
    }
}

//! Asking the person at the terminal: for a yes before something changes, and for why it does.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::error::CliError;
use samsyn_vocabulary::Reason;

/// `--reason`, for every command that changes the registry.
#[derive(Debug, Clone, Default, Args)]
pub struct Why {
    /// The reason, kept with the change; asked for at a terminal. Put no customer's data in it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<Reason>,
}

/// `--yes` and `--reason`, for commands that ask before they change something.
#[derive(Debug, Clone, Default, Args)]
pub struct Consent {
    /// Don't ask for confirmation
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    pub why: Why,
}

impl Why {
    /// The reason that was given, else what the person at the terminal answers; an empty line is
    /// none. Where nobody can be asked there is none.
    pub fn ask(&self) -> Result<Option<Reason>, CliError> {
        if self.reason.is_some() || !can_ask() {
            return Ok(self.reason.clone());
        }
        let answer = ask_line("Reason? (one line, kept with the change; Enter for none) ");
        match answer.trim() {
            "" => Ok(None),
            text => Reason::new(text).map(Some).map_err(CliError::usage_of),
        }
    }
}

impl Consent {
    /// Asks `question` unless `--yes` was given, then why. `refused` ends the sentence "not …;
    /// nothing was changed".
    pub fn ask(&self, question: &str, refused: &str) -> Result<Option<Reason>, CliError> {
        agree(self.yes, question, refused)?;
        if self.yes { Ok(self.why.reason.clone()) } else { self.why.ask() }
    }
}

/// Asks `question` unless `yes` was given. `refused` ends the sentence "not …; nothing was changed".
pub fn agree(yes: bool, question: &str, refused: &str) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(CliError::usage("confirmation is needed, and stdin is not a terminal")
            .next("add --yes to confirm on the command line"));
    }
    if !means_yes(&ask_line(&format!("{question} [y/N] "))) {
        return Err(CliError::refused(format!("not {refused}; nothing was changed")));
    }
    Ok(())
}

/// Offers something that harms nothing: Enter takes it. Where nobody can be asked it isn't taken.
pub fn accepts(offer: &str) -> bool {
    can_ask() && takes_it(&ask_line(&format!("{offer} [Y/n] ")))
}

fn takes_it(answer: &str) -> bool {
    // The end of the input is no answer, where an empty line is one.
    answer.ends_with('\n') && (answer.trim().is_empty() || means_yes(answer))
}

fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks on stderr: stdout is for the answer.
fn ask_line(question: &str) -> String {
    eprint!("{question}");
    // If the question can't be shown, nobody can answer it: what is read then is empty.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    match std::io::stdin().lock().read_line(&mut answer) {
        Ok(_) => answer,
        Err(_) => String::new(),
    }
}

fn means_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(means_yes("y\n") && means_yes("YES"));
        assert!(!means_yes("") && !means_yes("n") && !means_yes("yep"));
    }

    #[test]
    fn an_offer_is_taken_by_enter() {
        assert!(takes_it("\n") && takes_it("y\n") && takes_it("Yes\n"));
        assert!(!takes_it("") && !takes_it("n\n") && !takes_it("no\n") && !takes_it("?\n"));
    }

    #[test]
    fn what_was_given_isnt_asked_for() {
        let why = Why { reason: Some(Reason::new("CRM-12").unwrap()) };
        let consent = Consent { yes: true, why: why.clone() };
        assert_eq!(why.ask().unwrap().unwrap().as_str(), "CRM-12");
        assert_eq!(consent.ask("Really?", "done").unwrap(), why.reason);
    }
}

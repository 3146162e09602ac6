//! What a command can come to other than success: an exit code, what happened, why, what to do.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::process::ExitCode;

use super::context::DEFAULT_HOST;
use samsyn_client::{ClientError, Problem};

/// How the command ends, documented in `samsyn --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The host refused, or a check failed.
    Refused = 1,
    /// The command line, a file or an address can't be used.
    Usage = 2,
    /// No host answers.
    Unreachable = 3,
    /// A check could not be made, where 1 would mean that it found something.
    NoAnswer = 4,
    /// Ctrl-C: 128 and the signal's number, as shells expect it.
    Interrupted = 130,
}

/// An error as a person reads it on stderr.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct CliError {
    /// How the command ends.
    pub exit: Exit,
    /// What happened, without a full stop.
    pub what: String,
    /// Why, one line each, outermost first.
    pub causes: Vec<String>,
    /// What to do now.
    pub next: Option<String>,
    /// The host's problem document, printed on stdout with `--json`.
    pub problem: Option<String>,
}

impl CliError {
    fn new(exit: Exit, what: impl Into<String>) -> Self {
        CliError { exit, what: what.into(), causes: Vec::new(), next: None, problem: None }
    }

    /// The host refused, or a check failed.
    pub fn refused(what: impl Into<String>) -> Self {
        CliError::new(Exit::Refused, what)
    }

    /// Something given to the command can't be used.
    pub fn usage(what: impl Into<String>) -> Self {
        CliError::new(Exit::Usage, what)
    }

    /// The same, of an error that says what is wrong.
    pub fn usage_of(error: impl std::fmt::Display) -> Self {
        CliError::usage(error.to_string())
    }

    /// The user stopped it.
    pub fn interrupted(what: impl Into<String>) -> Self {
        CliError::new(Exit::Interrupted, what)
    }

    /// Adds why.
    pub fn because(mut self, cause: impl ToString) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds what to do now.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The lines for stderr.
    pub fn render(&self, colour: bool) -> String {
        let paint = |code: &str, text: &str| {
            if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
        };
        let mut text = format!("{} {}\n", paint("1;31", "error:"), super::output::plain(&self.what));
        for cause in &self.causes {
            for line in cause.lines() {
                let _ = writeln!(text, "  {}", super::output::plain(line));
            }
        }
        if let Some(next) = &self.next {
            let _ = writeln!(text, "{} {}", paint("1", "next:"), super::output::plain(next));
        }
        text
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> CliError {
        match error {
            ClientError::BadHost { host, why } => CliError::usage(format!("{host:?} is not a valid host address"))
                .because(why)
                .next(format!("set --host or SAMSYN_HOST to an address such as {DEFAULT_HOST}")),
            ClientError::BadCa { path, why } => {
                CliError::usage(format!("{path} contains no certificate")).because(why).next(
                    "set --ca or SAMSYN_CA to a PEM file with the authority's certificate or the host's own",
                )
            }
            ClientError::Unreachable { host, cause, .. } if cause.contains("certificate") => CliError::new(
                Exit::Unreachable,
                format!("the certificate of {host} is not trusted"),
            )
            .because(cause)
            .next("give the authority's certificate with --ca FILE, and use the host name that the certificate has"),
            ClientError::Unreachable { host, cause, .. } => {
                CliError::new(Exit::Unreachable, format!("no host answers at {host}"))
                    .because(cause)
                    .next("start a host with `samsyn serve` or `samsyn demo`, or name another one with --host")
            }
            ClientError::Unreadable { status, cause } => {
                CliError::refused(format!("the answer ({status}) is not from a Samsyn host"))
                    .because(cause)
                    .next("check that --host names a Samsyn host and not another server or a proxy")
            }
            ClientError::Unsendable { cause } => CliError::usage("the request is invalid and was not sent")
                .because(cause)
                .next("remove line breaks from --token and --application"),
            ClientError::Refused(problem) => refused(*problem),
        }
    }
}

fn refused(problem: Problem) -> CliError {
    let (status, next) = (problem.status, problem.document.next.clone());
    let next = match status {
        401 => Some(
            "give the token with --token or SAMSYN_TOKEN, or its file with SAMSYN_TOKEN_FILE; \
             `samsyn serve` prints the admin token once, on its first start; `samsyn demo` writes its own \
             to DATA/demo-token"
                .to_owned(),
        ),
        403 => Some("use a token with this permission; an administrator creates one with: samsyn token create NAME --scope SCOPE".to_owned()),
        429 | 503 => Some(match problem.retry_after {
            Some(wait) => format!("try again in {} s", wait.as_secs()),
            None => "try again later".to_owned(),
        }),
        // The host knows what its own no is about.
        _ => Some(next.into_owned()).filter(|next| !next.is_empty()),
    };
    let code = if problem.code.is_empty() {
        format!("(status {})", problem.status)
    } else {
        format!("({}, status {}; GET /errors explains it)", problem.code, problem.status)
    };
    let samsyn_wire::Problem { title, detail, message, .. } = problem.document;
    let mut error = CliError::refused(title);
    let said = [detail, message].into_iter().find(|said| !said.is_empty());
    error.causes.extend(said.map(Cow::into_owned));
    error.causes.push(code);
    error.next = next;
    error.problem = Some(problem.raw);
    error
}

/// A file that can't be read or written.
pub fn file_error(doing: &str, path: &std::path::Path, cause: &std::io::Error) -> CliError {
    CliError::usage(format!("can't {doing} {}", path.display())).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_shows_title_detail_and_code() {
        let document = samsyn_wire::Problem {
            title: "No such profile".into(),
            status: 404,
            detail: "no profile has customer_id 7".into(),
            code: "profile-unknown".into(),
            next: "Look the customer up.".into(),
            ..samsyn_wire::Problem::default()
        };
        let problem = Problem { document, ..Problem::default() };
        let error = CliError::from(ClientError::Refused(Box::new(problem)));
        assert_eq!(error.exit, Exit::Refused);
        assert_eq!(
            error.render(false),
            "error: No such profile\n  no profile has customer_id 7\n  \
             (profile-unknown, status 404; GET /errors explains it)\nnext: Look the customer up.\n"
        );
    }

    #[test]
    fn a_missing_host_says_how_to_start_one_and_a_missing_token_where_it_comes_from() {
        let gone =
            ClientError::Unreachable { host: "http://h".into(), cause: "refused".into(), refused: true };
        let gone = CliError::from(gone);
        assert_eq!(gone.exit, Exit::Unreachable);
        assert!(gone.render(false).contains("next: start a host with `samsyn serve`"));
        let document = samsyn_wire::Problem { status: 401, ..samsyn_wire::Problem::default() };
        let problem = Problem { document, ..Problem::default() };
        let denied = CliError::from(ClientError::Refused(Box::new(problem)));
        assert!(denied.render(false).contains("SAMSYN_TOKEN_FILE"));
    }

    #[test]
    fn what_a_server_says_cant_drive_the_terminal() {
        let error = CliError::refused("a\u{1b}[2Jb");
        assert!(!error.render(false).contains('\u{1b}'));
    }
}

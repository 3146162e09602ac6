//! What the global flags mean, worked out once: which host, which token, how to print.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::output::Paint;
use samsyn_client::{Client, List};

/// Where a token lies when nobody names one: what `samsyn demo` leaves behind. `samsyn serve` writes its
/// token nowhere.
pub const TOKEN_FILE: &str = "samsyn-data/demo-token";
/// A token file longer than this is no token file.
const TOKEN_BYTES_MAX: u64 = 4096;

// Only literals can be concatenated to a constant.
macro_rules! default_listen {
    () => {
        "127.0.0.1:7400"
    };
}

/// Where a host listens unless it is told otherwise.
pub const DEFAULT_LISTEN: &str = default_listen!();
/// The address of such a host, for its clients: it needn't be typed.
pub const DEFAULT_HOST: &str = concat!("http://", default_listen!());

/// The flags every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArgs {
    /// The host's address
    #[arg(
        long,
        global = true,
        env = "SAMSYN_HOST",
        value_name = "URL",
        default_value = DEFAULT_HOST,
        help_heading = "Global options"
    )]
    pub host: String,

    /// Trust the certificates in this PEM file, instead of the system's, for an https:// host
    #[arg(long, global = true, env = "SAMSYN_CA", value_name = "FILE", help_heading = "Global options")]
    pub ca: Option<PathBuf>,

    /// The token [default: the file that SAMSYN_TOKEN_FILE names, else samsyn-data/demo-token, which
    /// `samsyn demo` writes]. `samsyn serve` prints the first admin token once
    #[arg(
        long,
        global = true,
        env = "SAMSYN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub token: Option<String>,

    /// The application to send as [default: the token's own]. Event ids belong to an application
    #[arg(
        long,
        global = true,
        env = "SAMSYN_APPLICATION",
        value_name = "NAME",
        help_heading = "Global options"
    )]
    pub application: Option<String>,

    /// Print only the API's JSON on stdout; a list has one item a line
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,

    /// Print answers and errors only, no progress and no hints
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub quiet: bool,
}

/// The global flags, understood.
#[derive(Debug)]
pub struct Context {
    globals: GlobalArgs,
    token_file: Option<PathBuf>,
    /// Print the API's JSON.
    pub json: bool,
    /// No progress, no hints.
    pub quiet: bool,
    /// Colours for stdout.
    pub paint: Paint,
    /// Colours for stderr.
    pub error_colour: bool,
}

impl Context {
    /// Reads the environment and looks at the terminal.
    pub fn new(globals: GlobalArgs) -> Context {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Context {
            json: globals.json,
            quiet: globals.quiet,
            paint: Paint(!plain && !globals.json && io::stdout().is_terminal()),
            error_colour: !plain && io::stderr().is_terminal(),
            token_file: std::env::var_os("SAMSYN_TOKEN_FILE")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            globals,
        }
    }

    /// The client for the host that was named. Connects to nothing yet.
    pub fn client(&self) -> Result<Client, CliError> {
        let token = self.token()?;
        let ca = self.globals.ca.as_deref();
        Ok(Client::trusting(&self.globals.host, token, self.globals.application.clone(), ca)?)
    }

    /// The application whose namespace the event ids are in.
    pub fn application(&self) -> Option<&str> {
        self.globals.application.as_deref()
    }

    fn token(&self) -> Result<Option<String>, CliError> {
        if let Some(token) = self.globals.token.as_ref().filter(|token| !token.is_empty()) {
            return Ok(Some(token.trim().to_owned()));
        }
        if let Some(file) = &self.token_file {
            return read_token(file).map(Some).map_err(|cause| {
                CliError::usage(format!(
                    "SAMSYN_TOKEN_FILE names {}, which contains no token",
                    file.display()
                ))
                .because(cause)
            });
        }
        // No token at all is no error here: the host says so with 401 where it needs one.
        Ok(read_token(Path::new(TOKEN_FILE)).ok())
    }

    /// Writes an answer to stdout.
    pub fn print(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // `samsyn … | head` has seen enough; that is no failure.
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(cause) => Err(CliError::refused("can't write to stdout").because(cause)),
            Ok(()) => Ok(()),
        }
    }

    /// Prints the host's own JSON with `--json`, else the text for people.
    pub fn answer(&self, raw: &str, text: impl FnOnce(Paint) -> String) -> Result<(), CliError> {
        if self.json { self.print(&format!("{}\n", raw.trim_end())) } else { self.print(&text(self.paint)) }
    }

    /// Prints a list: JSON lines with `--json`, else the text for people.
    pub fn answer_list<T>(
        &self,
        list: &List<T>,
        text: impl FnOnce(&List<T>, Paint) -> String,
    ) -> Result<(), CliError> {
        if !self.json {
            self.print(&text(list, self.paint))?;
        } else {
            let lines: String = list.items.iter().map(|item| format!("{}\n", item.raw.get())).collect();
            self.print(&lines)?;
        }
        if list.more {
            self.hint("there are more items: use --limit N");
        }
        Ok(())
    }

    /// A hint on stderr, unless `--quiet`.
    pub fn hint(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// An error on stderr; a problem document also on stdout with `--json`.
    pub fn report(&self, error: &CliError) {
        if let (true, Some(problem)) = (self.json, &error.problem) {
            // What can't be printed is still on stderr.
            let _ = self.print(&format!("{}\n", problem.trim_end()));
        }
        eprint!("{}", error.render(self.error_colour));
    }
}

fn read_token(file: &Path) -> Result<String, String> {
    let length = fs::metadata(file).map_err(|cause| cause.to_string())?.len();
    if length > TOKEN_BYTES_MAX {
        return Err(format!("it is {length} bytes long"));
    }
    let text = fs::read_to_string(file).map_err(|cause| cause.to_string())?;
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(token: Option<&str>, token_file: Option<PathBuf>) -> Context {
        let globals = GlobalArgs { token: token.map(str::to_owned), ..GlobalArgs::default() };
        Context { token_file, ..Context::new(globals) }
    }

    #[test]
    fn a_token_given_wins_over_a_token_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, "from-file\n").unwrap();
        assert_eq!(context(Some("given"), Some(file.clone())).token().unwrap().unwrap(), "given");
        assert_eq!(context(None, Some(file)).token().unwrap().unwrap(), "from-file");
    }

    #[test]
    fn a_named_token_file_must_hold_a_token() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert!(context(None, Some(file.clone())).token().is_err());
        fs::write(&file, " \n").unwrap();
        assert!(context(None, Some(file)).token().is_err());
    }
}

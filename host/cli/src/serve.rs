//! `samsyn serve`: a host in this process, until it is told to stop.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::bars;
use samsyn_server::host::{Host, HostError, compiler};
use samsyn_server::settings::{self, Config};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

const EXAMPLES: &str = "\
Examples:
  samsyn serve
  samsyn serve --data /var/lib/samsyn --config /etc/samsyn.toml --log-format json
  samsyn serve --print-config > samsyn.toml

On its first start the host creates an admin token and prints it once. It keeps only the hash.";

/// The arguments of `samsyn serve`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {
    /// The configuration file [default: samsyn.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory; overrides the configuration
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The address to listen on, such as 127.0.0.1:7400 (port 0: any); overrides the configuration
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The format of the host's own log; overrides the configuration
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Create a new admin token and print it; the old one becomes invalid
    #[arg(long)]
    pub new_admin_token: bool,
    /// Print the configuration in effect with all defaults and their reasons, and exit
    #[arg(long)]
    pub print_config: bool,
}

/// How the host's own log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of JSON for each entry: for machines.
    Json,
    /// Lines for people.
    Human,
}

/// Runs a host until it is told to stop.
pub fn run(args: &ServeArgs, context: &Context) -> Result<(), CliError> {
    let mut config = Config::read(args.config.as_deref()).map_err(|error| {
        CliError::usage("invalid configuration")
            .because(error)
            .next("compare it with `samsyn serve --print-config`")
    })?;
    if let Some(data) = &args.data {
        config.data.clone_from(data);
    }
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    match args.log_format {
        Some(LogFormat::Json) => config.log_format = settings::LogFormat::Json,
        Some(LogFormat::Human) => config.log_format = settings::LogFormat::Human,
        None => {}
    }
    if args.print_config {
        return context.print(&config.print());
    }
    start_logging(config.log_format, &config.log_filter)?;
    let bar = bars::bar("rebuilding the view", context.quiet);
    let mut said = bars::Said::new();
    let show = |progress| if bar.is_hidden() { said.progress(progress) } else { bars::show(&bar, progress) };
    let host = Host::start(&config, compiler(), args.new_admin_token, show).map_err(host_error)?;
    bar.finish_and_clear();
    // Before the address is printed: a program that reads it may stop the host at once.
    let signals =
        host.catch_signals().map_err(|error| CliError::refused("can't wait for signals").because(error))?;
    announce(&host, context)?;
    host.wait_for(signals);
    tracing::info!("stopping");
    match host.stop() {
        None => Ok(()),
        Some(fault) => Err(CliError::refused("the host stopped accepting events because of an error")
            .because(fault)
            .next("check the disk, then start the host again: every acknowledged event is safe")),
    }
}

/// Says where the host is and, once, its token.
fn announce(host: &Host, context: &Context) -> Result<(), CliError> {
    let address = host.local_addr();
    tracing::info!(%address, folded = host.opened().folded, "listening");
    let token = host.token().map(|token| token.as_str());
    if context.json {
        let line = json!({ "listening": host.url(), "token": token });
        return context.print(&format!("{line}\n"));
    }
    let mut text = format!("Samsyn listens on {}\n", host.url());
    if let Some(token) = token {
        text += &format!(
            "\nThe admin token. It is shown once; the host keeps only its hash:\n\n  {token}\n\n\
             Keep it. To use it: export SAMSYN_TOKEN={token}\n"
        );
    }
    context.print(&text)
}

/// Sends the host's own log to standard error.
pub fn start_logging(format: settings::LogFormat, filter: &str) -> Result<(), CliError> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        CliError::usage("invalid log_filter").because(error).next("write for example info")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        settings::LogFormat::Json => builder.json().flatten_event(true).try_init(),
        settings::LogFormat::Human => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|error| CliError::refused("the host's log can't be started").because(error))
}

/// What kept a host from starting, with what to do about it.
pub fn host_error(error: HostError) -> CliError {
    let next = error.next_step();
    CliError::refused("the host can't start").because(error).next(next)
}

#[cfg(test)]
mod tests {
    use samsyn_server::settings::Config;
    use samsyn_terminal::context::DEFAULT_LISTEN;

    #[test]
    fn a_command_finds_a_host_with_default_settings() {
        assert_eq!(Config::default().listen.to_string(), DEFAULT_LISTEN);
    }
}

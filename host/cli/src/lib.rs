//! The `samsyn` command: one file a command.
//!
//! [`main`] parses, [`Context`] works out what the global flags mean, and one `run` a command does
//! the work: over the host's HTTP interface ([`samsyn_client`]), on this machine's files, or with a
//! host in this process.
//!
//! | files | commands |
//! |---|---|
//! | [`serve`] · [`status`] · [`openapi`] · [`completions`] | the host itself |
//! | [`event`] · [`refusals`] · [`profile`] · `timeline` · [`parked`] · [`timer`] | events and customers |
//! | [`field`] · `dictionary` · [`identifier`] · [`registry`] · [`plugin`] · [`token`] · [`secret`] · [`audit`] | what an administrator decides and proves |
//! | [`endpoint`] · [`outgoing`] · [`call`] | the systems that capabilities call |
//! | [`log`] · [`view`] · [`snapshot`] · [`backup`] · `bars` | a data directory on this machine |
//!
//! What all commands share is in `samsyn-terminal`, importing files in `samsyn-import`. A command must not
//! decide anything that the host has to decide.

pub mod audit;
pub mod backup;
mod bars;
pub mod call;
pub mod completions;
mod dictionary;
pub mod endpoint;
pub mod event;
pub mod field;
pub mod identifier;
pub mod log;
pub mod openapi;
pub mod outgoing;
pub mod parked;
pub mod plugin;
pub mod profile;
pub mod refusals;
pub mod registry;
pub mod secret;
pub mod serve;
pub mod snapshot;
pub mod status;
mod timeline;
pub mod timer;
pub mod token;
pub mod view;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use samsyn_terminal::{CliError, Context, Exit, GlobalArgs};

const AFTER_HELP: &str = "\
Start here:
  samsyn demo                              a host with plug-ins, customers and an example
  samsyn serve                             your own host
  samsyn profile get customer_id:00042     one customer, each value with its source

Exit codes:
  0    done
  1    the host rejected the request, or a check failed
  2    invalid command line, file or address
  3    no host answers
  4    the check could not run (registry check, plugin replay)
  130  stopped with Ctrl-C";

/// One profile of every customer, one source system for every data point.
#[derive(Debug, Parser)]
#[command(
    name = "samsyn",
    version,
    about,
    after_help = AFTER_HELP,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Flags every command takes.
    #[command(flatten)]
    pub globals: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `samsyn` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a host
    Serve(serve::ServeArgs),
    /// Run a host with plug-ins and real purchases, and show the result
    Demo(samsyn_demo::DemoArgs),
    /// Create, build, install and manage plug-ins
    ///
    /// A plug-in is the package: one .wasm file that contains its manifest. An installed plug-in is a capability,
    /// with the name in its manifest. new, build, check, install and replay take a plug-in; the other commands
    /// take a capability's name. The API and --capability use that name, too.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Send events and see their results
    #[command(subcommand)]
    Event(event::EventCommand),
    /// Show customers, and propose values
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Manage fields and their sources
    #[command(subcommand)]
    Field(field::FieldCommand),
    /// Bind and pause the systems that capabilities call
    #[command(subcommand)]
    Endpoint(endpoint::EndpointCommand),
    /// Pause and resume all sending
    #[command(subcommand)]
    Outgoing(outgoing::OutgoingCommand),
    /// Check, export, apply and draw the registry
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    /// Manage customers' identifiers
    #[command(subcommand)]
    Identifier(identifier::IdentifierCommand),
    /// Manage invocations that failed and are parked
    #[command(subcommand)]
    Parked(parked::ParkedCommand),
    /// List the calls of plug-ins that wait or ended badly, and settle them
    #[command(subcommand)]
    Call(call::CallCommand),
    /// List the timers that plug-ins have set, and let held ones fire
    #[command(subcommand)]
    Timer(timer::TimerCommand),
    /// Manage tokens and their scopes
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Manage secrets: names are listed, values are only written
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Show who changed what, and who read which personal data
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check, repair and print the log on this machine's disk
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Check and rebuild the view on this machine's disk
    #[command(subcommand)]
    View(view::ViewCommand),
    /// Manage snapshots of the view, which make starts fast
    #[command(subcommand)]
    Snapshot(snapshot::SnapshotCommand),
    /// Back up a host's data directory, also while the host runs
    #[command(after_long_help = backup::BACKUP_EXAMPLES)]
    Backup(backup::BackupArgs),
    /// Restore a data directory from a backup
    #[command(after_long_help = backup::RESTORE_EXAMPLES)]
    Restore(backup::RestoreArgs),
    /// Show the host's status
    Status(status::StatusArgs),
    /// Print the description of the HTTP interface (OpenAPI 3.1)
    #[command(after_long_help = openapi::EXAMPLES)]
    Openapi,
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
}

/// Parses the command line, runs the command and reports its error: all of `main`.
pub fn main() -> ExitCode {
    let Cli { globals, command } = Cli::parse();
    let context = Context::new(globals);
    match run(command, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.report(&error);
            error.exit.into()
        }
    }
}

fn run(command: Command, context: &Context) -> Result<(), CliError> {
    match command {
        Command::Serve(args) => serve::run(&args, context),
        Command::Demo(_) => samsyn_demo::run(),
        Command::Plugin(command) => plugin::run(&command, context),
        Command::Event(command) => event::run(&command, context),
        Command::Profile(command) => profile::run(&command, context),
        Command::Field(command) => field::run(&command, context),
        Command::Endpoint(command) => endpoint::run(&command, context),
        Command::Outgoing(command) => outgoing::run(&command, context),
        Command::Registry(command) => registry::run(&command, context),
        Command::Identifier(command) => identifier::run(&command, context),
        Command::Parked(command) => parked::run(&command, context),
        Command::Call(command) => call::run(&command, context),
        Command::Timer(command) => timer::run(&command, context),
        Command::Token(command) => token::run(&command, context),
        Command::Secret(command) => secret::run(&command, context),
        Command::Audit(command) => audit::run(&command, context),
        Command::Log(command) => log::run(&command, context),
        Command::View(command) => view::run(&command, context),
        Command::Snapshot(command) => snapshot::run(&command, context),
        Command::Backup(args) => backup::back_up(&args, context),
        Command::Restore(args) => backup::restore(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Openapi => openapi::run(context),
        Command::Completions(args) => completions::run(&args, context),
    }
}

#[cfg(test)]
mod event_tests;
#[cfg(test)]
mod hint_tests;
#[cfg(test)]
mod kind_tests;
#[cfg(test)]
mod words_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_in_its_long_help() {
        fn visit(command: &mut clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            if command.get_subcommands().next().is_none() {
                let help = command.render_long_help().to_string();
                assert!(help.contains("Example"), "{path} has no example:\n{help}");
                let call = path.trim();
                assert!(
                    help.contains(&format!("  {call}")),
                    "{path}: the example shows another command:\n{help}"
                );
            }
            for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
                visit(inner, &path);
            }
        }
        let mut command = Cli::command();
        command.build();
        visit(&mut command, "");
    }

    #[test]
    fn global_flags_may_stand_anywhere() {
        let cli = Cli::try_parse_from(["samsyn", "field", "list", "--json", "--host", "http://h"]).unwrap();
        assert!(cli.globals.json);
        assert_eq!(cli.globals.host, "http://h");
    }

    #[test]
    fn what_cant_be_meant_is_refused() {
        for line in [
            "samsyn parked retry",
            "samsyn parked skip --capability sms",
            "samsyn event import",
            "samsyn event import f --lanes 0",
            "samsyn event import f --batch 2501",
            "samsyn event import f --delimiter ,",
            "samsyn event send --name x --wait 31",
            "samsyn profile set customer_id:1",
            "samsyn field assign email crm --inherit --clear",
            "samsyn completions cobol",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    #[test]
    fn again_may_come_with_its_suffix() {
        let again = |line: &str| match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Event(event::EventCommand::Import(args)) => args.again,
            other => panic!("{other:?}"),
        };
        assert_eq!(again("samsyn event import f"), None);
        assert_eq!(again("samsyn event import --again f"), Some(String::new()));
        assert_eq!(again("samsyn event import --again=2 f"), Some("2".into()));
    }
}

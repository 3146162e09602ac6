//! `samsyn plugin`: make, build, install and look after plug-ins.

mod build;
mod check;
mod install;
mod manage;
mod new;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;

pub use install::plan_text;

/// The commands of `samsyn plugin`.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Make a plug-in that builds, tests and installs as it is
    #[command(after_long_help = new::EXAMPLES)]
    New(new::NewArgs),
    /// Compile a plug-in into the one file that a host installs
    #[command(after_long_help = build::EXAMPLES)]
    Build(build::BuildArgs),
    /// Check a plug-in without a host
    #[command(after_long_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Install a plug-in, or a new version of one
    #[command(after_long_help = install::EXAMPLES)]
    Install(install::InstallArgs),
    /// List installed plug-ins
    #[command(after_long_help = manage::LIST_EXAMPLES)]
    List,
    /// Show what a plug-in hears, reads, claims and can be set to
    #[command(after_long_help = manage::SHOW_EXAMPLES)]
    Show(manage::ShowArgs),
    /// Change a plug-in's settings
    #[command(after_long_help = manage::SET_EXAMPLES)]
    Set(manage::SetArgs),
    /// Remove a plug-in
    #[command(after_long_help = manage::REMOVE_EXAMPLES)]
    Remove(manage::RemoveArgs),
    /// End a plug-in's quarantine
    #[command(after_long_help = manage::RELEASE_EXAMPLES)]
    Release(manage::ReleaseArgs),
}

/// Runs a command of `samsyn plugin`.
pub fn run(command: &PluginCommand, context: &Context) -> Result<(), CliError> {
    match command {
        PluginCommand::New(args) => new::run(args, context),
        PluginCommand::Build(args) => build::run(args, context),
        PluginCommand::Check(args) => check::run(args, context),
        PluginCommand::Install(args) => install::run(args, context),
        PluginCommand::List => manage::list(context),
        PluginCommand::Show(args) => manage::show(args, context),
        PluginCommand::Set(args) => manage::set(args, context),
        PluginCommand::Remove(args) => manage::remove(args, context),
        PluginCommand::Release(args) => manage::release(args, context),
    }
}

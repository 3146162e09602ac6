//! `samsyn plugin`: make, build, install and look after plug-ins.

mod build;
mod check;
mod grants;
mod install;
mod manage;
mod new;
mod replay;
mod replay_text;

use clap::Subcommand;

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

pub use install::{claim_it_too, facts, plan_text};

/// The commands of `samsyn plugin`.
#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Create a plug-in that builds, tests and installs as it is
    #[command(after_long_help = new::EXAMPLES)]
    New(new::NewArgs),
    /// Compile a plug-in into one file that a host can install
    #[command(after_long_help = build::EXAMPLES)]
    Build(build::BuildArgs),
    /// Check a plug-in without a host
    #[command(after_long_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Install a plug-in, or a new version of one
    #[command(after_long_help = install::EXAMPLES)]
    Install(install::InstallArgs),
    /// Show what a new version of a plug-in would have decided, before you install it
    #[command(after_long_help = replay::EXAMPLES)]
    Replay(replay::ReplayArgs),
    /// List capabilities, which are installed plug-ins
    #[command(after_long_help = manage::LIST_EXAMPLES)]
    List,
    /// Show a capability's events, fields, claims and settings
    #[command(after_long_help = manage::SHOW_EXAMPLES)]
    Show(manage::ShowArgs),
    /// Change a capability's settings
    #[command(after_long_help = manage::SET_EXAMPLES)]
    Set(manage::SetArgs),
    /// Remove a capability
    #[command(after_long_help = manage::REMOVE_EXAMPLES)]
    Remove(manage::RemoveArgs),
    /// Approve an upgrade that waits, and install it
    #[command(after_long_help = grants::APPROVE_EXAMPLES)]
    Approve(grants::ApproveArgs),
    /// Reject an upgrade that waits for approval
    #[command(after_long_help = grants::REJECT_EXAMPLES)]
    Reject(grants::RejectArgs),
    /// Grant a capability what was revoked
    #[command(after_long_help = grants::GRANT_EXAMPLES)]
    Grant(grants::GrantArgs),
    /// Revoke a grant of a capability
    #[command(after_long_help = grants::REVOKE_EXAMPLES)]
    Revoke(grants::GrantArgs),
    /// End a capability's quarantine
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
        PluginCommand::Replay(args) => replay::run(args, context),
        PluginCommand::List => manage::list(context),
        PluginCommand::Show(args) => manage::show(args, context),
        PluginCommand::Set(args) => manage::set(args, context),
        PluginCommand::Remove(args) => manage::remove(args, context),
        PluginCommand::Approve(args) => grants::approve(args, context),
        PluginCommand::Reject(args) => grants::reject(args, context),
        PluginCommand::Grant(args) => grants::change(args, true, context),
        PluginCommand::Revoke(args) => grants::change(args, false, context),
        PluginCommand::Release(args) => manage::release(args, context),
    }
}

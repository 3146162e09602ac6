//! `samsyn completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;

const EXAMPLES: &str = "\
Examples:
  samsyn completions bash > ~/.local/share/bash-completion/completions/samsyn
  samsyn completions zsh > ~/.zfunc/_samsyn
  samsyn completions fish > ~/.config/fish/completions/samsyn.fish";

/// The arguments of `samsyn completions`.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// Prints the completions.
pub fn run(args: &CompletionsArgs, context: &Context) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "samsyn", &mut script);
    context.print(&String::from_utf8_lossy(&script))
}

//! `samsyn plugin build`: what is typed; the work is in [`samsyn_build`].

use std::path::PathBuf;

use clap::Args;

use samsyn_build::{self as build, Choice, Options};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{bytes, pairs};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin build plugins/loyalty
  samsyn plugin build . --out loyalty.wasm

The file contains the component and its plugin.toml; a host needs nothing else. If the target
wasm32-unknown-unknown is missing, the command adds it with rustup. Without rustup, Debian's packages
rustc-web and rust-web-src provide it.";

/// The arguments of `samsyn plugin build`.
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {
    /// The plug-in's folder
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where to write the component [default: plugins/NAME.wasm in cargo's target directory]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which compiler to use
    #[arg(long, value_enum, default_value_t)]
    pub toolchain: Choice,
}

/// Builds the plug-in.
pub fn run(args: &BuildArgs, context: &Context) -> Result<(), CliError> {
    let options = Options { out: args.out.clone(), toolchain: args.toolchain, quiet: context.quiet };
    let built = build::build(&args.dir, &options, &mut |line| context.hint(line)).map_err(|cause| {
        let next = cause.next();
        let error = CliError::refused(format!("building {} failed", args.dir.display())).because(cause);
        CliError { next, ..error }
    })?;
    let roles: Vec<&str> = built.roles.iter().map(|role| role.as_str()).collect();
    if context.json {
        let json = serde_json::json!({
            "name": built.name, "version": built.version, "path": built.path, "bytes": built.bytes,
            "digest": built.digest, "roles": roles,
        });
        return context.print(&format!("{json}\n"));
    }
    context.print(&pairs(
        &[
            ("built", built.path.display().to_string()),
            ("plug-in", format!("{} {}", built.name, built.version)),
            ("roles", roles.join(", ")),
            ("size", bytes(built.bytes)),
            ("digest", built.digest),
            ("took", format!("{:.1} s", built.took.as_secs_f64())),
        ],
        context.paint,
    ))
}

//! `samsyn plugin check`: what a host would say of a plug-in, as far as that can be said without a host;
//! and what it leaves out.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use samsyn_engine::fit;
use samsyn_registry::Field;
use samsyn_registry::manifest::Manifest;
use samsyn_sandbox::{Limits, Package, Sandbox};
use samsyn_server::host::compiler;
use samsyn_server::settings::Config;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_terminal::output::{Paint, bytes, pairs};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin check target/plugins/loyalty.wasm
  samsyn plugin check plugins/loyalty
  samsyn plugin check --config /etc/samsyn.toml target/plugins/loyalty.wasm

For a folder the command checks plugin.toml only. For a component it also checks its imports, its roles,
whether they match the manifest, and whether it compiles within a host's default limits or those in the
file of --config. It can't check what only a host knows: whether the plug-in matches the dictionary, and
what it is granted. For that use `samsyn plugin install --dry-run FILE`. The plug-in doesn't run.";

/// What of a component is compiled at the same time: nothing of it is called.
const CALLS: u32 = 1;

/// The arguments of `samsyn plugin check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// A component, or a plug-in's folder
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,
    /// The host's configuration, for its limits [default: the default limits]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What was found.
struct Checked {
    path: PathBuf,
    manifest: Manifest,
    component: Option<(Package, u64)>,
}

/// Checks the plug-in.
pub fn run(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let limits = match &args.config {
        None => Limits::default(),
        Some(file) => {
            let config = Config::read(Some(file));
            config.map_err(|cause| CliError::usage("invalid configuration").because(cause))?.sandbox
        }
    };
    let checked = check(&args.path, &limits)?;
    let warnings = checked.warnings();
    if context.json {
        return context.print(&format!("{}\n", checked.json(&warnings)));
    }
    for warning in &warnings {
        context.hint(&format!("warning: {warning}"));
    }
    context.print(&checked.text(context.paint))
}

fn check(path: &Path, limits: &Limits) -> Result<Checked, CliError> {
    let failed = |cause: &dyn std::fmt::Display| {
        CliError::refused(format!("{} is not a valid plug-in", path.display())).because(cause)
    };
    let sound = |text: &str| -> Result<Manifest, CliError> {
        let manifest = Manifest::parse(text).map_err(|cause| failed(&cause))?;
        Field::check_all_of(&manifest).map_err(|cause| failed(&cause))?;
        Ok(manifest)
    };
    let path_owned = path.to_owned();
    if path.is_dir() {
        let file = path.join("plugin.toml");
        let text = std::fs::read_to_string(&file).map_err(|cause| file_error("read", &file, &cause))?;
        if text.len() as u64 > limits.manifest_bytes {
            let (found, limit) = (text.len(), limits.manifest_bytes);
            return Err(failed(&format!(
                "plugin.toml has {found} bytes; the limit is {limit} (manifest_bytes)"
            )));
        }
        return Ok(Checked { path: path_owned, manifest: sound(&text)?, component: None });
    }
    let component = std::fs::read(path).map_err(|cause| file_error("read", path, &cause))?;
    let limits = Limits { concurrent_calls: CALLS, ..limits.clone() };
    let package = Package::read(&component, &limits).map_err(|cause| failed(&cause))?;
    let manifest = sound(package.manifest())?;
    fit(&manifest, &package).map_err(|cause| failed(&cause))?;
    let sandbox = Sandbox::new(&limits)
        .map_err(|cause| CliError::refused("invalid limits for a sandbox").because(cause))?;
    sandbox.compiling_in(compiler()).load(&package).map_err(|cause| failed(&cause))?;
    Ok(Checked { path: path_owned, manifest, component: Some((package, component.len() as u64)) })
}

impl Checked {
    /// Where manifest and component disagree: a host takes it, but a part of it would never work.
    fn warnings(&self) -> Vec<String> {
        let Some((package, _)) = &self.component else { return Vec::new() };
        let mut warnings = Vec::new();
        for role in package.roles() {
            let (declared, place) = self.manifest.declares(*role);
            if !declared {
                warnings.push(format!("it has the role {}, but {place} is missing", role.as_str()));
            }
        }
        warnings
    }

    fn roles(&self) -> Vec<&'static str> {
        let roles = self.component.iter().flat_map(|(package, _)| package.roles());
        roles.map(|role| role.as_str()).collect()
    }

    /// What was checked, and what only somebody else can.
    fn parts(&self) -> (&'static [&'static str], &'static [&'static str]) {
        match self.component {
            Some(_) => (&["manifest", "component", "roles", "code"], &["dictionary", "grants"]),
            None => (&["manifest"], &["component", "roles", "code", "dictionary", "grants"]),
        }
    }

    fn json(&self, warnings: &[String]) -> Value {
        let (checked, not_checked) = self.parts();
        json!({
            "name": self.manifest.plugin.name.as_str(),
            "version": self.manifest.plugin.version,
            "roles": self.roles(),
            "digest": self.component.as_ref().map(|(package, _)| package.digest().to_string()),
            "checked": checked,
            "not_checked": not_checked,
            "warnings": warnings,
        })
    }

    fn text(&self, paint: Paint) -> String {
        let manifest = &self.manifest;
        let component = self.component.as_ref();
        let place = self.path.display();
        let (result, not_checked) = match component {
            Some(_) => (
                "a host accepts it if it matches the host's dictionary",
                format!("the host's dictionary and grants: samsyn plugin install --dry-run {place}"),
            ),
            None => (
                "plugin.toml is valid",
                format!(
                    "the code: its imports, its roles and whether they fit. samsyn plugin build {place}, and check \
                     the file that it writes"
                ),
            ),
        };
        pairs(
            &[
                ("plug-in", format!("{} {}", manifest.plugin.name, manifest.plugin.version)),
                ("owner", manifest.plugin.owner.clone()),
                ("roles", self.roles().join(", ")),
                ("hears", joined(manifest.subscribes.keys())),
                ("emits", joined(manifest.emits.keys())),
                ("claims", joined(manifest.sources.keys())),
                ("reads", joined(manifest.consumes.keys())),
                ("settings", joined(manifest.settings.keys())),
                ("size", component.map(|(_, size)| bytes(*size)).unwrap_or_default()),
                ("digest", component.map(|(package, _)| package.digest().to_string()).unwrap_or_default()),
                ("result", result.to_owned()),
                ("not checked", not_checked),
            ],
            paint,
        )
    }
}

fn joined(names: impl Iterator<Item = impl std::fmt::Display>) -> String {
    names.map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_checked_by_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path(), &Limits::default()).is_err());
        let manifest = include_str!("template/subscriber/plugin.toml");
        std::fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
        let checked = check(folder.path(), &Limits::default()).ok().unwrap();
        let text = checked.text(Paint(false));
        assert!(text.contains("hears        order.completed\n"), "{text}");
        assert!(text.contains("result       plugin.toml is valid\nnot checked  the code"), "{text}");
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.wasm");
        std::fs::write(&file, "not wasm").unwrap();
        let error = check(&file, &Limits::default()).err().unwrap();
        assert!(error.causes[0].contains("not WebAssembly"), "{error:?}");
    }
}

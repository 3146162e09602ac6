//! `samsyn plugin check`: what a host would say of a plug-in, without a host.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::error::{CliError, file_error};
use crate::cli::output::{Paint, bytes, pairs};
use crate::registry::manifest::Manifest;
use crate::sandbox::{Limits, Package};
use crate::vocabulary::Role;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin check target/plugins/loyalty.wasm
  samsyn plugin check plugins/loyalty

Of a folder only plugin.toml can be checked; of a component also its imports, its roles, and whether
they fit the manifest. Nothing of the plug-in runs.";

/// The arguments of `samsyn plugin check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// A component, or a plug-in's folder
    #[arg(value_name = "FILE|DIR")]
    pub path: PathBuf,
}

/// What was found.
struct Checked {
    manifest: Manifest,
    component: Option<(Package, u64)>,
}

/// Checks the plug-in.
pub fn run(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let checked = check(&args.path)?;
    let warnings = checked.warnings();
    if context.json {
        return context.print(&format!("{}\n", checked.json(&warnings)));
    }
    for warning in &warnings {
        context.hint(&format!("warning: {warning}"));
    }
    context.print(&checked.text(context.paint))
}

fn check(path: &Path) -> Result<Checked, CliError> {
    let failed = |cause: &dyn std::fmt::Display| {
        CliError::refused(format!("{} is no plug-in that a host would take", path.display())).because(cause)
    };
    if path.is_dir() {
        let file = path.join("plugin.toml");
        let text = std::fs::read_to_string(&file).map_err(|cause| file_error("read", &file, &cause))?;
        let manifest = Manifest::parse(&text).map_err(|cause| failed(&cause))?;
        return Ok(Checked { manifest, component: None });
    }
    let component = std::fs::read(path).map_err(|cause| file_error("read", path, &cause))?;
    let package = Package::read(&component, &Limits::default()).map_err(|cause| failed(&cause))?;
    let manifest = Manifest::parse(package.manifest()).map_err(|cause| failed(&cause))?;
    Ok(Checked { manifest, component: Some((package, component.len() as u64)) })
}

impl Checked {
    /// Where manifest and component disagree: a host takes it, but a part of it would never work.
    fn warnings(&self) -> Vec<String> {
        let Some((package, _)) = &self.component else { return Vec::new() };
        let notified = self.manifest.consumes.values().any(|consumed| consumed.notify);
        let needs = [
            (Role::Subscriber, !self.manifest.subscribes.is_empty(), "[subscribes]"),
            (Role::Observer, notified, "notify = true in [consumes]"),
        ];
        let mut warnings = Vec::new();
        for (role, declared, place) in needs {
            match (declared, package.roles().contains(&role)) {
                (true, false) => warnings.push(format!("it has {place}, but not the role {}", role.as_str())),
                (false, true) => warnings.push(format!("it has the role {}, but no {place}", role.as_str())),
                _ => {}
            }
        }
        if package.roles().contains(&Role::Source) && self.manifest.sources.is_empty() {
            warnings.push("it has the role source, but no [sources]".to_owned());
        }
        warnings
    }

    fn roles(&self) -> Vec<&'static str> {
        let roles = self.component.iter().flat_map(|(package, _)| package.roles());
        roles.map(|role| role.as_str()).collect()
    }

    fn json(&self, warnings: &[String]) -> Value {
        json!({
            "name": self.manifest.plugin.name.as_str(),
            "version": self.manifest.plugin.version,
            "roles": self.roles(),
            "digest": self.component.as_ref().map(|(package, _)| package.digest().to_string()),
            "warnings": warnings,
        })
    }

    fn text(&self, paint: Paint) -> String {
        let manifest = &self.manifest;
        let component = self.component.as_ref();
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
                (
                    "result",
                    if component.is_some() { "a host would take it" } else { "plugin.toml is sound" }
                        .to_owned(),
                ),
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
        assert!(check(folder.path()).is_err());
        let manifest = include_str!("template/plugin.toml");
        std::fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
        let checked = check(folder.path()).ok().unwrap();
        let text = checked.text(Paint(false));
        assert!(text.contains("hears     order.completed\n"), "{text}");
        assert!(text.ends_with("plugin.toml is sound\n"), "{text}");
    }

    #[test]
    fn what_is_no_component_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.wasm");
        std::fs::write(&file, "not wasm").unwrap();
        let error = check(&file).err().unwrap();
        assert!(error.causes[0].contains("not WebAssembly"), "{error:?}");
    }
}

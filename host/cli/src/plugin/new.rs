//! `samsyn plugin new`: a plug-in that builds, tests and installs as it is.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_vocabulary::CapabilityName;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin new regulars
  samsyn plugin new regulars --dir work/regulars --sdk ~/samsyn/plugins/sdk

The new plug-in counts a customer's orders and emits an event for a regular customer. Change it as you need.";

/// The files of a new plug-in. In them stand these words for its own: my-plugin, my_plugin,
/// MyPlugin, MY_SDK_PATH.
const TEMPLATE: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("template/Cargo.toml")),
    ("plugin.toml", include_str!("template/plugin.toml")),
    ("src/lib.rs", include_str!("template/lib.rs")),
    ("README.md", include_str!("template/README.md")),
    (".gitignore", include_str!("template/gitignore")),
];

/// The arguments of `samsyn plugin new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// The name: lower-case letters and digits, in parts joined by hyphens
    pub name: CapabilityName,
    /// The folder to create [default: ./NAME]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The folder of the crate samsyn-plugin [default: plugins/sdk, here or in a parent folder]
    #[arg(long, value_name = "PATH")]
    pub sdk: Option<PathBuf>,
}

/// Makes the plug-in.
pub fn run(args: &NewArgs, context: &Context) -> Result<(), CliError> {
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(args.name.as_str()));
    let sdk = find_sdk(args.sdk.as_deref())?;
    if fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(
            CliError::usage(format!("{} is not empty", dir.display())).next("name another folder with --dir")
        );
    }
    fs::create_dir_all(dir.join("src")).map_err(|cause| file_error("make", &dir, &cause))?;
    let dir_whole = dir.canonicalize().map_err(|cause| file_error("read", &dir, &cause))?;
    let sdk_path = dependency_path(&dir_whole, &sdk);
    for (name, text) in TEMPLATE {
        let path = dir.join(name);
        fs::write(&path, filled(text, args.name.as_str(), &sdk_path))
            .map_err(|cause| file_error("write", &path, &cause))?;
    }
    let place = dir.display();
    context.hint(&format!(
        "next: cargo test --manifest-path {place}/Cargo.toml, then samsyn plugin build {place}"
    ));
    if context.json {
        return context
            .print(&format!("{}\n", serde_json::json!({ "name": args.name.as_str(), "dir": dir })));
    }
    context
        .print(&format!("created {place}: plugin.toml, src/lib.rs with its tests, Cargo.toml, README.md\n"))
}

fn filled(text: &str, name: &str, sdk_path: &str) -> String {
    let snake = name.replace('-', "_");
    let camel: String = name
        .split('-')
        .map(|part| {
            let (first, rest) = part.split_at(1);
            first.to_ascii_uppercase() + rest
        })
        .collect();
    text.replace("my-plugin", name)
        .replace("my_plugin", &snake)
        .replace("MyPlugin", &camel)
        .replace("MY_SDK_PATH", sdk_path)
}

/// The SDK's folder, whole: the one given, else `plugins/sdk` in this folder or one above, else
/// near the command itself, which a checkout builds in its own target folder.
fn find_sdk(given: Option<&Path>) -> Result<PathBuf, CliError> {
    let is_sdk = |folder: &Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.contains("name = \"samsyn-plugin\""))
    };
    let found = match given {
        Some(folder) => is_sdk(folder).then(|| folder.to_owned()),
        None => {
            let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
            starts
                .iter()
                .flatten()
                .flat_map(|start| start.ancestors())
                .map(|folder| folder.join("plugins/sdk"))
                .find(|folder| is_sdk(folder))
        }
    };
    let found = found.and_then(|folder| folder.canonicalize().ok());
    found.ok_or_else(|| {
        let what = match given {
            Some(folder) => format!("{} contains no crate samsyn-plugin", folder.display()),
            None => "the crate samsyn-plugin was not found here or in a parent folder".to_owned(),
        };
        CliError::usage(what).next("name its folder with --sdk: it is plugins/sdk of Samsyn's repository")
    })
}

/// How the plug-in names the SDK's folder: relative inside the SDK's repository, so that the
/// checkout can move; absolute from elsewhere. Both paths are whole.
fn dependency_path(dir: &Path, sdk: &Path) -> String {
    let repository = sdk.parent().and_then(Path::parent);
    let inside = repository.and_then(|repository| Some((repository, dir.strip_prefix(repository).ok()?)));
    let path = match inside {
        Some((repository, below)) => {
            let up: PathBuf = below.components().map(|_| "..").collect();
            up.join(sdk.strip_prefix(repository).unwrap_or(sdk))
        }
        None => sdk.to_owned(),
    };
    // TOML reads a backslash as the start of an escape.
    path.display().to_string().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_registry::manifest::Manifest;

    #[test]
    fn every_file_speaks_of_the_plug_in_by_its_own_name() {
        for (name, text) in TEMPLATE {
            let text = filled(text, "acme-vip-2", "/sdk");
            for word in ["my-plugin", "my_plugin", "MyPlugin", "MY_SDK_PATH"] {
                assert!(!text.contains(word), "{name} still says {word}");
            }
        }
        let manifest = Manifest::parse(&filled(TEMPLATE[1].1, "acme-vip-2", "/sdk")).unwrap();
        assert_eq!(manifest.plugin.name.as_str(), "acme-vip-2");
        assert!(manifest.sources.keys().any(|field| field.as_str() == "acme_vip_2.orders"));
        assert!(filled(TEMPLATE[2].1, "acme-vip-2", "/sdk").contains("pub struct AcmeVip2;"));
    }

    #[test]
    fn inside_the_repository_the_sdk_is_named_relatively() {
        let sdk = Path::new("/r/plugins/sdk");
        assert_eq!(dependency_path(Path::new("/r/plugins/new"), sdk), "../../plugins/sdk");
        assert_eq!(dependency_path(Path::new("/elsewhere/new"), sdk), "/r/plugins/sdk");
    }
}

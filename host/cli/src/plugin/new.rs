//! `samsyn plugin new`: a plug-in that builds, tests and installs as it is.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;

use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_vocabulary::{CapabilityName, Role};

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn plugin new regulars
  samsyn plugin new regulars --dir work/regulars --sdk ~/samsyn/plugins/sdk

  samsyn plugin new dormant --role timed

The new plug-in builds, tests and installs as it is. Change it as you need:
  subscriber   counts a customer's orders and emits an event for a regular customer
  source       decides a country code, and refuses what is none
  observer     notes when a customer's e-mail address changed
  timed        notices with a timer when a customer hasn't ordered for some days
  caller       orders a new member's card at another system, and says whether that worked";

/// A new plug-in of one role. In its files stand these words for its own: my-plugin, my_plugin, MyPlugin,
/// MY_SDK_PATH, MY_DESCRIPTION, MY_EXAMPLE.
struct Template {
    role: Role,
    description: &'static str,
    manifest: &'static str,
    code: &'static str,
    /// What to try it with, once it is installed.
    example: &'static str,
}

const TEMPLATES: [Template; 5] = [
    Template {
        role: Role::Subscriber,
        description: "Counts a customer's orders and emits an event for a regular customer",
        manifest: include_str!("template/subscriber/plugin.toml"),
        code: include_str!("template/subscriber/lib.rs"),
        example: "Send an event, and read the result:\n\n    samsyn event send --name order.completed \
                  --identifier customer_id=1 --property order_id=A1 --wait\n    samsyn profile get customer_id:1",
    },
    Template {
        role: Role::Source,
        description: "Decides a customer's country code, and refuses what is none",
        manifest: include_str!("template/source/plugin.toml"),
        code: include_str!("template/source/lib.rs"),
        example: "Propose a value, and read the result:\n\n    samsyn profile set customer_id:1 \
                  my_plugin.country=se\n    samsyn profile get customer_id:1",
    },
    Template {
        role: Role::Observer,
        description: "Notes when a customer's e-mail address changed",
        manifest: include_str!("template/observer/plugin.toml"),
        code: include_str!("template/observer/lib.rs"),
        example: "It needs a field `email` in the dictionary, and a plug-in that sources it, such as `crm`. Change \
                  the address,\nand read the result:\n\n    samsyn profile set customer_id:1 \
                  email=anna@example.com\n    samsyn profile get customer_id:1",
    },
    Template {
        role: Role::Timed,
        description: "Notices when a customer hasn't ordered for some days",
        manifest: include_str!("template/timed/plugin.toml"),
        code: include_str!("template/timed/lib.rs"),
        example: "Send an event, and look at the timer that it set:\n\n    samsyn event send --name \
                  order.completed --identifier customer_id=1 --wait\n    samsyn timer list --capability my-plugin",
    },
    Template {
        role: Role::Caller,
        description: "Orders a card for each new member at the system that makes the cards",
        manifest: include_str!("template/caller/plugin.toml"),
        code: include_str!("template/caller/lib.rs"),
        example: "Bind its endpoint to a system, send an event, and read the result. Until the endpoint is bound, its \
                  calls are refused,\nand the event's invocation is parked:\n\n    samsyn endpoint bind my-plugin cards \
                  --url https://cards.example.com/api/ --no-auth\n    samsyn event send --name member.joined \
                  --identifier customer_id=1 --property number=42 --wait\n    samsyn profile get customer_id:1",
    },
];

const ROLES: [&str; TEMPLATES.len()] = ["subscriber", "source", "observer", "timed", "caller"];

impl Template {
    fn of(role: &str) -> &'static Template {
        let found = TEMPLATES.iter().find(|template| template.role.as_str() == role);
        // clap takes only the roles of the list.
        found.unwrap_or(&TEMPLATES[0])
    }

    /// The files, by their paths.
    fn files(&self) -> [(&'static str, &'static str); 5] {
        [
            ("Cargo.toml", include_str!("template/Cargo.toml")),
            ("plugin.toml", self.manifest),
            ("src/lib.rs", self.code),
            ("README.md", include_str!("template/README.md")),
            (".gitignore", include_str!("template/gitignore")),
        ]
    }

    /// A text of it as it is for this plug-in.
    fn filled(&self, text: &str, name: &str, sdk_path: &str) -> String {
        let text = text.replace("MY_EXAMPLE", self.example).replace("MY_DESCRIPTION", self.description);
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
}

/// The arguments of `samsyn plugin new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// The name: lower-case letters and digits, in parts joined by hyphens
    pub name: CapabilityName,
    /// The role it begins with; it may get more
    #[arg(long, value_name = "ROLE", default_value = "subscriber", value_parser = PossibleValuesParser::new(ROLES))]
    pub role: String,
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
    let template = Template::of(&args.role);
    for (name, text) in template.files() {
        let path = dir.join(name);
        fs::write(&path, template.filled(text, args.name.as_str(), &sdk_path))
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
        for template in &TEMPLATES {
            let filled = |text| template.filled(text, "acme-vip-2", "/sdk");
            for (name, text) in template.files() {
                let text = filled(text);
                let words = ["my-plugin", "my_plugin", "MyPlugin", "MY_"];
                assert!(!words.iter().any(|word| text.contains(word)), "{}: {name}: {text}", template.role);
            }
            let manifest = Manifest::parse(&filled(template.manifest)).unwrap();
            assert_eq!(manifest.plugin.name.as_str(), "acme-vip-2");
            assert_eq!(manifest.plugin.description, template.description);
            assert!(manifest.sources.keys().all(|field| field.as_str().starts_with("acme_vip_2.")));
            assert!(manifest.declares(template.role).0, "{}", template.role);
            let code = filled(template.code);
            assert!(code.contains("pub struct AcmeVip2;"));
            assert!(code.contains(&format!("fn {}", template.role.function().replace('-', "_"))));
        }
    }

    #[test]
    fn there_is_one_for_each_role_in_the_order_of_the_help() {
        let roles = TEMPLATES.each_ref().map(|template| template.role.as_str());
        assert_eq!(roles, ROLES);
        // Looking a call up is for who calls, and rare: the SDK's documentation has its example.
        let of_a_call = [Role::Prober, Role::Judge];
        let own = Role::ALL.iter().filter(|role| !of_a_call.contains(role));
        assert!(own.into_iter().all(|role| ROLES.contains(&role.as_str())));
        assert!(ROLES.iter().all(|role| EXAMPLES.contains(&format!("\n  {role} "))), "{EXAMPLES}");
    }

    #[test]
    fn inside_the_repository_the_sdk_is_named_relatively() {
        let sdk = Path::new("/r/plugins/sdk");
        assert_eq!(dependency_path(Path::new("/r/plugins/new"), sdk), "../../plugins/sdk");
        assert_eq!(dependency_path(Path::new("/elsewhere/new"), sdk), "/r/plugins/sdk");
    }
}

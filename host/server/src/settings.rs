//! Every setting of the host, with its default. Read from `samsyn.toml`, then the environment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use samsyn_api::ApiLimits;
use samsyn_audit::AuditConfig;
use samsyn_engine::{EngineConfig, RegistryConfig, RetentionConfig, SnapshotConfig};
use samsyn_follow::FollowConfig;
use samsyn_log::Options as LogOptions;
use samsyn_outgoing::OutgoingConfig;
use samsyn_sandbox::Limits;
use samsyn_secrets::SecretsConfig;
use samsyn_state::view::ViewConfig;

/// The file that is read when nobody names one.
const CONFIG_FILE: &str = "samsyn.toml";
/// Environment variables that start so are settings.
const ENVIRONMENT_PREFIX: &str = "SAMSYN_";
/// Every setting with its default and its reason; a test keeps it equal to the code.
const DEFAULTS: &str = include_str!("settings.default.toml");

/// Every setting of the host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// How the host's own log is written.
    pub log_format: LogFormat,
    /// What is logged, in the form of `tracing`'s filter.
    pub log_filter: String,
    /// Whether to listen beyond loopback without TLS.
    pub insecure_listen: bool,
    /// The certificate for TLS.
    pub tls: TlsFiles,
    /// Where the values of secrets come from.
    pub secrets: SecretsConfig,
    /// When sending begins paused.
    pub outgoing: OutgoingConfig,
    /// What HTTP takes at once.
    pub http: ApiLimits,
    /// What needs an administrator.
    pub registry: RegistryConfig,
    /// Bounds of the engine.
    pub engine: EngineConfig,
    /// How the log is kept.
    pub log: LogOptions,
    /// When snapshots are made.
    pub snapshots: SnapshotConfig,
    /// How long the log is kept.
    pub retention: RetentionConfig,
    /// How the audit of reads is kept.
    pub audit: AuditConfig,
    /// What follows the log.
    pub follow: FollowConfig,
    /// How the view is kept.
    pub view: ViewConfig,
    /// What plug-ins may spend.
    pub sandbox: Limits,
}

/// The files TLS needs, both PEM; empty: no TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate, with the intermediate ones behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How the host's own log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Human,
    /// A line of JSON for each entry.
    Json,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data: PathBuf::from("samsyn-data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 7400)),
            log_format: LogFormat::Human,
            log_filter: "info".to_owned(),
            insecure_listen: false,
            tls: TlsFiles::default(),
            secrets: SecretsConfig::default(),
            outgoing: OutgoingConfig::default(),
            http: ApiLimits::default(),
            registry: RegistryConfig::default(),
            engine: EngineConfig::default(),
            log: LogOptions::default(),
            snapshots: SnapshotConfig::default(),
            retention: RetentionConfig::default(),
            audit: AuditConfig::default(),
            follow: FollowConfig::default(),
            view: ViewConfig::default(),
            sandbox: Limits::default(),
        }
    }
}

/// Why the configuration can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {cause}")]
pub struct ConfigError {
    /// The file or the environment variable.
    pub place: String,
    /// What is wrong there.
    pub cause: String,
}

impl Config {
    /// Reads `samsyn.toml`, or the file that is named, and the environment.
    pub fn read(file: Option<&Path>) -> Result<Config, ConfigError> {
        let path = file.unwrap_or(Path::new(CONFIG_FILE));
        let place = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => String::new(),
            Err(error) => return Err(ConfigError { place, cause: error.to_string() }),
        };
        Config::from_parts(&place, &text, std::env::vars())
    }

    fn from_parts(
        place: &str,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let wrong = |cause: String| ConfigError { place: place.to_owned(), cause };
        let mut table: toml::Table = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        check_secrets(&table).map_err(wrong)?;
        // Said for the file first, so that an error names the line.
        toml::from_str::<Config>(text).map_err(|error| wrong(error.to_string()))?;
        let known = defaults_table();
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let Some((section, key)) = setting_of(&rest.to_lowercase(), &known) else { continue };
            let table = match &section {
                None => &mut table,
                Some(section) => table
                    .entry(section.clone())
                    .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                    .as_table_mut()
                    .ok_or_else(|| wrong(format!("{section} must be a table")))?,
            };
            table.insert(key, scalar(&value));
            let check: Result<Config, _> = toml::Value::Table(table.clone()).try_into();
            if section.is_none() {
                check.map_err(|error| ConfigError { place: name.clone(), cause: error.to_string() })?;
            }
        }
        let config: Result<Config, _> = toml::Value::Table(table).try_into();
        config.map_err(|error| ConfigError {
            place: format!("{place} and the environment"),
            cause: error.to_string(),
        })
    }

    /// The settings in effect with each one's reason, in the form of the file.
    pub fn print(&self) -> String {
        let values = toml::Table::try_from(self).unwrap_or_default();
        let mut section: Option<&str> = None;
        let mut text = String::new();
        for line in DEFAULTS.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = Some(name);
            }
            let key = line.split_once(" = ").map(|(key, _)| key).filter(|key| !key.starts_with('#'));
            let table = section.map_or(Some(&values), |name| values.get(name)?.as_table());
            match key.and_then(|key| Some((key, table?.get(key)?))) {
                Some((key, value)) => text.push_str(&format!("{key} = {value}\n")),
                None => text.push_str(&format!("{line}\n")),
            }
        }
        text
    }
}

/// An error of TOML shows the line, which must not be one with a key or a value.
fn check_secrets(table: &toml::Table) -> Result<(), String> {
    let section = table.get("secrets").and_then(toml::Value::as_table);
    let unknown = |key: &&String| !matches!(key.as_str(), "key_file" | "mounted");
    match section.into_iter().flat_map(toml::Table::keys).find(unknown) {
        None => Ok(()),
        Some(key) => Err(format!(
            "[secrets] has no setting {key}; it has key_file and mounted. Keys and values never stand in the settings"
        )),
    }
}

fn defaults_table() -> toml::Table {
    toml::Table::try_from(Config::default()).unwrap_or_default()
}

/// The setting that a lower-case name without the prefix means: `engine_workers` is `workers` of
/// `[engine]`. Other variables (`SAMSYN_TOKEN`) are no settings.
fn setting_of(name: &str, known: &toml::Table) -> Option<(Option<String>, String)> {
    if known.get(name).is_some_and(|value| !value.is_table()) {
        return Some((None, name.to_owned()));
    }
    let (section, key) = name.split_once('_')?;
    known.get(section)?.as_table()?.get(key)?;
    Some((Some(section.to_owned()), key.to_owned()))
}

fn scalar(text: &str) -> toml::Value {
    if let Ok(number) = text.parse::<i64>() {
        return toml::Value::Integer(number);
    }
    match text {
        "true" => toml::Value::Boolean(true),
        "false" => toml::Value::Boolean(false),
        text => toml::Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_defaults_are_the_defaults() {
        let written: toml::Table = toml::from_str(DEFAULTS).unwrap();
        assert_eq!(written, defaults_table());
        assert_eq!(Config::default().print(), DEFAULTS);
    }

    #[test]
    fn the_environment_wins_over_the_file_and_a_mistake_is_named() {
        let environment = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            pairs.collect::<Vec<_>>().into_iter()
        };
        let file = "listen = \"127.0.0.1:1\"\n[engine]\nworkers = 3\n";
        let set = [("SAMSYN_LISTEN", "127.0.0.1:2"), ("SAMSYN_SANDBOX_TIME_MS", "7"), ("SAMSYN_TOKEN", "x")];
        let config = Config::from_parts("samsyn.toml", file, environment(&set)).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!((config.engine.workers, config.sandbox.time_ms), (3, 7));
        assert!(config.print().contains("time_ms = 7\n"));
        let error =
            Config::from_parts("samsyn.toml", "[engine]\nworker = 3\n", environment(&[])).unwrap_err();
        assert!(error.to_string().contains("worker"), "{error}");
        let with_key = "[secrets]\nkey = \"c2VjcmV0\"\n";
        let error = Config::from_parts("samsyn.toml", with_key, environment(&[])).unwrap_err().to_string();
        assert!(error.contains("key_file") && !error.contains("c2VjcmV0"), "{error}");
        let error =
            Config::from_parts("samsyn.toml", "", environment(&[("SAMSYN_LISTEN", "here")])).unwrap_err();
        assert_eq!(error.place, "SAMSYN_LISTEN");
    }
}

//! What of the contract this host speaks, by name: interfaces, functions, roles, versions.

use samsyn_contract::{CALL_FUNCTIONS, EFFECT_NAMES, TIMER_FUNCTIONS};
use samsyn_vocabulary::Role;

/// The newest version of the contract this host speaks.
pub(super) const VERSION: &str = "0.1.0";

/// The part of a version within which every plug-in works: types never change, and what a plug-in
/// imports is checked function by function.
const COMPATIBLE: &str = "0.1";

/// The custom section that holds the plug-in's manifest as TOML text.
pub const MANIFEST_SECTION: &str = "samsyn:manifest";

const PACKAGE: &str = "samsyn:plugin";
const NAMESPACE: &str = "samsyn:";

/// What a name in a component means to this host.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<T> {
    /// Part of the contract.
    Known(T),
    /// Of the contract, in a version this host doesn't speak.
    OtherVersion,
    /// In our namespace, and nothing this host has heard of.
    Unknown,
    /// Somebody else's.
    Foreign,
}

/// The functions of an imported interface.
pub(super) fn import(name: &str) -> Item<&'static [&'static str]> {
    classify(name, |interface| {
        let functions: &[&str] = match interface {
            "effects" => &EFFECT_NAMES,
            "timers" => &TIMER_FUNCTIONS,
            "calls" => &CALL_FUNCTIONS,
            "settings" => &["get"],
            "logging" => &["log"],
            "types" => &[],
            _ => return None,
        };
        Some(functions)
    })
}

/// The role an exported interface is; none for the types a role uses.
pub(super) fn export(name: &str) -> Item<Option<Role>> {
    classify(name, |interface| match interface {
        "types" => Some(None),
        role => Role::named(role).map(Some),
    })
}

fn classify<T>(name: &str, known: impl FnOnce(&str) -> Option<T>) -> Item<T> {
    if !name.starts_with(NAMESPACE) {
        return Item::Foreign;
    }
    let Some((package, rest)) = name.split_once('/') else { return Item::Unknown };
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    if package != PACKAGE {
        return Item::Unknown;
    }
    if !is_compatible(version) {
        return Item::OtherVersion;
    }
    known(interface).map_or(Item::Unknown, Item::Known)
}

fn is_compatible(version: &str) -> bool {
    match version.strip_prefix(COMPATIBLE) {
        Some("") => true,
        Some(patch) => patch
            .strip_prefix('.')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(export("samsyn:plugin/source@0.1.0"), Item::Known(Some(Role::Source)));
        assert_eq!(export("samsyn:plugin/source@0.1.12"), Item::Known(Some(Role::Source)));
        assert_eq!(export("samsyn:plugin/scheduler@0.1.0"), Item::Unknown);
        assert_eq!(export("samsyn:other/source@0.1.0"), Item::Unknown);
        assert_eq!(export("memory"), Item::Foreign);
        assert_eq!(import("samsyn:plugin/settings@0.1.3"), Item::Known(&["get"][..]));
        assert_eq!(import("wasi:cli/run@0.2.0"), Item::Foreign);
        for version in ["0.2.0", "1.0.0", "0.10.0", "0.1.0-rc.1", "0.1.", "0.1.x", ""] {
            let name = format!("samsyn:plugin/source@{version}");
            assert_eq!(export(&name), Item::OtherVersion, "{name}");
        }
    }
}

//! Why bytes can't be a plug-in.

use super::contract::{self, MANIFEST_SECTION};
use super::limits::Limits;

/// Why bytes can't be a plug-in on this host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// Neither a component nor a core module.
    #[error(
        "this is not WebAssembly: it doesn't start with the header of a component or module; build the plug-in with `samsyn plugin build`"
    )]
    NotWasm,
    /// No manifest in it.
    #[error(
        "there is no custom section {MANIFEST_SECTION:?}: build the plug-in with `samsyn plugin build`, which embeds plugin.toml"
    )]
    NoManifest,
    /// It exports none of the contract's roles.
    #[error(
        "it exports no role: a plug-in is a subscriber, a source or an observer of samsyn:plugin@{}",
        contract::VERSION
    )]
    NoRole,
    /// It exports a role this host doesn't know.
    #[error(
        "it exports {role}, which this host doesn't support: update the host, or build the plug-in without that role"
    )]
    UnknownRole {
        /// The export's full name.
        role: String,
    },
    /// It imports something this host doesn't offer.
    #[error(
        "it imports {import}, which this host doesn't offer: plug-ins have effects, settings and logging only"
    )]
    UnknownImport {
        /// The import's full name, with `#` and the function where that is what's missing.
        import: String,
    },
    /// It was built for another version of the contract.
    #[error(
        "{name} belongs to another version of the contract; this host supports {}: update the host, or build the plug-in with its SDK",
        contract::VERSION
    )]
    NewerContract {
        /// The import or export that says so.
        name: String,
    },
    /// It is, or wants at its start, more than the limits allow.
    #[error(
        "{what} is {found}; the limit is {limit}: make it smaller, or raise `{setting}` in the host's configuration"
    )]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        found: u64,
        /// How large it may be.
        limit: u64,
        /// The limit's name.
        setting: &'static str,
    },
    /// Damaged, not well-formed, or of types that aren't the contract's.
    #[error("it is not a valid component: {reason}; build it again with `samsyn plugin build`")]
    Invalid {
        /// What is wrong and where.
        reason: String,
    },
    /// Compiling it took too much time or memory.
    #[error(
        "compiling it was stopped: {reason}; make it smaller, or raise `compile_time_ms` or `compile_memory_bytes`"
    )]
    CompileLimit {
        /// Which bound was met.
        reason: String,
    },
    /// The compiler itself failed: a fault of the host, not of the component's size.
    #[error(
        "the host's compiler failed: {reason}; build it with another toolchain, for example an older one, and report this to the host's maintainers"
    )]
    CompilerFailed {
        /// The compiler's last words, or how it ended.
        reason: String,
    },
    /// The host could not start or read its own compiler.
    #[error(
        "the compiler could not run: {reason}; check the host's disk and process limits, then install again"
    )]
    CompilerUnavailable {
        /// What the operating system said.
        reason: String,
    },
}

impl PackageError {
    /// A stable code for the error catalogue.
    pub fn code(&self) -> &'static str {
        match self {
            PackageError::NotWasm => "component.not-wasm",
            PackageError::NoManifest => "component.no-manifest",
            PackageError::NoRole => "component.no-role",
            PackageError::UnknownRole { .. } => "component.unknown-role",
            PackageError::UnknownImport { .. } => "component.unknown-import",
            PackageError::NewerContract { .. } => "component.newer-contract",
            PackageError::TooLarge { .. } => "component.too-large",
            PackageError::Invalid { .. } => "component.invalid",
            PackageError::CompileLimit { .. } => "component.compile-limit",
            PackageError::CompilerFailed { .. } => "component.compiler-failed",
            PackageError::CompilerUnavailable { .. } => "component.compiler-unavailable",
        }
    }

    /// What an engine said of it. The alternate form of its errors has the causes in it.
    pub(super) fn engine(error: impl std::fmt::Display) -> PackageError {
        PackageError::invalid(format!("{error:#}"))
    }

    /// The same, where it may be that the component wants more of something than the limits allow.
    pub(super) fn engine_within(error: impl std::fmt::Display, limits: &Limits) -> PackageError {
        let text = format!("{error:#}");
        too_many(&text, limits).unwrap_or_else(|| PackageError::invalid(text))
    }

    pub(super) fn invalid(reason: impl std::fmt::Display) -> PackageError {
        PackageError::Invalid { reason: reason.to_string() }
    }
}

/// How wasmtime begins to say that a component or a module of it is made for a larger pool; what it has
/// and how many follow. Its errors have no types: tests hold the wording.
const TOO_MANY: [&str; 3] = ["transitively contains ", "defined ", " has a minimum "];

/// A component that has more memories, tables or instances, or larger ones, than the pool was made for.
fn too_many(text: &str, limits: &Limits) -> Option<PackageError> {
    let settings = [
        ("byte size", "what its memory begins with, in bytes,", limits.memory_bytes, "memory_bytes"),
        ("element size", "what its table begins with, in elements,", limits.table_elements, "table_elements"),
        ("memories", "the number of its memories", limits.memories.into(), "memories"),
        ("tables", "the number of its tables", limits.tables.into(), "tables"),
        ("instances", "the number of its core instances", limits.instances.into(), "instances"),
    ];
    let (told, _) = text.split_once(" exceeds ")?;
    let (_, of_what) = TOO_MANY.iter().find_map(|begins| told.split_once(begins))?;
    let found = of_what.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?;
    let (_, what, limit, setting) = settings.into_iter().find(|(word, ..)| of_what.contains(word))?;
    Some(PackageError::TooLarge { what, found: found.parse().ok()?, limit, setting })
}

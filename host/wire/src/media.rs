//! Media types of bodies.

/// Ordinary JSON.
pub const JSON: &[&str] = &["application/json"];
/// JSON that is a patch, by either name.
pub const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];
/// A registry file.
pub const TOML: &[&str] = &["application/toml"];
/// A secret's value.
pub const SECRET: &[&str] = &["text/plain", "application/octet-stream"];
/// A component.
pub const WASM: &[&str] = &["application/wasm"];
/// A problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

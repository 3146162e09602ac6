//! Where a request of a plug-in may go below its endpoint's base: rules of its path and query.
//!
//! A plug-in never writes a URL. What the parser of URLs would rewrite (`..`, `%2e`, backslashes, tabs) is refused, so
//! that no two readers of the URL can disagree about where it leads.

use percent_encoding::percent_decode_str;

/// Bytes of a whole URL at most. Servers refuse longer ones at 4 to 16 KiB.
pub const URL_MAX: usize = 8 * 1024;
/// Parts of a query at most.
pub const QUERY_MAX: usize = 64;
/// How often a path is decoded to see what it may mean to the servers behind the first.
pub const PATH_DECODINGS: usize = 4;

/// Why a plug-in's path or query is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// The path holds a character that a path can't have as it is.
    #[error("the path has a character that must be percent-encoded; `?` and `#` don't belong there")]
    Character,
    /// The path leads out of its base, or to some server it would.
    #[error("the path leaves its base: no segment may be `.` or `..`, in any spelling")]
    Leaves,
    /// It begins like an authority.
    #[error("the path begins with `//`; give a path below the endpoint's base")]
    Authority,
    /// It has `%` without two hex digits, or an encoded control character.
    #[error("the path has a `%` that encodes no character that a path may have")]
    Encoding,
    /// The query has a name or value that can't be sent.
    #[error("the query has a control character or more than {QUERY_MAX} parts")]
    Query,
    /// The URL is too long.
    #[error("the URL is longer than {URL_MAX} bytes")]
    Long,
}

/// A path without the slash at its front, which means nothing, when it may follow a base.
pub fn below_base(path: &str) -> Result<&str, BadPlace> {
    if path.len() > URL_MAX {
        return Err(BadPlace::Long);
    }
    if path.starts_with("//") {
        return Err(BadPlace::Authority);
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    check_path(path)?;
    Ok(path)
}

/// Whether the parts of a query can be sent: they are encoded, whatever else is in them.
pub fn check_query(query: &[(String, String)]) -> Result<(), BadPlace> {
    let control = |text: &str| text.chars().any(char::is_control);
    let length: usize = query.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if query.len() > QUERY_MAX || query.iter().any(|(name, value)| control(name) || control(value)) {
        return Err(BadPlace::Query);
    }
    if length > URL_MAX { Err(BadPlace::Long) } else { Ok(()) }
}

/// The path holds only what a path may hold as it is, and means the same below the base to every server.
pub fn check_path(path: &str) -> Result<(), BadPlace> {
    if !path.bytes().all(may_stand_in_a_path) {
        return Err(BadPlace::Character);
    }
    let bytes = path.as_bytes();
    for (at, _) in path.match_indices('%') {
        let hex = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        if !hex(1) || !hex(2) {
            return Err(BadPlace::Encoding);
        }
    }
    // A server may decode, and one behind it again.
    let mut text = path.as_bytes().to_vec();
    for _ in 0..PATH_DECODINGS {
        check_segments(&text)?;
        let decoded: Vec<u8> = percent_decode_str(&String::from_utf8_lossy(&text)).collect();
        if decoded == text {
            return Ok(());
        }
        text = decoded;
    }
    Err(BadPlace::Encoding)
}

fn check_segments(path: &[u8]) -> Result<(), BadPlace> {
    if path.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\') {
        return Err(BadPlace::Encoding);
    }
    for segment in path.split(|byte| *byte == b'/') {
        // `..;x` is `..` to servers that know path parameters.
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        if name == b"." || name == b".." {
            return Err(BadPlace::Leaves);
        }
    }
    Ok(())
}

/// RFC 3986 `pchar`, the slash, and `%`. Not `|`, `^`, quotes, braces: parsers treat them differently.
fn may_stand_in_a_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte)
}

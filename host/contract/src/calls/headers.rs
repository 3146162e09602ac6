//! Which headers a plug-in may set. A header that would change where a request goes, who it is from, how long it is,
//! or which method it really has, can be granted to nobody.

/// Headers of one request at most.
pub const HEADERS_MAX: usize = 32;
/// Bytes of a header's name at most.
pub const HEADER_NAME_MAX: usize = 64;
/// Bytes of a header's value at most.
pub const HEADER_VALUE_MAX: usize = 4 * 1024;
/// Bytes of a request's headers at most, names and values.
pub const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// What every plug-in may set.
pub const HEADERS_OF_ALL: &[&str] = &[
    "accept",
    "accept-language",
    "content-language",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
];

/// What nobody can be granted: the host's, the connection's, and what intermediaries believe.
pub const HEADERS_OF_HOST: &[&str] = &[
    "accept-encoding",
    "alt-used",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "forwarded",
    "front-end-https",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-host",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// Beginnings that nobody can be granted.
const NEVER_PREFIXES: &[&str] = &["proxy-", "sec-", "x-forwarded", "x-amz-", "cf-connecting-"];

/// Why a header is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// The name is no header's name.
    #[error("`{0}` is no header name: letters, digits and hyphens, at most {HEADER_NAME_MAX}")]
    Name(String),
    /// The host sets it, or nobody may.
    #[error("`{0}` can't be set by a plug-in; the host sets what the endpoint needs")]
    Never(String),
    /// The endpoint's grant doesn't have it.
    #[error("`{0}` isn't among the headers granted for this endpoint")]
    NotGranted(String),
    /// It was set before.
    #[error("`{0}` is set twice")]
    Twice(String),
    /// The value can't be sent.
    #[error("the value of `{0}` is no line of visible ASCII of at most {HEADER_VALUE_MAX} bytes")]
    Value(String),
    /// There are too many, or they are too long.
    #[error("more than {HEADERS_MAX} headers or {HEADERS_BYTES_MAX} bytes of headers")]
    TooMany,
}

/// A header's name in lower case: letters, digits, hyphens and underscores.
pub fn header_name(name: &str) -> Result<String, BadHeader> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > HEADER_NAME_MAX || !name.bytes().all(plain) {
        return Err(BadHeader::Name(
            name.chars().take(HEADER_NAME_MAX).filter(|c| !c.is_control()).collect(),
        ));
    }
    Ok(name.to_ascii_lowercase())
}

/// Whether every plug-in may set it.
pub fn is_header_of_all(name: &str) -> bool {
    HEADERS_OF_ALL.contains(&name)
}

/// Whether nobody may set it. An underscore is taken as a hyphen by some servers, so that a name with one is judged
/// with hyphens as well.
pub fn is_header_of_host(name: &str) -> bool {
    let name = name.replace('_', "-");
    HEADERS_OF_HOST.contains(&name.as_str()) || NEVER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a value can be sent: one line of visible ASCII, without space at its ends.
pub fn is_header_value(value: &str) -> bool {
    let visible = value.bytes().all(|byte| (0x20..0x7F).contains(&byte));
    visible && !value.starts_with(' ') && !value.ends_with(' ') && value.len() <= HEADER_VALUE_MAX
}

/// One header of a plug-in, if every plug-in may set it: its name in lower case.
pub fn check_header(name: &str, value: &str) -> Result<String, BadHeader> {
    let name = header_name(name)?;
    if is_header_of_host(&name) {
        return Err(BadHeader::Never(name));
    }
    if !is_header_of_all(&name) {
        return Err(BadHeader::NotGranted(name));
    }
    if is_header_value(value) { Ok(name) } else { Err(BadHeader::Value(name)) }
}

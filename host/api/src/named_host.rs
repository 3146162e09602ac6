//! The one host that a request names (RFC 9112, section 3.2). A request that names none, or two, is read
//! differently by a proxy in front of us: it is refused before anything is made of it.

use axum::http::{HeaderMap, Version, header};

use super::problem::{Kind, Problem};

/// The problem of a request that doesn't name one host; none when it does, or needn't.
pub fn problem(version: Version, headers: &HeaderMap) -> Option<Problem> {
    let mut named = headers.get_all(header::HOST).iter();
    let detail = match (named.next(), named.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => return None,
        (Some(_), None) => "`Host` is not a host name",
        (Some(_), Some(_)) => "`Host` is there twice",
        // HTTP/1.0 needn't, and HTTP/2 has `:authority`.
        (None, _) if version != Version::HTTP_11 => return None,
        (None, _) => "the request has no `Host` header",
    };
    Some(Problem::new(Kind::HostInvalid, detail).at("Host"))
}

/// `uri-host [ ":" port ]` of RFC 3986; it may be empty.
fn is_host(value: &[u8]) -> bool {
    let (is_name, rest) = match value.strip_prefix(b"[") {
        Some(literal) => {
            let end = literal.iter().position(|byte| *byte == b']').unwrap_or(literal.len());
            let address = &literal[..end];
            let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b":.-_~".contains(byte);
            let rest = literal.get(end + 1..);
            (!address.is_empty() && address.iter().all(letter) && rest.is_some(), rest.unwrap_or_default())
        }
        None => {
            let end = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
            let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte);
            (value[..end].iter().all(letter), &value[end..])
        }
    };
    let is_port = match rest.split_first() {
        None => true,
        Some((b':', port)) => port.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    is_name && is_port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in
            ["", "a", "a.example.", "a-b_c:80", "127.0.0.1:7400", "[::1]", "[::1]:7400", "a:", "xn--a"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for bad in [
            "a b", "a, b", "http://a", "a/b", "a:b", "a:80:80", "[::1", "[]", "[::1]x", "anna@a", "a\\b", "å",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
    }
}

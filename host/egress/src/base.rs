//! Where a call goes: the base that an admin granted, and below it the path and query that a plug-in gives.
//!
//! A plug-in never writes a URL. Its path is appended to the base's and must come out of the WHATWG parser as it
//! went in: what the parser would rewrite (`..`, `%2e`, backslashes, tabs) is refused before, so no two readers of
//! the URL can disagree about where it leads.

use std::fmt;
use std::net::IpAddr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
pub use samsyn_contract::calls::{BadPlace, QUERY_MAX, URL_MAX};
use samsyn_contract::calls::{below_base, check_path, check_query};
use url::{Host, Url};

/// What stands for itself in a query: the unreserved characters of RFC 3986.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a text can't be an endpoint's base.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` can't be a base URL: {why}")]
pub struct BadBase {
    /// What was given. It holds no secret: userinfo is cut out.
    pub given: String,
    /// What is wrong, and what to write instead.
    pub why: &'static str,
}

/// A granted base: scheme, host, port and path prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its path ends with a slash, or the base is that one path.
    url: Url,
    /// The prefix that plug-ins' paths are appended to, with its slash at the end.
    prefix: String,
}

impl Base {
    /// Reads a base as an admin writes it: `https://api.example.com/v3/`.
    pub fn parse(given: &str) -> Result<Base, BadBase> {
        let bad = |why| BadBase { given: without_userinfo(given), why };
        if given.len() > URL_MAX / 2 {
            return Err(bad("it is longer than 4096 bytes"));
        }
        if given.bytes().any(|byte| !(0x21..0x7F).contains(&byte)) {
            return Err(bad(
                "it has a space, control or non-ASCII character; write an international name as xn--…",
            ));
        }
        if given.contains('\\') {
            return Err(bad("it has a backslash"));
        }
        let lower = given.to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(bad("it must begin with https:// or http://"));
        }
        if authority(given).is_empty() {
            return Err(bad("it has no host"));
        }
        let url = Url::parse(given).map_err(|_| bad("it is no URL"))?;
        if !url.username().is_empty() || url.password().is_some() || authority(given).contains('@') {
            return Err(bad(
                "it has a user or password; credentials belong to the endpoint's authentication",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a query or fragment; a base is scheme, host, port and path"));
        }
        if url.port() == Some(0) {
            return Err(bad("port 0 is none"));
        }
        match url.host() {
            None => return Err(bad("it has no host")),
            Some(Host::Domain(name)) if name.ends_with('.') => {
                return Err(bad("its host ends with a dot; leave the dot out"));
            }
            Some(Host::Domain(name)) if !name_is_plain(name) => return Err(bad("its host is no host name")),
            Some(_) => {}
        }
        let path = url.path();
        let written = given.split_once(authority(given)).map_or("", |(_, rest)| rest);
        if check_path(path).is_err() || (written != path && !(written.is_empty() && path == "/")) {
            return Err(bad(
                "its path is not what it seems; write it without `.`, `..` and needless encoding",
            ));
        }
        let prefix = if path.ends_with('/') { path.to_owned() } else { format!("{path}/") };
        Ok(Base { url, prefix })
    }

    /// The URL of a call: this base, the plug-in's path below it and its query. One slash at the front of the path
    /// means nothing. An empty path is the base itself.
    pub fn join(&self, path: &str, query: &[(String, String)]) -> Result<Place, BadPlace> {
        let path = below_base(path)?;
        let mut url = self.url.clone();
        if !path.is_empty() {
            url.set_path(&format!("{}{path}", self.prefix));
        }
        if !query.is_empty() {
            url.set_query(Some(&encode_query(query)?));
        }
        let place = Place { url };
        if place.url.as_str().len() > URL_MAX {
            return Err(BadPlace::Long);
        }
        // The checks above already say so; the parser has the last word.
        let meant =
            if path.is_empty() { self.url.path().to_owned() } else { format!("{}{path}", self.prefix) };
        if place.url.path() != meant
            || place.authority() != self.authority()
            || place.is_tls() != self.is_tls()
        {
            return Err(BadPlace::Leaves);
        }
        Ok(place)
    }

    /// The base itself as a place.
    pub fn place(&self) -> Place {
        Place { url: self.url.clone() }
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        authority_of(&self.url)
    }

    /// Is it https?
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Where to connect to.
    pub fn host(&self) -> Destination {
        destination(&self.url)
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// The base as text.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A host as the parser sees it: every spelling of an address is that address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A name, to be looked up.
    Name(String),
    /// An address, written in whatever way.
    Address(IpAddr),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Name(name) => f.write_str(name),
            Destination::Address(address) => address.fmt(f),
        }
    }
}

/// The URL of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    url: Url,
}

impl Place {
    /// Path and query, as the request line has them.
    pub fn path_and_query(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// The query as it is sent, without `?`.
    pub fn query(&self) -> Option<&str> {
        self.url.query()
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        authority_of(&self.url)
    }

    /// The whole URL.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Adds a part to the query, for authentication that lies there.
    pub(crate) fn add_query(&mut self, name: &str, value: &str) {
        let part = encode_part(name, value);
        let query = match self.url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{part}"),
            None => part,
        };
        self.url.set_query(Some(&query));
    }

    fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }
}

fn destination(url: &Url) -> Destination {
    match url.host() {
        Some(Host::Ipv4(address)) => Destination::Address(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Destination::Address(IpAddr::V6(address)),
        Some(Host::Domain(name)) => Destination::Name(name.to_owned()),
        // `parse` refuses a URL without host; an empty name resolves to nothing.
        None => Destination::Name(String::new()),
    }
}

fn authority_of(url: &Url) -> String {
    url[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
}

/// The text between `//` and the next slash.
fn authority(given: &str) -> &str {
    let rest = given.split_once("//").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn without_userinfo(given: &str) -> String {
    let authority = authority(given);
    match authority.rsplit_once('@') {
        Some((userinfo, _)) if !userinfo.is_empty() => given.replacen(userinfo, "…", 1),
        _ => given.to_owned(),
    }
}

/// Letters, digits, hyphens, dots and underscores: no encoding, no other script.
fn name_is_plain(name: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.len() <= 253 && name.split('.').all(|part| label(part) && part.bytes().all(plain))
}

fn encode_query(query: &[(String, String)]) -> Result<String, BadPlace> {
    check_query(query)?;
    let parts: Vec<String> = query.iter().map(|(name, value)| encode_part(name, value)).collect();
    Ok(parts.join("&"))
}

fn encode_part(name: &str, value: &str) -> String {
    format!("{}={}", utf8_percent_encode(name, QUERY), utf8_percent_encode(value, QUERY))
}

#[cfg(test)]
mod tests;

//! Where an endpoint is: its base URL, the networks it may be in, and headers by name.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

/// The longest URL, in bytes.
const URL_BYTES_MAX: usize = 2048;
/// The longest name of a header, in bytes.
const HEADER_BYTES_MAX: usize = 64;
/// How much of a wrong text a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// Why a text can't be used as an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} can't be {what}: {why}")]
pub struct UrlError {
    text: String,
    what: &'static str,
    why: String,
}

impl UrlError {
    fn of(text: &str, what: &'static str, why: impl Into<String>) -> UrlError {
        UrlError { text: text.chars().take(SHOWN_CHARS_MAX).collect(), what, why: why.into() }
    }
}

/// Scheme, host, port and the beginning of the path: what every request of an endpoint starts with. It is read as
/// browsers do (WHATWG), and kept in that form, so `https://0x7f.1` is `https://127.0.0.1/`. Its path ends with `/`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// The URL as text, ending with `/`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The URL in its parts.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host's name, in lower case and without a dot at its end; none for an address.
    pub fn domain(&self) -> Option<&str> {
        match self.0.host()? {
            Host::Domain(domain) => Some(domain.strip_suffix('.').unwrap_or(domain)),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }

    /// The host's address, where it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(canonical(address.into())),
        }
    }
}

impl FromStr for BaseUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<BaseUrl, UrlError> {
        // A userinfo may be a password: the message doesn't repeat what stands before the @.
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let shown =
            if authority.contains('@') { rest.rsplit_once('@').map_or("", |(_, rest)| rest) } else { text };
        let wrong = |why: &str| UrlError::of(shown, "a base URL", why);
        if text.len() > URL_BYTES_MAX {
            return Err(wrong(&format!("it has more than {URL_BYTES_MAX} bytes")));
        }
        // The parser removes or replaces some of these without a word.
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace() || letter == '\\') {
            return Err(wrong("it has a space, a control character or a backslash; percent-encode it"));
        }
        let scheme = text.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
        match &scheme {
            Some((scheme, rest)) if matches!(scheme.as_str(), "https" | "http") && !rest.starts_with('/') => {
            }
            _ => {
                return Err(wrong(
                    "it must start with https:// and a host, such as https://api.example.com/v3/",
                ));
            }
        }
        let path = scheme.as_ref().and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
        let is_dots =
            |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if path.split('/').any(is_dots) {
            return Err(wrong("its path has . or ..; write the path that is meant"));
        }
        let mut url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() || authority.contains('@') {
            return Err(wrong("it has a user or password; bind these with auth, as a secret"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a query or fragment; the plug-in adds the query"));
        }
        if url.port() == Some(0) {
            return Err(wrong("port 0 is not a port"));
        }
        if url.host_str().is_none_or(|host| host.is_empty() || host == ".") {
            return Err(wrong("it has no host"));
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(BaseUrl(url))
    }
}

/// Addresses that start alike: `10.2.0.0/16`, or one address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The first address.
    pub fn address(self) -> IpAddr {
        self.address
    }

    /// How many bits its addresses have in common.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether an address is one of it. An IPv4 address that is written as IPv6 is the IPv4 address.
    pub fn contains(self, address: IpAddr) -> bool {
        masked(canonical(address), self.prefix) == Some(self.address)
    }

    /// Whether every address of another network is one of it.
    pub fn covers(self, other: Network) -> bool {
        other.prefix >= self.prefix && self.contains(other.address)
    }

    /// Whether it shares an address with another.
    pub fn overlaps(self, other: Network) -> bool {
        self.covers(other) || other.covers(self)
    }
}

/// An address; an IPv4 address in an IPv6 one as what it is.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The address with only its first bits; none if it doesn't have that many.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => {
            let beyond = 32_u32.checked_sub(u32::from(prefix))?;
            let mask = u32::MAX.checked_shl(beyond).unwrap_or(0);
            Some(IpAddr::V4((u32::from(address) & mask).into()))
        }
        IpAddr::V6(address) => {
            let beyond = 128_u32.checked_sub(u32::from(prefix))?;
            let mask = u128::MAX.checked_shl(beyond).unwrap_or(0);
            Some(IpAddr::V6((u128::from(address) & mask).into()))
        }
    }
}

impl FromStr for Network {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Network, UrlError> {
        let wrong = |why: &str| UrlError::of(text, "a network", why);
        let form = || wrong("write an address and the length of its prefix, such as 10.2.0.0/16");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| form())?;
        if canonical(address) != address {
            return Err(wrong("it is an IPv4 address in IPv6; write it as IPv4, such as 10.2.0.0/16"));
        }
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse::<u8>().ok().filter(|prefix| *prefix <= bits).ok_or_else(form)?
            }
            Some(_) => return Err(form()),
        };
        let first = masked(address, prefix).ok_or_else(form)?;
        if first != address {
            return Err(wrong(&format!("its first address is {first}; write {first}/{prefix}")));
        }
        Ok(Network { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The name of a header that carries a secret or a key. Headers that frame a message or belong to a connection are
/// the host's alone.
#[derive(Clone)]
pub struct HeaderName(String);

/// Headers that are the host's (RFC 9110, RFC 9112), in lower case.
const HOSTS_OWN: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

impl HeaderName {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can carry an idempotency key.
    pub(crate) fn check_key(&self) -> Result<(), String> {
        match self.0.eq_ignore_ascii_case("authorization") {
            true => Err("key: the header Authorization is for authentication; use another".to_owned()),
            false => Ok(()),
        }
    }
}

impl PartialEq for HeaderName {
    /// Names of headers are the same in capitals and without (RFC 9110, 5.1).
    fn eq(&self, other: &HeaderName) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for HeaderName {}

impl FromStr for HeaderName {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<HeaderName, UrlError> {
        let wrong = |why: &str| UrlError::of(text, "a header", why);
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if text.is_empty() || text.len() > HEADER_BYTES_MAX || !text.bytes().all(is_token) {
            return Err(wrong("use letters, digits and hyphens, at most 64 bytes, such as X-Api-Key"));
        }
        let lower = text.to_ascii_lowercase();
        if HOSTS_OWN.contains(&lower.as_str()) || lower.starts_with("proxy-") {
            return Err(wrong("the host writes this header itself; use another"));
        }
        Ok(HeaderName(text.to_owned()))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Reads and writes a type as its text, and describes that.
macro_rules! as_text {
    ($($type:ident $name:literal { $($key:literal: $value:expr),* };)*) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", $($key: $value),* })
            }
        })*
    };
}

as_text! {
    BaseUrl "BaseUrl" {
        "description": "Scheme, host, port and the beginning of the path. It has no user, query or fragment.",
        "pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^/]", "maxLength": URL_BYTES_MAX
    };
    Network "Network" {
        "description": "A network: an address and the length of its prefix, such as `10.2.0.0/16`; or one address.",
        "pattern": r"^[0-9a-fA-F.:]+(/[0-9]{1,3})?$"
    };
    HeaderName "HeaderName" {
        "description": "A header's name, such as `X-Api-Key`. The host's own headers are not allowed.",
        "pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "maxLength": HEADER_BYTES_MAX
    };
}

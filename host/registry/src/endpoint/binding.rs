//! What an administrator binds an endpoint to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::auth::{Auth, text};
use super::message_api::message_api;
use super::network_check;
use samsyn_contract::calls::{
    BaseUrl, CallRequest, KeyHeader, Method, Network, PARALLEL_MAX, Rate, Reaches, Repeat, Size, Span,
    check_amounts, check_methods, check_repeat,
};
use samsyn_vocabulary::{Digest, SecretName};

/// The most networks of one endpoint.
pub const NETWORKS_MAX: usize = 16;
/// The longest name of a file, in bytes: Linux' own limit.
const PATH_BYTES_MAX: usize = 4096;
/// What a binding's identity is a digest of; another version would be another binding of everything.
const IDENTITY_VERSION: &str = "samsyn endpoint 1";

/// What an endpoint is bound to: the system, the account there, and the limits of calling it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binding {
    /// Where every request begins.
    pub url: BaseUrl,
    /// The methods that may be used; the manifest requests them all.
    pub methods: Vec<Method>,
    /// How the system knows its callers.
    pub auth: Auth,
    /// What happens to an exchange without a known answer.
    pub repeat: Repeat,
    /// The key of `keyed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyHeader>,
    /// How many requests in which time.
    pub rate: Rate,
    /// Exchanges at the same time.
    pub parallel: u32,
    /// The time for one attempt.
    pub timeout: Span,
    /// The largest answer.
    pub answer_max: Size,
    /// The networks that every address of the system is in; none: the internet, without private addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Network>,
    /// A file of certificates on the host, as PEM, that are trusted instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// How the host shows a server who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
    /// The proxy through which the system is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Whom it reaches.
    pub reaches: Reaches,
    /// An administrator has said that a service that sends messages is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message_api: bool,
}

/// A certificate of the host's own, for TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The file on the host with the certificate and those that signed it, as PEM.
    pub file: String,
    /// The secret that is the private key, as PEM.
    pub key: SecretName,
}

/// A proxy that is asked to connect (RFC 9110, 9.3.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Where it is, without a path.
    pub url: BaseUrl,
    /// The user it knows the host by; with `secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The secret that is the user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretName>,
}

/// What to bind an endpoint to. What is left out is as the manifest requests it, or isn't used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EndpointBinding")]
pub struct BindingRequest {
    /// Where every request begins; the manifest's suggestion if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<BaseUrl>,
    /// Those of the requested methods that may be used; all of them if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Method>>,
    /// How the system knows its callers. Secrets are named; their values are set with `samsyn secret set`.
    pub auth: Auth,
    /// What happens to an exchange without a known answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// With `keyed`: how the system recognises a request that it has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyHeader>,
    /// How many requests in which time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Exchanges at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = PARALLEL_MAX))]
    pub parallel: Option<u32>,
    /// The time for one attempt: `1s` to `2min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The largest answer: at most `64 KiB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_max: Option<Size>,
    /// The networks that every address of the system must be in. Without any, it must be on the internet: private and
    /// special addresses are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = NETWORKS_MAX))]
    pub networks: Vec<Network>,
    /// A file of certificates on the host, as PEM, that are trusted instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The certificate that the host shows to the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
    /// The proxy through which the system is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Whom it reaches; as the manifest requests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaches: Option<Reaches>,
    /// True: a service that sends messages to people is meant. Without it the host refuses those that it knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message_api: bool,
}

impl From<&Binding> for BindingRequest {
    fn from(binding: &Binding) -> BindingRequest {
        let is = binding.clone();
        BindingRequest {
            url: Some(is.url),
            methods: Some(is.methods),
            auth: is.auth,
            repeat: Some(is.repeat),
            key: is.key,
            rate: Some(is.rate),
            parallel: Some(is.parallel),
            timeout: Some(is.timeout),
            answer_max: Some(is.answer_max),
            networks: is.networks,
            ca_file: is.ca_file,
            client_certificate: is.client_certificate,
            proxy: is.proxy,
            reaches: Some(is.reaches),
            message_api: is.message_api,
        }
    }
}

impl BindingRequest {
    /// The binding that it is, with what a manifest requests filled in; or what is missing.
    pub fn resolved(&self, request: &CallRequest) -> Result<Binding, String> {
        let is = self.clone();
        let url = is.url.or_else(|| request.url.clone()).ok_or(
            "url is missing, and the manifest suggests none; name the system's address, such as \
             https://api.example.com/v3/",
        )?;
        let repeat = is.repeat.unwrap_or_else(|| request.repeat());
        let keyed = repeat == Repeat::Keyed;
        let mut methods = is.methods.unwrap_or_else(|| request.methods.clone());
        check_methods(&methods)?;
        methods.sort();
        Ok(Binding {
            url,
            methods,
            auth: is.auth,
            repeat,
            key: is.key.or_else(|| request.key.clone().filter(|_| keyed)),
            rate: is.rate.unwrap_or_else(|| request.rate()),
            parallel: is.parallel.unwrap_or_else(|| request.parallel()),
            timeout: is.timeout.unwrap_or_else(|| request.timeout()),
            answer_max: is.answer_max.unwrap_or_else(|| request.answer_max()),
            networks: is.networks,
            ca_file: is.ca_file,
            client_certificate: is.client_certificate,
            proxy: is.proxy,
            reaches: is.reaches.unwrap_or(request.reaches),
            message_api: is.message_api,
        })
    }
}

impl Binding {
    /// What stays the same as long as it is the same system and the same account there (decision 14): the URL, the kind
    /// of authentication, and the account. A newer version of a secret is no other binding, nor is a limit.
    pub fn identity(&self) -> Digest {
        let kind = self.auth.kind();
        let mut parts = vec![IDENTITY_VERSION, self.url.as_str(), kind.as_str()];
        parts.extend(self.auth.account());
        if let Some(certificate) = &self.client_certificate {
            parts.extend(["client certificate", certificate.key.as_str()]);
        }
        // With its length before each part no two lists have the same bytes.
        let bytes =
            parts.iter().flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()));
        Digest::of(&bytes.collect::<Vec<u8>>())
    }

    /// The secrets that it needs, each once.
    pub fn secrets(&self) -> Vec<SecretName> {
        let certificate = self.client_certificate.iter().map(|certificate| &certificate.key);
        let proxy = self.proxy.iter().filter_map(|proxy| proxy.secret.as_ref());
        let mut all: Vec<SecretName> =
            self.auth.secrets().into_iter().chain(certificate).chain(proxy).cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    /// The service by which its address is known to send messages to people.
    pub fn sends_messages(&self) -> Option<&'static str> {
        message_api(&self.url)
    }

    /// What is left of it when a manifest requests `after` where it requested `before`; none when it has to be bound
    /// again.
    pub(super) fn under(&self, before: &CallRequest, after: &CallRequest) -> Option<Binding> {
        if self.reaches != after.reaches {
            return None;
        }
        if self.check_rows(after).is_err() {
            return None;
        }
        let mut binding = self.clone();
        binding.methods.retain(|method| after.methods.contains(method));
        if binding.methods.is_empty() {
            return None;
        }
        // Its author knows by now that it can't be repeated as readily.
        if after.repeat() < before.repeat() && after.repeat() < binding.repeat {
            binding.repeat = after.repeat();
            binding.key = after.key.clone();
        }
        Some(binding)
    }

    /// Whether an endpoint of which a manifest requests this can be bound so.
    pub(super) fn check(&self, request: &CallRequest) -> Result<(), String> {
        self.check_reach(request)?;
        check_methods(&self.methods)?;
        let beyond = self.methods.iter().filter(|method| !request.methods.contains(method));
        let beyond: Vec<&str> = beyond.map(|method| method.as_str()).collect();
        if !beyond.is_empty() {
            return Err(format!("methods: the manifest doesn't request {}; remove it", beyond.join(", ")));
        }
        check_repeat(self.repeat, self.key.as_ref())?;
        self.check_rows(request)?;
        check_amounts(self.parallel, self.timeout, self.answer_max)?;
        if self.networks.len() > NETWORKS_MAX {
            return Err(format!("networks can be {NETWORKS_MAX} at the most, not {}", self.networks.len()));
        }
        let twice = self.networks.iter().enumerate().find(|(at, is)| self.networks[..*at].contains(is));
        if let Some((_, network)) = twice {
            return Err(format!("networks has {network} twice; remove one"));
        }
        self.check_addresses()?;
        self.auth.check()?;
        self.ca_file.as_deref().map_or(Ok(()), |path| check_path("ca_file", path))?;
        match &self.client_certificate {
            Some(_) if !self.url.is_https() => {
                Err("client_certificate is shown only over https; use https or remove it".to_owned())
            }
            Some(certificate) => check_path("client_certificate: file", &certificate.file),
            None => Ok(()),
        }
    }

    fn check_rows(&self, request: &CallRequest) -> Result<(), String> {
        let Some(rows) = &request.rows else { return Ok(()) };
        if self.repeat == Repeat::Probe {
            return Err(
                "repeat: the endpoint takes rows, and nobody can look up a batch; use keyed, or once"
                    .to_owned(),
            );
        }
        let method = rows.method();
        match self.methods.contains(&method) {
            true => Ok(()),
            false => Err(format!("methods: rows are sent with {method}; add it")),
        }
    }

    fn check_reach(&self, request: &CallRequest) -> Result<(), String> {
        if self.reaches != request.reaches {
            return Err(format!(
                "reaches: the manifest says {}, so it can't be bound as {}; that is for its author to change",
                request.reaches, self.reaches
            ));
        }
        if self.reaches == Reaches::Customers {
            return Err(
                "it reaches customers, and this host doesn't send to customers yet: it can't be bound. The \
                 capability's other parts work without it"
                    .to_owned(),
            );
        }
        match self.sends_messages().filter(|_| !self.message_api) {
            None => Ok(()),
            Some(service) => Err(format!(
                "url: {service} is known to send messages to people, and what an endpoint for systems sends passes no \
                 check of consent. If no customer gets a message by it, bind it with message_api = true"
            )),
        }
    }

    fn check_addresses(&self) -> Result<(), String> {
        if let Some(proxy) = &self.proxy {
            if proxy.url.url().path() != "/" {
                return Err("proxy: url can't have a path; write only scheme, host and port".to_owned());
            }
            if proxy.user.is_some() != proxy.secret.is_some() {
                return Err("proxy: user and secret belong together; name both or none".to_owned());
            }
            if let Some(user) = &proxy.user {
                text("proxy: user", user)?;
                if user.contains(':') {
                    return Err("proxy: user can't have a colon".to_owned());
                }
            }
            // The proxy connects to the system, so it is the proxy that must be in the networks.
            network_check::check("proxy: url", &proxy.url, &self.networks)?;
            if !self.url.is_https() {
                return Err(
                    "url: through a proxy only https is possible, which the proxy can't read".to_owned()
                );
            }
        } else {
            network_check::check("url", &self.url, &self.networks)?;
        }
        match self.auth.token_url() {
            Some(url) if !url.is_https() && self.url.is_https() => {
                Err("auth: token_url must be https, as url is".to_owned())
            }
            Some(url) if self.proxy.is_none() => network_check::check("auth: token_url", url, &self.networks),
            _ => Ok(()),
        }
    }
}

fn check_path(what: &str, path: &str) -> Result<(), String> {
    if !path.starts_with('/') || path.len() > PATH_BYTES_MAX || path.chars().any(char::is_control) {
        return Err(format!("{what} must be a file's absolute path on the host, such as /etc/samsyn/ca.pem"));
    }
    Ok(())
}

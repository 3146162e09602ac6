//! An endpoint as the registry binds it, with the values of its secrets: one that can be called.

use std::sync::Arc;
use std::time::Duration;

use samsyn_contract::calls::{BaseUrl, Repeat};
use samsyn_egress::address::Networks;
use samsyn_egress::auth::{ClientAuth, Credentials, Grant, OAuth, SigV4, StoreToken};
use samsyn_egress::base::Base;
use samsyn_egress::headers::HeaderRules;
use samsyn_egress::policy::again::{GIVE_UP, RetryClass, Rule};
use samsyn_egress::policy::bucket::Rate;
use samsyn_egress::secret::Secret;
use samsyn_egress::target::{ClientCertificate, Lookup, Proxy, Trust};
use samsyn_egress::{Connector, Limits, Target};
use samsyn_registry::Binding;
use samsyn_registry::endpoint::Auth;
use samsyn_secrets::{SecretValue, Secrets, Unusable};
use samsyn_vocabulary::{Digest, SecretName};

/// Bytes of a request's body: the largest of rows, with room for what frames one.
const REQUEST_MAX: usize = (1024 + 64) * 1024;

/// Why an endpoint that is bound can't be called on this host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// A secret has no value here.
    #[error("the secret {name} has no value on this host: {why}; {}", why.next_step(name))]
    Secret {
        /// Which.
        name: SecretName,
        /// Why not.
        why: Unusable,
    },
    /// A file that it names can't be read.
    #[error("the file {path} can't be read: {cause}; put it there, or bind the endpoint to another one")]
    File {
        /// Its path.
        path: String,
        /// Why not.
        cause: String,
    },
    /// Something of the binding can't be used.
    #[error("{0}; bind the endpoint again")]
    Binding(String),
}

impl LinkError {
    /// A stable word.
    pub fn code(&self) -> &'static str {
        match self {
            LinkError::Secret { .. } => "secret-missing",
            LinkError::File { .. } => "file-missing",
            LinkError::Binding(_) => "binding-unusable",
        }
    }
}

/// An endpoint that can be called.
pub struct Link {
    /// The way to it.
    pub endpoint: Arc<samsyn_egress::Endpoint>,
    /// What it is bound to.
    pub binding: Binding,
    /// The identity of that: see [`Binding::identity`].
    pub identity: Digest,
    /// When its calls are repeated.
    pub rule: Rule,
    /// The values of its secrets, to notice when one changes.
    values: Vec<(SecretName, Arc<SecretValue>)>,
}

impl Link {
    /// Makes it. `tokens` keeps refresh tokens.
    pub fn of(
        binding: &Binding,
        secrets: &Secrets,
        connector: &Connector,
        tokens: impl Fn(&SecretName) -> Arc<dyn StoreToken>,
    ) -> Result<Link, LinkError> {
        let values = values(binding, secrets)?;
        let target = target(binding, &values, tokens)?;
        let endpoint = connector.endpoint(target).map_err(|why| LinkError::Binding(why.to_string()))?;
        let rule = Rule { class: class(binding), give_up: GIVE_UP };
        let (identity, binding) = (binding.identity(), binding.clone());
        Ok(Link { endpoint: Arc::new(endpoint), binding, identity, rule, values })
    }

    /// Whether it is still what the registry and the secrets say.
    pub fn is_current(&self, binding: &Binding, secrets: &Secrets) -> bool {
        let same = |(name, value): &(SecretName, Arc<SecretValue>)| {
            secrets.newest(name).is_ok_and(|live| live.value.is_same(value))
        };
        self.binding == *binding && self.values.iter().all(same)
    }

    /// How many calls in which time, as its bucket wants it.
    pub fn rate(&self) -> Rate {
        let rate = self.binding.rate;
        Rate { count: rate.count(), per: rate.per().as_duration() }
    }
}

fn values(binding: &Binding, secrets: &Secrets) -> Result<Vec<(SecretName, Arc<SecretValue>)>, LinkError> {
    let value = |name: SecretName| match secrets.newest(&name) {
        Ok(live) => Ok((name, live.value)),
        Err(why) => Err(LinkError::Secret { name, why }),
    };
    binding.secrets().into_iter().map(value).collect()
}

fn class(binding: &Binding) -> RetryClass {
    match binding.repeat {
        Repeat::Safe => RetryClass::Safe,
        Repeat::Probe => RetryClass::Probe,
        Repeat::Once => RetryClass::Once,
        Repeat::Keyed => {
            let hours = binding.key.as_ref().map_or(0, |key| key.hours);
            RetryClass::Keyed { window: Duration::from_secs(u64::from(hours) * 3600) }
        }
    }
}

fn base(url: &BaseUrl) -> Result<Base, LinkError> {
    Base::parse(url.as_str()).map_err(|why| LinkError::Binding(why.to_string()))
}

fn file(path: &str) -> Result<Vec<u8>, LinkError> {
    std::fs::read(path).map_err(|cause| LinkError::File { path: path.to_owned(), cause: cause.to_string() })
}

fn target(
    binding: &Binding,
    values: &[(SecretName, Arc<SecretValue>)],
    tokens: impl Fn(&SecretName) -> Arc<dyn StoreToken>,
) -> Result<Target, LinkError> {
    let secret = |name: &SecretName| {
        let known = values.iter().find(|(known, _)| known == name);
        let unknown = || LinkError::Secret { name: name.clone(), why: Unusable::NotSet };
        known.map(|(_, value)| Secret::new(value.expose().to_owned())).ok_or_else(unknown)
    };
    let networks: Vec<String> = binding.networks.iter().map(ToString::to_string).collect();
    let networks = Networks::parse(&networks).map_err(|why| LinkError::Binding(why.to_string()))?;
    let key_header = binding.key.as_ref().map(|key| key.header.as_str().to_owned());
    let own = key_header.iter().cloned().chain(binding.auth.header().map(str::to_owned));
    let headers = HeaderRules::new(&[], &[], &own.collect::<Vec<_>>());
    let client_certificate = binding.client_certificate.as_ref().map(|certificate| {
        Ok(ClientCertificate { chain: file(&certificate.file)?, key: secret(&certificate.key)? })
    });
    let proxy = binding.proxy.as_ref().map(|proxy| {
        let login = proxy.user.as_ref().zip(proxy.secret.as_ref());
        let login = login.map(|(user, name)| Ok((user.clone(), secret(name)?))).transpose()?;
        let (base, networks) = (base(&proxy.url)?, networks.clone());
        Ok(Proxy { base, networks, login, lookup: Lookup::Host })
    });
    Ok(Target {
        base: base(&binding.url)?,
        methods: binding.methods.iter().map(|method| method_of(*method)).collect(),
        headers: headers.map_err(|why| LinkError::Binding(why.to_string()))?,
        credentials: credentials(&binding.auth, secret, tokens)?,
        key_header,
        trust: binding.ca_file.as_deref().map(file).transpose()?.map_or(Trust::System, Trust::Own),
        client_certificate: client_certificate.transpose()?,
        proxy: proxy.transpose()?,
        limits: Limits {
            whole: binding.timeout.as_duration(),
            connect: Limits::default().connect.min(binding.timeout.as_duration()),
            answer_max: usize::try_from(binding.answer_max.as_bytes()).unwrap_or(usize::MAX),
            request_max: REQUEST_MAX,
            idle_max: binding.parallel as usize,
            ..Limits::default()
        },
        networks,
    })
}

/// A method as the connector has it.
pub(crate) fn method_of(method: samsyn_contract::calls::Method) -> http::Method {
    use samsyn_contract::calls::Method;
    match method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

fn credentials(
    auth: &Auth,
    secret: impl Fn(&SecretName) -> Result<Secret, LinkError>,
    tokens: impl Fn(&SecretName) -> Arc<dyn StoreToken>,
) -> Result<Credentials, LinkError> {
    let scope = |scopes: &[String]| (!scopes.is_empty()).then(|| scopes.join(" "));
    Ok(match auth {
        Auth::None => Credentials::None,
        Auth::Bearer(name) => Credentials::Bearer(secret(name)?),
        Auth::Header(it) => {
            Credentials::Header { name: it.name.as_str().to_owned(), value: secret(&it.secret)? }
        }
        Auth::Basic(it) => Credentials::Basic { user: it.user.clone(), password: secret(&it.secret)? },
        Auth::Query(it) => Credentials::Query { name: it.name.clone(), value: secret(&it.secret)? },
        Auth::Oauth2(it) => Credentials::OAuth(OAuth {
            token_url: base(&it.token_url)?,
            client_id: it.client_id.clone(),
            client_secret: Some(secret(&it.secret)?),
            client_auth: ClientAuth::Basic,
            grant: Grant::ClientCredentials,
            scope: scope(&it.scopes),
            parameters: it
                .audience
                .iter()
                .map(|audience| ("audience".to_owned(), audience.clone()))
                .collect(),
        }),
        Auth::Oauth2Refresh(it) => Credentials::OAuth(OAuth {
            token_url: base(&it.token_url)?,
            client_id: it.client_id.clone(),
            client_secret: it.secret.as_ref().map(&secret).transpose()?,
            client_auth: ClientAuth::Basic,
            grant: Grant::Refresh { token: secret(&it.refresh_token)?, store: tokens(&it.refresh_token) },
            scope: scope(&it.scopes),
            parameters: Vec::new(),
        }),
        Auth::Sigv4(it) => Credentials::SigV4(SigV4 {
            access_key: it.access_key_id.clone(),
            secret_key: secret(&it.secret)?,
            session_token: it.session_token.as_ref().map(&secret).transpose()?,
            region: it.region.clone(),
            service: it.service.clone(),
        }),
    })
}

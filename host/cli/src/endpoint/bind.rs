//! `samsyn endpoint bind`: from flags to a binding, a plan, a question, and the change.

use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::{EndpointArgs, plan_text};
use samsyn_client::ChangeHow;
use samsyn_contract::calls::{BaseUrl, HeaderName, KeyHeader, Network, Rate, Size, Span};
use samsyn_registry::endpoint::{Auth, ClientCertificate, Proxy};
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::input::word;
use samsyn_terminal::output::{Paint, plain};
use samsyn_vocabulary::SecretName;
use samsyn_wire::BoundEndpoint;
use samsyn_wire::request::EndpointBinding;

/// Shown in the long help.
pub const EXAMPLES: &str = "\
Examples:
  samsyn endpoint bind tier-sync membership --url https://members.example.com/api/ --bearer members_token --dry-run
  samsyn endpoint bind tier-sync membership --url https://members.example.com/api/ --bearer members_token
  samsyn endpoint bind stock erp --url http://erp.internal:8080/ --network 10.2.0.0/16 --no-auth
  samsyn endpoint bind crm api --oauth2 '{\"token_url\": \"https://id.example.com/token\", \"client_id\": \"samsyn\",
      \"secret\": \"crm_client\"}'
  samsyn endpoint bind tier-sync membership --parallel 2 --rate '20 per 1s'   # changes a binding

What you leave out is as the plug-in's manifest requests it, or as it is bound already. You can grant at
most the methods that the manifest requests. Secrets are named here; `samsyn secret set` stores their
values. Without --network the system must be on the internet: private addresses are rejected.";

/// The arguments of `samsyn endpoint bind`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("auth"))]
pub struct BindArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    /// The system's address: scheme, host, port and the beginning of the path
    #[arg(long, value_name = "URL")]
    pub url: Option<BaseUrl>,
    /// A method that may be used; may be repeated
    #[arg(long = "method", value_name = "METHOD", value_parser = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])]
    pub methods: Vec<String>,
    /// No authentication
    #[arg(long, group = "auth")]
    pub no_auth: bool,
    /// Authorization: Bearer, with this secret
    #[arg(long, group = "auth", value_name = "SECRET")]
    pub bearer: Option<SecretName>,
    /// A header with a secret
    #[arg(long, group = "auth", value_name = "HEADER=SECRET", value_parser = pair)]
    pub header: Option<(String, String)>,
    /// User and password
    #[arg(long, group = "auth", value_name = "USER=SECRET", value_parser = pair)]
    pub basic: Option<(String, String)>,
    /// A parameter of the query with a secret
    #[arg(long, group = "auth", value_name = "PARAMETER=SECRET", value_parser = pair)]
    pub query: Option<(String, String)>,
    /// OAuth 2, client credentials: token_url, client_id, secret, scopes, audience
    #[arg(long, group = "auth", value_name = "JSON", value_parser = object)]
    pub oauth2: Option<Value>,
    /// OAuth 2, refresh token: token_url, client_id, secret, refresh_token, scopes
    #[arg(long, group = "auth", value_name = "JSON", value_parser = object)]
    pub oauth2_refresh: Option<Value>,
    /// AWS Signature Version 4: region, service, access_key_id, secret, session_token
    #[arg(long, group = "auth", value_name = "JSON", value_parser = object)]
    pub sigv4: Option<Value>,
    /// What happens to a call if its answer is not known
    #[arg(long, value_parser = ["safe", "keyed", "probe", "once"])]
    pub repeat: Option<String>,
    /// With keyed: the header that carries the key
    #[arg(long, value_name = "HEADER", requires = "key_hours")]
    pub key_header: Option<HeaderName>,
    /// With keyed: how many hours the system remembers a key
    #[arg(long, value_name = "HOURS", requires = "key_header")]
    pub key_hours: Option<u32>,
    /// How many requests in which time, such as '100 per 10s'
    #[arg(long)]
    pub rate: Option<Rate>,
    /// Requests at the same time, 1 to 64
    #[arg(long, value_name = "N")]
    pub parallel: Option<u32>,
    /// The time for one attempt, 1s to 2min
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<Span>,
    /// The largest answer, at most '64 KiB'
    #[arg(long, value_name = "SIZE")]
    pub answer_max: Option<Size>,
    /// A network that the system is in; may be repeated. Then all its addresses must be in one of them
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<Network>,
    /// A file of certificates on the host that are trusted instead of the public ones
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// A file on the host with the certificate that it shows to the system
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub client_certificate: Option<String>,
    /// The secret that is the certificate's private key
    #[arg(long, value_name = "SECRET", requires = "client_certificate")]
    pub client_key: Option<SecretName>,
    /// The proxy through which the system is reached
    #[arg(long, value_name = "URL")]
    pub proxy: Option<BaseUrl>,
    /// The user that the proxy knows, and the secret that is the password
    #[arg(long, value_name = "USER=SECRET", requires = "proxy", value_parser = pair)]
    pub proxy_user: Option<(String, String)>,
    /// Allow a service that is known to send messages to people
    #[arg(long)]
    pub allow_message_api: bool,
    /// Start from what the manifest requests, not from what is bound already
    #[arg(long)]
    pub fresh: bool,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// `NAME=SECRET`, split at the last `=`: no name of a secret has one.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, secret)) if !name.is_empty() && !secret.is_empty() => {
            Ok((name.to_owned(), secret.to_owned()))
        }
        _ => Err("write NAME=SECRET; the secret is named, not given".to_owned()),
    }
}

fn object(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it must be a JSON object".to_owned()),
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

impl BindArgs {
    /// The authentication that was asked for.
    fn auth(&self) -> Result<Option<Auth>, CliError> {
        let named = |kind: &str, name: &str, (text, secret): &(String, String)| json!({ kind: { name: text, "secret": secret } });
        let wanted = [
            self.no_auth.then(|| json!("none")),
            self.bearer.as_ref().map(|secret| json!({ "bearer": secret })),
            self.header.as_ref().map(|pair| named("header", "name", pair)),
            self.basic.as_ref().map(|pair| named("basic", "user", pair)),
            self.query.as_ref().map(|pair| named("query", "name", pair)),
            self.oauth2.as_ref().map(|it| json!({ "oauth2": it })),
            self.oauth2_refresh.as_ref().map(|it| json!({ "oauth2-refresh": it })),
            self.sigv4.as_ref().map(|it| json!({ "sigv4": it })),
        ];
        match wanted.into_iter().flatten().next() {
            None => Ok(None),
            Some(auth) => serde_json::from_value(auth).map(Some).map_err(CliError::usage_of),
        }
    }

    /// What to send: what was typed, over what is bound already.
    fn wanted(&self, bound: Option<&BoundEndpoint>) -> Result<EndpointBinding, CliError> {
        let bound = bound.filter(|_| !self.fresh).map(serde_json::to_value).transpose();
        let bound: Option<EndpointBinding> = match bound.map_err(CliError::usage_of)? {
            None => None,
            Some(bound) => Some(serde_json::from_value(bound).map_err(|error| {
                CliError::usage(format!("what is bound can't be read: {error}"))
                    .next("the host is newer than this command; use --fresh, or the host's own command")
            })?),
        };
        let auth = match (self.auth()?, &bound) {
            (Some(auth), _) => auth,
            (None, Some(bound)) => bound.auth.clone(),
            (None, None) => {
                return Err(CliError::usage("the authentication is missing")
                    .next("name a secret, such as --bearer NAME or --basic USER=NAME, or use --no-auth"));
            }
        };
        let mut wanted = bound.unwrap_or_else(|| nothing_but(auth.clone()));
        wanted.auth = auth;
        if let Some(repeat) = &self.repeat {
            wanted.repeat = Some(word(repeat)?);
            wanted.key = wanted.key.filter(|_| repeat == "keyed");
        }
        if let (Some(header), Some(hours)) = (&self.key_header, self.key_hours) {
            wanted.key = Some(KeyHeader { header: header.clone(), hours });
        }
        if !self.methods.is_empty() {
            let methods: Result<Vec<_>, _> = self.methods.iter().map(|method| word(method)).collect();
            wanted.methods = Some(methods?);
        }
        wanted.url = self.url.clone().or(wanted.url);
        wanted.rate = self.rate.or(wanted.rate);
        wanted.parallel = self.parallel.or(wanted.parallel);
        wanted.timeout = self.timeout.or(wanted.timeout);
        wanted.answer_max = self.answer_max.or(wanted.answer_max);
        if !self.networks.is_empty() {
            wanted.networks.clone_from(&self.networks);
        }
        wanted.ca_file = self.ca_file.clone().or(wanted.ca_file);
        if let (Some(file), Some(key)) = (&self.client_certificate, &self.client_key) {
            wanted.client_certificate = Some(ClientCertificate { file: file.clone(), key: key.clone() });
        }
        if let Some(url) = &self.proxy {
            let secret = self.proxy_user.as_ref().map(|(_, secret)| word(secret)).transpose()?;
            let user = self.proxy_user.as_ref().map(|(user, _)| user.clone());
            wanted.proxy = Some(Proxy { url: url.clone(), user, secret });
        }
        wanted.message_api |= self.allow_message_api;
        Ok(wanted)
    }
}

/// A binding as the manifest requests it, with this authentication.
fn nothing_but(auth: Auth) -> EndpointBinding {
    EndpointBinding {
        url: None,
        methods: None,
        auth,
        repeat: None,
        key: None,
        rate: None,
        parallel: None,
        timeout: None,
        answer_max: None,
        networks: Vec::new(),
        ca_file: None,
        client_certificate: None,
        proxy: None,
        reaches: None,
        message_api: false,
    }
}

/// Plans, asks and binds.
pub fn run(args: &BindArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let EndpointArgs { capability, name } = &args.endpoint;
    let now = client.endpoint(capability, name)?;
    let wanted = args.wanted(now.body.binding.as_ref())?;
    let dry = ChangeHow { dry_run: true, ..ChangeHow::default() };
    let plan = client.bind_endpoint(capability, name, &wanted, dry)?;
    if args.dry_run || plan.body.plan.unchanged {
        return context.answer(&plan.raw, |paint| plan_text(&plan.body, paint));
    }
    if !args.consent.yes {
        eprint!("{}", plan_text(&plan.body, Paint(context.error_colour)));
    } else if !context.json && !context.quiet {
        context.print(&plan_text(&plan.body, context.paint))?;
    }
    let reason = args.consent.ask("Bind it?", "bound")?;
    let how = ChangeHow { dry_run: false, revision: Some(plan.body.plan.revision), reason: reason.as_ref() };
    let answer = client.bind_endpoint(capability, name, &wanted, how)?;
    context.answer(&answer.raw, |_| {
        let endpoint = &answer.body.endpoint;
        format!("{}/{}: {}\n", plain(&endpoint.capability), plain(&endpoint.name), plain(&endpoint.state))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: BindArgs,
    }

    fn wanted(flags: &[&str], bound: Option<&BoundEndpoint>) -> Result<Value, CliError> {
        let line = ["bind", "tier-sync", "membership"].iter().chain(flags);
        let args = Line::try_parse_from(line).map_err(CliError::usage_of)?.args;
        args.wanted(bound).map(|wanted| json!(wanted))
    }

    fn bound() -> BoundEndpoint {
        serde_json::from_value(json!({
            "url": "https://members.example.com/", "methods": ["GET"], "auth": { "bearer": "token" },
            "repeat": "keyed", "key": { "header": "Idempotency-Key", "hours": 24 }, "rate": "10 per 1s",
            "parallel": 4, "timeout": "30s", "answer_max": "64 KiB", "networks": ["10.0.0.0/8"],
            "reaches": "systems",
        }))
        .unwrap()
    }

    #[test]
    fn flags_become_a_binding() {
        for (flags, auth) in [
            (&["--no-auth"][..], json!("none")),
            (&["--bearer", "t"], json!({ "bearer": "t" })),
            (&["--header", "X-Api-Key=k"], json!({ "header": { "name": "X-Api-Key", "secret": "k" } })),
            (&["--basic", "a=b=p"], json!({ "basic": { "user": "a=b", "secret": "p" } })),
            (&["--query", "key=k"], json!({ "query": { "name": "key", "secret": "k" } })),
            (
                &["--oauth2", r#"{"token_url": "https://id.example/", "client_id": "c", "secret": "s"}"#],
                json!({ "oauth2": { "token_url": "https://id.example/", "client_id": "c", "secret": "s" } }),
            ),
            (
                &["--sigv4", r#"{"region": "eu", "service": "s", "access_key_id": "A", "secret": "s"}"#],
                json!({ "sigv4": { "region": "eu", "service": "s", "access_key_id": "A", "secret": "s" } }),
            ),
        ] {
            assert_eq!(wanted(flags, None).unwrap(), json!({ "auth": auth }), "{flags:?}");
        }
        let whole = wanted(
            &[
                "--no-auth",
                "--url",
                "https://a.example",
                "--method",
                "GET",
                "--method",
                "PUT",
                "--repeat",
                "keyed",
                "--key-header",
                "K",
                "--key-hours",
                "24",
                "--rate",
                "1 per 1s",
                "--parallel",
                "1",
                "--timeout",
                "5s",
                "--answer-max",
                "1 KiB",
                "--network",
                "10.0.0.0/8",
                "--ca-file",
                "/ca.pem",
                "--client-certificate",
                "/c.pem",
                "--client-key",
                "k",
                "--proxy",
                "https://p.example",
                "--proxy-user",
                "u=p",
                "--allow-message-api",
            ],
            None,
        );
        assert_eq!(
            whole.unwrap(),
            json!({
                "auth": "none", "url": "https://a.example/", "methods": ["GET", "PUT"], "repeat": "keyed",
                "key": { "header": "K", "hours": 24 }, "rate": "1 per 1s", "parallel": 1, "timeout": "5s",
                "answer_max": "1 KiB", "networks": ["10.0.0.0/8"], "ca_file": "/ca.pem",
                "client_certificate": { "file": "/c.pem", "key": "k" },
                "proxy": { "url": "https://p.example/", "user": "u", "secret": "p" }, "message_api": true,
            })
        );
    }

    #[test]
    fn what_is_bound_stays_unless_it_is_said_otherwise() {
        let bound = bound();
        let same = wanted(&[], Some(&bound)).unwrap();
        assert_eq!(same["auth"], json!({ "bearer": "token" }));
        assert_eq!((&same["parallel"], &same["networks"]), (&json!(4), &json!(["10.0.0.0/8"])));
        let slower = wanted(&["--parallel", "1", "--repeat", "once"], Some(&bound)).unwrap();
        assert_eq!(
            (&slower["parallel"], &slower["url"]),
            (&json!(1), &json!("https://members.example.com/"))
        );
        assert_eq!(slower.get("key"), None, "only keyed has a key");
        assert_eq!(wanted(&["--fresh", "--no-auth"], Some(&bound)).unwrap(), json!({ "auth": "none" }));
    }

    #[test]
    fn what_can_t_be_meant_is_refused_where_it_is_typed() {
        for flags in [
            &[][..],
            &["--fresh"],
            &["--bearer", "t", "--no-auth"],
            &["--bearer", "Not A Name"],
            &["--header", "X-Api-Key"],
            &["--header", "Host=k"],
            &["--basic", "=p"],
            &["--oauth2", "[]"],
            &["--oauth2", "{\"client\": 1}"],
            &["--no-auth", "--url", "https://u:p@a.example"],
            &["--no-auth", "--url", "a.example"],
            &["--no-auth", "--method", "get"],
            &["--no-auth", "--network", "10.0.0.1/8"],
            &["--no-auth", "--timeout", "30"],
            &["--no-auth", "--key-hours", "24"],
            &["--no-auth", "--client-certificate", "/c.pem"],
            &["--no-auth", "--proxy-user", "u=p"],
            &["--no-auth", "--dry-run", "--yes"],
        ] {
            assert!(wanted(flags, None).is_err(), "{flags:?}");
        }
    }
}

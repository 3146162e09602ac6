//! Tries an endpoint out: one real request that changes nothing in the system, and how far it came.

use std::sync::Arc;
use std::time::{Duration, Instant};

use samsyn_contract::calls::Method;
use samsyn_egress::steps::{Did, Step};
use samsyn_egress::{NotSent, Outcome, Request, Unknown, UnknownWhy};
use samsyn_registry::{Binding, Endpoint, EndpointState, Registry, RegistryError};

use crate::dispatcher::Outgoing;
use crate::lane::Lane;
use crate::link::{LinkError, method_of};

/// What came of trying an endpoint out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The method that was used; none when no granted one may be.
    pub method: Option<Method>,
    /// Where the request went, or would have gone: the binding's URL and the path.
    pub url: String,
    /// Whether a byte of the request left.
    pub sent: Sent,
    /// The status, if the answer came so far.
    pub status: Option<u16>,
    /// A stable word for what went wrong; none when nothing did.
    pub code: Option<&'static str>,
    /// What happened, in a sentence without a secret.
    pub message: String,
    /// What to do about it.
    pub next: Option<String>,
    /// What was done before, in order.
    pub steps: Vec<TrialStep>,
    /// How long all of it took.
    pub took: Duration,
}

/// A step of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialStep {
    /// A stable word.
    pub step: &'static str,
    /// What is to be said of it; none of it secret.
    pub detail: String,
    /// When it was done.
    pub after: Duration,
}

impl From<Step> for TrialStep {
    fn from(Step { did, after }: Step) -> TrialStep {
        let (step, detail) = match did {
            Did::Token => ("token", String::new()),
            Did::Addresses(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                ("addresses", addresses.join(", "))
            }
            Did::Connected(to) => ("connected", to.to_string()),
            Did::Tunnel => ("tunnel", String::new()),
            Did::Tls(version) => ("tls", version.to_owned()),
            Did::Answer(status) => ("answer", status.to_string()),
        };
        TrialStep { step, detail, after }
    }
}

/// Whether the request left this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// No byte did.
    No,
    /// It did, and its answer is complete.
    Answered,
    /// It may have, and there is no complete answer.
    Unknown,
}

impl Trial {
    /// Whether the endpoint can be called: the system answered, and not with an error.
    pub fn is_good(&self) -> bool {
        // An answer that is too large shows all that was to be shown.
        let answered = self.sent == Sent::Answered || self.code == Some("answer-too-large");
        answered && self.status.is_some_and(|status| status < 400)
    }
}

/// What is to be tried.
struct Wanted<'a> {
    capability: &'a str,
    name: &'a str,
    method: Option<Method>,
    path: &'a str,
}

impl Outgoing {
    /// Tries an endpoint out, with HEAD or else GET, whichever is granted; `method` is one of the two. Nothing is sent
    /// while the endpoint or all sending is paused. Nothing is written down of it.
    pub async fn try_out(
        &self,
        capability: &str,
        name: &str,
        method: Option<Method>,
        path: &str,
    ) -> Result<Trial, RegistryError> {
        let wanted = Wanted { capability, name, method, path };
        let begun = Instant::now();
        let mut trial = self.trial(&wanted).await?;
        trial.took = begun.elapsed();
        Ok(trial)
    }

    async fn trial(&self, wanted: &Wanted<'_>) -> Result<Trial, RegistryError> {
        let registry = self.registry();
        let endpoint = registry.endpoint(wanted.capability, wanted.name)?;
        let (capability, name) = (endpoint.capability.clone(), endpoint.name.clone());
        let bound = match (endpoint.bound, endpoint.state) {
            (Some(bound), EndpointState::Bound | EndpointState::Paused) => bound,
            _ => return Err(RegistryError::EndpointNotBound { capability, name }),
        };
        if let Some(why) = paused(&registry, &endpoint) {
            return Ok(why.of(wanted, &bound.binding));
        }
        let Some(method) = method(wanted, &bound.binding) else {
            return Ok(not_granted(wanted).of(wanted, &bound.binding));
        };
        let lane: Arc<Lane> = self.lane(&capability, &name);
        let link = match lane.link(&bound.binding) {
            Ok(link) => link,
            Err(why) => return Ok(unlinked(&why).of(wanted, &bound.binding)),
        };
        // A pause that came meanwhile is in the registry by now, or holds the link.
        let registry = self.registry();
        if let Ok(endpoint) = registry.endpoint(wanted.capability, wanted.name)
            && let Some(why) = paused(&registry, &endpoint)
        {
            return Ok(why.of(wanted, &bound.binding));
        }
        let (outcome, steps) = link.endpoint.try_out(&Request::new(method_of(method), wanted.path)).await;
        let steps = steps.into_iter().map(TrialStep::from).collect();
        Ok(Trial { method: Some(method), steps, ..seen(&outcome).of(wanted, &bound.binding) })
    }
}

/// The method to try with.
fn method(wanted: &Wanted<'_>, binding: &Binding) -> Option<Method> {
    let granted = |method: &Method| binding.methods.contains(method);
    match wanted.method {
        Some(method) => Some(method).filter(granted),
        None => [Method::Head, Method::Get].into_iter().find(granted),
    }
}

/// What happened, before it is known where.
struct Seen {
    sent: Sent,
    status: Option<u16>,
    code: Option<&'static str>,
    message: String,
    next: Option<String>,
}

impl Seen {
    fn not_sent(code: &'static str, message: String, next: Option<String>) -> Seen {
        Seen { sent: Sent::No, status: None, code: Some(code), message, next }
    }

    fn of(self, wanted: &Wanted<'_>, binding: &Binding) -> Trial {
        let Seen { sent, status, code, message, next } = self;
        let base = binding.url.as_str();
        let path = wanted.path.strip_prefix('/').unwrap_or(wanted.path);
        let url = match path {
            "" => base.to_owned(),
            path => format!("{}/{path}", base.strip_suffix('/').unwrap_or(base)),
        };
        let (method, steps, took) = (method(wanted, binding), Vec::new(), Duration::ZERO);
        Trial { method, url, sent, status, code, message, next, steps, took }
    }
}

fn paused(registry: &Registry, endpoint: &Endpoint<'_>) -> Option<Seen> {
    let Endpoint { capability, name, .. } = endpoint;
    let (what, pause, resume) = match (&registry.outgoing_paused, endpoint.bound?.paused.as_ref()) {
        (Some(pause), _) => ("all sending", pause, "samsyn outgoing resume".to_owned()),
        (None, Some(pause)) => ("the endpoint", pause, format!("samsyn endpoint resume {capability} {name}")),
        (None, None) => return None,
    };
    let message = format!("{what} is paused, so nothing was sent; {} paused it: {}", pause.by, pause.reason);
    Some(Seen::not_sent("paused", message, Some(format!("resume it with `{resume}`"))))
}

fn not_granted(wanted: &Wanted<'_>) -> Seen {
    let Wanted { capability, name, method, .. } = wanted;
    let what = match method {
        Some(method) => format!("{} isn't granted to the endpoint", method.as_str()),
        None => "neither HEAD nor GET is granted to the endpoint, and other methods could change something"
            .to_owned(),
    };
    let next = format!("see what is granted with `samsyn endpoint show {capability} {name}`");
    Seen::not_sent("refused.method", what, Some(next))
}

fn unlinked(why: &LinkError) -> Seen {
    // The sentence ends with what to do.
    Seen::not_sent(why.code(), why.to_string(), None)
}

fn seen(outcome: &Outcome) -> Seen {
    match outcome {
        Outcome::NotSent(why) => {
            Seen::not_sent(why.code(), why.to_string(), next_of_not_sent(why).map(str::to_owned))
        }
        Outcome::Unknown(Unknown { why, status }) => Seen {
            sent: Sent::Unknown,
            status: *status,
            code: Some(why.code()),
            message: why.to_string(),
            next: Some(next_of_unknown(why).to_owned()),
        },
        Outcome::Response(answer) => answered(answer.status),
    }
}

fn answered(status: u16) -> Seen {
    let (code, message, next) = match status {
        ..=299 => (None, "the system answered", None),
        300..=399 => (
            None,
            "the system answered with a redirect, which the host doesn't follow",
            Some("bind the endpoint to the address that the system uses now, or try another --path"),
        ),
        401 => (
            Some("credentials-refused"),
            "the system refuses the credentials",
            Some(
                "set the secret's value again with `samsyn secret set`, or bind the endpoint with other credentials",
            ),
        ),
        403 => (
            Some("forbidden"),
            "the system refuses the request: the credentials may lack a permission",
            Some("ask who runs the system what these credentials may do, or try another --path"),
        ),
        404 | 410 => (
            Some("not-found"),
            "the system has nothing at this path",
            Some("try a path that the plug-in uses, with --path; or check the URL of the binding"),
        ),
        405 | 501 => (
            Some("method-refused"),
            "the system doesn't support the method here",
            Some("try --method GET, or another --path"),
        ),
        429 => (
            Some("too-many"),
            "the system accepts no more requests for now",
            Some("wait, then try again; if calls are refused too, bind the endpoint with a lower --rate"),
        ),
        500.. => (Some("failed"), "the system failed", Some("ask who runs the system, then try again")),
        _ => (
            Some("refused"),
            "the system refuses the request",
            Some("try a path that the plug-in uses, with --path"),
        ),
    };
    let message = format!("{message} ({status})");
    Seen { sent: Sent::Answered, status: Some(status), code, message, next: next.map(str::to_owned) }
}

fn next_of_not_sent(why: &NotSent) -> Option<&'static str> {
    Some(match why {
        NotSent::Dns { .. } => {
            "check the host in the URL of the binding, and the name server of this machine"
        }
        NotSent::Address { .. } => {
            "check the URL; if the system is in a private network, bind the endpoint with --network"
        }
        NotSent::Connect { .. } => "check that the system runs, its port, and the firewalls on the way",
        NotSent::Tls { .. } => {
            "check the certificate of the system; if an authority of your own signed it, bind the endpoint with --ca-file"
        }
        NotSent::Proxy(_) => "check the proxy's address and login",
        NotSent::Token { refused: true, .. } => {
            "the authorization server refuses the credentials: set the secret's value again with `samsyn secret set`"
        }
        NotSent::Token { refused: false, .. } => {
            "check the token URL, and that the authorization server runs"
        }
        NotSent::Credential(_) => "set the secret's value again with `samsyn secret set`",
        NotSent::Time => "check the network; a longer --timeout may help",
        NotSent::Place(_) => "use a path below the endpoint's URL",
        NotSent::Closed(_) => "check that the system runs, and that the URL leads to it",
        NotSent::Paused => "resume sending, then try again",
        NotSent::Method(_) | NotSent::Header(_) | NotSent::Body(_) | NotSent::Key => return None,
    })
}

fn next_of_unknown(why: &UnknownWhy) -> &'static str {
    match why {
        UnknownWhy::Time => "check that the system runs; a longer --timeout may help",
        UnknownWhy::Cut(_) => "check that the URL leads to the system, and what the system's own log says",
        UnknownWhy::Malformed(_) => "check that the URL leads to an HTTP server, and its scheme and port",
        UnknownWhy::HeadTooLarge(_) => "try another --path",
        UnknownWhy::BodyTooLarge(_) => {
            "the system can be reached, and its answer is larger than a plug-in may get: try another --path"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_below_400_is_good() {
        let trial = |seen: Seen| Trial {
            method: None,
            url: String::new(),
            sent: seen.sent,
            status: seen.status,
            code: seen.code,
            message: seen.message,
            next: seen.next,
            steps: Vec::new(),
            took: Duration::ZERO,
        };
        for (status, good) in
            [(200, true), (204, true), (302, true), (400, false), (401, false), (503, false)]
        {
            let trial = trial(answered(status));
            assert_eq!(trial.is_good(), good, "{status}");
            assert_eq!(trial.code.is_none(), good, "{status}");
            assert!(trial.message.ends_with(&format!("({status})")), "{}", trial.message);
            assert!(good || trial.next.is_some(), "{status}");
        }
        assert!(answered(401).message.contains("refuses the credentials"));
        let large =
            |status| Outcome::Unknown(Unknown { why: UnknownWhy::BodyTooLarge(9), status: Some(status) });
        assert!(trial(seen(&large(200))).is_good(), "it can be reached");
        assert!(!trial(seen(&large(500))).is_good());
        let cut = Outcome::Unknown(Unknown { why: UnknownWhy::Cut("x".to_owned()), status: Some(200) });
        assert!(!trial(seen(&cut)).is_good());
    }
}

//! Tokens: made, listed, revoked. The secret is answered once, when a token is made.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire::request::NewToken;
use samsyn_wire::{self as wire, MadeToken, TokenMay};

use super::access::Caller;
use super::json::JsonPath;
use super::pagination::List;
use super::params::{DryRun, ListParams, Params, Segment, Why};
use super::problem::{Answer, Kind, Problem};
use super::words::{name as named, names, words};
use super::{ApiState, body, json};
use samsyn_auth::Token;
use samsyn_registry::{
    Attribution, DataClass, Part, Policy, Registry, RegistryChange, Scope, ScopeError, ScopeName, TokenEntry,
};
use samsyn_vocabulary::{Application, Epoch, Timestamp, TokenName, did_you_mean, nearest};

const TOKENS: List = List("/v1/tokens");
/// The longest life that can be given in words: what lives longer is given no end.
const DAYS_MAX: i64 = 3_650;
/// A secret must not be kept by anybody on the way.
const NO_STORE: [(&str, &str); 1] = [("cache-control", "no-store")];

fn token_answer(
    name: &TokenName,
    token: &TokenEntry,
    last_used_at: Option<Timestamp>,
    now: Timestamp,
) -> wire::Token {
    wire::Token {
        name: name.to_string(),
        application: token.application.to_string(),
        scopes: words(&token.scopes),
        state: match token {
            token if token.revoked_at.is_some() => "revoked",
            token if token.is_expired(now) => "expired",
            _ => "valid",
        }
        .to_owned(),
        made_at: token.made_at.map(Into::into),
        made_by: named(token.made_by.as_ref()),
        expires_at: token.expires_at.map(Into::into),
        revoked_at: token.revoked_at.map(Into::into),
        last_used_at: last_used_at.map(Into::into),
        requests_per_second: token.requests_per_second,
        events_per_second: token.events_per_second,
    }
}

/// `GET /v1/tokens`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    let (registry, now) = (state.engine.registry(), state.engine.clock().now());
    let uses = state.authenticator.last_uses(&registry, now);
    let all = registry.tokens.iter().map(|(name, token)| (name.as_str(), (name, token)));
    let page = TOKENS.page(all, params.limit, params.cursor.as_deref(), |_, (name, token)| {
        token_answer(name, token, uses.get(name).copied(), now)
    })?;
    Ok(Json(page).into_response())
}

/// `GET /v1/tokens/{name}`.
pub async fn show(State(state): State<ApiState>, Segment(name): Segment) -> Answer {
    let (registry, now) = (state.engine.registry(), state.engine.clock().now());
    let (name, token) = registry.tokens.get_key_value(name.as_str()).ok_or_else(|| unknown(&name))?;
    let uses = state.authenticator.last_uses(&registry, now);
    Ok(Json(token_answer(name, token, uses.get(name).copied(), now)).into_response())
}

fn unknown(name: &str) -> Problem {
    Problem::new(Kind::UnknownToken, format!("there is no token {:?}", json::shortened(name))).at("name")
}

fn entry_of(
    wanted: NewToken,
    token: &Token,
    by: Application,
    now: Timestamp,
) -> Answer<(TokenName, TokenEntry)> {
    let application = match wanted.application {
        Some(application) => application,
        None => Application::new(wanted.name.as_str()).map_err(Problem::internal)?,
    };
    let scopes = wanted.scopes.iter().enumerate().map(|(at, text)| scope(text, at));
    let entry = TokenEntry {
        hash: token.hash(),
        application,
        scopes: scopes.collect::<Answer<_>>()?,
        expires_at: wanted.expires.map(|text| expiry(&text, now)).transpose()?,
        requests_per_second: wanted.requests_per_second,
        events_per_second: wanted.events_per_second,
        made_at: Some(now),
        made_by: Some(by),
        revoked_at: None,
    };
    Ok((wanted.name, entry))
}

/// What these scopes let a token see and do, as the dictionary is now.
fn may_of(scopes: &[Scope], registry: &Registry) -> TokenMay {
    let policy = Policy::of(scopes, registry);
    let fields = || registry.fields.keys().map(|name| name.as_str());
    let sensitive = registry
        .fields
        .iter()
        .filter(|(name, field)| field.class == DataClass::Sensitive && policy.reads(name.as_str()));
    let mut warnings: Vec<String> =
        sensitive.map(|(name, _)| format!("it reads {name}, which is sensitive")).collect();
    if policy.is_admin() {
        warnings.push(
            "it has every permission: it can create tokens, read every claim and act for other applications"
                .to_owned(),
        );
    } else if policy.reads_every_claim() {
        warnings.push("it reads everything of every customer, and every claim".to_owned());
    }
    if policy.has(ScopeName::ProfilesPropose)
        && !policy.has(ScopeName::EventsWrite)
        && !policy.reads_profiles()
    {
        let detail =
            "it can't propose values: that also needs `events:write`, or `profiles:read` to name a profile";
        warnings.push(detail.to_owned());
    }
    let mut unknown: Vec<String> = Vec::new();
    let listed = scopes.iter().flat_map(|scope| match scope {
        Scope::ProfilesRead(parts) | Scope::ProfilesPropose(parts) => parts.as_slice(),
        _ => &[],
    });
    for part in listed {
        let (missing, near) = match part {
            Part::Field(name) => (
                !registry.fields.contains_key(name),
                nearest(name.as_str(), registry.fields.keys().map(|name| name.as_str())),
            ),
            Part::Identifier(name) => (
                !registry.identifiers.contains_key(name),
                nearest(name.as_str(), registry.identifiers.keys().map(|name| name.as_str())),
            ),
            Part::Class(_) => continue,
        };
        if missing && !unknown.contains(&part.to_string()) {
            let is_field = matches!(part, Part::Field(_));
            let named =
                |name: &&str| if is_field { (*name).to_owned() } else { format!("identifier:{name}") };
            let near: Vec<String> = near.iter().map(named).collect();
            let question = did_you_mean(&near).map_or_else(String::new, |question| format!(". {question}"));
            warnings.push(format!("the dictionary has no {part} yet{question}"));
            unknown.push(part.to_string());
        }
    }
    let identifiers = registry.identifiers.keys().map(|name| name.as_str());
    TokenMay {
        reads: names(fields().filter(|name| policy.reads(name))),
        identifiers: names(identifiers.filter(|name| policy.sees_identifier(name))),
        proposes: names(fields().filter(|name| policy.proposes(name))),
        unknown,
        warnings,
    }
}

/// `POST /v1/tokens`.
pub async fn make(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Params(params): Params<DryRun>,
    request: Request,
) -> Answer {
    let bytes = body::json(request, body::JSON, &state.limits).await?;
    let wanted: NewToken = json::body_as(&bytes)?;
    let now = state.engine.clock().now();
    let secret = Token::generate().map_err(Problem::internal)?;
    let (name, token) = entry_of(wanted, &secret, application.clone(), now)?;
    let registry = state.engine.registry();
    let may = may_of(&token.scopes, &registry);
    let change = RegistryChange::TokenMade { name: name.clone(), token: token.clone() };
    if params.dry_run {
        registry.check(&change)?;
        let token = token_answer(&name, &token, None, now);
        return Ok(Json(MadeToken { secret: None, token, may }).into_response());
    }
    state
        .engine
        .registrar()
        .change_registry(change, Attribution { by: application, reason: params.reason })
        .await?;
    let token = token_answer(&name, &token, None, now);
    let answer = MadeToken { secret: Some(secret.as_str().to_owned()), token, may };
    Ok((StatusCode::CREATED, NO_STORE, Json(answer)).into_response())
}

/// `DELETE /v1/tokens/{name}`.
pub async fn revoke(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
) -> Answer {
    let name = TokenName::new(&name).map_err(|_| unknown(&name))?;
    let change = RegistryChange::TokenRevoked { name, at: state.engine.clock().now() };
    state
        .engine
        .registrar()
        .change_registry(change, Attribution { by: application, reason: why.reason })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// One scope of a list, at its place in it.
fn scope(text: &str, at: usize) -> Answer<Scope> {
    text.parse().map_err(|error: ScopeError| {
        let place = JsonPath::Root.key("scopes");
        let problem = place.index(at).problem(Kind::WrongType, error.to_string());
        problem.next(did_you_mean(&error.near).unwrap_or_else(|| {
            let names: Vec<String> = ScopeName::ALL.iter().map(|name| format!("`{name}`")).collect();
            format!("The scopes are {}; docs/http.md describes how to limit each.", names.join(", "))
        }))
    })
}

/// A moment, or a whole number of days, hours or minutes from now.
fn expiry(text: &str, now: Timestamp) -> Answer<Timestamp> {
    let place = |problem: Problem| problem.at("expires");
    let wrong = || {
        let detail =
            format!("{:?} is neither a time nor a duration such as 90d, 12h or 30m", json::shortened(text));
        let problem = place(Problem::new(Kind::DefinitionInvalid, detail));
        match Epoch::of(text) {
            Some(epoch) => problem.next(format!("Write a time: {epoch}.")),
            None => problem.next("Write a duration such as 90d, or a time such as 2027-01-01T00:00:00Z."),
        }
    };
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let unit = text.chars().last().ok_or_else(wrong)?;
            let minutes = match unit {
                'd' => 24 * 60,
                'h' => 60,
                'm' => 1,
                _ => return Err(wrong()),
            };
            let count: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
            let minutes =
                count.checked_mul(minutes).filter(|total| *total <= DAYS_MAX * 24 * 60).ok_or_else(wrong)?;
            Timestamp::from_millis(now.millis().saturating_add(minutes * 60_000)).ok_or_else(wrong)?
        }
    };
    if at <= now {
        let detail = format!("the token would expire at {at}, which is in the past");
        return Err(place(Problem::new(Kind::DefinitionInvalid, detail)));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_moment_or_a_time_from_now() {
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for (text, at) in [
            ("90d", "2027-02-19T10:00:00Z"),
            ("12h", "2026-11-21T22:00:00Z"),
            ("1m", "2026-11-21T10:01:00Z"),
            ("2026-12-24T00:00:00+01:00", "2026-12-23T23:00:00Z"),
        ] {
            assert_eq!(expiry(text, now).unwrap(), at.parse().unwrap(), "{text}");
        }
        for bad in [
            "",
            "d",
            "90",
            "90 d",
            "1.5d",
            "9999999999999999999d",
            "3651d",
            "90é",
            "é",
            "-1d",
            "0h",
            "2026-11-21T10:00:00Z",
        ] {
            assert_eq!(expiry(bad, now).unwrap_err().kind, Kind::DefinitionInvalid, "{bad}");
        }
    }
}

//! Secrets: set, rotated, retired, listed. A value comes in and never goes out: no answer, error or line of the
//! host's log has a part of one.
//!
//! The value is sealed on the disk before the registry names its version, both while nobody else can change the
//! registry. So a version that is named has its value, whenever the host ends.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use samsyn_wire as wire;
use samsyn_wire::query::{RetireParams, SetParams};

use super::access::Caller;
use super::convert::blocking;
use super::pagination::List;
use super::params::{ListParams, Params, Segment, Why};
use super::problem::{Answer, Kind, Problem};
use super::words::names;
use super::{ApiState, body};
use samsyn_engine::Engine;
use samsyn_registry::report::Valueless;
use samsyn_registry::{Attribution, Registry, RegistryChange, RegistryPlan, SecretEntry, SecretVersion};
use samsyn_secrets::{Named, SecretValue, Secrets, StoreError, Unusable, ValueError};
use samsyn_vocabulary::{Partition, Position, SecretName, Seq};

const SECRETS: List = List("/v1/secrets");

/// The registry's word about which secrets there are.
pub struct OfRegistry(pub Arc<Engine>);

impl Named for OfRegistry {
    fn versions(&self, name: &SecretName) -> Option<Vec<u32>> {
        Some(self.0.registry().secrets.get(name)?.versions.iter().map(|is| is.version).collect())
    }

    fn has_ended(&self, name: &SecretName, version: u32) -> bool {
        let registry = self.0.registry();
        version < registry.next_secret_version(name) && !live(&registry, name).contains(&version)
    }

    fn names(&self) -> Vec<SecretName> {
        self.0.registry().secrets.keys().cloned().collect()
    }
}

fn live(registry: &Registry, name: &SecretName) -> Vec<u32> {
    registry
        .secrets
        .get(name)
        .map_or_else(Vec::new, |known| known.versions.iter().map(|is| is.version).collect())
}

fn answer(secrets: &Secrets, registry: &Registry, name: &SecretName, known: &SecretEntry) -> wire::Secret {
    let state = secrets.state(name);
    let word =
        |usable: &Result<(), Unusable>| usable.as_ref().map_or_else(Unusable::word, |()| "ok").to_owned();
    let of = |version: u32| state.versions.iter().find(|(is, _)| *is == version).map(|(_, usable)| usable);
    let version = |is: &SecretVersion| wire::SecretVersion {
        version: is.version,
        // One that ended a moment ago has no value any more.
        state: of(is.version).map_or_else(|| "missing".to_owned(), word),
        fingerprint: is.fingerprint.clone(),
        set_at: is.at.into(),
        set_by: is.by.to_string(),
    };
    let why = state.newest.as_ref().err();
    let origin = match (known.newest(), state.is_mounted) {
        (Some(_), _) => Some("sealed"),
        (None, true) => Some("mounted"),
        (None, false) => None,
    };
    wire::Secret {
        name: name.to_string(),
        state: word(&state.newest),
        reason: why.map(ToString::to_string),
        next: why.map(|why| why.next_step(name)),
        origin: origin.map(str::to_owned),
        fingerprint: known.newest().map(|is| is.fingerprint.clone()).or(state.fingerprint.clone()),
        versions: known.versions.iter().map(version).collect(),
        used_by: names(registry.uses_of_secret(name)),
        ignores_mounted: state.ignores_mounted,
    }
}

/// `GET /v1/secrets`.
pub async fn list(State(state): State<ApiState>, Params(params): Params<ListParams>) -> Answer {
    blocking(move || {
        let registry = state.engine.registry();
        let all = registry.secrets.iter().map(|(name, known)| (name.as_str(), (name, known)));
        let page = SECRETS.page(all, params.limit, params.cursor.as_deref(), |_, (name, known)| {
            answer(&state.secrets, &registry, name, known)
        })?;
        Ok(Json(page).into_response())
    })
    .await?
}

/// What becomes of a value that is sent.
#[derive(Clone, Copy, PartialEq)]
enum Act {
    Set,
    Rotate,
}

/// `PUT /v1/secrets/{name}`.
pub async fn set(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(params): Params<SetParams>,
    request: Request,
) -> Answer {
    let (name, by) = (named(&name)?, Attribution { by: application, reason: params.reason });
    if params.mounted {
        let change = RegistryChange::SecretNamed { name: name.clone() };
        state.engine.registrar().change_registry(change, by).await?;
        return shown(state, name).await;
    }
    take(state, name, Act::Set, by, request).await
}

/// `POST /v1/secrets/{name}/rotate`.
pub async fn rotate(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(why): Params<Why>,
    request: Request,
) -> Answer {
    let (name, by) = (named(&name)?, Attribution { by: application, reason: why.reason });
    take(state, name, Act::Rotate, by, request).await
}

/// `POST /v1/secrets/{name}/retire`.
pub async fn retire(
    State(state): State<ApiState>,
    Extension(Caller(application)): Extension<Caller>,
    Segment(name): Segment,
    Params(params): Params<RetireParams>,
) -> Answer {
    let (name, by) = (named(&name)?, Attribution { by: application, reason: params.reason });
    let (secret, all) = (name.clone(), params.all);
    let change = move |registry: &Registry| {
        let previous = registry.secrets.get(&secret).and_then(|known| known.previous());
        Ok::<_, Problem>(match (all, previous) {
            (true, _) => RegistryChange::SecretRemoved { name: secret },
            // Without one the check says so.
            (false, previous) => {
                RegistryChange::SecretRetired { name: secret, version: previous.map_or(0, |is| is.version) }
            }
        })
    };
    change_and_end(&state, &name, by, change).await?;
    if params.all { Ok(StatusCode::NO_CONTENT.into_response()) } else { shown(state, name).await }
}

fn named(name: &str) -> Answer<SecretName> {
    // It isn't repeated: somebody may have put the value in its place.
    SecretName::new(name).map_err(|error| {
        let detail = format!("the path has no name of a secret: {}", error.rule);
        Problem::new(Kind::SecretInvalid, detail).at("name")
    })
}

fn value_problem(error: &ValueError) -> Problem {
    let next = error.next_step();
    let next = format!("{}{}.", next[..1].to_uppercase(), &next[1..]);
    Problem::new(Kind::SecretInvalid, format!("the value can't be taken: {error}")).next(next)
}

async fn take(state: ApiState, name: SecretName, act: Act, by: Attribution, request: Request) -> Answer {
    let value = SecretValue::new(body::secret(request, &state.limits).await?)
        .map_err(|error| value_problem(&error))?;
    let (secrets, secret, now) = (state.secrets.clone(), name.clone(), state.engine.clock().now());
    let application = by.by.clone();
    let change = move |registry: &Registry| {
        check_act(&secrets, registry, act, &secret, &value)?;
        let number = registry.next_secret_version(&secret);
        let change = |fingerprint: String| {
            let version = SecretVersion { version: number, fingerprint, at: now, by: application.clone() };
            match act {
                Act::Set => RegistryChange::SecretSet { name: secret.clone(), version },
                Act::Rotate => RegistryChange::SecretRotated { name: secret.clone(), version },
            }
        };
        // Whether it can be made is asked before anything is written.
        registry.check(&change(String::new()))?;
        Ok::<_, Problem>(change(secrets.keep(&secret, number, &value)?.fingerprint))
    };
    change_and_end(&state, &name, by, change).await?;
    shown(state, name).await
}

/// Makes a change, and removes the values of versions that it ended once it is on the disk.
async fn change_and_end(
    state: &ApiState,
    name: &SecretName,
    by: Attribution,
    change: impl FnOnce(&Registry) -> Answer<RegistryChange> + Send + 'static,
) -> Answer<()> {
    let (engine, secret) = (state.engine.clone(), name.clone());
    let made = blocking(move || {
        let mut before = Vec::new();
        let seq = engine.registrar().append_change_with(
            |registry| {
                before = live(registry, &secret);
                change(registry)
            },
            by,
        )?;
        Ok::<(Seq, Vec<u32>), Problem>((seq, before))
    });
    let (seq, before) = made.await??;
    state.engine.durable(Position { partition: Partition::REGISTRY, seq }).await?;
    let (engine, secrets, name) = (state.engine.clone(), state.secrets.clone(), name.clone());
    blocking(move || {
        let now = live(&engine.registry(), &name);
        before
            .iter()
            .filter(|version| !now.contains(version))
            .for_each(|version| secrets.end(&name, *version));
    })
    .await
}

/// Whether this can be done with the secret as it is on this host.
fn check_act(
    secrets: &Secrets,
    registry: &Registry,
    act: Act,
    name: &SecretName,
    value: &SecretValue,
) -> Answer<()> {
    let conflict =
        |why: &str, next: String| Err(Problem::new(Kind::SecretConflict, format!("{name} {why}")).next(next));
    let state = secrets.state(name);
    if state.is_mounted {
        let why = "has a mounted file as its value";
        return conflict(
            why,
            format!(
                "Change the file, or remove it and set the value. To use the file: `samsyn secret set {name} --mounted`."
            ),
        );
    }
    let is_set = !live(registry, name).is_empty();
    match (act, &state.newest) {
        (Act::Set, Ok(())) if is_set => conflict(
            "has a value already",
            format!("To replace it, keeping both in use meanwhile: `samsyn secret rotate {name}`."),
        ),
        (Act::Rotate, Err(why)) if is_set => {
            let detail = format!("has no value that works, so there is nothing to rotate: {why}");
            conflict(&detail, format!("Set it again: `samsyn secret set {name}`."))
        }
        (Act::Rotate, Ok(())) if secrets.newest(name).is_ok_and(|newest| newest.value.is_same(value)) => {
            conflict("has this value already", "Send the new value that its issuer made.".to_owned())
        }
        _ => Ok(()),
    }
}

async fn shown(state: ApiState, name: SecretName) -> Answer {
    blocking(move || {
        let registry = state.engine.registry();
        // It was there a moment ago, and is again when it is set again.
        let known = registry.secrets.get(&name).cloned().unwrap_or_default();
        Ok(Json(answer(&state.secrets, &registry, &name, &known)).into_response())
    })
    .await?
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        let kind = match &error {
            StoreError::NoKey(_) => Kind::SecretKeyUnusable,
            StoreError::NoRandomness | StoreError::Disk { .. } => Kind::SecretNotKept,
        };
        Problem::new(kind, error.to_string())
    }
}

/// The secrets for the status.
pub fn status(secrets: &Secrets, registry: &Registry) -> wire::SecretsStatus {
    let key = secrets.key();
    let unusable = secrets.unusable().into_iter().map(|(name, why)| wire::UnusableSecret {
        reason: why.to_string(),
        next: why.next_step(&name),
        name: name.to_string(),
    });
    wire::SecretsStatus {
        key: key.as_ref().ok().map(|source| source.as_str().to_owned()),
        key_reason: key.err(),
        named: registry.secrets.len(),
        unusable: unusable.collect(),
    }
}

/// Those of which the host has no value, for the report.
pub fn valueless(secrets: &Secrets) -> Vec<Valueless> {
    let all = secrets.unusable().into_iter();
    all.map(|(name, why)| Valueless { next: why.next_step(&name), why: why.to_string(), name }).collect()
}

/// Says in a plan which of a file's secrets are still to be set on this host.
pub fn note_to_do<'a>(
    secrets: &Secrets,
    plan: &mut RegistryPlan,
    names: impl IntoIterator<Item = &'a SecretName>,
) {
    for name in names {
        // One that the file names for the first time is unknown until it is applied.
        if let Err(why) = secrets.state(name).newest {
            let why = if why == Unusable::Unknown { Unusable::NotSet } else { why };
            plan.notes
                .push(format!("still to do: the secret {name} has no value: {why}; {}", why.next_step(name)));
        }
    }
}

//! Keeps refresh tokens that a system gives out: each is a new version of the secret that the endpoint is bound to.

use std::sync::Arc;

use samsyn_egress::auth::{StoreToken, Storing};
use samsyn_egress::secret::Secret;
use samsyn_engine::Engine;
use samsyn_registry::{Attribution, Registry, RegistryChange, SecretVersion};
use samsyn_secrets::{SecretValue, Secrets};
use samsyn_vocabulary::{Application, Partition, Position, SecretName};

/// Keeps the refresh tokens of one secret.
pub struct RefreshTokens {
    pub engine: Arc<Engine>,
    pub secrets: Arc<Secrets>,
    pub secret: SecretName,
}

impl StoreToken for RefreshTokens {
    fn store<'a>(&'a self, refresh_token: &'a Secret) -> Storing<'a> {
        Box::pin(async move {
            let value = SecretValue::new(refresh_token.expose().as_bytes().to_vec());
            let value = value.map_err(|why| format!("the new refresh token can't be kept: {why}"))?;
            let seq = self.append(&value)?;
            let kept = self.engine.durable(Position { partition: Partition::REGISTRY, seq }).await;
            kept.map_err(|why| why.to_string())
        })
    }
}

impl RefreshTokens {
    fn append(&self, value: &SecretValue) -> Result<u64, String> {
        let by = Application::new("host").map_err(|why| why.to_string())?;
        let (secrets, name, at) = (&self.secrets, &self.secret, self.engine.clock().now());
        if secrets.newest(name).is_ok_and(|newest| newest.value.is_same(value)) {
            return Ok(0);
        }
        let mut ended = Vec::new();
        let seq = self.engine.registrar().append_change_with(
            |registry| {
                ended = live(registry, name);
                let version = registry.next_secret_version(name);
                let kept = secrets.keep(name, version, value).map_err(|why| Failed(why.to_string()))?;
                let version = SecretVersion { version, fingerprint: kept.fingerprint, at, by: by.clone() };
                Ok::<_, Failed>(RegistryChange::SecretRotated { name: name.clone(), version })
            },
            Attribution::from(by.clone()),
        );
        let seq = seq.map_err(|Failed(why)| why)?;
        let now = live(&self.engine.registry(), name);
        ended.iter().filter(|version| !now.contains(version)).for_each(|version| secrets.end(name, *version));
        Ok(seq)
    }
}

fn live(registry: &Registry, name: &SecretName) -> Vec<u32> {
    let known = registry.secrets.get(name);
    known.map_or_else(Vec::new, |known| known.versions.iter().map(|is| is.version).collect())
}

struct Failed(String);

impl From<samsyn_engine::ChangeError> for Failed {
    fn from(error: samsyn_engine::ChangeError) -> Failed {
        Failed(error.to_string())
    }
}

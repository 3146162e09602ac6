//! Authenticates a request: which token it has, and whether that is valid.
//!
//! The registry keeps hashes. A request's token is hashed, found by the first bytes of the hash,
//! and the whole hashes are compared in constant time. What a token may do is worked out once a
//! revision of the registry, so a check is a hash, a look-up and a comparison. As every request
//! asks with the newest revision, a revoked token is refused by the next one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::limits::ApiLimits;
use super::problem::{Answer, Kind, Problem};
use samsyn_auth::Token;
use samsyn_auth::rate::Bucket;
use samsyn_registry::{Policy, Registry, TokenEntry};
use samsyn_vocabulary::{Digest, Seq, Timestamp, TokenName};

/// No use is known.
const NEVER: i64 = i64::MIN;

/// The valid tokens.
pub struct Authenticator {
    /// Requests and events a second of a token that has no rate of its own; 0: no bound.
    rates: (u32, u32),
    table: ArcSwap<Table>,
    renewing: Mutex<()>,
    /// Last uses that were known when the host started.
    earlier: Mutex<BTreeMap<TokenName, Timestamp>>,
}

#[derive(Default)]
struct Table {
    /// Made from this revision; none before the first request.
    revision: Option<Seq>,
    tokens: HashMap<[u8; 8], Arc<AuthenticatedToken>>,
}

/// A token that the registry knows.
pub struct AuthenticatedToken {
    /// Its name.
    pub name: TokenName,
    /// What the registry says of it.
    pub entry: Arc<TokenEntry>,
    /// What it may do now.
    pub policy: Arc<Policy>,
    usage: Arc<Usage>,
}

/// What of a token outlives a revision of the registry.
struct Usage {
    last: AtomicI64,
    requests: Option<Bucket>,
    events: Option<Bucket>,
}

impl Authenticator {
    /// One that has seen no request yet.
    pub fn new(limits: &ApiLimits) -> Authenticator {
        Authenticator {
            rates: (limits.token_requests_per_second, limits.token_events_per_second),
            table: ArcSwap::default(),
            renewing: Mutex::default(),
            earlier: Mutex::default(),
        }
    }

    /// The token behind an `Authorization` header's value, if it is valid and within its rate.
    pub fn admit(
        &self,
        authorization: &str,
        registry: &Registry,
        now: Timestamp,
    ) -> Answer<Arc<AuthenticatedToken>> {
        let unauthorized = |detail: &str| Err(Problem::new(Kind::Unauthorized, detail));
        // RFC 9110: the scheme's case doesn't count.
        let token = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return unauthorized("the `Authorization` header is not `Bearer TOKEN`");
        };
        let Some(token) = Token::parse(token.trim()) else {
            return unauthorized("the token is cut off or mistyped");
        };
        let Some(known) = self.find(token.hash(), registry, now) else {
            return unauthorized("the token is unknown, or a newer token has its name");
        };
        if known.entry.revoked_at.is_some() {
            return unauthorized("the token was revoked");
        }
        if known.entry.is_expired(now) {
            return unauthorized("the token has expired");
        }
        known.usage.last.store(now.millis(), Ordering::Relaxed);
        known.take(known.usage.requests.as_ref(), 1, now, "requests")?;
        Ok(known)
    }

    fn find(&self, hash: Digest, registry: &Registry, now: Timestamp) -> Option<Arc<AuthenticatedToken>> {
        let table = self.current(registry, now);
        let known = table.tokens.get(&prefix(hash))?;
        // Constant time: how much of a hash was right tells nothing.
        let same = blake3::Hash::from_bytes(known.entry.hash.0) == blake3::Hash::from_bytes(hash.0);
        same.then(|| known.clone())
    }

    fn current(&self, registry: &Registry, now: Timestamp) -> Arc<Table> {
        let is_current = |table: &Table| table.revision >= Some(registry.revision);
        let table = self.table.load();
        if is_current(&table) {
            return table.clone();
        }
        let _renewing = self.renewing.lock();
        let before = self.table.load_full();
        if is_current(&before) {
            return before;
        }
        let known = |(name, entry): (&TokenName, &Arc<TokenEntry>)| {
            let same = before.tokens.get(&prefix(entry.hash)).filter(|known| known.entry.hash == entry.hash);
            let usage = same.map_or_else(|| self.usage(name, entry, now), |known| known.usage.clone());
            let policy = Arc::new(Policy::of(&entry.scopes, registry));
            let known = AuthenticatedToken { name: name.clone(), entry: entry.clone(), policy, usage };
            (prefix(entry.hash), Arc::new(known))
        };
        let tokens = registry.tokens.iter().map(known).collect();
        let table = Arc::new(Table { revision: Some(registry.revision), tokens });
        self.table.store(table.clone());
        table
    }

    fn usage(&self, name: &TokenName, entry: &TokenEntry, now: Timestamp) -> Arc<Usage> {
        // An administrator's token fixes what goes wrong: it is slowed only when that was asked for.
        let (requests, events) = if entry.is_admin() { (0, 0) } else { self.rates };
        let bucket = |own: Option<u32>, usual: u32| {
            let rate = own.unwrap_or(usual);
            (rate > 0).then(|| Bucket::new(rate, now))
        };
        Arc::new(Usage {
            last: AtomicI64::new(self.earlier.lock().get(name).map_or(NEVER, |at| at.millis())),
            requests: bucket(entry.requests_per_second, requests),
            events: bucket(entry.events_per_second, events),
        })
    }

    /// Takes last uses over that an earlier host wrote down. Called before the first request.
    pub fn remember(&self, uses: BTreeMap<TokenName, Timestamp>) {
        *self.earlier.lock() = uses;
    }

    /// When each token of this registry was used last, as far as that is known.
    pub fn last_uses(&self, registry: &Registry, now: Timestamp) -> BTreeMap<TokenName, Timestamp> {
        let table = self.current(registry, now);
        let used = |known: &Arc<AuthenticatedToken>| {
            let last = known.usage.last.load(Ordering::Relaxed);
            (last != NEVER).then(|| (known.name.clone(), Timestamp(last)))
        };
        table.tokens.values().filter_map(used).collect()
    }
}

impl AuthenticatedToken {
    /// Counts events against the token's rate.
    pub fn take_events(&self, count: usize, now: Timestamp) -> Answer<()> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.take(self.usage.events.as_ref(), count, now, "events")
    }

    fn take(&self, bucket: Option<&Bucket>, count: u32, now: Timestamp, what: &str) -> Answer<()> {
        let Some(bucket) = bucket else { return Ok(()) };
        bucket.take(count, now).map_err(|seconds| {
            let detail = format!("the token has used its limit of {what} a second");
            Problem::new(Kind::RateLimited, detail).after(seconds)
        })
    }
}

fn prefix(hash: Digest) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = hash.0;
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
#[path = "authenticate_tests.rs"]
mod tests;

//! What it costs to know whose token a request has, and whether it counts.

use std::time::{Duration, Instant};

use samsyn::api::{ApiLimits, Authenticator, Token};
use samsyn::registry::{Registry, RegistryChange, TokenEntry};
use samsyn::vocabulary::{Application, Timestamp, TokenName};

use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::Failure;

/// Applications with a token each: a large company's.
const TOKENS: usize = 1_000;
/// Checks in a row, with one token after the other.
const TURN: u32 = 10_000;
/// Moments apart, so that nobody is too fast.
const STEP_MS: i64 = 10;

/// `ownership.token_check`.
pub fn measure(bench: &Bench) -> Result<Figure, Failure> {
    let mut registry = Registry::default();
    let mut headers = Vec::with_capacity(TOKENS);
    for at in 0..TOKENS {
        let token = Token::generate()?;
        let entry = TokenEntry {
            application: Application::new(&format!("app-{at}"))?,
            scopes: vec!["events:write=order.*".parse()?, "profiles:read=first_name,class:none".parse()?],
            ..TokenEntry::first_admin(token.hash())
        };
        let change = RegistryChange::TokenMade { name: TokenName::new(&format!("app-{at}"))?, token: entry };
        registry = registry.apply(registry.revision + 1, &change)?;
        headers.push(format!("Bearer {}", token.as_str()));
    }
    let authenticator = Authenticator::new(&ApiLimits::default());
    let mut now = Timestamp(0);
    let mut turns = Vec::new();
    for _ in 0..bench.scale(100, 20) {
        let start = Instant::now();
        for at in 0..TURN as usize {
            now = Timestamp(now.millis() + STEP_MS);
            authenticator.admit(&headers[at % TOKENS], &registry, now).map_err(|problem| problem.detail)?;
        }
        turns.push(micros(start.elapsed()) / f64::from(TURN));
    }
    let note = format!("{TOKENS} tokens: read, hashed, found, compared, counted against its rate");
    Ok(Figure::new("ownership.token_check", median(&turns), "µs/check")
        .target(Target::AtMost(5.0))
        .note(note))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

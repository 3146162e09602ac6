//! Which tokens are accepted, and until when.

use super::*;
use samsyn_registry::RegistryChange;
use samsyn_vocabulary::Application;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn entry(token: &Token, scopes: &[&str]) -> TokenEntry {
    TokenEntry {
        application: Application::new("web").unwrap(),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        ..TokenEntry::first_admin(token.hash())
    }
}

fn made(registry: &Registry, name: &str, entry: TokenEntry) -> Registry {
    let change = RegistryChange::TokenMade { name: TokenName::new(name).unwrap(), token: entry };
    registry.check(&change).unwrap();
    registry.apply(registry.revision + 1, &change).unwrap()
}

fn bearer(token: &Token) -> String {
    format!("Bearer {}", token.as_str())
}

fn why(refused: Answer<Arc<AuthenticatedToken>>) -> String {
    let problem = refused.err().expect("it is refused");
    assert_eq!(problem.kind, Kind::Unauthorized);
    problem.detail
}

#[test]
fn only_a_valid_token_is_let_through() {
    let (token, other) = (Token::generate().unwrap(), Token::generate().unwrap());
    let registry = made(&Registry::default(), "web", entry(&token, &["events:write"]));
    let authenticator = Authenticator::new(&ApiLimits::default());
    let admit = |value: &str| authenticator.admit(value, &registry, NOW);
    assert_eq!(admit(&bearer(&token)).ok().unwrap().name.as_str(), "web");
    assert!(admit(&bearer(&token).replace("Bearer", "bEARER")).is_ok());
    for bad in [format!("Basic {}", token.as_str()), token.as_str().to_owned(), "Bearer".into()] {
        assert!(why(admit(&bad)).contains("is not `Bearer TOKEN`"), "{bad}");
    }
    assert!(why(admit("Bearer samsyn_x")).contains("mistyped"));
    assert!(why(admit(&bearer(&other))).contains("is unknown"));
}

#[test]
fn a_revoked_or_expired_token_is_refused_at_once() {
    let (token, admin) = (Token::generate().unwrap(), Token::generate().unwrap());
    let expiring = TokenEntry { expires_at: Some(Timestamp(NOW.millis() + 1)), ..entry(&token, &["admin"]) };
    let registry = made(&Registry::default(), "anna", expiring);
    let registry = made(&registry, "admin", entry(&admin, &["admin"]));
    let authenticator = Authenticator::new(&ApiLimits::default());
    assert!(authenticator.admit(&bearer(&token), &registry, NOW).is_ok());
    let later = Timestamp(NOW.millis() + 1);
    assert!(why(authenticator.admit(&bearer(&token), &registry, later)).contains("expired"));
    let name = TokenName::new("anna").unwrap();
    let revoked = RegistryChange::TokenRevoked { name, at: NOW };
    registry.check(&revoked).unwrap();
    let next = registry.apply(registry.revision + 1, &revoked).unwrap();
    assert!(why(authenticator.admit(&bearer(&token), &next, NOW)).contains("revoked"));
    assert!(next.check(&revoked).is_err());
    // The name can be used again; the old secret is then nobody's.
    let again = Token::generate().unwrap();
    let next = made(&next, "anna", entry(&again, &["admin"]));
    assert!(why(authenticator.admit(&bearer(&token), &next, NOW)).contains("is unknown"));
    assert!(authenticator.admit(&bearer(&again), &next, NOW).is_ok());
}

#[test]
fn somebody_can_always_make_tokens() {
    let (token, other) = (Token::generate().unwrap(), Token::generate().unwrap());
    let hash = token.hash();
    let registry = Registry::default().apply(1, &RegistryChange::AdminTokenMade { hash }).unwrap();
    let name = TokenName::new("admin").unwrap();
    let revoked = RegistryChange::TokenRevoked { name, at: NOW };
    assert!(registry.check(&revoked).is_err());
    let passing = TokenEntry { expires_at: Some(NOW), ..entry(&other, &["admin"]) };
    assert!(made(&registry, "anna", passing).check(&revoked).is_err());
    assert!(made(&registry, "anna", entry(&other, &["admin"])).check(&revoked).is_ok());
}

#[test]
fn a_token_is_slowed_down_and_another_is_not() {
    let (slow, other) = (Token::generate().unwrap(), Token::generate().unwrap());
    let entry_of = |token: &Token| entry(token, &["events:write"]);
    let slowed = TokenEntry { requests_per_second: Some(2), ..entry_of(&slow) };
    let registry = made(&made(&Registry::default(), "slow", slowed), "other", entry_of(&other));
    let limits = ApiLimits { token_events_per_second: 10, ..ApiLimits::default() };
    let authenticator = Authenticator::new(&limits);
    let known = authenticator.admit(&bearer(&slow), &registry, NOW).ok().unwrap();
    assert!(authenticator.admit(&bearer(&slow), &registry, NOW).is_ok());
    let refused = authenticator.admit(&bearer(&slow), &registry, NOW).err().unwrap();
    assert_eq!((refused.kind, refused.after), (Kind::RateLimited, Some(1)));
    // What it has used stays used when the registry changes.
    let next = Registry { revision: registry.revision + 1, ..registry.clone() };
    assert_eq!(authenticator.admit(&bearer(&slow), &next, NOW).err().unwrap().kind, Kind::RateLimited);
    assert!(authenticator.admit(&bearer(&other), &next, NOW).is_ok());
    assert!(known.take_events(25, NOW).is_ok());
    assert_eq!(known.take_events(1, NOW).unwrap_err().after, Some(2));
}

#[test]
fn the_last_use_is_known_without_a_record() {
    let token = Token::generate().unwrap();
    let registry = made(&Registry::default(), "web", entry(&token, &["events:write"]));
    let authenticator = Authenticator::new(&ApiLimits::default());
    let name = TokenName::new("web").unwrap();
    let earlier = Timestamp(NOW.millis() - 5);
    authenticator.remember([(name.clone(), earlier)].into());
    assert_eq!(authenticator.last_uses(&registry, NOW)[&name], earlier);
    assert!(authenticator.admit(&bearer(&token), &registry, NOW).is_ok());
    assert_eq!(authenticator.last_uses(&registry, NOW)[&name], NOW);
}

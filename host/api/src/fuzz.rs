//! What a stranger's request holds, read by itself, for the fuzzer.

use axum::http::{HeaderMap, HeaderValue, header};

use super::authenticate::Authenticator;
use super::conditional;
use super::event_json::{Body, Sender, read_body};
use super::json::{self, JsonPath};
use super::limits::ApiLimits;
use super::pagination::List;
use super::params::Reference;
use samsyn_registry::{Field, IdentifierKind, Normaliser, Registry, RegistryChange};
use samsyn_vocabulary::{Application, FieldName, IdentifierName, Timestamp, Type};
use samsyn_wire::prefer;

const NOW: Timestamp = Timestamp(1_763_719_200_000);

/// A body of `POST /v1/events`: one event, a list, or a problem.
pub fn event(data: &[u8]) {
    let Ok(text) = json::utf8(data) else { return };
    let registry = registry();
    let sender = Sender::new(&registry, Application::new("web").expect("a name"), NOW);
    let read = match read_body(text, &sender) {
        Ok(Body::One(event)) => vec![*event],
        Ok(Body::List { events, .. }) => {
            let read = |(index, event): (usize, &&serde_json::value::RawValue)| {
                sender.read(event.get(), &JsonPath::Root.index(index))
            };
            events.iter().enumerate().map(read).collect()
        }
        Err(problem) => vec![Err(problem)],
    };
    for read in read {
        match read {
            Ok(event) => assert!(event.profile.is_some() || !event.identifiers.is_empty()),
            Err(problem) => assert!(!problem.detail.is_empty(), "{problem:?}"),
        }
    }
}

fn registry() -> Registry {
    let identifier = IdentifierKind::new(Normaliser::Exact, 10);
    let name = IdentifierName::new("customer_id").expect("a name");
    let mut changes = vec![RegistryChange::identifier(name, identifier)];
    for (name, kind) in
        [("email", Type::Text), ("children", Type::Integer), ("credit", Type::Decimal), ("blob", Type::Json)]
    {
        let name = FieldName::new(name).expect("a name");
        changes.push(RegistryChange::FieldDefined { name, field: Field::of(kind) });
    }
    let apply =
        |registry: Registry, change: &RegistryChange| registry.apply(1, change).expect("it can be made");
    changes.iter().fold(Registry::default(), apply)
}

/// The headers that are read by hand: a token, a preference, ETags.
pub fn header(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let mut headers = HeaderMap::new();
    for name in [header::AUTHORIZATION, header::IF_MATCH, header::IF_NONE_MATCH] {
        headers.insert(name, value.clone());
    }
    headers.insert("prefer", value.clone());
    if let Some(wait) = prefer::Wait::of(&headers) {
        assert!(wait.duration().as_secs() <= 30, "{wait:?}");
    }
    let _ = conditional::expected(&headers);
    let _ = conditional::client_has(&headers, "\"some.etag\"");
    let Ok(text) = value.to_str() else { return };
    let nobody = Authenticator::new(&ApiLimits::default()).admit(text, &Registry::default(), NOW);
    assert!(nobody.is_err(), "no token is known");
    if let Some(token) = samsyn_auth::Token::parse(text) {
        assert_eq!(token.as_str(), text);
    }
}

/// A cursor as a list makes it.
pub fn made_cursor(after: &str) -> String {
    List("/v1/fields").cursor(after)
}

/// What stands in a URL: a list's cursor, a profile's reference.
pub fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for list in [List("/v1/fields"), List("/v1/parked")] {
        if let Ok(Some(after)) = list.after(Some(text)) {
            assert_eq!(list.after(Some(&list.cursor(&after))), Ok(Some(after)));
        }
        // One that the list itself has made, with any key.
        let made = list.cursor(text);
        match list.after(Some(&made)) {
            Ok(after) => assert_eq!(after.as_deref(), Some(text)),
            Err(_) => assert!(made.len() > 1_024, "a cursor that the host made is taken"),
        }
    }
    let _ = Reference::parse(text);
}

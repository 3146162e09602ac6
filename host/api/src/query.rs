//! Which parameters a query may hold. A call refuses what it doesn't take: `?dryrun=true` must not do what
//! `?dry_run=true` was to try. What caches and links add to any address means nothing to anybody, and is
//! passed over; unless it looks like a parameter, of this call or of another.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::json::shortened;
use super::problem::{Answer, Kind, Problem};

/// How the names of what is added begin: those of caches (`_=1764499200000`), of campaigns.
const ADDED_PREFIXES: [&str; 2] = ["_", "utm_"];
/// What advertisements and newsletters add, so that a click is known again.
const ADDED: [&str; 16] = [
    "dclid",
    "fbclid",
    "gbraid",
    "gclid",
    "gclsrc",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "ttclid",
    "twclid",
    "vero_id",
    "wbraid",
    "yclid",
];
/// Up to how many letters a name may differ from one that it was meant to be.
const LETTERS_MISTYPED_MAX: usize = 2;

/// The parameters that a call takes, and those that any call takes.
#[derive(Clone)]
pub struct Parameters {
    own: Arc<BTreeSet<String>>,
    of_all: Arc<BTreeSet<String>>,
}

impl Parameters {
    /// Of a call, among those of all calls.
    pub fn new(own: BTreeSet<String>, of_all: Arc<BTreeSet<String>>) -> Parameters {
        Parameters { own: Arc::new(own), of_all }
    }

    /// The query without what is passed over; none when that is all of it.
    fn kept<'q>(&self, query: &'q str) -> Answer<Cow<'q, str>> {
        let mut kept: Vec<&str> = Vec::new();
        let mut passed_over = false;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = decoded(pair.split('=').next().unwrap_or_default());
            if self.own.contains(name.as_ref()) {
                kept.push(pair);
            } else if is_added(&name) && !self.resembles_any(&name) {
                passed_over = true;
            } else {
                return Err(self.unknown(&name));
            }
        }
        Ok(if passed_over { Cow::Owned(kept.join("&")) } else { Cow::Borrowed(query) })
    }

    fn resembles_any(&self, name: &str) -> bool {
        let letters = letters(name);
        let resembles = |known: &String| {
            let known = self::letters(known);
            known == letters || (known.len() > 3 && distance(&known, &letters) <= 1)
        };
        self.of_all.iter().any(resembles)
    }

    fn unknown(&self, name: &str) -> Problem {
        let shown = shortened(name);
        let letters = letters(shown);
        let near = self.own.iter().map(|known| (distance(&self::letters(known), &letters), known));
        let meant = near.filter(|(distance, _)| *distance <= LETTERS_MISTYPED_MAX).min();
        let detail = match (meant, self.own.is_empty()) {
            (Some((_, meant)), _) => format!("this call has no parameter {shown:?}; it has `{meant}`"),
            (None, true) => format!("this call has no parameters, but the request has {shown:?}"),
            (None, false) => format!("this call has no parameter {shown:?}"),
        };
        let problem = Problem::new(Kind::QueryInvalid, detail).at(shown);
        if self.own.is_empty() {
            return problem.next("Leave it out.");
        }
        let own: Vec<String> = self.own.iter().map(|name| format!("`{name}`")).collect();
        problem.next(format!("Leave it out, or use one of {}.", own.join(", ")))
    }
}

/// Refuses parameters that the call doesn't take, and passes over what means nothing.
pub async fn check(State(parameters): State<Parameters>, mut request: Request, next: Next) -> Response {
    if let Some(query) = request.uri().query() {
        let kept = match parameters.kept(query) {
            Err(problem) => return problem.into_response(),
            Ok(Cow::Borrowed(_)) => None,
            Ok(Cow::Owned(kept)) => Some(with_query(request.uri(), &kept)),
        };
        match kept {
            None => {}
            Some(Ok(uri)) => *request.uri_mut() = uri,
            Some(Err(problem)) => return problem.into_response(),
        }
    }
    next.run(request).await
}

fn with_query(uri: &Uri, query: &str) -> Answer<Uri> {
    let mut parts = uri.clone().into_parts();
    let path: PathAndQuery = format!("{}?{query}", uri.path()).parse().map_err(Problem::internal)?;
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).map_err(Problem::internal)
}

fn is_added(name: &str) -> bool {
    ADDED.contains(&name) || ADDED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A name without what is easily mistaken: capitals, hyphens, underscores.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// How many letters were left out, added or mistaken (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, second) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *second);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// A name as it was before it was put into a query.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(own: &[&str]) -> Parameters {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        Parameters::new(set(own), Arc::new(set(&["dry_run", "limit", "cursor", "reason", "by"])))
    }

    #[test]
    fn what_is_added_is_taken_out_and_the_rest_stays_as_it_was() {
        let list = parameters(&["limit", "cursor"]);
        for (query, kept) in [
            ("limit=1", "limit=1"),
            ("_=1&limit=1", "limit=1"),
            ("utm_source=a%26b&limit=%31&fbclid=x&cursor=a%2Bb", "limit=%31&cursor=a%2Bb"),
            ("l%69mit=1&_=2", "l%69mit=1"),
            ("_", ""),
            ("&&", "&&"),
            ("_ts=1&_gl=2&__=3&_bust=4", ""),
        ] {
            assert_eq!(list.kept(query).unwrap(), kept, "{query}");
        }
    }

    #[test]
    fn what_may_have_been_meant_is_refused_and_the_nearest_named() {
        let list = parameters(&["limit", "cursor"]);
        for (query, meant) in [
            ("limt=1", "`limit`"),
            ("Limit=1", "`limit`"),
            ("_limit=1", "`limit`"),
            ("courser=1", "`cursor`"),
            ("_=1&lim-it=1", "`limit`"),
        ] {
            let problem = list.kept(query).unwrap_err();
            assert_eq!(problem.kind, Kind::QueryInvalid);
            assert!(problem.detail.contains(meant), "{query}: {}", problem.detail);
        }
        // Not a parameter of this call, but of others.
        for query in ["_dry_run=true", "__dryRun=true", "_reson=x", "_by=anna", "dry_run=true", "utm=1", "="]
        {
            assert!(list.kept(query).is_err(), "{query}");
        }
        let none = parameters(&[]);
        assert!(none.kept("limit=1").unwrap_err().detail.contains("no parameters"));
    }

    #[test]
    fn distances_are_counted_in_letters() {
        for (one, other, letters) in
            [("", "", 0), ("a", "", 1), ("limit", "limt", 1), ("limit", "timil", 2), ("abc", "cab", 2)]
        {
            assert_eq!(distance(one, other), letters, "{one} {other}");
            assert_eq!(distance(other, one), letters, "{other} {one}");
        }
    }
}

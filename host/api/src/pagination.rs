//! Pages: `limit`, and a cursor that only the list it came from can read: of the same call, about the same
//! profile or field, with the same filters.

use data_encoding::BASE64URL_NOPAD;
pub use samsyn_wire::Page;
use samsyn_wire::query::LIMIT_MAX;

use super::problem::{Answer, Kind, Problem};

/// Items of a page when the client doesn't say.
const LIMIT_DEFAULT: usize = 100;
/// The longest cursor taken, in bytes.
const CURSOR_BYTES_MAX: usize = 1_024;
/// Bytes of the check that tells a cursor from a text that was made up.
const CHECK_BYTES: usize = 4;

/// A list, named so that the cursor of one can't be used on another.
#[derive(Clone, Copy, Debug)]
pub struct List(pub &'static str);

/// One list of those that a call answers: of one profile or field, or narrowed by filters.
#[derive(Clone, Copy, Debug)]
pub struct Narrowed {
    list: List,
    /// What it is narrowed to, as a checksum; none when the call has but one list.
    to: Option<u32>,
}

impl List {
    /// How many items to answer.
    pub fn limit(asked: Option<u64>) -> Answer<usize> {
        match asked {
            None => Ok(LIMIT_DEFAULT),
            Some(asked) if (1..=LIMIT_MAX as u64).contains(&asked) => Ok(asked as usize),
            Some(asked) => {
                let detail = format!("`limit` is {asked}; it must be from 1 to {LIMIT_MAX}");
                Err(Problem::new(Kind::QueryInvalid, detail).at("limit"))
            }
        }
    }

    /// The list of these: what the path names, and each filter or none, always in the same order.
    pub fn of<'a>(self, narrowed_to: impl IntoIterator<Item = Option<&'a str>>) -> Narrowed {
        let mut hasher = crc32fast::Hasher::new();
        for one in narrowed_to {
            // With its length, so that two filters aren't read as others; none has a length of its own.
            let length = one.map_or(u64::MAX, |one| one.len() as u64);
            hasher.update(&length.to_be_bytes());
            hasher.update(one.unwrap_or_default().as_bytes());
        }
        Narrowed { list: self, to: Some(hasher.finalize()) }
    }

    /// The cursor behind the item that this key names.
    pub fn cursor(self, after: &str) -> String {
        Narrowed { list: self, to: None }.cursor(after)
    }

    /// The key in a cursor.
    pub fn after(self, cursor: Option<&str>) -> Answer<Option<String>> {
        Narrowed { list: self, to: None }.after(cursor)
    }

    /// A page of a list that is in memory as a whole and in the order of its keys.
    pub fn page<K: AsRef<str>, V, T>(
        self,
        all: impl Iterator<Item = (K, V)>,
        limit: Option<u64>,
        cursor: Option<&str>,
        item: impl Fn(K, V) -> T,
    ) -> Answer<Page<T>> {
        let (limit, after) = (List::limit(limit)?, self.after(cursor)?);
        let mut rest =
            all.skip_while(|(key, _)| after.as_deref().is_some_and(|after| key.as_ref() <= after)).peekable();
        let (mut items, mut last) = (Vec::new(), String::new());
        while items.len() < limit {
            let Some((key, value)) = rest.next() else { break };
            last = key.as_ref().to_owned();
            items.push(item(key, value));
        }
        let next = rest.peek().is_some().then(|| self.cursor(&last));
        Ok(Page { items, next })
    }
}

impl Narrowed {
    /// The cursor behind the item that this key names.
    pub fn cursor(self, after: &str) -> String {
        let mut bytes = self.check(after.as_bytes()).to_vec();
        bytes.extend_from_slice(after.as_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The key in a cursor.
    pub fn after(self, cursor: Option<&str>) -> Answer<Option<String>> {
        let Some(cursor) = cursor else { return Ok(None) };
        let invalid = || {
            let narrowed = if self.to.is_some() { " with this path and these filters" } else { "" };
            let detail = format!("this is not a cursor of {}{narrowed}", self.list.0);
            Problem::new(Kind::CursorInvalid, detail).at("cursor")
        };
        if cursor.len() > CURSOR_BYTES_MAX {
            return Err(invalid());
        }
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).map_err(|_| invalid())?;
        let (check, key) = bytes.split_at_checked(CHECK_BYTES).ok_or_else(invalid)?;
        if check != self.check(key) {
            return Err(invalid());
        }
        String::from_utf8(key.to_vec()).map(Some).map_err(|_| invalid())
    }

    /// Not a secret: a cursor gives nothing that its list doesn't.
    fn check(self, key: &[u8]) -> [u8; CHECK_BYTES] {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.list.0.as_bytes());
        hasher.update(&[0]);
        hasher.update(key);
        if let Some(to) = self.to {
            hasher.update(&[0]);
            hasher.update(&to.to_be_bytes());
        }
        hasher.finalize().to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRUIT: List = List("/v1/fruit");

    #[test]
    fn a_limit_has_bounds() {
        assert_eq!(List::limit(None), Ok(100));
        assert_eq!(List::limit(Some(1000)), Ok(1000));
        for bad in [0, 1001, u64::MAX] {
            assert_eq!(List::limit(Some(bad)).unwrap_err().kind, Kind::QueryInvalid);
        }
    }

    #[test]
    fn a_made_up_cursor_is_a_problem() {
        let cursor = FRUIT.cursor("pear");
        assert_eq!(FRUIT.after(Some(&cursor)).unwrap().as_deref(), Some("pear"));
        assert_eq!(FRUIT.after(None), Ok(None));
        let foreign = List("/v1/fields").cursor("pear");
        for bad in ["", "pear", &cursor[1..], &foreign, &"A".repeat(2000)] {
            assert_eq!(FRUIT.after(Some(bad)).unwrap_err().kind, Kind::CursorInvalid, "{bad}");
        }
    }

    #[test]
    fn a_cursor_goes_on_with_the_same_filters_alone() {
        let of = |filters: &[Option<&'static str>]| FRUIT.of(filters.iter().copied());
        let all: [&[Option<&str>]; 8] = [
            &[None, None],
            &[Some("red"), None],
            &[None, Some("red")],
            &[Some(""), None],
            &[Some("re"), Some("d")],
            &[Some("red"), Some("")],
            &[Some("r"), Some("ed")],
            &[Some("green"), None],
        ];
        for filters in all {
            let cursor = of(filters).cursor("pear");
            for others in all {
                let read = of(others).after(Some(&cursor));
                assert_eq!(read.is_ok(), filters == others, "{filters:?} {others:?}");
            }
            assert!(FRUIT.after(Some(&cursor)).is_err());
        }
    }

    #[test]
    fn pages_hold_every_item_once() {
        let all = ["apple", "fig", "lime", "pear", "plum"];
        for limit in 1..=6 {
            let (mut seen, mut cursor, mut pages) = (Vec::new(), None, 0);
            loop {
                let items = all.iter().map(|name| (*name, ()));
                let page = FRUIT.page(items, Some(limit), cursor.as_deref(), |name, ()| name).unwrap();
                seen.extend(page.items);
                pages += 1;
                match page.next {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen, all);
            assert_eq!(pages, all.len().div_ceil(limit as usize));
        }
        let gone = FRUIT.cursor("kiwi");
        let items = all.iter().map(|name| (*name, ()));
        assert_eq!(
            FRUIT.page(items, None, Some(&gone), |name, ()| name).unwrap().items,
            ["lime", "pear", "plum"]
        );
    }
}

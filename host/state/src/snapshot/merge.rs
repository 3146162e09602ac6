//! Merging what several files say, each in the order of its keys: the newest word on a key counts.

use std::iter::Peekable;

use super::error::BadSnapshot;

/// A key and its entry's bytes.
pub type Item = ([u8; 16], Vec<u8>);

/// One of the files: its entries in the order of their keys.
pub type Source<'a> = Box<dyn Iterator<Item = Result<Item, BadSnapshot>> + 'a>;

/// Several ordered sources as one. Of a key that several have, the last source's entry counts.
pub struct Merge<'a> {
    sources: Vec<Peekable<Source<'a>>>,
}

impl<'a> Merge<'a> {
    /// Oldest source first.
    pub fn new(sources: impl IntoIterator<Item = Source<'a>>) -> Self {
        Merge { sources: sources.into_iter().map(Iterator::peekable).collect() }
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Item, BadSnapshot>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least: Option<[u8; 16]> = None;
        for source in &mut self.sources {
            match source.peek() {
                // An error is told at once, whatever its key would have been.
                Some(Err(_)) => return source.next(),
                Some(Ok((key, _))) => least = Some(least.map_or(*key, |least| least.min(*key))),
                None => {}
            }
        }
        let least = least?;
        let mut newest = None;
        for source in &mut self.sources {
            if let Some(item) = source.next_if(|item| matches!(item, Ok((key, _)) if *key == least)) {
                newest = Some(item);
            }
        }
        newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(items: &[(u8, u8)]) -> Source<'static> {
        let items: Vec<_> = items.iter().map(|(key, value)| Ok(([*key; 16], vec![*value]))).collect();
        Box::new(items.into_iter())
    }

    #[test]
    fn keys_come_in_order_and_the_newest_source_counts() {
        let merged =
            Merge::new([source(&[(1, 1), (3, 1), (9, 1)]), source(&[(3, 2)]), source(&[(2, 3), (3, 3)])]);
        let merged: Vec<(u8, u8)> =
            merged.map(|item| item.unwrap()).map(|(key, value)| (key[0], value[0])).collect();
        assert_eq!(merged, [(1, 1), (2, 3), (3, 3), (9, 1)]);
        assert!(Merge::new([]).next().is_none());
    }
}

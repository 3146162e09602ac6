//! The numbering plans: who has which numbers, and how they are dialled at home.

use crate::automaton::{known_starts, mark};
use crate::tables::{CODES, COUNTRIES, REGIONS};

/// E.164: calling code and national number together.
pub(crate) const E164_DIGITS_MAX: usize = 15;
/// The longest calling code.
const CODE_DIGITS_MAX: usize = 3;
/// A mark: the number belongs to a place, not to a freephone or premium service.
const PLACED: u16 = 2;

/// One country's numbers, or those of a calling code that is no country's. What is called an
/// automaton is the index of its first node, 0 when there is none.
#[derive(Debug)]
pub(crate) struct Region {
    /// ISO 3166-1 alpha-2; empty for a calling code of no country.
    pub(crate) country: &'static str,
    /// The calling code.
    pub(crate) code: u16,
    /// Automaton of its national numbers.
    pub(crate) plan: u16,
    /// Automaton of what is dialled before a national number, such as 0.
    pub(crate) prefix: u16,
    /// Automaton of local numbers that want `area` in front.
    pub(crate) local: u16,
    /// Digits that complete a local number.
    pub(crate) area: &'static str,
    /// Automaton of what is dialled to reach other countries, such as 00.
    pub(crate) abroad: u16,
    /// Automaton of first digits that are this region's alone among those of its code.
    pub(crate) leading: u16,
}

/// The regions that share a calling code, the main one first; empty for a code nobody has.
pub(crate) fn regions_of(code: u16) -> &'static [Region] {
    CODES.binary_search_by_key(&code, |row| row.0).map_or(&[], |index| {
        let (_, start, end) = CODES[index];
        &REGIONS[usize::from(start)..usize::from(end)]
    })
}

/// A country's region. A few territories (Antarctica, Pitcairn) have no plan of their own.
pub(crate) fn region(country: &str) -> Option<&'static Region> {
    let index = COUNTRIES.binary_search_by_key(&country, |row| row.0).ok()?;
    Some(&REGIONS[usize::from(COUNTRIES[index].1)])
}

/// Parts digits into the regions of their calling code and the national number.
pub(crate) fn split(digits: &str) -> Option<(&'static [Region], &str)> {
    (1..=CODE_DIGITS_MAX.min(digits.len())).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        // A code never starts with 0, and "01" must not read as 1.
        let code: u16 = code.parse().ok().filter(|_| !code.starts_with('0'))?;
        let regions = regions_of(code);
        (!regions.is_empty()).then_some((regions, national))
    })
}

/// Whether any of the regions has this national number.
pub(crate) fn in_plan(regions: &[Region], national: &str) -> bool {
    regions.iter().any(|region| mark(region.plan, national) != 0)
}

/// Whose number it is, as far as its digits tell.
pub(crate) fn country(regions: &'static [Region], national: &str) -> Option<&'static str> {
    let found = match regions {
        // Where a code is one country's, a number range younger than the tables is still its.
        [only] => Some(only),
        _ => {
            let leading = |region: &&Region| known_starts(region.leading, national).next().is_some();
            let placed = |region: &&Region| mark(region.plan, national) == PLACED;
            regions.iter().find(leading).or_else(|| regions.iter().find(placed))
        }
    };
    match found?.country {
        "" => None,
        // Ascension and Tristan da Cunha have numbers of their own and are Saint Helena in ISO 3166.
        "AC" | "TA" => Some("SH"),
        country => Some(country),
    }
}

//! Numbers as they are dialled at home.

use crate::automaton::{known_starts, mark};
use crate::plan::{Region, in_plan};

/// Argentine mobiles: at home 15 stands between area and number, from abroad 9 before both.
const ARGENTINA: u16 = 54;
/// Area codes there have two to four digits.
const ARGENTINE_AREA_DIGITS: std::ops::RangeInclusive<usize> = 2..=4;

/// The national number that the digits stand for when they are dialled in `home`; `regions` are
/// all that share its calling code, because a Canadian number dialled in the US is one.
pub(crate) fn national(home: &Region, regions: &[Region], digits: &str) -> Option<String> {
    without_prefix(home, regions, digits)
        .or_else(|| in_plan(regions, digits).then(|| digits.to_owned()))
        .or_else(|| argentine_mobile(home, regions, digits))
        .or_else(|| with_area(home, digits))
}

/// The number without what is dialled before it, when the rest is a number.
pub(crate) fn without_prefix(home: &Region, regions: &[Region], digits: &str) -> Option<String> {
    known_starts(home.prefix, digits)
        .filter_map(|length| digits.get(length..))
        .find(|rest| in_plan(regions, rest))
        .map(str::to_owned)
}

fn argentine_mobile(home: &Region, regions: &[Region], digits: &str) -> Option<String> {
    if home.code != ARGENTINA {
        return None;
    }
    let digits = digits.strip_prefix('0').unwrap_or(digits);
    ARGENTINE_AREA_DIGITS.into_iter().find_map(|length| {
        let (area, rest) = digits.split_at_checked(length)?;
        let candidate = format!("9{area}{}", rest.strip_prefix("15")?);
        in_plan(regions, &candidate).then_some(candidate)
    })
}

/// On small islands people leave their only area code out.
fn with_area(home: &Region, digits: &str) -> Option<String> {
    let whole = format!("{}{digits}", home.area);
    (mark(home.local, digits) != 0 && mark(home.plan, &whole) != 0).then_some(whole)
}

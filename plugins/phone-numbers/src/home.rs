//! Numbers as they are dialled at home.

use crate::automaton::{known_starts, mark};
use crate::plan::{Region, in_plan};

/// Argentine mobiles: at home 15 stands between area and number, from abroad 9 before both.
const ARGENTINA: u16 = 54;
/// Before an Argentine mobile from abroad; at home some dial it too.
const ARGENTINE_MOBILE: char = '9';
/// Area codes there have two to four digits.
const ARGENTINE_AREA_DIGITS: std::ops::RangeInclusive<usize> = 2..=4;

/// Mexico dials its ten digits alone since 2019. Before, 01 stood before them at home, 044 and 045
/// before a mobile's and 1 before a mobile's from abroad: address books still have them so, and
/// the tables no longer do.
const MEXICO: u16 = 52;
const MEXICAN_PREFIXES: [&str; 4] = ["1", "01", "044", "045"];

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

/// The number that the digits stand for when they are written as at home and no reading finds them
/// in the plan: the tables' rules that rewrite a number, for what follows a calling code. `main` is
/// the main region of its code: an area is completed only where there is one for all.
pub(crate) fn rewritten(main: &Region, regions: &[Region], digits: &str) -> Option<String> {
    argentine_mobile(main, regions, digits)
        .or_else(|| with_area(main, digits))
        .or_else(|| mexican(main, regions, digits))
}

fn mexican(home: &Region, regions: &[Region], digits: &str) -> Option<String> {
    if home.code != MEXICO {
        return None;
    }
    let mut rests = MEXICAN_PREFIXES.iter().filter_map(|prefix| digits.strip_prefix(prefix));
    rests.find(|rest| in_plan(regions, rest)).map(str::to_owned)
}

fn argentine_mobile(home: &Region, regions: &[Region], digits: &str) -> Option<String> {
    if home.code != ARGENTINA {
        return None;
    }
    // Who writes both the 9 and the 15 means one number.
    let digits = digits.strip_prefix(ARGENTINE_MOBILE).unwrap_or(digits);
    let digits = digits.strip_prefix('0').unwrap_or(digits);
    ARGENTINE_AREA_DIGITS.into_iter().find_map(|length| {
        let (area, rest) = digits.split_at_checked(length)?;
        let candidate = format!("{ARGENTINE_MOBILE}{area}{}", rest.strip_prefix("15")?);
        in_plan(regions, &candidate).then_some(candidate)
    })
}

/// On small islands people leave their only area code out.
fn with_area(home: &Region, digits: &str) -> Option<String> {
    let whole = format!("{}{digits}", home.area);
    (mark(home.local, digits) != 0 && mark(home.plan, &whole) != 0).then_some(whole)
}

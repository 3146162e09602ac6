//! Numbers that are written as they are dialled at home behind a calling code, and that nothing
//! that was a number before becomes another one.

use crate::plan::{self, Region};
use crate::tables::{CODES, NODES, REGIONS};
use crate::{automaton, home, parse};

/// Numbers drawn of each region's plan.
const DRAWN: usize = 60;
const SEED: u64 = 0x5851_f42d_4c95_7f2d;

#[test]
fn what_is_dialled_otherwise_at_home_is_read_behind_the_calling_code() {
    for (text, home, expected) in [
        // Argentine mobiles: 15 after the area at home, 9 before it from abroad.
        ("+54 11 15 2345 6789", "", "+5491123456789"),
        ("+54 011 15 2345 6789", "", "+5491123456789"),
        ("+54 (0)11 15-2345-6789", "", "+5491123456789"),
        ("+54 0351 15 230-3473", "", "+5493512303473"),
        ("+54 0348215617137", "", "+5493482617137"),
        ("+540111557447700", "", "+5491157447700"),
        ("+54 9 11 15 2345 6789", "", "+5491123456789"),
        ("+54 9 011 15 2345 6789", "", "+5491123456789"),
        ("0054 11 15 2345 6789", "US", "+5491123456789"),
        ("011 54 11 15 2345 6789", "US", "+5491123456789"),
        ("00 54 11 15 2345 6789", "", "+5491123456789"),
        ("54 11 15 2345 6789", "AR", "+5491123456789"),
        ("tel:+54-11-15-2345-6789", "SE", "+5491123456789"),
        // As they were read before.
        ("+54 9 11 2345 6789", "", "+5491123456789"),
        ("+54 0 9 11 2345 6789", "", "+5491123456789"),
        ("+54 11 2345 6789", "", "+541123456789"),
        // Local numbers that want their only area in front.
        ("+378 886377", "", "+3780549886377"),
        ("+378 0549 886377", "", "+3780549886377"),
        ("00378 886377", "DE", "+3780549886377"),
        ("+672 22609", "", "+672322609"),
        ("+261 2212345", "", "+261202212345"),
        // Mexico: what stood before a mobile number until 2019, from abroad and at home.
        ("+52 1 55 1234 5678", "", "+525512345678"),
        ("+52 01 55 1234 5678", "", "+525512345678"),
        ("+52 044 55 1234 5678", "", "+525512345678"),
        ("+52 (045) 55 1234 5678", "", "+525512345678"),
        ("044 55 1234 5678", "MX", "+525512345678"),
        ("045 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("521 55 1234 5678", "MX", "+525512345678"),
        ("011 52 1 55 1234 5678", "US", "+525512345678"),
        // A prefix from home behind the calling code, carriers among them.
        ("+55 (011) 96123-4567", "", "+5511961234567"),
        ("+55 0 15 11 96123-4567", "", "+5511961234567"),
        ("+55 90 41 11 96123-4567", "", "+5511961234567"),
        ("+7 8 912 345 67 89", "", "+79123456789"),
        ("+375 80 29 123 45 67", "", "+375291234567"),
        ("+44 (0)20 7946 0018", "", "+442079460018"),
        ("+36 06 1 234 5678", "", "+3612345678"),
        ("+370 8 612 34567", "", "+37061234567"),
        ("+370 0 612 34567", "", "+37061234567"),
        ("+81 (0)3 1234 5678", "", "+81312345678"),
        ("+82 010 2000 0000", "", "+821020000000"),
        ("+86 17951 139 1234 5678", "", "+8613912345678"),
        ("+241 011 123456", "", "+24111123456"),
        // The Italian zero belongs to the number.
        ("+39 02 1234 5678", "", "+390212345678"),
        ("+39 335 1234567", "", "+393351234567"),
    ] {
        let home = (!home.is_empty()).then_some(home);
        assert_eq!(parse(text, home).as_deref(), Ok(expected), "{text} {home:?}");
    }
}

#[test]
fn no_area_is_guessed_where_several_could_be_meant() {
    // Which island of +1, or which part of +44 and +61.
    for text in ["+1 461 2345", "+44 256789", "+61 51234567", "+54 11 15 2345 678", "+52 1 55 1234 567"] {
        assert!(parse(text, None).is_err(), "{text}");
    }
}

/// Both ways: the number from abroad is itself, and its form at home becomes it.
#[test]
fn argentine_mobiles_are_one_number_in_both_forms() {
    let mut drawn = Draw::new();
    let [argentina] = plan::regions_of(54) else { panic!("one region") };
    let mut mobiles = 0;
    for _ in 0..200 * DRAWN {
        let number = drawn.number(argentina);
        let Some(rest) = number.strip_prefix('9').filter(|rest| rest.len() == 10) else { continue };
        let e164 = format!("+54{number}");
        assert_eq!(parse(&e164, None).as_deref(), Ok(&*e164));
        // Which digits are the area is the plan's to say: one of the three cuts is read as it.
        let at_home = (2..=4).map(|cut| format!("{}15{}", &rest[..cut], &rest[cut..]));
        let read = at_home.filter(|form| parse(&format!("+54{form}"), None).as_deref() == Ok(&*e164));
        let national = read.collect::<Vec<_>>();
        assert!(!national.is_empty(), "{e164}");
        for form in national {
            for text in [format!("+54 0{form}"), format!("0054{form}"), format!("+549{form}")] {
                assert_eq!(parse(&text, None).as_deref(), Ok(&*e164), "{text}");
            }
            assert_eq!(parse(&form, Some("AR")).as_deref(), Ok(&*e164), "{form}");
        }
        mobiles += 1;
    }
    assert!(mobiles > 100, "{mobiles}");
}

/// Local numbers, where one area completes them all.
#[test]
fn local_numbers_of_one_area_are_completed_from_abroad() {
    let mut drawn = Draw::new();
    let mut completed = std::collections::BTreeSet::new();
    for (code, start, _) in CODES {
        let region = &REGIONS[usize::from(start)];
        for _ in 0..if region.local == 0 { 0 } else { 20 * DRAWN } {
            let number = drawn.number(region);
            let Some(local) = number.strip_prefix(region.area) else { continue };
            if automaton::mark(region.local, local) == 0 || plan::in_plan(plan::regions_of(code), local) {
                continue;
            }
            let text = format!("+{code}{local}");
            assert_eq!(parse(&text, None).as_deref(), Ok(&*format!("+{code}{number}")), "{text}");
            completed.insert(code);
        }
    }
    assert_eq!(completed.into_iter().collect::<Vec<_>>(), [261, 378, 672]);
}

#[test]
fn what_was_a_number_is_the_same_number() {
    let mut drawn = Draw::new();
    let mut taken = 0;
    for region in &REGIONS {
        for _ in 0..DRAWN {
            let number = drawn.number(region);
            let code = region.code;
            let prefix = drawn.prefix(region);
            let shorter = &number[region.area.len().min(number.len())..];
            for digits in [
                number.clone(),
                format!("{prefix}{number}"),
                format!("{code}{number}"),
                format!("{code}{prefix}{number}"),
                format!("00{code}{number}"),
                format!("00{code}{prefix}{number}"),
                shorter.to_owned(),
                format!("{code}{shorter}"),
            ] {
                for (plus, home) in
                    [(true, None), (false, None), (false, Some(region.country)), (false, Some("US"))]
                {
                    let text = if plus { format!("+{digits}") } else { digits.clone() };
                    if let Some(before) = former(plus, &digits, home) {
                        assert_eq!(
                            parse(&text, home).as_deref(),
                            Ok(&*before),
                            "{text} {home:?}, seed {SEED:#x}"
                        );
                        taken += 1;
                    }
                }
            }
        }
    }
    assert!(taken > 50_000, "{taken}");
}

/// How digits were read when behind a calling code only the plan and the prefixes counted.
fn former(plus: bool, digits: &str, home: Option<&str>) -> Option<String> {
    let international = |digits: &str| {
        let (regions, national) = plan::split(digits)?;
        if plan::in_plan(regions, national) {
            return Some(format!("+{digits}"));
        }
        let stripped = regions.iter().find_map(|region| home::without_prefix(region, regions, national))?;
        Some(format!("+{}{stripped}", regions.first()?.code))
    };
    if plus {
        return international(digits);
    }
    let home = home.and_then(plan::region);
    let own = home.map_or(0, |home| home.abroad);
    let starts = automaton::known_starts(own, digits).filter_map(|length| digits.get(length..));
    if let Some(number) = starts.chain(digits.strip_prefix("00")).find_map(international) {
        return Some(number);
    }
    let home = home?;
    if let Some(national) = home::national(home, plan::regions_of(home.code), digits) {
        return Some(format!("+{}{national}", home.code));
    }
    let (regions, _) = plan::split(digits)?;
    regions.first().filter(|region| region.code == home.code).and_then(|_| international(digits))
}

/// Numbers out of the tables, by a fixed course of xorshift.
struct Draw(u64);

impl Draw {
    fn new() -> Draw {
        Draw(SEED)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit
    }

    /// A number of the region's plan.
    fn number(&mut self, region: &Region) -> String {
        self.word(region.plan)
    }

    /// What is dialled before it at home; often nothing.
    fn prefix(&mut self, region: &Region) -> String {
        if region.prefix == 0 { String::new() } else { self.word(region.prefix) }
    }

    /// A word that the automaton knows: digits until one may end, and at times beyond.
    fn word(&mut self, root: u16) -> String {
        let mut word = String::new();
        loop {
            let node = usize::from(self.node(root, &word));
            let live: Vec<u8> = (0..10).filter(|digit| NODES[node] >> digit & 1 == 1).collect();
            let ends = automaton::mark(root, &word) != 0;
            if live.is_empty() || (ends && self.below(3) > 0) {
                return word;
            }
            word.push(char::from(b'0' + live[self.below(live.len())]));
        }
    }

    fn node(&self, root: u16, word: &str) -> u16 {
        word.bytes().fold(root, automaton::child)
    }
}

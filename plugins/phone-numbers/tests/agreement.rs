//! Compares with the crate `phonenumber`, which is far too slow to start in a sandbox.

use phone_numbers::{country_of, parse};
use phonenumber::metadata::{DATABASE, Descriptor, Metadata};
use phonenumber::{Mode, country};

fn descriptors(region: &Metadata) -> Vec<&Descriptor> {
    let all = region.descriptors();
    let each = [
        all.fixed_line(),
        all.mobile(),
        all.toll_free(),
        all.premium_rate(),
        all.shared_cost(),
        all.personal_number(),
        all.voip(),
        all.pager(),
        all.uan(),
        all.voicemail(),
    ];
    each.into_iter().flatten().collect()
}

fn countries() -> impl Iterator<Item = &'static Metadata> {
    DATABASE.iter().filter(|region| region.id() != "001")
}

#[test]
fn every_country_s_example_numbers_are_read_in_every_form() {
    let (mut compared, mut misread) = (0, 0);
    let mut wrong = Vec::new();
    for region in countries() {
        for example in descriptors(region).iter().filter_map(|descriptor| descriptor.example()) {
            let e164 = format!("+{}{example}", region.country_code());
            let theirs = phonenumber::parse(None, &e164).expect("an example");
            let international = theirs.format().mode(Mode::International).to_string();
            if theirs.format().mode(Mode::E164).to_string() != e164 {
                // They take the first digit for a national prefix here (+7 800, +370 80, +375 80).
                misread += 1;
                continue;
            }
            let zero = example.starts_with('0');
            let national = theirs.format().mode(Mode::National).to_string();
            for (text, home) in [(&e164, None), (&international, None), (&national, Some(region.id()))] {
                compared += 1;
                // Their national form loses the leading zeros that belong to the number.
                if parse(text, home).as_deref() != Ok(&e164) && !zero {
                    wrong.push(format!(
                        "{} {text} {home:?}: {:?}, not {e164}",
                        region.id(),
                        parse(text, home)
                    ));
                }
            }
        }
    }
    assert!(compared > 3_000 && misread <= 10, "{compared} {misread}");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn example_numbers_of_fixed_lines_tell_their_country() {
    let mut unclear = Vec::new();
    for region in countries() {
        let Some(example) = region.descriptors().fixed_line().and_then(Descriptor::example) else { continue };
        let found = country_of(&format!("+{}{example}", region.country_code()));
        if found != Some(region.id()) {
            unclear.push((region.id(), found.unwrap_or("none")));
        }
    }
    unclear.sort_unstable();
    // Ascension and Tristan da Cunha belong to Saint Helena in ISO 3166. The other two share
    // these very numbers with the region named.
    assert_eq!(unclear, [("AC", "SH"), ("EH", "MA"), ("MF", "BL"), ("TA", "SH")]);
}

#[test]
fn digits_off_by_one_are_judged_alike() {
    let (mut compared, mut stricter) = (0, 0);
    let mut wrong = Vec::new();
    for region in countries() {
        let id: country::Id = region.id().parse().expect("a country of theirs");
        let code = region.country_code();
        for example in descriptors(region).iter().filter_map(|descriptor| descriptor.example()) {
            for candidate in neighbours(example) {
                let e164 = format!("+{code}{candidate}");
                let Ok(theirs) = phonenumber::parse(Some(id), &e164) else { continue };
                // What they rewrite while reading is another number than the one asked for.
                if theirs.format().mode(Mode::E164).to_string() != e164 {
                    continue;
                }
                compared += 1;
                let ours = parse(&e164, None).as_deref() == Ok(&e164);
                match (ours, theirs.is_valid()) {
                    (true, false) => wrong.push(format!("{} {e164}", region.id())),
                    // They match a pattern's start, so of a number with a digit too many they
                    // may find a shorter one; libphonenumber itself matches the whole.
                    (false, true) => stricter += 1,
                    _ => {}
                }
            }
        }
    }
    assert!(compared > 3_000 && stricter * 50 < compared, "{stricter} of {compared}");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The number with a digit fewer, one more, another first and another second one.
fn neighbours(number: &str) -> [String; 4] {
    let swapped = |at: usize| {
        let other = |(index, char): (usize, char)| {
            if index != at {
                char
            } else if char == '9' {
                '1'
            } else {
                '9'
            }
        };
        number.chars().enumerate().map(other).collect()
    };
    [number[1..].to_owned(), format!("{number}1"), swapped(0), swapped(1)]
}

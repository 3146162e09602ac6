//! An invented person and what they type into a form, right or wrong.

use std::collections::HashMap;

use super::chance::Chance;
use super::places::{Number, Place};

/// Mail domains that belong to nobody (RFC 2606, RFC 6761): as typed, and as the register keeps it.
const MAIL_DOMAINS: [(&str, &str); 6] = [
    ("example.com", "example.com"),
    ("example.com", "example.com"),
    ("example.org", "example.org"),
    ("example.net", "example.net"),
    ("EXAMPLE.COM", "example.com"),
    ("räksmörgås.example", "xn--rksmrgs-5wao1o.example"),
];

/// What may be wrong with a form, and how many of a thousand are so.
const FLAWS: [(Flaw, u64); 7] = [
    (Flaw::BadEmail, 40),
    (Flaw::BadPhone, 35),
    (Flaw::Shouting, 30),
    (Flaw::PhoneFromNowhere, 20),
    (Flaw::UnknownCountry, 15),
    (Flaw::EmptyName, 10),
    (Flaw::LinkForName, 5),
];
/// Of a thousand people where numbers are known, how many give one.
const GIVES_PHONE: u64 = 700;
/// Of a thousand numbers, how many are from another country than their owner.
const PHONE_FROM_ELSEWHERE: u64 = 60;
/// Of a thousand numbers, how many are typed with the calling code.
const TYPES_CALLING_CODE: u64 = 400;

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// An address that can't be one.
    BadEmail,
    /// A number that can't be one.
    BadPhone,
    /// The name in capitals; kept as it is.
    Shouting,
    /// A number without a calling code, and no country.
    PhoneFromNowhere,
    /// A country that isn't one.
    UnknownCountry,
    /// Blanks for a name.
    EmptyName,
    /// An advertisement for a name.
    LinkForName,
}

impl Flaw {
    fn of(chance: &mut Chance) -> Option<Flaw> {
        let mut at = chance.below(1_000);
        FLAWS.into_iter().find_map(|(flaw, rate)| {
            let here = at < rate;
            at = at.saturating_sub(rate);
            here.then_some(flaw)
        })
    }

    /// The field that the register will refuse, if any.
    pub fn refused_field(self) -> Option<&'static str> {
        match self {
            Flaw::BadEmail => Some("email"),
            Flaw::BadPhone | Flaw::PhoneFromNowhere => Some("phone"),
            Flaw::UnknownCountry => Some("country"),
            Flaw::EmptyName | Flaw::LinkForName => Some("first_name"),
            Flaw::Shouting => None,
        }
    }
}

/// A telephone number of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// As its owner types it.
    pub typed: String,
    /// Whether it is from another country than its owner.
    pub elsewhere: bool,
    number: Number,
}

/// An invented person.
#[derive(Debug, Clone)]
pub struct Person {
    /// Given name.
    pub first_name: &'static str,
    /// Family name.
    pub last_name: &'static str,
    /// The address as typed, and as mail is then sent to it.
    pub email: (String, String),
    /// The number, if they give one.
    pub phone: Option<Phone>,
    /// How they write their country.
    pub country: &'static str,
    /// What they get wrong at first.
    pub flaw: Option<Flaw>,
}

/// Hands out numbers, each once while there are some.
#[derive(Debug, Default)]
pub struct NumberBook(HashMap<&'static str, u64>);

impl NumberBook {
    fn next(&mut self, place: &'static Place) -> Option<Number> {
        let index = self.0.entry(place.code).or_default();
        let number = place.number(*index)?;
        *index += 1;
        Some(number)
    }
}

impl Person {
    /// Invents the customer's person.
    pub fn invent(customer_id: &str, chance: &mut Chance, numbers: &mut NumberBook) -> Person {
        let place = Place::pick(chance);
        let first_name = chance.pick(place.first_names);
        let last_name = chance.pick(place.last_names);
        let country = chance.pick(place.spellings);
        let phone = invent_phone(place, chance, numbers);
        let flaw = Flaw::of(chance).filter(|flaw| *flaw != Flaw::PhoneFromNowhere || phone.is_some());
        let email = address(first_name, last_name, customer_id, chance);
        Person { first_name, last_name, email, phone, country, flaw }
    }

    /// Another address of theirs, that they change to.
    pub fn other_email(&self, customer_id: &str, chance: &mut Chance) -> (String, String) {
        address(self.last_name, "mail", customer_id, chance)
    }

    /// What they type at first: pairs of field and text.
    pub fn form(&self, chance: &mut Chance) -> Vec<(&'static str, String)> {
        let mut form = vec![
            ("first_name", self.first_name.to_owned()),
            ("last_name", self.last_name.to_owned()),
            ("email", self.email.0.clone()),
            ("country", self.country.to_owned()),
        ];
        if let Some(phone) = &self.phone {
            form.push(("phone", phone.typed.clone()));
        }
        if let Some(flaw) = self.flaw {
            self.spoil(flaw, &mut form, chance);
        }
        form
    }

    fn spoil(&self, flaw: Flaw, form: &mut Vec<(&'static str, String)>, chance: &mut Chance) {
        let mut put = |field: &'static str, text: String| {
            form.retain(|(name, _)| *name != field);
            form.push((field, text));
        };
        match flaw {
            Flaw::BadEmail => {
                let (local, domain) = self.email.0.split_once('@').unwrap_or((&self.email.0, "example.com"));
                let bad = [
                    format!("{local}{domain}"),
                    format!("{local}@@{domain}"),
                    format!("{local}@example"),
                    format!("{local} @{domain}"),
                    format!("{local}@example..com"),
                ];
                let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
                put("email", chance.pick(&bad).to_owned());
            }
            Flaw::BadPhone => {
                let bad = ["12345", "555-HELP-ME", "+999 555 0100", "+1 555 0100 0100 0100 0100", "call me"];
                put("phone", chance.pick(&bad).to_owned());
            }
            Flaw::Shouting => {
                put("first_name", self.first_name.to_uppercase());
                put("last_name", self.last_name.to_uppercase());
            }
            Flaw::PhoneFromNowhere => {
                let national = self.phone.as_ref().map(|phone| phone.number.national.clone());
                put("phone", national.unwrap_or_default());
                form.retain(|(name, _)| *name != "country");
            }
            Flaw::UnknownCountry => {
                put("country", chance.pick(&["Atlantis", "ZZ", "Europe", "Earth"]).to_owned())
            }
            Flaw::EmptyName => put("first_name", "  ".to_owned()),
            Flaw::LinkForName => put("first_name", "https://prizes.example".to_owned()),
        }
    }

    /// What they type when they mend it.
    pub fn mended(&self, flaw: Flaw) -> Vec<(&'static str, String)> {
        let phone = self.phone.as_ref();
        match flaw {
            Flaw::BadEmail => vec![("email", self.email.0.clone())],
            Flaw::BadPhone | Flaw::PhoneFromNowhere => {
                let number = phone.map(|phone| ("phone", phone.number.international.clone()));
                number.into_iter().chain([("country", self.country.to_owned())]).collect()
            }
            Flaw::UnknownCountry => vec![("country", self.country.to_owned())],
            Flaw::EmptyName | Flaw::LinkForName | Flaw::Shouting => {
                vec![("first_name", self.first_name.to_owned()), ("last_name", self.last_name.to_owned())]
            }
        }
    }
}

fn invent_phone(place: &'static Place, chance: &mut Chance, numbers: &mut NumberBook) -> Option<Phone> {
    if !chance.per_mille(GIVES_PHONE) {
        return None;
    }
    let elsewhere = chance.per_mille(PHONE_FROM_ELSEWHERE);
    let from = if elsewhere { Place::pick(chance) } else { place };
    let number = numbers.next(from)?;
    let elsewhere = from != place;
    let with_code = elsewhere || chance.per_mille(TYPES_CALLING_CODE);
    let typed = if with_code { &number.international } else { &number.national };
    Some(Phone { typed: typed.clone(), elsewhere, number })
}

/// An address that nobody else has: the customer's number is in it.
fn address(first: &str, last: &str, customer_id: &str, chance: &mut Chance) -> (String, String) {
    let domain = chance.below(MAIL_DOMAINS.len() as u64) as usize;
    let (typed, kept) = MAIL_DOMAINS[domain];
    let local = format!("{}.{}.{customer_id}", plain_letters(first), plain_letters(last));
    (format!("{local}@{typed}"), format!("{local}@{kept}"))
}

/// The letters of the names in [`super::places`], as people write them in addresses.
fn plain_letters(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' => plain.push(letter),
            'å' | 'ä' | 'à' => plain.push('a'),
            'ç' => plain.push('c'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'î' | 'ï' => plain.push('i'),
            'ö' | 'ø' | 'ô' => plain.push('o'),
            'ü' | 'û' => plain.push('u'),
            'æ' => plain.push_str("ae"),
            'ß' => plain.push_str("ss"),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(count: u32) -> Vec<Person> {
        let mut numbers = NumberBook::default();
        (0..count)
            .map(|number| {
                let id = format!("{number:05}");
                Person::invent(&id, &mut Chance::new(1, &id), &mut numbers)
            })
            .collect()
    }

    #[test]
    fn every_letter_of_a_name_has_a_plain_one() {
        for person in people(5_000) {
            let letters = |name: &str| name.chars().filter(|letter| letter.is_alphabetic()).count();
            for name in [person.first_name, person.last_name] {
                assert!(plain_letters(name).chars().count() >= letters(name), "{name}");
            }
        }
        assert_eq!(plain_letters("Günther Weiß-O'Brien"), "guntherweissobrien");
    }

    #[test]
    fn flaws_come_at_their_rate_and_show_in_the_form() {
        let people = people(10_000);
        let share = |flaw| people.iter().filter(|person| person.flaw == Some(flaw)).count();
        assert!((300..500).contains(&share(Flaw::BadEmail)), "{}", share(Flaw::BadEmail));
        assert!((80..200).contains(&share(Flaw::PhoneFromNowhere)), "{}", share(Flaw::PhoneFromNowhere));
        for person in people.iter().filter(|person| person.flaw.is_some()) {
            let mut right = person.clone();
            right.flaw = None;
            let (form, right) = (person.form(&mut Chance::new(1, "x")), right.form(&mut Chance::new(1, "x")));
            assert_ne!(form, right);
            if person.flaw == Some(Flaw::PhoneFromNowhere) {
                assert!(form.iter().all(
                    |(field, text)| *field != "country" && (*field != "phone" || !text.starts_with('+'))
                ));
            }
        }
    }

    #[test]
    fn some_numbers_are_from_elsewhere_and_then_say_so() {
        let people = people(10_000);
        let elsewhere: Vec<&Phone> = people
            .iter()
            .filter_map(|person| person.phone.as_ref())
            .filter(|phone| phone.elsewhere)
            .collect();
        assert!((100..500).contains(&elsewhere.len()), "{}", elsewhere.len());
        assert!(elsewhere.iter().all(|phone| phone.typed.starts_with('+')));
    }
}

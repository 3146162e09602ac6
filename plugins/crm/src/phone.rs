//! Telephone numbers: E.164, or a sentence that says what is wrong.

use phone_numbers::Fault;

use crate::no::{No, no};

/// The number in E.164; `home` is the alpha-2 code of where a number without country code is from.
pub(crate) fn phone(text: &str, home: Option<&str>) -> Result<String, No> {
    let fault = match phone_numbers::parse(text, home) {
        Ok(number) => return Ok(number),
        Err(fault) => fault,
    };
    match fault {
        Fault::Empty if text.trim().is_empty() => {
            no("phone.empty", "The phone number is empty; send null to remove it.")
        }
        Fault::Empty | Fault::NotDigits => {
            no("phone.invalid", "A phone number has digits only, and spaces or dashes between them.")
        }
        Fault::Extension => no(
            "phone.extension",
            "A number with an extension can't be reached directly; give a direct number.",
        ),
        Fault::TooLong => {
            no("phone.invalid", "This phone number has too many digits: no number has more than 15.")
        }
        Fault::CountryUnknown => no(
            "phone.country-unknown",
            "The phone number has no country code and the customer's country isn't known; \
             begin it with + and the country code, such as +46.",
        ),
        Fault::CodeUnknown => {
            no("phone.invalid", "No country has the country code that this phone number begins with.")
        }
        Fault::NotInPlan => no(
            "phone.invalid",
            "There is no such phone number in its country: check for a missing, surplus or mistyped digit.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_code() {
        for (text, home, expected) in [
            ("070-123 45 67", Some("SE"), Ok("+46701234567")),
            ("+1 604 555 0123", None, Ok("+16045550123")),
            ("", None, Err("phone.empty")),
            ("--", None, Err("phone.invalid")),
            ("ring mig", Some("SE"), Err("phone.invalid")),
            ("08-12345678 ext 3", Some("SE"), Err("phone.extension")),
            ("070-123 45 67", None, Err("phone.country-unknown")),
            ("070-123 45 6", Some("SE"), Err("phone.invalid")),
            ("+999 12345", None, Err("phone.invalid")),
            ("+46 701 234 567 890 1234", None, Err("phone.invalid")),
        ] {
            let found = phone(text, home);
            assert_eq!(found.as_deref().map_err(|no| no.code), expected, "{text}");
        }
    }
}

//! E-mail addresses: the kept form of the crate `email-addresses`, or a sentence that says what is
//! wrong.

use email_addresses::Fault;

use crate::no::{No, no};

/// The address as it is kept: the local part as typed, the domain in ASCII.
pub(crate) fn email(text: &str) -> Result<String, No> {
    let fault = match email_addresses::parse(text) {
        Ok(address) => return Ok(address),
        Err(fault) => fault,
    };
    let message = match fault {
        Fault::Empty => {
            return no("email.empty", "The e-mail address is empty; send null to remove it.");
        }
        Fault::TooLong => "An e-mail address can have at most 254 characters.",
        Fault::Space => "An e-mail address can't contain spaces or line breaks.",
        Fault::NotAlone => {
            "This is more than one e-mail address, or has a name around it; give the address alone."
        }
        Fault::NoAt => "An e-mail address has an @ between the name and the domain.",
        Fault::ManyAts => "An e-mail address has only one @.",
        Fault::LocalMissing => "The part before the @ is missing.",
        Fault::LocalTooLong => "The part before the @ can have at most 64 characters.",
        Fault::Quoted => "Addresses in quotation marks are not supported; use one without.",
        Fault::Dots => "The part before the @ can't begin or end with a dot, or have two in a row.",
        Fault::LocalCharacter => "The part before the @ has a character that an e-mail address can't have.",
        Fault::IpAddress => "The domain is an IP address; give a domain such as example.com.",
        Fault::NoDomain => "The part after the @ is no domain such as example.com.",
        Fault::DomainIncomplete => "The domain is incomplete: it ends in something like .com or .se.",
        Fault::EndingUnknown => "The domain has an ending that doesn't exist.",
    };
    no("email.invalid", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_in_one_form() {
        for (text, expected) in [
            ("anna@example.com", "anna@example.com"),
            ("  Anna.Berg@EXAMPLE.Com\n", "Anna.Berg@example.com"),
            ("anna+news@example.co.uk", "anna+news@example.co.uk"),
            ("o'brien@example.ie", "o'brien@example.ie"),
            ("mailto:anna@example.com", "anna@example.com"),
            ("<anna@example.com>", "anna@example.com"),
            ("\u{200b}anna@example.com\u{feff}", "anna@example.com"),
            ("anna@räksmörgås.se", "anna@xn--rksmrgs-5wao1o.se"),
            ("anna@RÄKSMÖRGÅS.SE", "anna@xn--rksmrgs-5wao1o.se"),
            ("anna@xn--rksmrgs-5wao1o.se", "anna@xn--rksmrgs-5wao1o.se"),
            ("anna@straße.de", "anna@xn--strae-oqa.de"),
            ("anna@例え.jp", "anna@xn--r8jz45g.jp"),
            ("anna@例え。jp", "anna@xn--r8jz45g.jp"),
            ("jo\u{308}rg@example.de", "jörg@example.de"),
            ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
            ("तमिल्@example.in", "तमिल्@example.in"),
            ("a@b.museum", "a@b.museum"),
        ] {
            assert_eq!(email(text).as_deref(), Ok(expected), "{text:?}");
        }
        let longest =
            format!("{}@{}.{}.{}.se", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(57));
        assert_eq!(longest.len(), 254 - 2 + 1);
        assert_eq!(email(&longest), Ok(longest));
    }

    #[test]
    fn what_no_server_takes_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("anna@{}.com", "a".repeat(64));
        let long_all =
            format!("{}@{}.{}.{}.se", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(60));
        let huge = format!("{}@example.com", "a".repeat(1_000_000));
        for text in [
            "anna",
            "anna@",
            "@example.com",
            "anna@@example.com",
            "anna@example@example.com",
            "anna@localhost",
            "anna@example.c",
            "anna@example..com",
            "anna@.example.com",
            "anna@example.com.",
            "anna@-example.com",
            "anna@exa_mple.com",
            "anna@192.168.0.1",
            "anna@[192.168.0.1]",
            "anna@xn--a.se",
            ".anna@example.com",
            "anna.@example.com",
            "an..na@example.com",
            "an na@example.com",
            "anna@exa mple.com",
            "anna\n@example.com",
            "\"anna berg\"@example.com",
            "\"anna\"@example.com",
            "Anna <anna@example.com>",
            "anna@example.com, per@example.com",
            "anna(work)@example.com",
            "anna\u{202e}@example.com\u{0}",
            "🎉@example.com",
            "\u{201c}anna\u{201d}@example.com",
            &long_local,
            &long_label,
            &long_all,
            &huge,
        ] {
            let start: String = text.chars().take(30).collect();
            assert_eq!(email(text).map_err(|no| no.code), Err("email.invalid"), "{start:?}");
        }
        assert_eq!(email(" ").map_err(|no| no.code), Err("email.empty"));
        assert_eq!(email("mailto:").map_err(|no| no.code), Err("email.empty"));
    }
}

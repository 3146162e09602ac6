//! E-mail addresses.
//!
//! Checked by form alone: whether anybody reads it, the e-mail capability finds out. The local
//! part stays as typed, because only its own server knows whether case matters; for matching,
//! the host folds it. The domain is kept in ASCII (A-labels): every mail system takes those, and
//! equal domains are equal text. Two forms that RFC 5321 allows are refused, because in a form
//! they are mistakes and hardly any mail system takes them: quoted local parts and IP addresses.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::no::{No, no};
use crate::unicode::{nfc, tidy};

/// RFC 5321, 4.5.3.1.1, in octets.
const LOCAL_BYTES_MAX: usize = 64;
/// RFC 5321, 4.5.3.1.3: a path is 256 octets, two of them are angle brackets.
const ADDRESS_BYTES_MAX: usize = 254;
/// What is no letter or digit and may stand in a local part (RFC 5322, 3.2.3), beside the dot.
const LOCAL_SYMBOLS: &str = "!#$%&'*+-/=?^_`{|}~";

/// The address as it is kept.
pub(crate) fn email(text: &str) -> Result<String, No> {
    let text = tidy(text);
    let text = bare(&text);
    if text.is_empty() {
        return no("email.empty", "The e-mail address is empty; send null to remove it.");
    }
    // A domain of other scripts shrinks or grows on its way to ASCII, by less than this.
    if text.len() > 4 * ADDRESS_BYTES_MAX {
        return no("email.invalid", "An e-mail address can have at most 254 characters.");
    }
    if text.contains(|char: char| char.is_whitespace() || char.is_control()) {
        return no("email.invalid", "An e-mail address can't contain spaces or line breaks.");
    }
    if text.contains([',', ';', '<', '>']) {
        return no(
            "email.invalid",
            "This is more than one e-mail address, or has a name around it; give the address alone.",
        );
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return no("email.invalid", "An e-mail address has an @ between the name and the domain.");
    };
    let local = local_part(local)?;
    let domain = domain_name(domain)?;
    if local.len() + 1 + domain.len() > ADDRESS_BYTES_MAX {
        return no("email.invalid", "An e-mail address can have at most 254 characters.");
    }
    Ok(format!("{local}@{domain}"))
}

/// Without what copying from a link or a header brings along.
fn bare(text: &str) -> &str {
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &text[7..],
        _ => text,
    };
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text).trim()
}

fn local_part(text: &str) -> Result<String, No> {
    let local = nfc(text);
    if local.is_empty() {
        return no("email.invalid", "The part before the @ is missing.");
    }
    if local.len() > LOCAL_BYTES_MAX {
        return no("email.invalid", "The part before the @ can have at most 64 characters.");
    }
    if local.starts_with('"') {
        return no("email.invalid", "Addresses in quotation marks are not supported; use one without.");
    }
    if local.contains('@') {
        return no("email.invalid", "An e-mail address has only one @.");
    }
    if local.split('.').any(str::is_empty) {
        return no(
            "email.invalid",
            "The part before the @ can't begin or end with a dot, or have two in a row.",
        );
    }
    // Letters of any script (RFC 6531).
    let allowed = |char: char| {
        char == '.' || char.is_alphanumeric() || LOCAL_SYMBOLS.contains(char) || is_part_of_letter(char)
    };
    if !local.chars().all(allowed) {
        return no(
            "email.invalid",
            "The part before the @ has a character that an e-mail address can't have.",
        );
    }
    Ok(local.into_owned())
}

/// Accents that no composed letter has taken up, and the marks and joiners that scripts of South
/// and Southeast Asia (U+0900 to U+109F) write letters with.
fn is_part_of_letter(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{109f}' | '\u{200c}' | '\u{200d}')
}

fn domain_name(text: &str) -> Result<String, No> {
    if text.starts_with('[') {
        return no("email.invalid", "The domain is an IP address; give a domain such as example.com.");
    }
    let ascii = Uts46::new().to_ascii(
        text.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    let Ok(domain) = ascii else {
        return no("email.invalid", "The part after the @ is no domain such as example.com.");
    };
    let Some((_, top)) = domain.rsplit_once('.') else {
        return no("email.invalid", "The domain is incomplete: it ends in something like .com or .se.");
    };
    // Top-level domains are letters or A-labels and have at least two characters.
    if top.len() < 2 || top.bytes().all(|byte| byte.is_ascii_digit()) {
        return no("email.invalid", "The domain has an ending that doesn't exist.");
    }
    Ok(domain.into_owned())
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

//! E-mail addresses: the form an agent reads back over the phone. The letters before the @ stay as
//! they were typed, for only their own server knows whether case matters; the domain is in lower
//! case and in its own letters.

use crate::{EMPTY, No};

/// RFC 5321, 4.5.3.1: 64 octets, an @, and what a path leaves for the domain.
const LOCAL_BYTES_MAX: usize = 64;
const ADDRESS_BYTES_MAX: usize = 254;

/// The address as it is kept.
pub(crate) fn email(text: &str) -> Result<String, No> {
    const NO: No = ("contact.email", "This is no e-mail address: it looks like name@example.com.");
    let text = text.trim();
    if text.is_empty() {
        return Err(EMPTY);
    }
    let Some((local, domain)) = text.split_once('@') else { return Err(NO) };
    let domain = domain.to_lowercase();
    let fits = local.len() <= LOCAL_BYTES_MAX && local.len() + 1 + domain.len() <= ADDRESS_BYTES_MAX;
    let parted = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    let is_local = parted(local)
        && local.chars().all(|char| char.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(char));
    let is_domain = parted(&domain)
        && domain.contains('.')
        && domain.chars().all(|char| char.is_alphanumeric() || char == '-' || char == '.')
        && domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'));
    if fits && is_local && is_domain { Ok(format!("{local}@{domain}")) } else { Err(NO) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_small_and_in_its_own_letters() {
        for (text, kept) in [
            (" Anna@EXAMPLE.se ", "Anna@example.se"),
            ("anna@RÄKSMÖRGÅS.se", "anna@räksmörgås.se"),
            ("a.b+c@x-y.example", "a.b+c@x-y.example"),
            ("anna@xn--rksmrgs-5wao1o.se", "anna@räksmörgås.se"),
            ("anna@例え。jp", "anna@例え.jp"),
            ("jo\u{308}rg@example.de", "jörg@example.de"),
            ("<mailto:anna@example.com>", "anna@example.com"),
            ("\u{200b}anna@example.com\u{feff}", "anna@example.com"),
        ] {
            assert_eq!(email(text).as_deref(), Ok(kept), "{text}");
            assert_eq!(email(kept).as_deref(), Ok(kept));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "a".repeat(250));
        for text in [
            "anna",
            "@example.com",
            "anna@",
            "anna@localhost",
            "a b@example.com",
            "a@b@c.com",
            "a..b@c.com",
            "a@-b.com",
            "\"a\"@example.com",
            "a@[1.2.3.4]",
            "a@b..com",
            "a@b.com\nBcc: c@d.com",
            "a@xn--a.se",
            "a@192.168.0.1",
            "a@example.c",
            "a@ex\u{2105}ample.com",
            &long,
            &longer,
        ] {
            assert_eq!(email(text).map_err(|no| no.0), Err("contact.email"), "{text}");
        }
        assert_eq!(email("  ").map_err(|no| no.0), Err("contact.empty"));
    }
}

//! E-mail addresses: the form an agent reads back over the phone. What is an address and what is
//! kept of its local part, the crate `email-addresses` says; the domain is in lower case and in its
//! own letters.

use email_addresses::Fault;

use crate::{EMPTY, No};

/// The address as it is kept.
pub(crate) fn email(text: &str) -> Result<String, No> {
    const NO: No = ("card.email", "This is no e-mail address: it looks like name@example.com.");
    match email_addresses::parse(text) {
        Ok(address) => Ok(email_addresses::display(&address).into_owned()),
        Err(Fault::Empty) => Err(EMPTY),
        Err(_) => Err(NO),
    }
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
            assert_eq!(email(text).map_err(|no| no.0), Err("card.email"), "{text}");
        }
        assert_eq!(email("  ").map_err(|no| no.0), Err("card.empty"));
    }
}

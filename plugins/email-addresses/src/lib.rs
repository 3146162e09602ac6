//! E-mail addresses: from what people type to one kept form, and from there to the form by which
//! two spellings are one address.
//!
//! ```
//! use email_addresses::{Fault, display, matching, parse};
//!
//! assert_eq!(parse(" <mailto:Anna@RÄKSMÖRGÅS.se> ").unwrap(), "Anna@xn--rksmrgs-5wao1o.se");
//! assert_eq!(matching("anna@räksmörgås.se"), matching("ANNA@xn--rksmrgs-5wao1o.se"));
//! assert_eq!(display("Anna@xn--rksmrgs-5wao1o.se"), "Anna@räksmörgås.se");
//! assert_eq!(parse("n/a"), Err(Fault::NoAt));
//! ```
//!
//! Checked by form alone: whether anybody reads it, only mail finds out. Two forms that RFC 5321
//! allows are refused, because in a form they are mistakes and hardly any mail system takes them:
//! quoted local parts and IP addresses.
//!
//! What each of the three forms does with the parts of an address:
//!
//! | | [`parse`]: kept | [`matching`]: compared | [`display`]: read |
//! |---|---|---|---|
//! | spaces around it, `mailto:`, angle brackets, invisible marks | removed | removed | |
//! | full-width and half-width letters (`ａ`, `ｱ`) | ordinary ones | ordinary ones | |
//! | an accent of its own (`o` and U+0308) | composed, NFC | composed, NFC | |
//! | letter case before the @ | as typed | lower | as kept |
//! | the domain | IDNA, in ASCII (A-labels) | as kept | its own letters |
//!
//! The local part stays in its letter case because only its own server knows whether case
//! matters. For matching it doesn't: no provider of weight tells cases apart, and sending
//! services report addresses in lower case.
//!
//! # The rule of matching
//!
//! Letters are lower-cased one by one by the Unicode character database, whatever stands around
//! them and whatever language it is, the final sigma `ς` counts as `σ`, and the result is composed
//! again (NFC). This is nearly the profile UsernameCaseMapped of RFC 8265. Beyond that every
//! letter is itself: joining two people is worse than not joining one, so no rule makes an ASCII
//! letter of one that a mail server tells from it. `ß` isn't `ss`, the dotless `ı` and the dotted
//! `İ` aren't `i`, `ﬁ` isn't `fi`, Cyrillic `а` isn't Latin `a`; NFKC and full case folding would
//! say otherwise of some. The two exceptions are widths, which are a state of the keyboard, and
//! what Unicode declares the very same character, such as the Kelvin sign and `K`. Dots and tags
//! (`a.nna+news`) are part of the name, although some providers pass over them.

#![warn(missing_docs)]

mod domain;
mod local;
mod typed;

use std::borrow::Cow;

/// RFC 5321, 4.5.3.1.3: a path is 256 octets, two of them are angle brackets.
const ADDRESS_BYTES_MAX: usize = 254;

/// Why a text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing is left of it without spaces, brackets and invisible marks.
    #[error("it is empty")]
    Empty,
    /// More than an address can have (RFC 5321, 4.5.3.1.3).
    #[error("it has more than 254 characters")]
    TooLong,
    /// A space, a line break or another control character.
    #[error("it has a space or a line break in it")]
    Space,
    /// A comma, a semicolon or an angle bracket.
    #[error("it is more than one address, or has a name around it")]
    NotAlone,
    /// No @.
    #[error("it has no @")]
    NoAt,
    /// More than one @.
    #[error("it has more than one @")]
    ManyAts,
    /// Nothing before the @.
    #[error("the part before the @ is missing")]
    LocalMissing,
    /// More before the @ than RFC 5321, 4.5.3.1.1 allows.
    #[error("the part before the @ has more than 64 characters")]
    LocalTooLong,
    /// A local part in quotation marks.
    #[error("the part before the @ is in quotation marks")]
    Quoted,
    /// A dot at the beginning or end of the local part, or two in a row.
    #[error("the part before the @ begins or ends with a dot, or has two in a row")]
    Dots,
    /// A character that no local part has.
    #[error("the part before the @ has a character that an address can't have")]
    LocalCharacter,
    /// An IP address in brackets in place of a domain.
    #[error("its domain is an IP address")]
    IpAddress,
    /// The domain isn't one by IDNA.
    #[error("the part after the @ is no domain")]
    NoDomain,
    /// A host's name without a top-level domain.
    #[error("its domain is incomplete")]
    DomainIncomplete,
    /// The last label is of digits only or a single character.
    #[error("its domain has an ending that doesn't exist")]
    EndingUnknown,
}

/// The address as it is kept: the local part as typed, the domain in ASCII.
///
/// The kept form parses to itself. It has at most 254 bytes, 64 of them before the @.
///
/// # Errors
///
/// A [`Fault`] when the text isn't exactly one address.
pub fn parse(text: &str) -> Result<String, Fault> {
    let address = read(text)?;
    Ok(format!("{}@{}", address.local, address.domain))
}

/// The form by which two spellings are one address; see the crate's documentation for its rule.
/// It is for comparing and for looking up, not for writing to.
///
/// The matching form is an address itself, and its own matching form.
///
/// # Errors
///
/// A [`Fault`] when the text isn't exactly one address, as [`parse`].
pub fn matching(text: &str) -> Result<String, Fault> {
    let address = read(text)?;
    Ok(format!("{}@{}", address.folded, address.domain))
}

/// A kept address with its domain in its own letters, for people to read. Text that is no address
/// stays as it is. The result parses to what it was made from.
pub fn display(kept: &str) -> Cow<'_, str> {
    let Some((local, domain)) = kept.rsplit_once('@') else { return Cow::Borrowed(kept) };
    match domain::in_own_letters(domain) {
        Some(domain) => Cow::Owned(format!("{local}@{domain}")),
        None => Cow::Borrowed(kept),
    }
}

struct Address {
    local: String,
    /// The local part as it is compared.
    folded: String,
    domain: String,
}

fn read(text: &str) -> Result<Address, Fault> {
    let text = typed::tidy(text);
    let text = typed::bare(&text);
    if text.is_empty() {
        return Err(Fault::Empty);
    }
    // A domain of other scripts shrinks or grows on its way to ASCII, by less than this.
    if text.len() > 4 * ADDRESS_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    if text.contains(|char: char| char.is_whitespace() || char.is_control()) {
        return Err(Fault::Space);
    }
    if text.contains([',', ';', '<', '>']) {
        return Err(Fault::NotAlone);
    }
    let (local, domain) = text.rsplit_once('@').ok_or(Fault::NoAt)?;
    let (local, folded) = local::read(local)?;
    let domain = domain::read(domain)?;
    // The folded form is an address too, and lower case can take more bytes.
    if local.len().max(folded.len()) + 1 + domain.len() > ADDRESS_BYTES_MAX {
        return Err(Fault::TooLong);
    }
    Ok(Address { local, folded, domain })
}

//! The part after the @, by IDNA (UTS 46, nontransitional).

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::Fault;

/// The domain in lower-case ASCII: every mail system takes that, and equal domains are equal text.
pub(crate) fn read(text: &str) -> Result<String, Fault> {
    if text.starts_with('[') {
        return Err(Fault::IpAddress);
    }
    let domain = Uts46::new()
        .to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| Fault::NoDomain)?;
    let (_, top) = domain.rsplit_once('.').ok_or(Fault::DomainIncomplete)?;
    // Top-level domains are letters or A-labels and have at least two characters.
    if top.len() < 2 || top.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::EndingUnknown);
    }
    Ok(domain.into_owned())
}

/// None when they are what it is in already, or it is no domain.
pub(crate) fn in_own_letters(domain: &str) -> Option<String> {
    let (shown, result) =
        Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    (result.is_ok() && shown != domain).then(|| shown.into_owned())
}

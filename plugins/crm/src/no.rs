//! What a proposal that can't be right is answered with.

/// A refusal: a stable code for programs and a sentence for the person who typed the value. The
/// sentence never repeats the value: it ends in logs and answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct No {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

/// The short way to say no.
pub(crate) const fn no<T>(code: &'static str, message: &'static str) -> Result<T, No> {
    Err(No { code, message })
}

//! A token's secret: made, read, and hashed.

use data_encoding::BASE64URL_NOPAD;
use rand::TryRng;
use rand::rngs::SysRng;

use samsyn_vocabulary::Digest;

/// What every token starts with, so that a scanner for leaked secrets can find it.
const PREFIX: &str = "samsyn_";
/// Random bytes of a token: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;
/// Their length as base64url.
const SECRET_CHARS: usize = 43;
/// The checksum's length as base64url: a mistyped token is told apart without the registry.
const CHECK_CHARS: usize = 6;
/// A token: `samsyn_`, 256 random bits and a checksum. Never logged, never stored.
pub struct Token(String);

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error(
    "the operating system gave no random bytes for a token: {0}; check its entropy source, then start again"
)]
pub struct TokenError(rand::rngs::SysError);

impl Token {
    /// A new token from the operating system's randomness.
    pub fn generate() -> Result<Token, TokenError> {
        let mut secret = [0; SECRET_BYTES];
        SysRng.try_fill_bytes(&mut secret).map_err(TokenError)?;
        let secret = BASE64URL_NOPAD.encode(&secret);
        Ok(Token(format!("{PREFIX}{secret}{}", checksum(&secret))))
    }

    /// Reads a token; `None` when it can't be one.
    pub fn parse(text: &str) -> Option<Token> {
        let rest = text.strip_prefix(PREFIX)?;
        if rest.len() != SECRET_CHARS + CHECK_CHARS || !rest.is_ascii() {
            return None;
        }
        let (secret, check) = rest.split_at(SECRET_CHARS);
        let whole = BASE64URL_NOPAD.decode(secret.as_bytes()).ok()?.len() == SECRET_BYTES;
        (whole && check == checksum(secret)).then(|| Token(text.to_owned()))
    }

    /// The token, to be printed once.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the registry keeps of it. A fast hash will do: 256 random bits can't be guessed.
    pub fn hash(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

fn checksum(secret: &str) -> String {
    BASE64URL_NOPAD.encode(&crc32fast::hash(secret.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_a_mistyped_one() {
        let token = Token::generate().unwrap();
        let text = token.as_str().to_owned();
        assert_eq!(text.len(), PREFIX.len() + SECRET_CHARS + CHECK_CHARS);
        assert_eq!(Token::parse(&text).unwrap().hash(), token.hash());
        assert_ne!(Token::generate().unwrap().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "Token(…)");
        for at in PREFIX.len()..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut mistyped = text.clone();
            mistyped.replace_range(at..=at, other);
            assert!(Token::parse(&mistyped).is_none(), "{at}");
        }
        for bad in ["", "samsyn_", &text[1..], &text[..text.len() - 1], &text.replace("samsyn_", "samsyn-")] {
            assert!(Token::parse(bad).is_none());
        }
    }
}

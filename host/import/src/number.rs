//! Numbers as people write them: which mark stands before the fraction, which between thousands,
//! and where the minus is.

/// Blanks that stand between thousands: a plain one, no-break, narrow no-break and thin.
const BLANKS: &[char] = &[' ', '\u{a0}', '\u{202f}', '\u{2009}'];
/// Apostrophes that do: typewriter's and typographer's.
const APOSTROPHES: &[char] = &['\'', '\u{2019}'];
/// A minus sign that is no hyphen.
const MINUS: char = '\u{2212}';

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberFormat {
    /// A point or a comma.
    decimal: char,
    /// Those that may stand between thousands; none when nothing does.
    thousands: &'static [char],
}

impl Default for NumberFormat {
    fn default() -> Self {
        NumberFormat { decimal: '.', thousands: &[] }
    }
}

impl NumberFormat {
    /// What a mapping says: `decimal = ","`, `thousands = "."`, each left as it is where it says
    /// nothing. An empty text is no mark.
    pub fn with(self, decimal: Option<&str>, thousands: Option<&str>) -> Result<NumberFormat, String> {
        let decimal = match decimal {
            None => self.decimal,
            Some(".") => '.',
            Some(",") => ',',
            Some(other) => return Err(format!("invalid decimal = {other:?}: write \".\" or \",\"")),
        };
        let one = |text: &str| {
            let mut characters = text.chars();
            characters.next().filter(|_| characters.next().is_none())
        };
        let thousands = match thousands {
            None => self.thousands,
            Some("") => &[],
            Some(".") => &['.'],
            Some(",") => &[','],
            Some(text) if one(text).is_some_and(|mark| BLANKS.contains(&mark)) => BLANKS,
            Some(text) if one(text).is_some_and(|mark| APOSTROPHES.contains(&mark)) => APOSTROPHES,
            Some(other) => {
                return Err(format!("invalid thousands = {other:?}: write \".\", \",\", \" \" or \"'\""));
            }
        };
        if thousands.contains(&decimal) {
            return Err(format!("decimal and thousands are both {decimal:?}: they must differ"));
        }
        Ok(NumberFormat { decimal, thousands })
    }

    /// The number with a point before its fraction, a minus before it and nothing between its
    /// digits; it says what is wrong where it is written otherwise.
    pub fn plain(&self, text: &str) -> Result<String, String> {
        self.read(text.trim()).ok_or_else(|| self.problem(text.trim()))
    }

    fn read(&self, text: &str) -> Option<String> {
        let (negative, digits) = signed(text)?;
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(at) => digits.split_at(at),
            None => (digits, ""),
        };
        let (whole, fraction) = match mantissa.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let mut plain = String::from(if negative { "-" } else { "" });
        plain.push_str(&self.ungrouped(whole)?);
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(some_digits(fraction)?);
        }
        // Its digits are read where the whole number is.
        plain.push_str(exponent);
        Some(plain)
    }

    /// The digits of groups of three, of which only the first may have fewer.
    fn ungrouped(&self, whole: &str) -> Option<String> {
        let mut groups = whole.split(self.thousands);
        let first = some_digits(groups.next()?)?;
        let mut digits = first.to_owned();
        for group in groups {
            if first.len() > 3 || group.len() != 3 {
                return None;
            }
            digits.push_str(some_digits(group)?);
        }
        Some(digits)
    }

    fn problem(&self, text: &str) -> String {
        let has_digit = text.chars().any(|character| character.is_ascii_digit());
        let currency = |character: char| {
            character.is_alphabetic()
                || character == '$'
                || ('\u{a2}'..='\u{a5}').contains(&character)
                || ('\u{20a0}'..='\u{20cf}').contains(&character)
        };
        if has_digit && text.chars().any(currency) {
            return format!(
                "{text:?} is more than a number: remove the currency from the cell, and map it to a property of \
                 its own"
            );
        }
        let marks: String = self.thousands.first().map_or_else(
            || "no thousands separator".to_owned(),
            |mark| format!("{mark:?} as thousands separator"),
        );
        format!(
            "{text:?} is not a number with {:?} as decimal mark and {marks}; set decimal = \",\" and thousands = \
             \".\" to the marks of the file",
            self.decimal.to_string()
        )
    }
}

/// Whether the number is negative, and what is left of it: `-5`, `5-` and `(5)` are.
fn signed(text: &str) -> Option<(bool, &str)> {
    if let Some(inner) = text.strip_prefix('(') {
        return Some((true, inner.strip_suffix(')')?));
    }
    if let Some(rest) = text.strip_prefix(['-', MINUS]) {
        return Some((true, rest));
    }
    if let Some(rest) = text.strip_prefix('+') {
        return Some((false, rest));
    }
    match text.strip_suffix(['-', MINUS]) {
        Some(rest) => Some((true, rest)),
        None => Some((false, text)),
    }
}

fn some_digits(text: &str) -> Option<&str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(text)
}

//! Texts that a spreadsheet took for numbers and rounded: `1.23457E+11` was a number of 12 digits.
//!
//! As an identifier such a text is shared by everybody whose number begins so, and nothing brings
//! the digits back. The import tells of it, with what to do, and goes on: the text may be meant.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The longest text that is shown; a double has fewer digits.
const SHOWN_CHARS_MAX: usize = 32;

/// Whether a text is a number in scientific notation, as spreadsheets and programs write doubles:
/// one digit, perhaps a fraction, and an exponent with a sign, which only a fraction may lack.
pub fn is_rounded(text: &str) -> bool {
    let text = text.trim();
    if text.len() > SHOWN_CHARS_MAX {
        return false;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let unsigned = exponent.strip_prefix(['+', '-']);
    whole.len() == 1
        && digits(whole)
        && fraction.is_none_or(digits)
        && (fraction.is_some() || unsigned.is_some())
        && digits(unsigned.unwrap_or(exponent))
}

/// What was found in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    column: String,
    line: u64,
    text: String,
    rows: u64,
}

/// The rounded texts of a file, which are warned of once. Clones share what was found.
#[derive(Debug, Clone, Default)]
pub struct RoundedTexts {
    found: Rc<RefCell<Vec<Found>>>,
    warned: Rc<Cell<bool>>,
}

impl RoundedTexts {
    /// Forgets everything: the file is read from its beginning.
    pub fn restart(&self) {
        self.found.borrow_mut().clear();
    }

    /// Keeps the first text of each column, and counts the rows.
    pub fn note(&self, column: &str, line: u64, text: &str) {
        let mut found = self.found.borrow_mut();
        match found.iter_mut().find(|found| found.column == column) {
            Some(known) => known.rows += 1,
            None => {
                found.push(Found { column: column.to_owned(), line, text: text.trim().to_owned(), rows: 1 })
            }
        }
    }

    /// A line for each column, and one that says what to do; empty when nothing was found, or when
    /// an earlier call gave them: a file may be read twice.
    pub fn warnings(&self) -> Vec<String> {
        let found = self.found.borrow();
        if self.warned.replace(self.warned.get() || !found.is_empty()) {
            return Vec::new();
        }
        let mut lines: Vec<String> = found.iter().map(Found::warning).collect();
        if !lines.is_empty() {
            lines.push(
                "in the spreadsheet, format the column as text before you enter the numbers; or export them from \
         their origin and import that file"
                    .to_owned(),
            );
        }
        lines
    }
}

impl Found {
    fn warning(&self) -> String {
        let Found { column, line, text, rows } = self;
        let rows = if *rows == 1 { "1 row has".to_owned() } else { format!("{rows} rows have") };
        format!(
            "warning: column {column:?}, line {line}: a spreadsheet rounded {text}, so that different numbers become \
                 equal; {rows} such values"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scientific_notation_is_told_from_codes() {
        for text in [
            "1.23457E+11",
            "1,23457E+11",
            "1E+11",
            "-1.5e-05",
            " 9.87654E+15 ",
            "1.23457e+11",
            "1.23457E11",
            "4E-3",
        ] {
            assert!(is_rounded(text), "{text}");
        }
        for text in [
            "",
            "E",
            "E+5",
            "1E5",
            "12E+5",
            "12E5",
            "1.5",
            "123457",
            "1.E+5",
            "A1E+5",
            "1E+",
            "1E+5A",
            "1.2.3E+5",
            "1e+1e+1",
            "e-mail",
            "1.5E+2 kg",
            "12345678901234567890123456789012345E+5",
        ] {
            assert!(!is_rounded(text), "{text}");
        }
    }

    #[test]
    fn a_column_is_told_of_once() {
        let found = RoundedTexts::default();
        assert!(found.warnings().is_empty());
        for line in 2..1_002 {
            found.note("number", line, " 1.23457E+11");
        }
        found.note("phone", 7, "4.67E+10");
        let warnings = found.clone().warnings();
        assert_eq!(warnings.len(), 3);
        assert!(
            warnings[0].contains("\"number\", line 2: a spreadsheet rounded 1.23457E+11,")
                && warnings[0].contains("1000 rows")
        );
        assert!(warnings[1].contains("\"phone\", line 7") && warnings[1].contains("1 row has"));
        assert!(found.warnings().is_empty(), "once");
    }
}

//! What people type, reduced to digits.

use crate::Fault;

/// The zero of every script whose digits customers' keyboards produce.
const ZEROS: [char; 12] = [
    '0', '\u{660}',  // Arabic-Indic
    '\u{6f0}',  // Persian and Urdu
    '\u{966}',  // Devanagari
    '\u{9e6}',  // Bengali
    '\u{a66}',  // Gurmukhi
    '\u{ae6}',  // Gujarati
    '\u{be6}',  // Tamil
    '\u{e50}',  // Thai
    '\u{ed0}',  // Lao
    '\u{1040}', // Burmese
    '\u{ff10}', // full-width
];
/// What begins an extension, after the number.
const EXTENSIONS: [&str; 8] = ["x", "ext", "#", ";", ",", "ankn", "dw", "durchwahl"];
/// More characters than a number can be written with, separators and all.
const CHARS_MAX: usize = 64;

/// The digits of a number, and whether a plus stood before them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) plus: bool,
    pub(crate) digits: String,
}

/// Takes separators away and turns every script's digits into ASCII.
pub(crate) fn read(text: &str) -> Result<Typed, Fault> {
    let text = text.trim();
    let text = match text.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &text[4..],
        _ => text,
    };
    let mut typed = Typed { plus: false, digits: String::new() };
    for (count, (at, char)) in text.char_indices().enumerate() {
        if count == CHARS_MAX {
            return Err(Fault::TooLong);
        }
        if let Some(digit) = digit(char) {
            typed.digits.push(digit);
        } else if is_plus(char) && typed.digits.is_empty() && !typed.plus {
            typed.plus = true;
        } else if !is_separator(char) {
            return Err(not_a_digit(&typed, &text[at..]));
        }
    }
    if typed.digits.is_empty() { Err(Fault::Empty) } else { Ok(typed) }
}

fn digit(char: char) -> Option<char> {
    ZEROS.iter().find_map(|&zero| {
        let value = u32::from(char).checked_sub(u32::from(zero)).filter(|&value| value < 10)?;
        char::from_digit(value, 10)
    })
}

fn is_plus(char: char) -> bool {
    matches!(char, '+' | '\u{ff0b}' | '\u{fe62}')
}

/// Spaces, dashes, dots, slashes, brackets, and the invisible marks that copying from a contact
/// card leaves behind.
fn is_separator(char: char) -> bool {
    char.is_whitespace()
        || matches!(char, '-' | '.' | '/' | '(' | ')' | '[' | ']' | '~' | '\u{b7}' | '\u{ad}' | '\u{2212}')
        || matches!(char, '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(char, '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || matches!(char, '\u{ff08}' | '\u{ff09}' | '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}' | '\u{30fc}')
}

fn not_a_digit(typed: &Typed, rest: &str) -> Fault {
    let rest = rest.to_lowercase();
    let extends = !typed.digits.is_empty() && EXTENSIONS.iter().any(|word| rest.starts_with(word));
    if extends { Fault::Extension } else { Fault::NotDigits }
}

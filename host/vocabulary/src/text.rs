//! What a text may hold: the contract promises a plug-in no control character but line feed and tab.

use std::borrow::Cow;

/// Whether a text may not hold the character.
pub fn is_refused(letter: char) -> bool {
    letter.is_control() && letter != '\n' && letter != '\t'
}

/// A text from outside as it is taken: each line ends with a line feed alone, and the NULs that some
/// systems put behind a text are gone. Nothing else is changed. The first control character that is
/// still there is the error: without it the text would say something else. A text of nothing but
/// carriage returns and NULs has no text that these could stand behind: its first one is the error, too.
pub fn taken(text: &str) -> Result<Cow<'_, str>, char> {
    if !text.contains(is_refused) {
        return Ok(Cow::Borrowed(text));
    }
    if let Some(first) = text.chars().next()
        && text.chars().all(|letter| matches!(letter, '\r' | '\0'))
    {
        return Err(first);
    }
    let mut lines = text.replace("\r\n", "\n").replace('\r', "\n");
    // Behind a NUL at the end there may be another, or the end of the line.
    let end = lines.trim_end_matches(['\0', '\n']).len();
    let tail = lines.split_off(end).replace('\0', "");
    match lines.chars().find(|letter| is_refused(*letter)) {
        Some(letter) => Err(letter),
        None => Ok(Cow::Owned(lines + &tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_become_line_feeds_and_nuls_at_the_end_go() {
        for (text, is) in [
            ("", ""),
            ("plain\n\ttext\u{2028}å", "plain\n\ttext\u{2028}å"),
            ("STOP\r\n", "STOP\n"),
            ("STOP\r", "STOP\n"),
            ("one\r\n\r\ntwo\rthree", "one\n\ntwo\nthree"),
            ("STOP\0\0", "STOP"),
            ("STOP\0\r\n\0", "STOP\n"),
            ("\r\n", "\n"),
        ] {
            assert_eq!(taken(text).as_deref(), Ok(is), "{text:?}");
        }
        for (text, letter) in [
            ("\0", '\0'),
            ("\0\0\r", '\0'),
            ("\r", '\r'),
            ("ST\0OP", '\0'),
            ("\0STOP", '\0'),
            ("a\0 ", '\0'),
            ("a\u{b}", '\u{b}'),
            ("a\u{85}\r\n", '\u{85}'),
            ("\u{1b}[2J\0", '\u{1b}'),
        ] {
            assert_eq!(taken(text), Err(letter), "{text:?}");
        }
    }
}

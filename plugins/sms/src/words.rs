//! What a message asks for: to stop, to start again, or neither.
//!
//! A wrong yes to "stop" costs a customer their messages until they say START; a wrong no writes
//! to somebody who has forbidden it. So a short message that begins with a stop word stops, a
//! long one that contains one is looked at by a person, and to start again takes that word alone.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Understood whatever the setting says: carriers require it.
const STOP_ALWAYS: &str = "STOP";
/// No setting: an opt-out ends by these or not at all.
const START_WORDS: [&str; 3] = ["START", "UNSTOP", "STARTA"];
/// "Stopp tack!" and "Stop please, thanks" stop; longer ones may be about something else.
const SHORT_MESSAGE_WORDS_MAX: usize = 3;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// It contains this stop word, as the setting writes it, among others.
    Unclear(String),
    /// Something else.
    Other,
}

/// What the message asks for, with these stop words.
pub(crate) fn wish(message: &str, stop_words: &[String]) -> Wish {
    let folded = fold(message);
    // Punctuation either parts words ("stop,please") or stands inside one ("opt-out").
    let parted: Vec<&str> =
        folded.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let joined: Vec<String> = folded
        .split_whitespace()
        .map(|word| word.chars().filter(|char| char.is_alphanumeric()).collect())
        .filter(|word: &String| !word.is_empty())
        .collect();
    let whole = joined.concat();
    let always = STOP_ALWAYS.to_owned();
    let mut contained = None;
    for stop_word in stop_words.iter().chain([&always]) {
        let stop = fold(stop_word);
        let stop: String = stop.chars().filter(|char| char.is_alphanumeric()).collect();
        if stop.is_empty() {
            continue;
        }
        let begins =
            |words: usize, first: Option<&str>| words <= SHORT_MESSAGE_WORDS_MAX && first == Some(&stop);
        if whole == stop
            || begins(parted.len(), parted.first().copied())
            || begins(joined.len(), joined.first().map(String::as_str))
        {
            return Wish::Stop;
        }
        if parted.contains(&stop.as_str()) || joined.contains(&stop) {
            contained.get_or_insert_with(|| stop_word.clone());
        }
    }
    match contained {
        Some(word) => Wish::Unclear(word),
        None if START_WORDS.iter().any(|start| whole.eq_ignore_ascii_case(start)) => Wish::Start,
        None => Wish::Other,
    }
}

/// One form of what reads the same: full-width and mathematical letters become plain ones,
/// capitals small, and what nobody sees is gone. Accents stay: in a stop word of another
/// language they tell words apart.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(text).to_lowercase();
    plain.chars().filter(|&char| !is_invisible(char)).collect()
}

/// Zero-width and direction marks, what makes a character an emoji, and accents on letters that
/// never have them (those of real letters are composed by now).
fn is_invisible(char: char) -> bool {
    matches!(
        char,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}'
            | '\u{feff}' | '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> Wish {
        let words = ["STOP", "STOPP", "STOPALL", "END", "CANCEL", "OPTOUT", "AVSLUTA", "SLUTA"];
        wish(message, &words.map(str::to_owned))
    }

    #[test]
    fn short_messages_that_begin_with_a_stop_word_stop() {
        for message in [
            "STOP",
            "stop",
            " Stop. ",
            "\"STOP\"",
            "STOP!!!",
            "S.T.O.P.",
            "S T O P",
            "Stop 🙏🏽",
            "🛑 stop 🛑",
            "STOP\u{fe0f}",
            "ＳＴＯＰ",
            "𝐒𝐓𝐎𝐏",
            "ⓈⓉⓄⓅ",
            "S\u{200b}TOP",
            "\u{feff}STOP",
            "stopp tack",
            "Stop please, thanks",
            "stop,please",
            "STOP ALL",
            "Opt out",
            "OPT-OUT",
            "avsluta",
            "Sluta!\n",
            "end of story",
            "cancel",
        ] {
            assert_eq!(of(message), Wish::Stop, "{message:?}");
        }
    }

    #[test]
    fn other_messages_that_contain_one_are_unclear() {
        for (message, word) in [
            ("please stop", "STOP"),
            ("don't stop", "STOP"),
            ("stop sending me these messages", "STOP"),
            ("Kan ni sluta skicka sms till mig", "SLUTA"),
            ("I want to opt-out of this now", "OPTOUT"),
            ("unstop or stop", "STOP"),
            ("start stop", "STOP"),
        ] {
            assert_eq!(of(message), Wish::Unclear(word.to_owned()), "{message:?}");
        }
    }

    #[test]
    fn a_word_inside_a_word_is_another_word() {
        for message in [
            "",
            " ",
            "!",
            "👍",
            "weekend",
            "stopover",
            "nonstop",
            "stoppa",
            "the endless",
            "s top up",
            "stöp",
        ] {
            assert_eq!(of(message), Wish::Other, "{message:?}");
        }
    }

    #[test]
    fn only_the_start_words_alone_start() {
        for message in ["START", "start", "Start!", "UNSTOP", "Starta", "ＳＴＡＲＴ", "start 👍"] {
            assert_eq!(of(message), Wish::Start, "{message:?}");
        }
        for message in ["start again please", "yes", "JA", "restart", "starta om", "start2"] {
            assert_eq!(of(message), Wish::Other, "{message:?}");
        }
    }

    #[test]
    fn the_setting_s_words_may_be_of_any_language() {
        let words = ["ARRÊT".to_owned(), "Остановить".to_owned(), " - ".to_owned()];
        assert_eq!(wish("arre\u{302}t", &words), Wish::Stop);
        assert_eq!(wish("arret", &words), Wish::Other);
        assert_eq!(wish("ОСТАНОВИТЬ!", &words), Wish::Stop);
        assert_eq!(wish("quit", &words), Wish::Other);
        assert_eq!(wish("-", &words), Wish::Other);
        // Also with no words at all.
        assert_eq!(wish("stop", &[]), Wish::Stop);
    }
}

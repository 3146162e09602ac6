//! The rule, with few words.

use proptest::prelude::*;

use super::*;

fn of(message: &str) -> Wish {
    let words = ["STOP", "STOPP", "STOPALL", "END", "CANCEL", "OPTOUT", "AVSLUTA", "SLUTA"];
    wish(message, &words.map(str::to_owned), &["UNSTOP".to_owned(), "STARTA".to_owned()])
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
        "cancel",
        "stöp",
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
        ("end of story", "END"),
    ] {
        assert_eq!(of(message), Wish::Unclear(word.to_owned()), "{message:?}");
    }
}

#[test]
fn a_word_inside_a_word_is_another_word() {
    for message in ["", " ", "!", "👍", "weekend", "stopover", "nonstop", "stoppa", "the endless", "s top up"]
    {
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
    assert_eq!(wish("arre\u{302}t", &words, &[]), Wish::Stop);
    assert_eq!(wish("arret", &words, &[]), Wish::Stop);
    assert_eq!(wish("ОСТАНОВИТЬ!", &words, &[]), Wish::Stop);
    assert_eq!(wish("quit", &words, &[]), Wish::Other);
    assert_eq!(wish("-", &words, &[]), Wish::Other);
    // Also with no words at all.
    assert_eq!(wish("stop", &[], &[]), Wish::Stop);
    assert_eq!(wish("start", &[], &[]), Wish::Start);
}

/// The words of the manifest as it is.
fn default_words() -> Vec<String> {
    let manifest = include_str!("../../plugin.toml");
    let list = manifest.split_once("[settings.stop_words]").and_then(|(_, rest)| rest.split_once(']'));
    let list = list.map_or("", |(list, _)| list);
    let quoted = list.split('"').skip(1).step_by(2);
    quoted.filter(|word| *word != "texts").map(str::to_owned).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_stands_under_a_stop_it_is_one(
        word in prop::sample::select(default_words()),
        space in "[ \t.!*~\u{200b}\u{a0}\0]{0,4}",
        end in prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n", "\u{2028}"]),
        below in "\\PC{0,200}",
    ) {
        for word in [word.clone(), word.to_lowercase(), fold(&word)] {
            let message = format!("{space}{word}{space}{end}{below}");
            prop_assert_eq!(wish(&message, &default_words(), &[]), Wish::Stop, "{:?}", message);
        }
    }

    #[test]
    fn any_text_has_an_answer_and_folds_once(text in any::<String>()) {
        wish(&text, &default_words(), &["START".to_owned()]);
        prop_assert_eq!(fold(&fold(&text)), fold(&text));
    }

    /// Said alone, in any of their spellings; with another word beside them only the few without
    /// another use stop.
    #[test]
    fn a_default_word_alone_stops_and_in_a_sentence_doesn_t(
        word in prop::sample::select(default_words()),
        before in "[a-e]{4,8} [f-k]{4,8}",
        after in "[a-e]{4,8} [f-k]{4,8} [a-k]{4,8}",
    ) {
        prop_assert_eq!(wish(&word, &default_words(), &[]), Wish::Stop);
        let sentence = format!("{before} {word} {after}");
        prop_assert_ne!(wish(&sentence, &default_words(), &[]), Wish::Stop);
    }
}
